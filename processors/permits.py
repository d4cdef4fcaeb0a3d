"""Permissions to go on with a partition that was stopped, and how long its run of refused events is. Thin: the
database, for which operator and worker need not be one process."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import NamedTuple

from uptake.clickhouse import Database
from uptake.clock import Clock
from uptake.processors.store import translated

_folder = files("uptake.processors")
_PERMITS = (_folder / "permits.sql").read_text("utf-8")
_REFUSED = (_folder / "refused_before.sql").read_text("utf-8")


class Permit(NamedTuple):
    """The refused events of a partition before this offset may go to the dead letters."""

    topic: str
    partition: int
    before_offset: int


def permits(database: Database) -> list[Permit]:
    """The furthest permit of each partition that has one. Raises StoreUnavailable."""
    with translated("reading permits"):
        return [Permit(**row) for row in database.query(_PERMITS)]


def permit(database: Database, clock: Clock, given: Permit) -> None:
    """Give a permit; a worker finds it within seconds. Raises StoreUnavailable."""
    line = json.dumps({**given._asdict(), "given_at": clock.now().isoformat()}).encode()
    with translated("writing log_permits"):
        database.insert_json_lines("log_permits", line)


def refused_before(database: Database, topic: str, partition: int, offset: int, window: int) -> int:
    """How many events were refused in a row right before `offset`, by the last `window` records (every record has an
    event, so the limit is window enough). Ids with other content count here too. Raises StoreUnavailable."""
    where = {"topic": topic, "partition": partition, "before": offset, "window": window}
    with translated("reading log_records"):
        [row] = database.query(_REFUSED, where)
    return int(row["refused"])
