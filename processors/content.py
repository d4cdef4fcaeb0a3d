"""What an event says, as 64 bits: equal for the same content however it was written, different otherwise.

Covered is what the app sent and nothing that Uptake adds (team of the roster, price, verdict), so that a changed
workspace or price list never makes a re-sent event look like another one. Not covered is how it was written: order
of fields, zone of a time, trailing zeros of money, a default that was spelled out. Fields that this server does
not know count under their name: the same event sent again after an upgrade is still the same.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import msgspec
from pydantic import BaseModel

from uptake.money import to_nano
from uptake.schemas.events import CostEvent, Event, FeedbackEvent, UsageEvent

_MONEY = {UsageEvent: "reported_cost", CostEvent: "amount"}


def _field(name: str, default: object) -> tuple[str, type, Any]:
    """A field that is left out when it holds its default. msgspec recognises a default by identity, which is
    the same thing only for what exists once in a process; any other default is always written."""
    if default in ({}, []) and isinstance(default, dict | list):
        return name, object, msgspec.field(default_factory=type(default))
    once = default is None or (type(default) in (str, int, bool) and default in ("", 0, 1))
    return name, object, default if once else msgspec.UNSET


def _canonical(model: type[BaseModel]) -> tuple[type[msgspec.Struct], Callable[[Any], tuple[Any, ...]]]:
    """A struct with the model's fields by name, and what reads them from an event's `__dict__` in that order."""
    names = sorted(model.model_fields)
    fields = [_field(name, model.model_fields[name].get_default(call_default_factory=True)) for name in names]
    return msgspec.defstruct(f"Canonical{model.__name__}", fields, omit_defaults=True), itemgetter(*names)


_CANONICAL = {model: _canonical(model) for model in (UsageEvent, FeedbackEvent, CostEvent)}
_encode = msgspec.json.Encoder(order="deterministic", decimal_format="string").encode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def canonical(event: Event) -> bytes:
    """The event as JSON with sorted keys, without what holds its default. Not for people: it holds their data."""
    struct, values = _CANONICAL[type(event)]
    content = struct(*values(event.__dict__))
    money = _MONEY.get(type(event))
    if money is not None and (amount := getattr(event, money)) is not None:
        setattr(content, money, to_nano(amount))
    if event.__pydantic_extra__:
        return _encode_sorted(msgspec.json.decode(_encode(content)) | event.__pydantic_extra__)
    return _encode(content)


def content_hash(event: Event) -> int:
    """Unsigned 64 bits of `canonical`."""
    return int.from_bytes(blake2b(canonical(event), digest_size=8).digest(), "little")
