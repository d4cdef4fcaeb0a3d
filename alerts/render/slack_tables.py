"""A table for Slack: its own data_table, and aligned text for a workspace that does not take one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from uptake.alerts.message import Table
from uptake.alerts.render import text as terminal
from uptake.alerts.render.plain import cut, fit, isolate, line, size
from uptake.alerts.render.slack_parts import (
    MAX_COLUMNS,
    MAX_HEADER,
    MAX_LABEL,
    MAX_ROWS,
    MAX_SECTION,
    Chunk,
    Json,
    batches,
    groups,
    inert,
    short_name,
    total,
)
from uptake.alerts.render.words import cut_word, piece_of

MAX_PIECE = 9_000  # characters of one table, or of one piece of it
MAX_CELL = 1_000
PAGE = 20  # rows that a table shows at once
CODE_WIDTH = 90


def table_chunks(table: Table, locale: str) -> Iterator[Chunk]:
    """In pieces that a message can hold, each with the header; no row is left out."""
    count = len(table.columns)
    square = all(len(row) == count for row in table.rows) and 1 <= count <= MAX_COLUMNS
    room = max(min(MAX_CELL, MAX_PIECE // (2 * max(count, 1))), MAX_LABEL)
    short = [[cut(c, room, locale) for c in row] for row in terminal.cells(table)]
    head, *rows = [[isolate(c) or "–" for c in row] for row in short]
    top, *below = [_coded(some, locale) for some in terminal.rows(short, CODE_WIDTH)]
    weights = [max(total(row), total(drawn)) for row, drawn in zip(rows, below, strict=True)]
    spare = MAX_PIECE - max(total(head), total(top))
    pieces = list(batches(weights, spare, MAX_ROWS)) or [(0, 0)]
    for n, (begin, end) in enumerate(pieces, 1):
        caption = piece_of(line(table.caption), n, len(pieces), locale)
        lines = [*top, *(each for some in below[begin:end] for each in some)]
        plain = tuple(_code(some) for some in groups(lines, MAX_SECTION - 8))
        native = (_data(caption, [head, *rows[begin:end]], locale),) if square and end > begin else plain
        yield Chunk(native, plain, "\n".join(lines))


def _data(caption: str, rows: list[list[str]], locale: str) -> Json:
    return {
        "type": "data_table",
        "caption": short_name(caption, MAX_HEADER, locale),
        "row_header_column_index": 0,
        "page_size": min(len(rows) - 1, PAGE),
        "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows],
    }


def _coded(lines: Sequence[str], locale: str) -> list[str]:
    """The lines of one row in a code block. Backticks in them could end it."""

    def drawn(text: str) -> str:
        return inert(text.replace("`", "'"))

    whole = [fit(each, MAX_SECTION - 8, locale, drawn) for each in lines]
    [(_, end), *rest] = batches([size(each) + 1 for each in whole], MAX_PIECE // 3, len(whole))
    return [*whole[:end], *([cut_word(locale).strip()] if rest else [])]


def _code(lines: Sequence[str]) -> Json:
    code = "\n".join(lines)
    return {"type": "section", "text": {"type": "mrkdwn", "text": f"```\n{code}\n```", "verbatim": True}}
