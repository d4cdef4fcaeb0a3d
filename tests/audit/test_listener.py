"""What workers say is heard at once, whatever becomes of the broker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from uptake.distributed.listener import Listener
from uptake.errors import UnavailableError
from uptake.kafka import consumer
from uptake.schemas.records import control_record, topic_name


class Ears:
    def __init__(self) -> None:
        self.heard: list[str] = []
        self.missed = 0
        self._changed = threading.Condition()

    def notice(self, tenant: str) -> None:
        with self._changed:
            self.heard.append(tenant)
            self._changed.notify_all()

    def anew(self) -> None:
        with self._changed:
            self.missed += 1
            self._changed.notify_all()

    def wait(self, until: Any) -> None:
        with self._changed:
            assert self._changed.wait_for(until, 30)


@pytest.fixture
def ears() -> Ears:
    return Ears()


def say(world: Any, kind: str, tenant: str) -> None:
    record = control_record({"kind": kind, "tenant": tenant}, world.now, "worker")
    name = topic_name(record.topic, world.settings.topic_prefix)
    world.producer.send(name, record.value, record.key, list(record.headers), partition=0).get(20)


@pytest.fixture
def listener(world: Any, ears: Ears) -> Iterator[Listener]:
    say(world, "written", "before")
    failures = [UnavailableError("Kafka does not answer")]

    def connect(settings: Any) -> Any:
        if failures:
            raise failures.pop()
        return consumer(settings)

    listening = Listener(world.settings, ears.notice, ears.anew, connect)
    listening.start()
    yield listening
    listening.stop()


def test_notices_from_now_on_are_heard_also_when_kafka_was_away_at_first(
    world: Any, listener: Listener, ears: Ears
) -> None:
    assert listener.listening.wait(30)
    assert ears.missed == 1
    say(world, "something else", "acme")
    say(world, "written", "acme")
    ears.wait(lambda: ears.heard)
    assert ears.heard == ["acme"]
