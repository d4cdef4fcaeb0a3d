"""A message as text for a terminal: columns aligned by display width, no colour unless asked for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from rich.cells import cell_len

from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Message, Table, Text
from uptake.alerts.render.plain import clean, line

WIDTH = 118
_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(message: Message, colour: bool = False, width: int = WIDTH) -> str:
    """The whole message, ending in a line break. Buttons are left out: a terminal cannot press them."""

    def bold(text: str) -> str:
        return f"{_BOLD}{text}{_RESET}" if colour else text

    def dim(text: str) -> str:
        return f"{_DIM}{text}{_RESET}" if colour else text

    parts: list[list[str]] = [[bold(row) for row in _wrap(line(message.title), width)]]
    together = True  # paragraphs stay with the title and with each other
    for block in message.blocks:
        lines = _block(block, width)
        if not lines:
            continue
        if isinstance(block, Text) and block.strong:
            lines = [bold(row) for row in lines]
        elif isinstance(block, Footer):
            lines = [dim(row) for row in lines]
        if together and isinstance(block, Text):
            parts[-1] += lines
        else:
            parts.append(lines)
        together = isinstance(block, Text)
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _block(block: Block, width: int) -> list[str]:
    match block:
        case Text(text=text) | Footer(text=text):
            return [row for paragraph in clean(text).split("\n") for row in _wrap(paragraph, width)]
        case Table():
            return table(block, width)
        case Chart():
            return _chart(block)
        case Actions(title=title, items=items):
            numbered = (_wrap(line(item), width, f"{n}. ") for n, item in enumerate(items, 1))
            return [line(title), *(row for rows in numbered for row in rows)]
        case Buttons():
            return []


def _wrap(text: str, width: int, lead: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


def pad(text: str, width: int) -> str:
    """`text` filled up with spaces to `width` terminal cells."""
    return text + " " * max(width - cell_len(text), 0)


def table(table: Table, width: int) -> list[str]:
    """Aligned columns; the last one wraps under itself. A row that is shorter is filled with nothing."""
    count = len(table.columns)
    cells = [[line(c) for c in (*row, *[""] * count)][:count] for row in (table.columns, *table.rows)]
    widths = [max(cell_len(row[i]) for row in cells) for i in range(count)]
    indent = sum(widths[:-1]) + 2 * (count - 1)
    room = max(width - indent, 24)
    lines = []
    for row in cells:
        head = "".join(pad(cell, widths[i]) + "  " for i, cell in enumerate(row[:-1]))
        tail = _wrap(row[-1], room)
        lines += [(head + tail[0]).rstrip(), *(" " * indent + rest for rest in tail[1:])]
    return lines


def _chart(chart: Chart) -> list[str]:
    """One line of bars a series, on one scale, with its first and last known value in the summary."""
    name = max((cell_len(line(s.name)) for s in chart.series), default=0)
    top = max((v for s in chart.series for v in s.values if v is not None), default=0.0)
    ends = f"{chart.labels[0]} – {chart.labels[-1]}" if chart.labels else ""
    rows = [
        f"{pad(line(s.name), name)}  {sparkline(s.values, top)}  {line(ends)}".rstrip() for s in chart.series
    ]
    return [line(chart.title), *rows, line(chart.summary)]


def sparkline(values: Iterable[float | None], top: float) -> str:
    """A bar a value between 0 and `top`; a value that is not known is a dot."""
    return "".join(
        _GAP if v is None else _BARS[round(min(max(v / top, 0.0), 1.0) * (len(_BARS) - 1)) if top else 0]
        for v in values
    )
