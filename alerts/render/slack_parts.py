"""What Slack's parts are made of here: the limits, the elements of text, and a part in each of its forms.

Text that people or apps wrote is never given to a parser: it stands in plain_text, raw_text and rich_text
elements, which Slack shows as they are. The one place that is parsed (the code block of a plain table) is escaped.

A limit counts UTF-16 code units, the strictest reading of Slack's "characters". Where the limits stand:
https://docs.slack.dev/reference/block-kit/blocks and for each block the page below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uptake.alerts.message import Chart
from uptake.alerts.render.plain import clean, fit, isolate, line, size

MAX_HEADER = 150
MAX_SECTION = 3000
MAX_CONTEXT = 2000
MAX_ROWS = 100
"""Of data. Since August 2026 Slack documents 200 of them, and 20,000 characters: not everywhere yet."""
MAX_COLUMNS = 20
MAX_CELLS = 10_000  # characters in all cells of all tables of a message
MAX_LABEL = 20

Json = dict[str, Any]
Images = Mapping[Chart, str]

_MENTION = re.compile(r"@(?=channel|here|everyone)", re.IGNORECASE)
_LINK = re.compile(r"(?<=[a-zA-Z])(?=://)|(?<=mailto)(?=:)")
_JOINER = "\u2060"  # no width, no line break: what it stands in is not recognised as a mention or a link


def escape(text: str) -> str:
    """`text` for a place that Slack parses: no entity, mention or link comes out of it."""
    return inert(isolate(clean(text)))


def inert(text: str) -> str:
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


def shown_text(text: str, limit: int, locale: str) -> str:
    """Within `limit`, with names from right to left set apart."""
    return fit(clean(text), limit, locale, isolate)


def short_name(text: str, limit: int, locale: str) -> str:
    """On one line, and never empty: Slack takes no empty text."""
    return shown_text(line(text), limit, locale) or "–"


def section_of(text: str, locale: str) -> Json:
    return {"type": "section", "text": plain_text(shown_text(text, MAX_SECTION, locale))}


def context_of(text: str, locale: str) -> Json:
    return {"type": "context", "elements": [plain_text(shown_text(text, MAX_CONTEXT, locale))]}


def groups(lines: Sequence[str], room: int) -> Iterator[Sequence[str]]:
    """Lines in groups that fit `room` when joined by line breaks."""
    for begin, end in batches([size(each) + 1 for each in lines], room + 1, len(lines)):
        yield lines[begin:end]


def batches(weights: Sequence[int], room: int, most: int) -> Iterator[tuple[int, int]]:
    """Ranges of items, each at most `room` heavy (or one item) and at most `most` long."""
    begin = weight = 0
    for at, each in enumerate(weights):
        if at > begin and (weight + each > room or at - begin >= most):
            yield begin, at
            begin, weight = at, 0
        weight += each
    if begin < len(weights):
        yield begin, len(weights)


def total(texts: Iterable[str]) -> int:
    return sum(size(text) + 1 for text in texts)


def plain_text(text: str) -> Json:
    return {"type": "plain_text", "text": text or "–", "emoji": False}


def span(text: str, bold: bool = False, code: bool = False) -> Json:
    styles = {name: True for name, wanted in (("bold", bold), ("code", code)) if wanted}
    style: Json = {"style": styles} if styles else {}
    return {"type": "text", "text": text or "–", **style}


def words(text: str, bold: bool = False) -> Json:
    return {"type": "rich_text_section", "elements": [span(text, bold)]}


def rich_text(section: Json) -> Json:
    return {"type": "rich_text", "elements": [section]}
