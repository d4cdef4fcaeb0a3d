"""A message as a Slack payload: blocks as plain dicts, and a text for notifications and screen readers.

Text that people or apps wrote is never given to a parser: it stands in plain_text, raw_text and rich_text
elements, which Slack shows as they are. The two places that are parsed (the notification text and the code block
of the plainer form) are escaped.

`native` uses Slack's own tables and charts: https://docs.slack.dev/reference/block-kit/blocks/data-table-block
and https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block; without it, a message uses
only blocks that every workspace takes.
"""

from __future__ import annotations

import re
from typing import Any

from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Message, Table, Text
from uptake.alerts.render import text as terminal
from uptake.alerts.render.plain import clean, cut, labels_left_out, line, parts_left_out, rows_left_out

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_SECTION = 3000
MAX_CONTEXT = 2000
MAX_TEXT = 3900
MAX_ROWS = 100
MAX_COLUMNS = 20
MAX_CELLS = 10_000  # characters in all cells of all tables of a message
MAX_CHARTS = 2
MAX_SERIES = 6
MAX_POINTS = 20
MAX_LABEL = 20
MAX_CHART_TITLE = 50
MAX_BUTTONS = 25

Json = dict[str, Any]

_MENTION = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_LINK = re.compile(r"(?<=[a-zA-Z])(?=://)|(?<=mailto)(?=:)")
_JOINER = "\u2060"  # no width, no line break: what it stands in is not recognised as a mention or a link


def escape(text: str) -> str:
    """`text` for a place that Slack parses: no entity, mention or link comes out of it."""
    inert = _LINK.sub(_JOINER, _MENTION.sub("@" + _JOINER, clean(text)))
    return inert.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(message: Message, native: bool = True, interactive: bool = False) -> Json:
    """``{"text", "blocks", "mrkdwn"}`` for chat.postMessage.

    Buttons are drawn only if `interactive`: until something answers them, a button would be a promise that
    nobody keeps.
    """
    drawing = _Drawing(message.locale, native)
    blocks = drawing.title(line(message.title))
    for block in message.blocks:
        if not isinstance(block, Buttons):
            blocks += drawing.block(block)
        elif interactive:
            blocks.append(_buttons(block))
    if len(blocks) > MAX_BLOCKS:
        left_out = parts_left_out(len(blocks) - MAX_BLOCKS + 1, message.locale)
        blocks = [*blocks[: MAX_BLOCKS - 1], _context(left_out)]
    summary = cut(f"{line(message.title)}: {line(message.summary)}", 500, message.locale)
    return {"text": escape(summary), "blocks": blocks, "mrkdwn": False}


def fallback(message: Message) -> str:
    """The whole message as text, for a workspace that takes none of its blocks."""
    return _cut_escaped(terminal.render(message, width=100).rstrip("\n"), MAX_TEXT, message.locale)


def _cut_escaped(text: str, limit: int, locale: str) -> str:
    """Escaping lengthens; cut what is written, so that no entity is cut in two."""
    room = limit
    while len(done := escape(cut(text, room, locale))) > limit:
        room -= len(done) - limit
    return done


class _Drawing:
    """Budgets that a message has as a whole: characters in tables, charts."""

    def __init__(self, locale: str, native: bool) -> None:
        self._locale = locale
        self._native = native
        self._cells = MAX_CELLS
        self._charts = MAX_CHARTS

    def title(self, title: str) -> list[Json]:
        short = cut(title, MAX_HEADER, self._locale)
        header = {"type": "header", "text": _plain(short)}
        return [header] if short == title else [header, self._section(title)]

    def block(self, block: Block) -> list[Json]:
        match block:
            case Text(text=text, strong=strong):
                if strong and self._native:
                    return [_strong(cut(clean(text), MAX_SECTION, self._locale))]
                return [self._section(text)]
            case Table():
                return self._table(block)
            case Chart():
                return self._chart(block)
            case Actions(title=title, items=items):
                return [self._list(line(title), [line(item) for item in items])]
            case Footer(text=text):
                return [_context(cut(clean(text), MAX_CONTEXT, self._locale))]
            case Buttons():
                return []

    def _name(self, text: str, limit: int) -> str:
        return cut(line(text), limit, self._locale) or "–"

    def _section(self, text: str) -> Json:
        return {"type": "section", "text": _plain(cut(clean(text), MAX_SECTION, self._locale))}

    def _list(self, title: str, items: list[str]) -> Json:
        if not self._native:
            return self._section("\n".join([title, *(f"{n}. {item}" for n, item in enumerate(items, 1))]))
        room = MAX_SECTION // max(len(items), 1)
        listed = [_words(cut(item, room, self._locale)) for item in items]
        elements = [
            _words(title, bold=True),
            {"type": "rich_text_list", "style": "ordered", "elements": listed},
        ]
        return {"type": "rich_text", "elements": elements}

    def _table(self, table: Table) -> list[Json]:
        rows = [[line(cell) or "–" for cell in row] for row in (table.columns, *table.rows[:MAX_ROWS])]
        size = sum(len(cell) for row in rows for cell in row)
        square = len({len(row) for row in rows}) == 1 and 1 <= len(rows[0]) <= MAX_COLUMNS
        if not (self._native and len(rows) > 1 and square and size <= self._cells):
            return [self._code(table)]
        self._cells -= size
        drawn: list[Json] = [
            {
                "type": "data_table",
                "caption": self._name(table.caption, MAX_HEADER),
                "row_header_column_index": 0,
                "page_size": len(rows) - 1,
                "rows": [[{"type": "raw_text", "text": cell} for cell in row] for row in rows],
            }
        ]
        if len(table.rows) > MAX_ROWS:
            drawn.append(_context(rows_left_out(len(table.rows) - MAX_ROWS, self._locale)))
        return drawn

    def _code(self, table: Table) -> Json:
        """The table as aligned text. Backticks in it could end the block."""
        only = table.model_copy(update={"rows": table.rows[:MAX_ROWS]})
        text = "\n".join(terminal.table(only, 90)).replace("`", "'")
        if len(table.rows) > MAX_ROWS:
            text += "\n" + rows_left_out(len(table.rows) - MAX_ROWS, self._locale)
        code = _cut_escaped(text, MAX_SECTION - 8, self._locale)
        return {"type": "section", "text": {"type": "mrkdwn", "text": f"```\n{code}\n```", "verbatim": True}}

    def _chart(self, chart: Chart) -> list[Json]:
        """Slack draws no gaps: labels that lack a value in one series are left out, and named."""
        series = [s for s in chart.series if any(v is not None for v in s.values)]
        known = [i for i, _ in enumerate(chart.labels) if all(s.values[i] is not None for s in series)]
        labels = {i: self._name(chart.labels[i], MAX_LABEL) for i in known[-MAX_POINTS:]}
        names = [self._name(s.name, MAX_LABEL) for s in series]
        distinct = len(set(names)) == len(names) and len(set(labels.values())) == len(labels)
        if not (
            self._native and self._charts and distinct and 0 < len(series) <= MAX_SERIES and len(labels) > 1
        ):
            return [self._section(f"{line(chart.title)}\n{chart.summary}")]
        self._charts -= 1
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
                "type": "line",
                "series": lines,
                "axis_config": {"categories": list(labels.values()), **_unit(chart)},
            },
        }
        gone = [line(label) for i, label in enumerate(chart.labels) if i not in labels]
        return [drawn, _context(labels_left_out(gone, self._locale))] if gone else [drawn]


def _number(chart: Chart, value: float | None) -> float:
    return round((value or 0.0) * (100 if chart.unit == "share" else 1), 2)


def _unit(chart: Chart) -> Json:
    return {"y_label": "%"} if chart.unit == "share" else {}


def _plain(text: str) -> Json:
    return {"type": "plain_text", "text": text or "–", "emoji": False}


def _words(text: str, bold: bool = False) -> Json:
    style: Json = {"style": {"bold": True}} if bold else {}
    return {"type": "rich_text_section", "elements": [{"type": "text", "text": text or "–", **style}]}


def _strong(text: str) -> Json:
    return {"type": "rich_text", "elements": [_words(text, bold=True)]}


def _context(text: str) -> Json:
    return {"type": "context", "elements": [_plain(text)]}


def _buttons(block: Buttons) -> Json:
    elements = []
    for button in block.buttons[:MAX_BUTTONS]:
        style: Json = {} if button.style == "default" else {"style": button.style}
        label = {"type": "plain_text", "text": button.label[:75], "emoji": False}
        element = {"type": "button", "text": label, "action_id": button.action[:255], "value": button.value}
        elements.append({**element, **style})
    return {"type": "actions", "elements": elements}
