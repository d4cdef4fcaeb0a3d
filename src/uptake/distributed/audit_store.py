"""What the audit asks the database, each question a file of SQL beside this one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from uptake.clickhouse import Database
from uptake.distributed.audit_log import Place
from uptake.processors.audit import Expected, Span, slices

SLICE = 1_000_000
"""Offsets whose coverage is asked at once."""

SKEW = timedelta(hours=1)
"""How much the clocks of broker and database may differ: a record's rows are not older than the record."""

TABLES = ("usage", "feedback", "cost")


def oldest(records: Iterable[Expected]) -> datetime:
    """The moment, by the database's clock, before which no row of these records (at least one) was inserted."""
    return min(record.appended_at for record in records) - SKEW


class AuditStore:
    """Thin: a method a question. Errors are the database's own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        folder = files("uptake.distributed")
        names = ("covered", "expected", "found", "found_recent", "break_tie", "settle", "server")
        self._sql = {name: (folder / f"{name}.sql").read_text("utf-8") for name in names}

    def server_started_at(self) -> datetime:
        [row] = self._database.query(self._sql["server"])
        started: datetime = row["started_at"]
        return started

    def covered(self, place: Place, within: Span) -> list[Span]:
        """The spans of offsets that have a row in `log_records`."""
        return [
            Span(row["first"], row["after"])
            for part in slices(within, SLICE)
            for row in self._ask("covered", place, part)
        ]

    def expected(self, place: Place, within: Span) -> dict[int, Expected]:
        """Records with new events that the audit has not settled, by offset."""
        rows = self._ask("expected", place, within)
        return {row["offset"]: Expected(row["accepted"], row["rejected"], row["appended_at"]) for row in rows}

    def found(self, place: Place, within: Span, since: datetime) -> dict[int, int]:
        """How many events that count came from each record, by offset, of those inserted since a moment."""
        bound = {**place._asdict(), **within._asdict(), "since": since}
        return {row["offset"]: row["found"] for row in self._database.query(self._sql["found"], bound)}

    def found_recently(self, topics: Sequence[str], back: timedelta) -> dict[Place, dict[int, int]]:
        """The same for all partitions, of events that were inserted of late, by the database's clock."""
        found: dict[Place, dict[int, int]] = defaultdict(dict)
        bound = {"topics": list(topics), "seconds": int(back.total_seconds())}
        for row in self._database.query(self._sql["found_recent"], bound):
            found[Place(row["topic"], row["partition"])][row["offset"]] = row["found"]
        return found

    def break_ties(self, place: Place, offsets: Sequence[int], since: datetime) -> None:
        """Let one row win for good where several of one id have the same version and other content. No row of these
        records was inserted before `since`."""
        bound = {**place._asdict(), "offsets": list(offsets), "since": since}
        for table in TABLES:
            self._database.command(self._sql["break_tie"], {"table": table, **bound})

    def settle(self, place: Place, offsets: Sequence[int]) -> None:
        """Ask no more for the events that these records brought."""
        self._database.command(self._sql["settle"], {**place._asdict(), "offsets": list(offsets)})

    def _ask(self, name: str, place: Place, span: Span) -> list[dict[str, Any]]:
        return self._database.query(self._sql[name], {**place._asdict(), **span._asdict()})
