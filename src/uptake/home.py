"""One installation opened: what every command and the service share, each part opened when it is first needed.

The database is, in this order: the server that `UPTAKE_CLICKHOUSE_URL` names; the engine of a running
`uptake up` through its front (chDB locks its directory); the embedded engine itself.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine

from uptake.clickhouse import Database
from uptake.clock import Clock, SystemClock
from uptake.engine_front import announced
from uptake.errors import UnavailableError, UsageError
from uptake.settings import Settings
from uptake.sql.migrate import migrate
from uptake.sql.runner import KpiRunner
from uptake.state.keys import KeyStore, load_pepper
from uptake.state.store import open_state
from uptake.workspace.load import load_workspaces
from uptake.workspace.models import Workspace
from uptake.workspace.roster import publish_roster


class Home:
    """Settings, and what they lead to. Close it when done (it is a context manager)."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._opened: list[Database] = []

    @cached_property
    def workspaces(self) -> dict[str, Workspace]:
        """Workspaces by tenant. Raises WorkspaceError with every problem, each with file and line."""
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
        return open_state(self.settings.resolved_state_url)

    @cached_property
    def keys(self) -> KeyStore:
        return KeyStore(self.state, self.clock, load_pepper(self.settings.data / "key.pepper"))

    @property
    def front_file(self) -> Path:
        """Where a running service says how its embedded engine is reached."""
        return self.settings.data / "clickhouse.url"

    @cached_property
    def unmigrated_database(self) -> Database:
        """The database as it is."""
        database = self._connect()
        self._opened.append(database)
        return database

    @cached_property
    def database(self) -> Database:
        """The database, with its tables brought up to this version."""
        migrate(self.unmigrated_database)
        return self.unmigrated_database

    def _connect(self) -> Database:
        if self.settings.clickhouse_url:
            return Database.served(self.settings.clickhouse_url)
        front = announced(self.front_file)
        if front:
            try:
                return Database.served(front)
            except UnavailableError:
                # The service that announced it was killed before it could take the file back.
                self.front_file.unlink(missing_ok=True)
        return Database.embedded(self.settings.chdb_path)

    def publish_rosters(self) -> None:
        """Make the rosters of all workspaces what KPI queries see; nothing where they are unchanged."""
        for workspace in self.workspaces.values():
            publish_roster(self.database, workspace, self.clock)

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

    def runner(self, tenant: str | None = None) -> KpiRunner:
        workspace = self.workspace(tenant)
        return KpiRunner(self.database.tenant(workspace.tenant), workspace)

    def close(self) -> None:
        for database in self._opened:
            database.close()
        if "state" in self.__dict__:
            self.state.dispose()

    def __enter__(self) -> Home:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
