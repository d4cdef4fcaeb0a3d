"""One installation opened: what every command and the service share, each part opened when it is first needed.

The database is, in this order: the server that `UPTAKE_CLICKHOUSE_URL` names; the engine of a running
`uptake up` through its front (chDB locks its directory); the embedded engine itself.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from uptake.clock import Clock, SystemClock
from uptake.errors import UnavailableError, UsageError
from uptake.settings import Settings

# What a command does not use it does not wait for: importing all of this takes a second.
if TYPE_CHECKING:
    from sqlalchemy import Engine

    from uptake.clickhouse import Database
    from uptake.sql.runner import KpiRunner
    from uptake.state.keys import KeyStore
    from uptake.workspace.models import Workspace


class Home:
    """Settings, and what they lead to. Close it when done (it is a context manager)."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.uses_front = False
        self._opened: list[Database] = []

    @cached_property
    def workspaces(self) -> dict[str, Workspace]:
        """Workspaces by tenant, as they were when they were first asked for."""
        return self.read_workspaces()

    def read_workspaces(self) -> dict[str, Workspace]:
        """Read the workspaces now. Raises WorkspaceError with every problem, each with file and line."""
        from uptake.workspace.load import load_workspaces

        directory = self.settings.workspace
        if not directory.is_dir():
            raise UsageError(
                f"there is no workspace at {directory}",
                f"run `uptake init {directory}`, or set UPTAKE_WORKSPACE",
            )
        return load_workspaces(directory, self.pseudonym_key)

    @property
    def pseudonym_key(self) -> str | None:
        key = self.settings.pseudonym_key
        return key.get_secret_value() if key else None

    @cached_property
    def state(self) -> Engine:
        from uptake.state.store import open_state

        return open_state(self.settings.resolved_state_url)

    @cached_property
    def keys(self) -> KeyStore:
        from uptake.state.keys import KeyStore, load_pepper

        return KeyStore(self.state, self.clock, load_pepper(self.settings.data / "key.pepper"))

    @property
    def front_file(self) -> Path:
        """Where a running service says how its embedded engine is reached."""
        return self.settings.data / "clickhouse.url"

    @cached_property
    def unmigrated_database(self) -> Database:
        """The database as it is."""
        database = self._connect()
        database.uses_activity = self.settings.activity
        self._opened.append(database)
        return database

    @cached_property
    def database(self) -> Database:
        """The database, with its tables brought up to this version."""
        from uptake.sql.migrate import migrate

        migrate(self.unmigrated_database)
        return self.unmigrated_database

    def _connect(self) -> Database:
        from uptake.clickhouse import Database

        if self.settings.clickhouse_url:
            return Database.served(self.settings.clickhouse_url)
        front = self.front_file.read_text() if self.front_file.exists() else ""
        if front:
            try:
                served = Database.served(front)
            except UnavailableError:
                # Left by a service that was killed; the next one replaces it.
                return Database.embedded(self.settings.chdb_path)
            self.uses_front = True
            return served
        return Database.embedded(self.settings.chdb_path)

    def workspace(self, tenant: str | None = None) -> Workspace:
        """The workspace of `tenant`, or the only one there is."""
        if tenant is None and len(self.workspaces) == 1:
            return next(iter(self.workspaces.values()))
        if tenant in self.workspaces:
            return self.workspaces[tenant]
        raise UsageError(
            f"there is no tenant {tenant!r}" if tenant else "there are several tenants",
            f"name one with --tenant: {', '.join(sorted(self.workspaces))}",
        )

    def runner(self, tenant: str | None = None, *, activity: bool = True) -> KpiRunner:
        """KPIs of a tenant, on the roster as its workspace gives it now; without `activity` from the events alone."""
        from uptake.rates import input_rates
        from uptake.sql.runner import KpiRunner
        from uptake.workspace.roster import publish_roster

        workspace = self.workspace(tenant)
        database = self.database
        if not self.uses_front:  # a running service publishes its own, and would not notice another one
            publish_roster(database, workspace, self.clock)
        rates = input_rates(workspace)
        return KpiRunner(
            self.database.tenant(workspace.tenant),
            workspace,
            remember=True,
            activity=activity,
            input_rates=rates,
        )

    def close(self) -> None:
        for database in self._opened:
            database.close()
        if "state" in self.__dict__:
            self.state.dispose()

    def __enter__(self) -> Home:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
