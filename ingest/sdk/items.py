"""What waits in the queue: frozen on the caller's thread with as little work as possible, checked by the sender."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType
from typing import Any, Final, NamedTuple
from uuid import UUID

MAX_FIELDS = 64
MAX_EVENT_CHARACTERS = 4 * 1024 * 1024
"""Texts of one event together, in characters: an edit's two texts wait in memory until they are compared."""
_MAX_ENTRIES = 64
_FIELD_COST = 64

Layer = Mapping[str, Any]
NO_LAYER: Final[Layer] = MappingProxyType({})


class Unfit:
    """Stands in place of a value that the queue will not hold; the sender says which field it was."""

    __slots__ = ("reason", "what")

    def __init__(self, what: str, reason: str = "invalid") -> None:
        self.what = what
        self.reason = reason


class LeftOut:
    """Stands in place of a person whom nobody may name because there is no key; the sender counts and removes it."""

    __slots__ = ()


class Item(NamedTuple):
    """One call: its kind, Unix time in nanoseconds, the context around it, its fields, its size in memory."""

    kind: str
    at_ns: int
    layer: Layer
    fields: dict[str, Any]
    size: int


_IMMUTABLE = frozenset({int, float, bool, NoneType, Decimal, datetime, date, UUID, Unfit, LeftOut})


def freeze(fields: dict[str, Any]) -> int:
    """Makes `fields` safe to hold (nothing the app may still change, nothing unbounded); returns its size.

    The size is an estimate in bytes: what matters is that big texts weigh what they weigh.
    """
    if len(fields) > MAX_FIELDS:
        fields.clear()
        fields["fields"] = Unfit(f"must be {MAX_FIELDS} at most")
    size = _FIELD_COST * len(fields)
    for name, value in fields.items():
        kind = type(value)
        if kind is str:
            size += len(value)
        elif kind not in _IMMUTABLE:
            fields[name] = value = _frozen(value)
            size += _weight(value)
    if size > MAX_EVENT_CHARACTERS:
        fields.clear()
        fields["event"] = Unfit(f"must have {MAX_EVENT_CHARACTERS} characters at most", "too_large")
        size = _FIELD_COST
    return size


def _frozen(value: object) -> object:
    """A copy that the app does not share, in plain types; Unfit for anything an event cannot hold."""
    if isinstance(value, Enum):
        value = value.value
    if type(value) in _IMMUTABLE:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping) and len(value) <= _MAX_ENTRIES:
        return {_scalar(name): _scalar(content) for name, content in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) and len(value) <= _MAX_ENTRIES:
        return tuple(_scalar(content) for content in value)
    if isinstance(value, datetime):  # a subclass: pandas' and pendulum's moments
        day = (value.year, value.month, value.day)
        time = (value.hour, value.minute, value.second, value.microsecond)
        return datetime(*day, *time, tzinfo=value.tzinfo, fold=value.fold)
    if hasattr(value, "__index__"):
        return operator.index(value)  # numpy's whole numbers
    if hasattr(value, "__float__"):
        return float(value)
    return Unfit("is of a type, or of a length, that an event cannot hold")


def _scalar(value: object) -> object:
    """A member of a container: a text, or something that no rule will accept and that holds nothing."""
    if isinstance(value, Enum):
        value = value.value
    return str.__str__(value) if isinstance(value, str) else None


def _weight(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(name or "") + len(content or "") for name, content in value.items())
    if isinstance(value, tuple):
        return sum(len(content or "") for content in value)
    return 0
