"""What every renderer does to text first: nothing invisible gets through, nothing is cut without saying so."""

from __future__ import annotations

import re
import unicodedata

# Controls (a terminal obeys them) and bidirectional overrides (they make text read as something else).
_UNWANTED = re.compile("[\u202a-\u202e\u2066-\u2069\ufeff]")

_MORE = {"en": " … (cut)", "fr": " … (coupé)"}
_ROWS = {"en": "… {n} more rows not shown", "fr": "… {n} lignes de plus, non affichées"}
_PARTS = {"en": "… {n} more parts not shown", "fr": "… {n} parties de plus, non affichées"}
_LABELS = {"en": "not drawn: {names}", "fr": "non dessinés : {names}"}


def clean(text: str) -> str:
    """`text` without control characters and direction overrides; line breaks stay."""
    visible = "".join(c if c == "\n" or unicodedata.category(c) != "Cc" else " " for c in text)
    return _UNWANTED.sub("", visible)


def line(text: str) -> str:
    """`clean`, on one line."""
    return " ".join(clean(text).split("\n")).strip()


def cut(text: str, limit: int, locale: str) -> str:
    """At most `limit` characters, saying so where something was left out."""
    if len(text) <= limit:
        return text
    more = _MORE[locale]
    return text[: limit - len(more)].rstrip() + more


def rows_left_out(count: int, locale: str) -> str:
    return _ROWS[locale].format(n=count)


def parts_left_out(count: int, locale: str) -> str:
    return _PARTS[locale].format(n=count)


def labels_left_out(labels: list[str], locale: str) -> str:
    return _LABELS[locale].format(names=", ".join(labels))
