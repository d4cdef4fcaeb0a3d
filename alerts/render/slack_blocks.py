"""The parts of a message as Slack blocks, each in two forms: with Slack's own tables and charts, and without.

Text that people or apps wrote is never given to a parser: it stands in plain_text, raw_text and rich_text
elements, which Slack shows as they are. The one place that is parsed (the code block of a plain table) is escaped.

A limit counts UTF-16 code units here, the strictest reading of Slack's "characters". Where they stand:
https://docs.slack.dev/reference/block-kit/blocks and for each block the page below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Table, Text
from uptake.alerts.render import text as terminal
from uptake.alerts.render.plain import clean, cut, fit, isolate, line, size
from uptake.alerts.render.words import cut_word, labels_left_out, piece_of, references_word

MAX_HEADER = 150
MAX_SECTION = 3000
MAX_CONTEXT = 2000
MAX_ROWS = (
    100  # of data; since August 2026 Slack documents 200 of them, and 20,000 characters: not everywhere yet
)
MAX_COLUMNS = 20
MAX_CELLS = 10_000  # characters in all cells of all tables of a message
MAX_PIECE = 9_000  # characters of one table, or of one piece of it
MAX_CELL = 1_000
PAGE = 20  # rows that a table shows at once
MAX_SERIES = 6
MAX_POINTS = 20
MAX_LABEL = 20
MAX_CHART_TITLE = 50
MAX_ALTERNATIVE = 2000
MAX_BUTTONS = 25
MAX_BUTTON_LABEL = 75
CODE_WIDTH = 90

Json = dict[str, Any]
Images = Mapping[Chart, str]

_MENTION = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_LINK = re.compile(r"(?<=[a-zA-Z])(?=://)|(?<=mailto)(?=:)")
_JOINER = "\u2060"  # no width, no line break: what it stands in is not recognised as a mention or a link


def escape(text: str) -> str:
    """`text` for a place that Slack parses: no entity, mention or link comes out of it."""
    return _inert(isolate(clean(text)))


def _inert(text: str) -> str:
    safe = _LINK.sub(_JOINER, _MENTION.sub("@" + _JOINER, text))
    return safe.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One part of a message, never spread over two posts: its blocks in either form, and the same as text.

    `chart` is what stands in it. An image may stand for it, its id given when the blocks are asked for.
    """

    native: tuple[Json, ...]
    plain: tuple[Json, ...]
    text: str
    chart: Chart | None = None
    image: Json = field(default_factory=dict)

    def blocks(self, native: bool, images: Images | None = None) -> tuple[Json, ...]:
        """`images`: ids of uploaded files instead of native charts; a chart without one is text."""
        if self.chart is not None and images is not None:
            file = images.get(self.chart)
            return ({**self.image, "slack_file": {"id": file}},) if file else self.plain
        return self.native if native else self.plain


class Drawing:
    """Draws parts in the words of one language."""

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def header(self, title: str) -> Chunk:
        """A header; a title that is too long for one stands whole below it."""
        title = line(title)
        short = self._shown(title, MAX_HEADER)
        block = {"type": "header", "text": _plain(short)}
        rest = () if short == isolate(title) else (self._section(title),)
        return Chunk((block, *rest), (block, *rest), title)

    def notice(self, text: str) -> Chunk:
        shown = self._shown(f"⚠ {line(text)}", MAX_SECTION)
        quoted = {"type": "rich_text_quote", "elements": [_span(shown, bold=True)]}
        rich = {"type": "rich_text", "elements": [quoted]}
        return Chunk((rich,), (self._section(f"⚠ {line(text)}"),), f"⚠ {line(text)}")

    def context(self, text: str) -> Chunk:
        block = {"type": "context", "elements": [_plain(self._shown(clean(text), MAX_CONTEXT))]}
        return Chunk((block,), (block,), clean(text))

    def block(self, block: Block) -> list[Chunk]:
        match block:
            case Text(text=text, strong=strong):
                section = (self._section(text),)
                rich = _rich(_words(self._shown(clean(text), MAX_SECTION), bold=True))
                return [Chunk((rich,) if strong else section, section, clean(text))]
            case Table():
                return list(self._table(block))
            case Chart():
                return [self._chart(block)]
            case Actions(title=title, items=items):
                return [self._list(line(title), [line(item) for item in items])]
            case Footer(text=text):
                return [self.context(text)]
            case Buttons():
                return [self._buttons(block)]

    def references(self, tables: Iterable[Table]) -> list[Chunk]:
        """Each figure's way to its definition and query, once; in as many pieces as it takes."""
        named = {
            line(command): line(row[0])
            for table in tables
            for row, command in zip(table.rows, table.references, strict=False)
            if command
        }
        room = MAX_SECTION // 4
        pairs = [
            (self._shown(f"{name}: ", room), cut(command, room, self._locale))
            for command, name in named.items()
        ]
        pieces = list(_batches([_sum(pair) for pair in pairs], MAX_SECTION // 2, len(pairs)))
        return [
            self._commands(
                piece_of(references_word(self._locale), n, len(pieces), self._locale), pairs[begin:end]
            )
            for n, (begin, end) in enumerate(pieces, 1)
        ]

    def _commands(self, title: str, pairs: Sequence[tuple[str, str]]) -> Chunk:
        """Commands stand as they are, without isolates: they are to be copied."""
        listed = [
            {"type": "rich_text_section", "elements": [_span(name), _span(command, code=True)]}
            for name, command in pairs
        ]
        elements = [
            _words(title, bold=True),
            {"type": "rich_text_list", "style": "bullet", "elements": listed},
        ]
        text = "\n".join([title, *(f"• {name}{command}" for name, command in pairs)])
        section = {"type": "section", "text": _plain(text)}
        return Chunk(({"type": "rich_text", "elements": elements},), (section,), text)

    def _shown(self, text: str, limit: int) -> str:
        return fit(text, limit, self._locale, isolate)

    def _name(self, text: str, limit: int) -> str:
        return self._shown(line(text), limit) or "–"

    def _section(self, text: str) -> Json:
        return {"type": "section", "text": _plain(self._shown(clean(text), MAX_SECTION))}

    def _list(self, title: str, items: Sequence[str]) -> Chunk:
        """Items whole where they fit together, else each with its share of the room."""
        items = [line(item) for item in items]
        room = MAX_SECTION - MAX_HEADER - 8 * len(items)
        if sum(size(isolate(item)) for item in items) > room:
            items = [cut(item, room // (2 * len(items)), self._locale) for item in items]
        listed = [_words(isolate(item)) for item in items]
        elements = [_words(self._shown(title, MAX_HEADER), bold=True)]
        if listed:
            elements.append({"type": "rich_text_list", "style": "ordered", "elements": listed})
        text = "\n".join([title, *(f"{n}. {item}" for n, item in enumerate(items, 1))])
        return Chunk(({"type": "rich_text", "elements": elements},), (self._section(text),), text)

    def _table(self, table: Table) -> Iterator[Chunk]:
        """In pieces that a message can hold, each with the header; no row is left out."""
        count = len(table.columns)
        square = all(len(row) == count for row in table.rows) and 1 <= count <= MAX_COLUMNS
        room = max(min(MAX_CELL, MAX_PIECE // (2 * max(count, 1))), MAX_LABEL)
        short = [[cut(c, room, self._locale) for c in row] for row in terminal.cells(table)]
        head, *rows = [[isolate(c) or "–" for c in row] for row in short]
        top, *below = [self._coded(some) for some in terminal.rows(short, CODE_WIDTH)]
        weights = [max(_sum(row), _sum(drawn)) for row, drawn in zip(rows, below, strict=True)]
        spare = MAX_PIECE - max(_sum(head), _sum(top))
        pieces = list(_batches(weights, spare, MAX_ROWS)) or [(0, 0)]
        for n, (begin, end) in enumerate(pieces, 1):
            caption = piece_of(line(table.caption), n, len(pieces), self._locale)
            lines = [*top, *(each for some in below[begin:end] for each in some)]
            plain = tuple(_code(some) for some in _groups(lines, MAX_SECTION - 8))
            native = (self._data(caption, [head, *rows[begin:end]]),) if square and end > begin else plain
            yield Chunk(native, plain, "\n".join(lines))

    def _data(self, caption: str, rows: list[list[str]]) -> Json:
        return {
            "type": "data_table",
            "caption": self._name(caption, MAX_HEADER),
            "row_header_column_index": 0,
            "page_size": min(len(rows) - 1, PAGE),
            "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows],
        }

    def _coded(self, lines: Sequence[str]) -> list[str]:
        """The lines of one row in a code block. Backticks in them could end it."""

        def drawn(text: str) -> str:
            return _inert(text.replace("`", "'"))

        whole = [fit(each, MAX_SECTION - 8, self._locale, drawn) for each in lines]
        [(_, end), *rest] = _batches([size(each) + 1 for each in whole], MAX_PIECE // 3, len(whole))
        return [*whole[:end], *([cut_word(self._locale).strip()] if rest else [])]

    def _chart(self, chart: Chart) -> Chunk:
        """Slack draws no gaps: labels that lack a value in one series are left out, and named."""
        said = f"{line(chart.title)}\n{clean(chart.summary)}"
        plain = (self._section(said),)
        series = [s for s in chart.series if any(v is not None for v in s.values)]
        known = [i for i, _ in enumerate(chart.labels) if all(s.values[i] is not None for s in series)]
        labels = {i: self._name(chart.labels[i], MAX_LABEL) for i in known[-MAX_POINTS:]}
        names = [self._name(s.name, MAX_LABEL) for s in series]
        distinct = len(set(names)) == len(names) and len(set(labels.values())) == len(labels)
        fewest = 2 if chart.kind == "line" else 1
        if not (distinct and 0 < len(series) <= MAX_SERIES and len(labels) >= fewest):
            return Chunk(plain, plain, said, chart, self._image(chart))
        lines = [
            {
                "name": name,
                "data": [{"label": text, "value": _number(chart, s.values[i])} for i, text in labels.items()],
            }
            for name, s in zip(names, series, strict=True)
        ]
        drawn: Json = {
            "type": "data_visualization",
            "title": self._name(chart.title, MAX_CHART_TITLE),
            "chart": {
                "type": chart.kind,
                "series": lines,
                "axis_config": {"categories": list(labels.values()), **_unit(chart)},
            },
        }
        gone = [line(label) for i, label in enumerate(chart.labels) if i not in labels]
        note = self.context(labels_left_out(gone, self._locale)).native if gone else ()
        return Chunk((drawn, *note), plain, said, chart, self._image(chart))

    def _image(self, chart: Chart) -> Json:
        """An image block without its file."""
        return {
            "type": "image",
            "title": _plain(self._name(chart.title, MAX_HEADER)),
            "alt_text": self._name(chart.summary, MAX_ALTERNATIVE),
        }

    def _buttons(self, block: Buttons) -> Chunk:
        elements = []
        for button in block.buttons[:MAX_BUTTONS]:
            style: Json = {} if button.style == "default" else {"style": button.style}
            label = {
                "type": "plain_text",
                "text": self._name(button.label, MAX_BUTTON_LABEL),
                "emoji": False,
            }
            element = {
                "type": "button",
                "text": label,
                "action_id": button.action[:255],
                "value": button.value,
            }
            elements.append({**element, **style})
        drawn = ({"type": "actions", "elements": elements},)
        return Chunk(drawn, drawn, "")


def _groups(lines: Sequence[str], room: int) -> Iterator[Sequence[str]]:
    """Lines in groups that fit `room` when joined by line breaks."""
    for begin, end in _batches([size(each) + 1 for each in lines], room + 1, len(lines)):
        yield lines[begin:end]


def _batches(weights: Sequence[int], room: int, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of items, each at most `room` heavy (or one item) and at most `most` long."""
    begin = weight = 0
    for at, each in enumerate(weights):
        if at > begin and (weight + each > room or at - begin >= most):
            yield begin, at
            begin, weight = at, 0
        weight += each
    if begin < len(weights):
        yield begin, len(weights)


def _code(lines: Sequence[str]) -> Json:
    code = "\n".join(lines)
    return {"type": "section", "text": {"type": "mrkdwn", "text": f"```\n{code}\n```", "verbatim": True}}


def _sum(texts: Iterable[str]) -> int:
    return sum(size(text) + 1 for text in texts)


def _number(chart: Chart, value: float | None) -> float:
    return round((value or 0.0) * (100 if chart.unit == "share" else 1), 2)


def _unit(chart: Chart) -> Json:
    label = {"share": "%", "money": cut(line(chart.currency), MAX_CHART_TITLE, "en"), "count": ""}[chart.unit]
    return {"y_label": label} if label else {}


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or "–", "emoji": False}


def _span(text: str, bold: bool = False, code: bool = False) -> Json:
    styles = {name: True for name, wanted in (("bold", bold), ("code", code)) if wanted}
    style: Json = {"style": styles} if styles else {}
    return {"type": "text", "text": text or "–", **style}


def _words(text: str, bold: bool = False) -> Json:
    return {"type": "rich_text_section", "elements": [_span(text, bold)]}


def _rich(section: Json) -> Json:
    return {"type": "rich_text", "elements": [section]}
