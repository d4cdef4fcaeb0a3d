"""What an import says while it runs and when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from uptake.schemas.batch import Batch, Receipt

Send = Callable[[Batch], Receipt]
"""Makes a batch durable and answers for each event in it; raises StoreUnavailable when that is not possible now."""


class Rejected(NamedTuple):
    """A row that is not in. `line` is the line of the file on which it starts (Parquet: the row, from 1)."""

    line: int
    reason: str
    path: str
    detail: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: rows read, and bytes of the file (Parquet: of its row groups)."""

    rows: int
    bytes_done: int
    bytes_total: int


@dataclass(slots=True)
class ImportReport:
    """`rows` = accepted + duplicates + skipped + len(rejected).

    `duplicates` were in before, with the same content. `skipped` are rows of feedback that say nothing: the cell
    of the thumb, score, decision or severity is empty.
    """

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    skipped: int = 0
    rejected: list[Rejected] = field(default_factory=list)
