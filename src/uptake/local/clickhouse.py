"""ClickHouse's HTTP interface over the embedded engine as a process of its own, for tests and trials.

Several processes then use the real client against the real engine. What it keeps is in its directory and outlives
a kill -9; it has no users, row policies or quotas.
"""

from __future__ import annotations

import secrets
import sys
from pathlib import Path

from uptake.local.process import ChildProcess, accepts, free_port

START_SECONDS = 60


class ClickHouseFront:
    """`python -m uptake.local.front` on a directory. Port and password stay the same over restarts."""

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.port = port or free_port()
        self._password = secrets.token_urlsafe(16)
        self.process = ChildProcess(
            "ClickHouse front",
            [sys.executable, "-m", "uptake.local.front", str(directory), "--port", str(self.port)],
            directory.parent / f"{directory.name}.log",
            {"UPTAKE_FRONT_PASSWORD": self._password},
        )

    @property
    def url(self) -> str:
        """For UPTAKE_CLICKHOUSE_URL."""
        return self.url_at(self.port)

    def url_at(self, port: int) -> str:
        """The same through another port, such as a proxy's."""
        return f"clickhouse://uptake:{self._password}@127.0.0.1:{port}/uptake"

    def start(self, timeout: float = START_SECONDS) -> None:
        self.process.start(lambda: accepts(self.port), timeout)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()

    def stop(self) -> None:
        self.process.stop()

    def alive(self) -> bool:
        return self.process.alive()
