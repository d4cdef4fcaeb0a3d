"""A message as text for a terminal: columns aligned by display width, no colour unless asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from rich.cells import cell_len, chop_cells

from uptake.alerts import formats
from uptake.alerts.formats import Language
from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Message, Table, Text
from uptake.alerts.render.plain import clean, isolate, line
from uptake.alerts.render.words import details_word, references_word

WIDTH = 118
_BARS = "▁▂▃▄▅▆▇█"
_GAP = "·"
_BAR, _BAR_WIDTH = "█", 30
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(message: Message, colour: bool = False, width: int = WIDTH, explain: bool = False) -> str:
    """The whole message, ending in a line break. Buttons are left out: a terminal cannot press them. `explain` adds
    the command that leads from each figure to its definition and its query."""

    def bold(lines: Iterable[str]) -> list[str]:
        return [f"{_BOLD}{each}{_RESET}" if colour else each for each in lines]

    def dim(lines: Iterable[str]) -> list[str]:
        return [f"{_DIM}{each}{_RESET}" if colour else each for each in lines]

    def drawn(blocks: Sequence[Block], first: list[str], captions: bool) -> list[list[str]]:
        parts = [first]
        together = True  # paragraphs stay with the title and with each other
        for block in blocks:
            lines = _block(block, width, message.locale)
            if isinstance(block, Text) and block.strong:
                lines = bold(lines)
            elif isinstance(block, Footer):
                lines = dim(lines)
            elif isinstance(block, Table) and captions:
                lines = [*bold(_text(line(block.caption), width)), *lines]
            if not lines:
                continue
            if together and isinstance(block, Text):
                parts[-1] += lines
            else:
                parts.append(lines)
            together = isinstance(block, Text)
        return parts

    parts = [bold(_text(f"⚠ {line(message.notice)}", width))] if message.notice else []
    parts += drawn(message.blocks, bold(_text(line(message.title), width)), captions=False)
    if message.details:
        parts += drawn(message.details, bold([f"— {details_word(message.locale)} —"]), captions=True)
    commands = _commands(message) if explain else []
    if commands:
        parts.append([*bold([references_word(message.locale)]), *commands])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _commands(message: Message) -> list[str]:
    """Not wrapped, and without isolates: they are to be copied."""
    tables = [block for block in (*message.blocks, *message.details) if isinstance(block, Table)]
    pairs = [
        (line(row[0]), line(command))
        for table in tables
        for row, command in zip(table.rows, table.references, strict=False)
        if command
    ]
    widest = max((cell_len(name) for name, _ in pairs), default=0)
    return [f"{pad(isolate(name), widest)}  {command}" for name, command in pairs]


def _block(block: Block, width: int, locale: Language) -> list[str]:
    match block:
        case Text(text=text) | Footer(text=text):
            return [row for paragraph in clean(text).split("\n") for row in _text(paragraph, width)]
        case Table():
            return table(block, width)
        case Chart():
            return [
                *_text(line(block.title), width),
                *_chart(block, locale),
                *_text(line(block.summary), width),
            ]
        case Actions(title=title, items=items):
            numbered = (_text(line(item), width, f"{n}. ") for n, item in enumerate(items, 1))
            return [isolate(line(title)), *(row for rows in numbered for row in rows)]
        case Buttons():
            return []


def _text(text: str, width: int, lead: str = "") -> list[str]:
    return [isolate(row) for row in _wrap(text, width, lead)]


def _wrap(text: str, width: int, lead: str = "", whole: bool = True) -> list[str]:
    """Lines of at most `width` terminal cells. A word that is wider is kept `whole`, or broken between graphemes."""
    lines: list[str] = []
    filled = lead
    empty = True
    for word in filter(None, text.split(" ")):
        for part in [word] if whole else chop_cells(word, width):
            joined = filled + part if empty else f"{filled} {part}"
            if empty or cell_len(joined) <= width:
                filled = joined
            else:
                lines.append(filled)
                filled = " " * cell_len(lead) + part
            empty = False
    return [*lines, filled]


def pad(text: str, width: int) -> str:
    """`text` filled up with spaces to `width` terminal cells."""
    return text + " " * max(width - cell_len(text), 0)


def table(table: Table, width: int) -> list[str]:
    """Aligned columns, as lines of text."""
    return [each for some in rows(cells(table), width) for each in some]


def cells(table: Table) -> list[list[str]]:
    """The header's cells and each row's. A row that is shorter is filled with nothing."""
    count = len(table.columns)
    return [[line(c) for c in (*row, *[""] * count)][:count] for row in (table.columns, *table.rows)]


def rows(drawn: Sequence[Sequence[str]], width: int) -> list[list[str]]:
    """The lines of each row of cells. A cell wraps under itself: the last one where the line ends, another one at a
    third of the width."""
    count = len(drawn[0])
    widths = [min(max(cell_len(row[i]) for row in drawn), width // 3) for i in range(count)]
    indent = sum(widths[:-1]) + 2 * (count - 1)
    rooms = [*widths[:-1], max(width - indent, 24)]
    return [_row(row, rooms) for row in drawn]


def _row(row: Sequence[str], rooms: Sequence[int]) -> list[str]:
    wrapped = [_wrap(cell, room, whole=False) for cell, room in zip(row, rooms, strict=True)]
    lines = []
    for parts in zip_longest(*wrapped, fillvalue=""):
        padded = (pad(isolate(part), room) for part, room in zip(parts, rooms, strict=True))
        lines.append("  ".join(padded).rstrip())
    return lines


def _chart(chart: Chart, locale: Language) -> list[str]:
    """Lines: a row of small bars a series, on one scale. Bars: one for each label, with its value."""
    top = max((v for s in chart.series for v in s.values if v is not None), default=0.0)
    if chart.kind == "bar":
        several = len(chart.series) > 1
        return [
            row
            for series in chart.series
            for row in [
                *([isolate(line(series.name))] if several else []),
                *_bars(chart, series.values, top, locale),
            ]
        ]
    widest = max((cell_len(line(s.name)) for s in chart.series), default=0)
    ends = f"{line(chart.labels[0])} – {line(chart.labels[-1])}" if chart.labels else ""
    return [
        f"{pad(isolate(line(s.name)), widest)}  {sparkline(s.values, top)}  {isolate(ends)}".rstrip()
        for s in chart.series
    ]


def _bars(chart: Chart, values: Sequence[float | None], top: float, locale: Language) -> list[str]:
    names = [line(label) for label in chart.labels]
    widest = max(map(cell_len, names), default=0)
    return [
        f"{pad(isolate(name), widest)}  {bar}".rstrip()
        for name, value in zip(names, values, strict=True)
        for bar in [
            _GAP if value is None else f"{_long(value, top)} {written(chart, value, locale)}".lstrip()
        ]
    ]


def _long(value: float, top: float) -> str:
    return _BAR * round(max(value / top, 0.0) * _BAR_WIDTH) if top > 0 else ""


def written(chart: Chart, value: float, locale: Language) -> str:
    """A value of a chart as people write it."""
    if chart.unit == "share":
        return formats.share(value, locale)
    if chart.unit == "money" and chart.currency:
        return formats.money(round(value * 10**9), chart.currency, locale)
    return formats.count(round(value), locale)


def sparkline(values: Iterable[float | None], top: float) -> str:
    """A bar a value between 0 and `top`; a value that is not known is a dot."""
    return "".join(
        _GAP if v is None else _BARS[round(min(max(v / top, 0.0), 1.0) * (len(_BARS) - 1)) if top else 0]
        for v in values
    )
