"""roster.csv as it is written: an edit touches the rows that it changes, and no other byte."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO, StringIO
from typing import NamedTuple

from uptake.workspace.people import open_table

EMPTY = b"user_id,team,seat,champion,joined,left,wave\n"
"""What a roster begins with where there is none."""

BLANK = {"seat": "yes", "champion": "no", "left": "", "wave": ""}
"""What a column that is not there, or an empty cell, says."""

Cells = Mapping[str, str]
"""Texts by column."""


class _Span(NamedTuple):
    """The lines of one row, from 0, the end exclusive; and its cells."""

    start: int
    end: int
    cells: Cells


class RosterFile:
    """A roster.csv without faults. Its rows have the indexes that `read_roster` gives them."""

    def __init__(self, content: bytes) -> None:
        _, table = open_table(content, "roster.csv")
        if table is None:
            raise ValueError("only a roster without faults can be edited")
        self._lines = BytesIO(content).readlines()
        self._header = _Span(table.header_line - 1, table.last_line, {})
        self._newline = "\r\n" if self._lines[self._header.end - 1].endswith(b"\r\n") else "\n"
        self._delimiter, self._columns = table.delimiter, table.columns
        self._rows = [
            _Span(row.line - 1, table.last_line, dict(zip(table.columns, row.cells, strict=True)))
            for row in table
        ]

    @property
    def identity(self) -> str:
        """The column of people: ``person``, whose cells are replaced while loading, or ``user_id``."""
        return "person" if "person" in self._columns else "user_id"

    def line(self, index: int) -> int:
        """Where a row begins, from 1."""
        return self._rows[index].start + 1

    def edited(self, changed: Mapping[int, Cells | None], added: Sequence[tuple[int | None, Cells]]) -> bytes:
        """The content with cells of rows replaced (None: the row is taken out) and rows added.

        A row that is added after another one has that one's cell of the person; after None it is at the end. A
        column that is not there and must be is appended; in other rows its cell is empty.
        """
        given = [cells for cells in (*changed.values(), *(cells for _, cells in added)) if cells]
        extra = [
            name
            for name, blank in BLANK.items()
            if name not in self._columns and any(cells.get(name, blank) != blank for cells in given)
        ]
        behind: dict[int | None, list[bytes]] = {}
        for after, cells in added:
            known = {} if after is None else {self.identity: self._rows[after].cells[self.identity]}
            behind.setdefault(after, []).append(self._written({**cells, **known}, extra))
        pieces = [*self._lines[: self._header.start], *self._widened(self._header, extra)]
        done = self._header.end
        for index, span in enumerate(self._rows):
            pieces += self._lines[done : span.start]
            new = changed.get(index, {})
            if new:
                pieces.append(self._written({**span.cells, **new}, extra))
            elif new is not None:
                pieces += self._widened(span, ["" for _ in extra])
            pieces += behind.get(index, [])
            done = span.end
        pieces += [*self._lines[done:], *behind.get(None, [])]
        return b"".join(self._ended(pieces))

    def _written(self, cells: Cells, extra: Sequence[str]) -> bytes:
        row = [cells.get(name, "") for name in (*self._columns, *extra)]
        text = StringIO(newline="")
        writer = csv.writer(text, delimiter=self._delimiter, lineterminator=self._newline)
        if row[0].startswith("#"):  # quoted, it does not begin a comment
            writer = csv.writer(
                text, delimiter=self._delimiter, lineterminator=self._newline, quoting=csv.QUOTE_ALL
            )
        writer.writerow(row)
        return text.getvalue().encode()

    def _widened(self, span: _Span, cells: Sequence[str]) -> list[bytes]:
        """The lines of a row with more cells at its end."""
        *before, last = self._lines[span.start : span.end]
        body = last.rstrip(b"\r\n")
        more = "".join(self._delimiter + cell for cell in cells).encode()
        return [*before, body + more + last[len(body) :]]

    def _ended(self, pieces: Sequence[bytes]) -> Iterator[bytes]:
        """Only the last line of a file may be without an end."""
        for place, piece in enumerate(pieces, 1):
            yield piece if piece.endswith(b"\n") or place == len(pieces) else piece + self._newline.encode()
