"""The letters of one tenant: thin reads, and the one mark that is written on them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from uptake.clickhouse import Database
from uptake.processors.store import translated

_folder = files("uptake.processors.letters")
_COUNTS, _LISTED, _WHOLE = (
    (_folder / f"{name}.sql").read_text("utf-8") for name in ("counts", "listed", "whole")
)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

PAGE = 200
"""Letters read at once: their payloads are then at most some tens of megabytes."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Which:
    """Letters by `reason`, by the app that the refused event names, and by when they were last refused."""

    reason: str = ""
    app: str = ""
    since: datetime = _BEGINNING


def counts(database: Database) -> list[Row]:
    """How many letters wait for somebody, by tenant ('': of nobody) and reason, and the time of the newest. Raises
    StoreUnavailable."""
    with translated("counting dead letters"):
        return database.query(_COUNTS)


class LetterBox:
    """`tenant` may be one without a workspace, and '' for records that did not say whose they were."""

    def __init__(self, database: Database, tenant: str) -> None:
        self._database = database
        self.tenant = tenant

    def listed(self, which: Which, limit: int, redriven: bool = False) -> list[Row]:
        """The newest letters, without what was refused; those `redriven` before only on demand."""
        return self._query(_LISTED, {**asdict(which), "limit": limit, "redriven": redriven})

    def by_id(self, ids: Sequence[int]) -> dict[int, Row]:
        """Whole letters, redriven or not, with what was refused. Ids of no letter are absent."""
        found: dict[int, Row] = {}
        for start in range(0, len(ids), PAGE):
            some = ids[start : start + PAGE]
            rows = self._query(_WHOLE, {**asdict(Which()), "after": 0, "ids": some, "limit": PAGE})
            found.update((row["letter_id"], row) for row in rows)
        return found

    def waiting(self, which: Which) -> Iterator[Row]:
        """Whole letters that wait for somebody, by rising id; what is refused again meanwhile does not come twice."""
        after = 0
        while True:
            rows = self._query(_WHOLE, {**asdict(which), "after": after, "ids": [], "limit": PAGE})
            yield from rows
            if len(rows) < PAGE:
                return
            after = rows[-1]["letter_id"]

    def mark(self, rows: Sequence[Row], at: datetime) -> None:
        """Note that these letters, as they were read, were redriven. A later refusal of the same thing has a higher
        version and is a letter that waits again; reading the refused record again has not. That holds because all
        versions of a letter are of one clock: the broker's, or without a log that of this machine."""
        marked = [{**row, "ver": row["ver"] + 1, "redriven_at": at} for row in rows]
        lines = [json.dumps(row, default=_text, separators=(",", ":")).encode() for row in marked]
        with translated("writing dead_letters"):
            self._database.insert_json_lines("dead_letters", b"\n".join(lines))

    def _query(self, sql: str, parameters: dict[str, Any]) -> list[Row]:
        with translated("reading dead letters"):
            if self.tenant:
                return self._database.tenant(self.tenant).query(sql, parameters)
            return self._database.query(sql, {**parameters, "tenant": ""})


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"a letter holds no {type(value).__name__}")
