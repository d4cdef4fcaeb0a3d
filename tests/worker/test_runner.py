"""What a worker's process says of itself to other threads."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from uptake.processors.worker import runner as module
from uptake.processors.worker.acks import Place
from uptake.processors.worker.gather import TakeLimits
from uptake.processors.worker.metrics import Metrics
from uptake.processors.worker.runner import Runner, Stream

EVENTS, LETTERS = ("events", 0), ("letters", 0)


def runner() -> Runner:
    streams = [Stream(name, [name], MagicMock()) for name in ("events", "letters")]
    return Runner("group", {}, streams, TakeLimits(1, 1.0), lambda place, at: None, Metrics(lambda: 0.0))


def test_it_can_be_asked_what_stands_still_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[Place, int]] = []

    class EnoughSeenError(Exception):
        pass

    def ask(*_: Any) -> Any:
        one.go_on(EVENTS)
        asked.append(one.stopped())
        raise EnoughSeenError

    one = runner()
    monkeypatch.setattr(module, "create_app", ask)
    with pytest.raises(EnoughSeenError):
        one.run()
    assert asked == [{}]


def test_what_one_stream_waits_for_is_said_of_its_partitions_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "create_app", MagicMock())
    one = runner()
    one._assemble()
    one._acks.assign({EVENTS: 3, LETTERS: 4})
    one._conveyors["letters"] = MagicMock(waited=7.0)
    one._look(8.0)
    seen = one.observed()
    assert (seen.committed, seen.waiting, seen.beat) == ({EVENTS: 3, LETTERS: 4}, {LETTERS: 7.0}, 8.0)
    assert one.store_away
