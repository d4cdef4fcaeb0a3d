"""A row becomes an event of the contract. Pure: the same row and map always give the same event and the same id."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, datetime
from hashlib import blake2b

from uptake.ingest.importer.mapping import CARRIES, RAW, TEXTS, Plan, kind_of
from uptake.ingest.importer.times import moment
from uptake.ingest.importer.values import read_value, text_of
from uptake.ingest.sdk.severity import edit_severity
from uptake.schemas.identity import derive
from uptake.schemas.pseudonym import pseudonym


class BadRow(Exception):  # noqa: N818 - named for what it is
    """The row cannot become an event: `path` is the field, the message what would be right."""

    def __init__(self, path: str, detail: str) -> None:
        super().__init__(detail)
        self.path = path


class NothingSaid(Exception):  # noqa: N818 - named for what it is
    """A row of feedback whose answer is empty: nobody rated, decided or edited."""


@dataclass
class Converter:
    """Turns rows into events. `ordinals` counts equal rows, which are different events: it grows with the file
    (about 100 bytes a row) unless the map says `id`."""

    plan: Plan
    pseudonym_key: str | None
    ordinals: dict[int, int] = field(default_factory=dict)

    def event(self, cells: dict[str, object]) -> dict[str, object]:
        """The event of a row, ready for JSON. Raises BadRow, NothingSaid, and times.NoZone."""
        plan, mapping = self.plan, self.plan.mapping
        texts = {name: text for name, value in cells.items() if (text := text_of(value))}
        try:
            "".join(texts.values()).encode()
        except UnicodeEncodeError:  # JSON can hold half of a surrogate pair
            raise BadRow("", "holds text that is not valid Unicode") from None
        key = self._key(texts)
        event: dict[str, object] = {"type": plan.kind, **plan.constants}
        for name, source in mapping.columns.items():
            value = None if name in TEXTS else self._value(name, cells.get(source.column))
            if value is not None:
                event[RAW.get(name, name)] = value
        if tags := {tag: text for tag, name in mapping.tags.items() if (text := text_of(cells.get(name)))}:
            event["tags"] = tags
        if plan.kind == "feedback":
            self._feedback(event, cells)
        at = event.get("occurred_at")
        if not isinstance(at, datetime):
            raise BadRow("occurred_at", "is required")
        event["event_id"] = str(derive(plan.source, key, at))
        event["occurred_at"] = at.isoformat()
        return event

    def _value(self, name: str, cell: object) -> object:
        """What the field `name` holds, None for an empty cell."""
        mapping = self.plan.mapping
        values, text = mapping.columns[name].values, text_of(cell)
        if text and values:
            if text not in values:
                raise BadRow(name, "is not among the map's `values`")
            text = values[text] or ""
        if not text:
            return None
        if name in RAW:
            return pseudonym(self.pseudonym_key or "", text)
        try:
            if name == "occurred_at":
                return moment(cell if isinstance(cell, date) else text, mapping.tz)
            return read_value(name, text)
        except ValueError as error:
            raise BadRow(name, str(error)) from error

    def _feedback(self, event: dict[str, object], cells: dict[str, object]) -> None:
        columns = self.plan.mapping.columns
        if TEXTS[0] in columns:
            draft, final = (text_of(cells.get(columns[name].column)) for name in TEXTS)
            if not draft:
                raise NothingSaid
            event["severity"], event["draft_tokens"], event["final_tokens"] = edit_severity(draft, final)
        kind = event.setdefault("kind", kind_of({*columns, *self.plan.constants}))
        if CARRIES.get(str(kind)) in columns and CARRIES[str(kind)] not in event:
            raise NothingSaid

    def _key(self, texts: dict[str, str]) -> str:
        """What makes this row itself: the columns that the map declares, or all that it says and which one it is
        among those that say the same. Neither order nor name of the columns' file matters."""
        declared = self.plan.mapping.id
        if declared is not None:
            for name in declared:
                if name not in texts:
                    raise BadRow("event_id", f'is made of column "{name}", which is empty')
            return json.dumps([texts[name] for name in declared], ensure_ascii=False)
        content = json.dumps(sorted(texts.items()), ensure_ascii=False)
        seen = int.from_bytes(blake2b(content.encode(), digest_size=8).digest(), "big")
        ordinal = self.ordinals.get(seen, 0)
        self.ordinals[seen] = ordinal + 1
        return f"{ordinal} {content}"
