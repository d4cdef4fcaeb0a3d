"""What every renderer does to text first: nothing invisible gets through, nothing is cut without saying so.

Names that people wrote may run from right to left. A run of such text is set apart (`runs`, `isolate`), so that the
numbers beside it stay in their order: Unicode's bidirectional algorithm, https://www.unicode.org/reports/tr9/.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from rich.cells import split_graphemes

from uptake.alerts.render.words import cut_word

# Controls (a terminal obeys them) and bidirectional overrides (they make text read as something else).
_UNWANTED = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")

MARKS = 4
"""Accents that one letter keeps, as many as any script piles up; more would cover the lines around it."""

SHORT = 60  # where less fits than this, an ellipsis has to say that something was cut

FIRST_STRONG, POP = "\u2068", "\u2069"
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_INSIDE = _RIGHT_TO_LEFT | {"NSM", "BN"}


def clean(text: str) -> str:
    """`text` without control characters, direction overrides and heaps of accents; line breaks stay."""
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    for c in _UNWANTED.sub("", text):
        category = unicodedata.category(c)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(" " if category in ("Cc", "Zl", "Zp") and c != "\n" else c)
    return "".join(kept)


def line(text: str) -> str:
    """`clean`, on one line."""
    return " ".join(clean(text).split("\n")).strip()


def size(text: str) -> int:
    """Characters as the strictest reader counts them: UTF-16 code units, so an emoji is two."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int, locale: str) -> str:
    """At most `limit` characters (`size`), saying so where something was left out; no grapheme is cut in two."""
    if size(text) <= limit:
        return text
    more = cut_word(locale) if limit >= SHORT else "…"
    room, end, begin = limit - size(more), 0, 0
    for stop in _graphemes(text[: max(limit, 0)]):
        room -= size(text[begin:stop])
        if room < 0:
            break
        begin = end = stop
    return text[:end].rstrip() + more


def fit(text: str, limit: int, locale: str, draw: Callable[[str], str]) -> str:
    """`draw(text)` within `limit`: drawing lengthens, so what is written is cut, never what was drawn of it."""
    room = limit
    while size(done := draw(cut(text, room, locale))) > limit and room > 0:
        room -= max(size(done) - limit, 1)
    return done


def _graphemes(text: str) -> Iterator[int]:
    """Where each grapheme ends. rich counts a flag as its two letters: they are kept together here."""
    half = False
    for start, stop, _ in split_graphemes(text)[0]:
        half = not half and "\U0001f1e6" <= text[start] <= "\U0001f1ff"
        if not half:
            yield stop


def runs(text: str) -> list[tuple[str, bool]]:
    """`text` in parts, with whether a part is written from right to left. Joined they are the text."""
    if text.isascii():
        return [(text, False)] if text else []
    kinds = [unicodedata.bidirectional(c) for c in text]
    parts: list[tuple[str, bool]] = []
    done = at = 0
    while at < len(text):
        if kinds[at] not in _RIGHT_TO_LEFT:
            at += 1
            continue
        start = at
        while start > done and kinds[start - 1] == "EN":  # figures that touch the name are part of it
            start -= 1
        end = at + 1
        while at < len(text) and kinds[at] not in ("L", "B"):
            at += 1
            if kinds[at - 1] in _INSIDE or (kinds[at - 1] == "EN" and end == at - 1):
                end = at
        if start > done:
            parts.append((text[done:start], False))
        parts.append((text[start:end], True))
        done = at = end
    if done < len(text):
        parts.append((text[done:], False))
    return parts


def isolate(text: str) -> str:
    """`text` with each run from right to left in isolates, so that it moves nothing beside it."""
    return "".join(f"{FIRST_STRONG}{part}{POP}" if turned else part for part, turned in runs(text))
