"""CSV as people export it: byte order marks, semicolons, CRLF, quoted newlines, ragged rows, broken bytes.

Every row knows the line of the file on which it starts. A bad row never stops a good one: it comes with its
fault instead of its cells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from uptake.errors import UsageError

DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Row:
    """Cells in the header's order, stripped; or, if the row cannot be read, why (`fault`)."""

    line: int
    cells: tuple[str, ...]
    fault: str = ""


class Table:
    """A CSV file as a stream of rows.

    `lines` are the raw lines of the file. `encoding` is an extension of ASCII. The delimiter is the candidate
    that the header holds most often outside quotes, unless it is given. Raises UsageError when the header
    cannot be read. Empty lines before the header are passed over; an empty file has no header and no rows.
    """

    def __init__(
        self, lines: Iterable[bytes], name: str, delimiter: str | None = None, encoding: str = "utf-8"
    ) -> None:
        self.name = name
        source = (line.decode(encoding, "surrogateescape") for line in _without_bom(lines, name))
        self._skipped, first = 0, next(source, "")
        while first and not first.strip():
            self._skipped, first = self._skipped + 1, next(source, "")
        self.header_line = self._skipped + 1
        self.delimiter = delimiter or guess_delimiter(first)
        self._reader = csv.reader(_chain(first, source), delimiter=self.delimiter, strict=True)
        place = f"{name}, line {self.header_line}"
        try:
            header = next(self._reader, [])
        except csv.Error as error:
            raise UsageError(f"{place}: the header cannot be read: {error}") from error
        self.columns: tuple[str, ...] = tuple(cell.strip() for cell in header)
        if any(_undecodable(cell) for cell in self.columns):
            raise UsageError(f"{place}: the header is not {encoding} text", "save the file as UTF-8")

    @property
    def last_line(self) -> int:
        """The line of the file on which the row that came last (at first the header) ends."""
        return self._skipped + self._reader.line_num

    def __iter__(self) -> Iterator[Row]:
        width = len(self.columns)
        while True:
            line = self._skipped + self._reader.line_num + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                last = max(self._skipped + self._reader.line_num, line)
                span = f"lines {line} to {last}" if last > line else f"line {line}"
                yield Row(line, (), f"{span} cannot be read: {error}; look for a stray quote")
                continue
            if not any(cell.strip() for cell in cells):
                continue
            if any(_undecodable(cell) for cell in cells):
                yield Row(line, (), "holds bytes that are not text in this encoding; save the file as UTF-8")
            elif len(cells) != width:
                yield Row(line, (), f"has {len(cells)} cells where the header has {width}")
            else:
                yield Row(line, tuple(cell.strip() for cell in cells))


def guess_delimiter(header: str) -> str:
    """The delimiter that stands most often outside quotes; a comma when none does."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=lambda delimiter: (outside.count(delimiter), delimiter == ","))


def duplicates(columns: Sequence[str]) -> list[str]:
    """Column names that stand there more than once, in order."""
    return [name for i, name in enumerate(columns) if name in columns[:i]]


def _undecodable(cell: str) -> bool:
    return any("\udc80" <= character <= "\udcff" for character in cell) if not cell.isascii() else False


def _without_bom(lines: Iterable[bytes], name: str) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        if number == 0:
            if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise UsageError(f"{name} is UTF-16 text", "save the file as UTF-8")
            line = line.removeprefix(b"\xef\xbb\xbf")
        yield line


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
