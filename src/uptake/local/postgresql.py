"""A real PostgreSQL on this machine, on a port of the loopback interface, with a password as in production.

PostgreSQL refuses to run as root. Who is root starts it as the system's user `postgres`, in a directory of that
user's. Only its process may die here and never the machine, so it does not wait for the disk.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import NullPool, create_engine

from uptake.errors import UptakeError
from uptake.local.process import ChildProcess, accepts, free_port

START_SECONDS = 60
USER = "postgres"
READY = re.compile(r"ready to accept connections")
_OPTIONS = ("unix_socket_directories=", "fsync=off", "max_connections=60")


def programs() -> Path:
    """The folder of the newest PostgreSQL's programs: Debian keeps them out of the PATH. Raises UptakeError."""
    found = [Path(there).parent for there in [shutil.which("postgres")] if there]
    found += [there.parent for there in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if not found:
        raise UptakeError("PostgreSQL is missing", "apt-get install --no-install-recommends postgresql")
    return max(found, key=lambda folder: [int(part) for part in re.findall(r"\d+", str(folder))])


class PostgresServer:
    """One server. Its data outlive `stop` and `crash`, until `remove`; the port and the password stay the same."""

    def __init__(self) -> None:
        self._programs = programs()
        self._as = _unprivileged()
        self.port = free_port()
        self.password = secrets.token_hex(16)
        # not below a directory that only root may enter
        self.directory = Path(tempfile.mkdtemp(prefix="uptake-postgresql-"))
        if self._as:
            shutil.chown(self.directory, USER)
        data = self.directory / "data"
        settings = [part for option in _OPTIONS for part in ("-c", option)]
        self.process = ChildProcess(
            "PostgreSQL",
            [
                *(*self._as, str(self._programs / "postgres")),
                *("-D", str(data), "-h", "127.0.0.1", "-p", str(self.port), *settings),
            ],
            self.directory / "server.log",
            {"LC_ALL": "C.UTF-8"},
        )

    def url(self, database: str = "postgres", schema: str = "") -> str:
        """SQLAlchemy URL of a database, password and all; unqualified names are of `schema`."""
        options = f"?options=-csearch_path%3D{schema}" if schema else ""
        return f"postgresql+psycopg://{USER}:{self.password}@127.0.0.1:{self.port}/{database}{options}"

    def start(self) -> None:
        """Returns once it serves. Makes its data the first time."""
        if not (self.directory / "data" / "PG_VERSION").exists():
            self._make()
        self.process.start(
            lambda: READY.search(self.process.said()) is not None and accepts(self.port), START_SECONDS
        )

    def execute(self, *statements: str) -> None:
        """As its administrator, in the database `postgres`."""
        engine = create_engine(self.url(), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def stop(self) -> None:
        """End every connection, then itself, in order."""
        self.process.signal(signal.SIGINT)
        self.process.wait(START_SECONDS)

    def crash(self) -> None:
        """As if it had failed: what is open is neither finished nor told."""
        self.process.signal(signal.SIGQUIT)
        self.process.wait(START_SECONDS)

    def remove(self) -> None:
        self.crash()
        shutil.rmtree(self.directory)

    def _make(self) -> None:
        secret = self.directory / "password"
        secret.touch(0o600)
        secret.write_text(self.password)
        if self._as:
            shutil.chown(secret, USER)
        made = subprocess.run(
            [
                *(*self._as, str(self._programs / "initdb"), "-D", str(self.directory / "data"), "-U", USER),
                *(f"--pwfile={secret}", "--auth=scram-sha-256", "--locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        secret.unlink()
        if made.returncode:
            raise UptakeError(f"PostgreSQL could not make its data: {made.stderr[-300:]}")


def _unprivileged() -> list[str]:
    """What goes before a command so that it does not run as root; the process keeps its id."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
