"""Events as a sender would write them, to be spoilt one field at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from uptake.schemas.identity import mint, unix_ms

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
Make = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def now() -> datetime:
    """The server's time in these tests; events are made at it."""
    return NOW


def _base(kind: str, fields: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    event = {
        "event_id": str(mint(unix_ms(NOW))),
        "type": kind,
        "occurred_at": "2026-11-20T12:00:00Z",
        "app": "helpdesk",
        **fields,
        **changes,
    }
    return {name: value for name, value in event.items() if value is not ...}


@pytest.fixture(scope="session")
def usage() -> Make:
    """A usage event as a mapping; keywords replace fields, `...` removes one."""
    return lambda **changes: _base("usage", {"input_tokens": 1200, "output_tokens": 300}, changes)


@pytest.fixture(scope="session")
def feedback() -> Make:
    return lambda **changes: _base("feedback", {"kind": "thumb", "thumb": "up"}, changes)


@pytest.fixture(scope="session")
def cost() -> Make:
    fields = {
        "category": "licence",
        "amount": "1250.00",
        "currency": "EUR",
        "period_start": "2026-11-01",
        "period_end": "2026-12-01",
    }
    return lambda **changes: _base("cost", fields, changes)


@pytest.fixture(scope="session")
def body() -> Callable[..., bytes]:
    """A batch of mappings as the bytes that a sender would post."""
    return lambda *events: json.dumps(events).encode()
