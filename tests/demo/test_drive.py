"""The drive: what is lost on the way is noticed, and the clock never runs ahead of what it sends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.feed import ForgetfulNetwork
from uptake.demo.patterns import is_working, local_day
from uptake.demo.schedule import slices, stops
from uptake.ingest.sdk.answers import Answer
from uptake.ingest.sdk.transport import Unreached


class Recorder:
    """A network that remembers what was posted."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        self.bodies.append(body)
        return Answer(200, {}, b"{}")

    def close(self) -> None: ...


def test_a_lost_answer_was_a_delivery_and_is_lost_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ForgetfulNetwork("http://127.0.0.1:9/v1/events")
    recorder = Recorder()
    monkeypatch.setattr(network, "_inner", recorder)
    network.lose_next = True
    with pytest.raises(Unreached):
        network.post(b"[]", {}, 1.0)
    assert network.post(b"[]", {}, 1.0).status == 200
    assert recorder.bodies == [b"[]", b"[]"]
    assert network.lost == 1


def test_stops_rise_and_end_with_the_last_day() -> None:
    moments = stops()
    assert moments == sorted(set(moments))
    assert local_day(moments[-1]) == facts.LAST_WEEK.period(facts.ZONE).last


def test_every_working_day_of_the_last_weeks_is_looked_at_more_than_once(plan: list[Call]) -> None:
    looks = [part.until for part in slices(plan) if part.watched]
    start = facts.LAST_WEEK.shift(1 - facts.WATCHED_WEEKS).monday()
    for offset in range(7 * facts.WATCHED_WEEKS):
        day = start + timedelta(days=offset)
        count = sum(local_day(look) == day for look in looks)
        assert count >= (4 if is_working(day) else 1)
    assert all(local_day(look) >= start for look in looks)


def test_a_call_after_the_last_stop_is_a_fault_of_the_plan(plan: list[Call]) -> None:
    late = Call(stops()[-1] + timedelta(seconds=1), "claims-letter", "usage", {})
    with pytest.raises(ValueError, match="after the last stop"):
        list(slices([*plan, late]))
