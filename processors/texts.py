"""Which texts of feedback are stored: those of apps whose entry in the registry keeps them, and no other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from uptake.processors.columns import Column
from uptake.workspace.models import App

_KINDS = {"draft_text": "draft", "final_text": "final"}


def kept_texts(registry: Mapping[str, App], said: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of texts as they are stored, from what feedback says: None in place of a text that is dropped."""
    found: dict[str, Column] = {}
    for name, kind in _KINDS.items():
        if any(text is not None for text in said[name]):
            keeping = {app for app, entry in registry.items() if kind in entry.keep_text}
            pairs = zip(said["app"], said[name], strict=True)
            found[name] = [text if app in keeping else None for app, text in pairs]
        else:  # nearly always
            found[name] = said[name]
    return found


def texts_dropped(said: Iterable[Any], stored: pa.RecordBatch) -> int:
    """How many texts of these feedback records are not in the rows that were made of them."""
    sent = sum((record.draft_text is not None) + (record.final_text is not None) for record in said)
    return sent - sum(len(column) - column.null_count for column in map(stored.column, _KINDS))
