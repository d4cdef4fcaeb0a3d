"""The embedded engine never comes near a full disk, because it does not notice that a write failed.

chDB (chdb-core 26.1 to 26.9) goes on when the system refuses a write: an insert is answered as done, and a merge
replaces good parts by empty files (docs/adr/0020). What reserves its space, inserts and merges, is told by engine.xml
to keep `KEEP_FREE_BYTES` free; what does not, definitions, deletes and mutations, calls `need_room` first.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import urlencode

from uptake.errors import UnavailableError

KEEP_FREE_BYTES = 256 * 2**20
"""More than others write while one insert is on its way to the disk."""
OPTIONS = {"config-file": str(Path(__file__).with_name("engine.xml"))}
MEMORY = ":memory:"


def address(directory: Path) -> str:
    """What `chdb.connect` takes; all connections of a process must spell it alike, clickhouse-connect's too."""
    return f"{directory.resolve()}?{urlencode(OPTIONS)}"


def path(address: str) -> str:
    """The directory that an address is of."""
    return address.partition("?")[0]


def need_room(path: str) -> None:
    """Raises UnavailableError where nothing may be changed now."""
    if path == MEMORY:
        return
    free = shutil.disk_usage(path).free
    if free < KEEP_FREE_BYTES:
        raise UnavailableError(
            f"only {free >> 20} MiB are free on the disk of {path}; below {KEEP_FREE_BYTES >> 20} MiB the embedded "
            "database is not changed",
            "make room there and try again",
        )
