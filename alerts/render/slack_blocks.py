"""The parts of a message as Slack blocks, each in two forms: with Slack's own tables and charts, and without."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from uptake.alerts.message import Actions, Block, Buttons, Chart, Footer, Table, Text
from uptake.alerts.render.plain import clean, cut, isolate, line, size
from uptake.alerts.render.slack_charts import chart_chunk
from uptake.alerts.render.slack_parts import (
    MAX_HEADER,
    MAX_SECTION,
    Chunk,
    Json,
    batches,
    context_of,
    plain_text,
    rich_text,
    section_of,
    short_name,
    shown_text,
    span,
    total,
    words,
)
from uptake.alerts.render.slack_tables import table_chunks
from uptake.alerts.render.words import piece_of, references_word

MAX_BUTTONS = 25
MAX_BUTTON_LABEL = 75


class Drawing:
    """Draws parts in the words of one language."""

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def header(self, title: str) -> Chunk:
        """A header; a title that is too long for one stands whole below it."""
        title = line(title)
        short = self._shown(title, MAX_HEADER)
        block = {"type": "header", "text": plain_text(short)}
        rest = () if short == isolate(title) else (self._section(title),)
        return Chunk((block, *rest), (block, *rest), title)

    def notice(self, text: str) -> Chunk:
        shown = self._shown(f"⚠ {line(text)}", MAX_SECTION)
        quoted = {"type": "rich_text_quote", "elements": [span(shown, bold=True)]}
        rich = {"type": "rich_text", "elements": [quoted]}
        return Chunk((rich,), (self._section(f"⚠ {line(text)}"),), f"⚠ {line(text)}")

    def context(self, text: str) -> Chunk:
        block = context_of(text, self._locale)
        return Chunk((block,), (block,), clean(text))

    def block(self, block: Block) -> list[Chunk]:
        match block:
            case Text(text=text, strong=strong):
                section = (self._section(text),)
                rich = rich_text(words(self._shown(clean(text), MAX_SECTION), bold=True))
                return [Chunk((rich,) if strong else section, section, clean(text))]
            case Table():
                return list(table_chunks(block, self._locale))
            case Chart():
                return [chart_chunk(block, self._locale)]
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
        pieces = list(batches([total(pair) for pair in pairs], MAX_SECTION // 2, len(pairs)))
        return [
            self._commands(
                piece_of(references_word(self._locale), n, len(pieces), self._locale), pairs[begin:end]
            )
            for n, (begin, end) in enumerate(pieces, 1)
        ]

    def _commands(self, title: str, pairs: Sequence[tuple[str, str]]) -> Chunk:
        """Commands stand as they are, without isolates: they are to be copied."""
        listed = [
            {"type": "rich_text_section", "elements": [span(name), span(command, code=True)]}
            for name, command in pairs
        ]
        elements = [
            words(title, bold=True),
            {"type": "rich_text_list", "style": "bullet", "elements": listed},
        ]
        text = "\n".join([title, *(f"• {name}{command}" for name, command in pairs)])
        section = {"type": "section", "text": plain_text(text)}
        return Chunk(({"type": "rich_text", "elements": elements},), (section,), text)

    def _shown(self, text: str, limit: int) -> str:
        return shown_text(text, limit, self._locale)

    def _section(self, text: str) -> Json:
        return section_of(text, self._locale)

    def _list(self, title: str, items: Sequence[str]) -> Chunk:
        """Items whole where they fit together, else each with its share of the room."""
        items = [line(item) for item in items]
        room = MAX_SECTION - MAX_HEADER - 8 * len(items)
        if sum(size(isolate(item)) for item in items) > room:
            items = [cut(item, room // (2 * len(items)), self._locale) for item in items]
        listed = [words(isolate(item)) for item in items]
        elements = [words(self._shown(title, MAX_HEADER), bold=True)]
        if listed:
            elements.append({"type": "rich_text_list", "style": "ordered", "elements": listed})
        text = "\n".join([title, *(f"{n}. {item}" for n, item in enumerate(items, 1))])
        return Chunk(({"type": "rich_text", "elements": elements},), (self._section(text),), text)

    def _buttons(self, block: Buttons) -> Chunk:
        elements = []
        for button in block.buttons[:MAX_BUTTONS]:
            style: Json = {} if button.style == "default" else {"style": button.style}
            label = {
                "type": "plain_text",
                "text": short_name(button.label, MAX_BUTTON_LABEL, self._locale),
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
