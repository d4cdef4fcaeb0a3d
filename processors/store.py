"""The pipeline's reads and writes of ClickHouse: thin, no decisions but how to ask.

Every failure of the store becomes StoreUnavailable with the kind of the failure and nothing of the data (ClickHouse
repeats values in some of its messages).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import pyarrow as pa
from clickhouse_connect.driver.exceptions import ClickHouseError

from uptake.clickhouse import Database
from uptake.errors import UnavailableError
from uptake.processors.identity import Known
from uptake.schemas.batch import StoreUnavailable

DENSE_GAP = 2_000 << 80  # ids less than 2 s apart belong to one stretch
DENSE_SPAN = 60_000 << 80  # and all within a minute are one without looking closer
DENSE_IDS = 64  # a stretch of this many is read by range: 6 ms against 5 µs an id
CROWDED = 4  # a range that holds this many times the ids asked for is not read to its end
IDS_A_QUERY = 2_000

_CODE = re.compile(r"\bCode: (\d+)")
_NAME = re.compile(r"\(([A-Z][A-Z_]+)\)")


class Store:
    def __init__(self, database: Database) -> None:
        self._database = database
        folder = files("uptake.processors")
        self._in_range = (folder / "known_in_range.sql").read_text("utf-8")
        self._by_id = (folder / "known_by_id.sql").read_text("utf-8")

    def known(self, tenant: str, ids: Sequence[int]) -> dict[int, Known]:
        """What is stored under these ids. Raises StoreUnavailable."""
        found: dict[int, Known] = {}
        by_name: list[int] = []
        with translated("reading known events"):
            reader = self._database.tenant(tenant)
            for stretch in stretches(ids):
                if len(stretch) < DENSE_IDS:
                    by_name += stretch
                    continue
                limit = CROWDED * len(stretch) + 1_000
                bounds = {"first": min(stretch), "last": max(stretch), "limit": limit}
                rows = reader.query(self._in_range, bounds)
                if len(rows) == limit:
                    by_name += stretch
                else:
                    _merge(found, rows)
            for start in range(0, len(by_name), IDS_A_QUERY):
                _merge(found, reader.query(self._by_id, {"ids": by_name[start : start + IDS_A_QUERY]}))
        return found

    def write(self, table: str, batches: Sequence[pa.RecordBatch]) -> None:
        """Insert rows of a table of `rows.TABLES`; returns when they are durable. Raises StoreUnavailable."""
        block = arrow_stream(pa.Table.from_batches(batches))
        with translated(f"writing {table}"):
            self._database.insert_block(table, batches[0].schema.names, block, "ArrowStream")

    def write_lines(self, table: str, lines: Sequence[bytes]) -> None:
        with translated(f"writing {table}"):
            self._database.insert_json_lines(table, b"\n".join(lines))


def stretches(ids: Sequence[int]) -> Iterator[list[int]]:
    """The distinct ids in order, cut where the time between two neighbours is DENSE_GAP or more; as they are where
    all lie within DENSE_SPAN."""
    if ids and max(ids) - min(ids) < DENSE_SPAN:
        yield list(ids)
        return
    stretch: list[int] = []
    for event_id in sorted(set(ids)):
        if stretch and event_id - stretch[-1] >= DENSE_GAP:
            yield stretch
            stretch = []
        stretch.append(event_id)
    if stretch:
        yield stretch


def arrow_stream(rows: pa.Table) -> bytes:
    """Rows as ClickHouse takes them: with what it then saves, a third of what JSON lines cost."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write(rows.unify_dictionaries().combine_chunks())
    return bytes(sink.getvalue().to_pybytes())


def _merge(found: dict[int, Known], rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        before = found.get(row["event_id"])
        if before is None or before.ver < row["ver"]:
            found[row["event_id"]] = Known(row["content_hash"], row["ver"])


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Failures of the store, while `doing` something, as StoreUnavailable."""
    try:
        yield
    except (ClickHouseError, UnavailableError, OSError) as error:
        text = str(error)
        code, names = _CODE.search(text), _NAME.findall(text)
        kind = f"{type(error).__name__}{f' {code[1]}' if code else ''}{f' {names[-1]}' if names else ''}"
        raise StoreUnavailable(f"{doing} failed ({kind}); nothing of it was acknowledged") from None
