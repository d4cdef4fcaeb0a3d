"""For the tests of an app that uses the SDK: what would have been sent, and nothing goes anywhere.

With pytest, in the app's `conftest.py`::

    pytest_plugins = ["uptake.testing"]

and then, in a test::

    def test_a_draft_is_reported(capture_uptake):
        draft_letter("...")
        (usage,) = capture_uptake.usage
        assert usage["use_case"] == "letters"

Without pytest, `with Capture() as capture:` does the same. Importing this module needs neither pytest nor the
service; where pydantic is installed, each event is also held to the contract's own models.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

from uptake.ingest.sdk.answers import Answer
from uptake.ingest.sdk.client import Client, Clock
from uptake.ingest.sdk.default import stand_in
from uptake.schemas.pseudonym import pseudonym

__all__ = ["Capture", "capture_uptake"]

_KEY = "a key for tests, known to everybody"
_SECONDS = 10.0


class Capture:
    """Collects the events of everything inside: of `uptake.usage()` and its like, through the SDK's real checks.

    `uptake.init()` inside returns the capturing client and takes over its `app` and `environment`. No thread is
    started. Leaving the block raises AssertionError if an event was dropped (a misspelt field, a wrong type):
    what production would only count must not pass a test. `strict=False` leaves that to `problems`.

    Events are dicts as they would be sent; people are pseudonyms, `user_id("jane@example.org")` gives hers.
    """

    def __init__(self, *, app: str = "test", clock: Clock | None = None, strict: bool = True) -> None:
        self._strict = strict
        self._events: list[dict[str, Any]] = []
        self._problems: list[str] = []
        self._outer: Client | None = None
        self.client = Client(
            "http://captured.invalid",
            "captured",
            app,
            "test",
            _KEY,
            clock=clock,
            transport=lambda: _Collector(self._events),
            background=False,
            on_problem=self._problems.append,
        )

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events so far, in order."""
        self.client.flush(_SECONDS)
        return list(self._events)

    @property
    def usage(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "usage"]

    @property
    def feedback(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "feedback"]

    @property
    def cost(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == "cost"]

    @property
    def problems(self) -> list[str]:
        """Why events were dropped, one text each."""
        self.client.flush(_SECONDS)
        return self._problems + _refused_by_models(self._events)

    def user_id(self, person: str) -> str:
        """The `user_id` that events of this person carry here."""
        return pseudonym(_KEY, person)

    def clear(self) -> None:
        """Forgets what was captured so far."""
        self.client.flush(_SECONDS)
        self._events.clear()
        self._problems.clear()

    def __enter__(self) -> Self:
        self._outer = stand_in(self.client)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stand_in(self._outer)
        problems = self.problems
        self.client.close()
        if self._strict and problems and error is None:
            raise AssertionError("events were dropped:\n" + "\n".join(f"- {problem}" for problem in problems))


class _Collector:
    """The network's place: takes every batch and keeps its events."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        events = json.loads(gzip.decompress(body))
        self._events.extend(events)
        return Answer(200, {}, json.dumps({"accepted": len(events), "rejected": []}).encode())

    def close(self) -> None:
        return None


def _refused_by_models(events: list[dict[str, Any]]) -> list[str]:
    """What the contract's models refuse, where they are installed."""
    try:
        from pydantic import ValidationError

        from uptake.schemas.events import EVENT
    except ImportError:
        return []
    problems = []
    for event in events:
        try:
            EVENT.validate_json(json.dumps(event))
        except ValidationError as refusal:
            problems += [
                f"{event['type']}: {problem['msg']}" for problem in refusal.errors(include_input=False)
            ]
    return problems


def _fixture() -> Iterator[Capture]:
    """Captures the events of one test: see Capture."""
    with Capture() as capture:
        yield capture


try:
    import pytest
except ImportError:
    capture_uptake = _fixture
else:
    capture_uptake = pytest.fixture(name="capture_uptake")(_fixture)
