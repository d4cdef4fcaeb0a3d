"""One event in a hundred is bad, in every way that we know: through the gateway, and straight into the topics.

The dead letters must be exactly those, in the topic and in the table, and the good events must not wait for them.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from kafka import KafkaProducer

from uptake_chaos.events import Generator, Made
from uptake_chaos.letters import Letter, letter, letters_of_topic
from uptake_chaos.oracle import Oracle
from uptake_chaos.sender import Connection
from uptake_chaos.stack import Stack
from uptake_chaos.trial import SETTLE_SECONDS, Result, Trial
from uptake_chaos.visible import Visibility, quantiles

SHARE = 0.01
BATCH = 50
WARM_UP_SECONDS = 3.0
TURNS = 3
RAW_SHARE = 0.3
"""Of the batches, how many are written to the topics by somebody who passes the gateway by."""
PREFIX = "chaos."


def _spoiled(change: Callable[[dict[str, Any]], None]) -> Callable[[Made], bytes]:
    def spoil(event: Made) -> bytes:
        fields = dict(event.fields)
        change(fields)
        return json.dumps(fields, separators=(",", ":")).encode()

    return spoil


POISONS: dict[str, tuple[str, Callable[[Made], bytes]]] = {
    # what it is: the reason that must be given, and how a good event becomes so
    "a field of the wrong type": ("invalid", _spoiled(lambda fields: fields.update(app=7))),
    "a field missing": ("invalid", _spoiled(lambda fields: fields.pop("app"))),
    "an address for a pseudonym": (
        "invalid",
        _spoiled(lambda fields: fields.update(user_id="jane@example.org")),
    ),
    "not an object": ("invalid", lambda event: json.dumps(event.event_id).encode()),
    "a type that nobody knows": ("unknown_type", _spoiled(lambda fields: fields.update(type="gossip"))),
    "another version": ("unsupported_version", _spoiled(lambda fields: fields.update(schema_version=9))),
    "from the future": ("future", lambda event: _moved(event, 4 * 86_400_000)),
    "an id of another time": (
        "id_time_mismatch",
        _spoiled(lambda fields: fields.update(occurred_at="2026-01-01T00:00:00Z")),
    ),
    "oversized": ("too_large", _spoiled(lambda fields: fields.update(session_id="x" * 40_000))),
}


def _moved(event: Made, ms: int) -> bytes:
    made = Generator(int(event.event_id.replace("-", ""), 16)).event(event.tenant, event.at_ms + ms)
    while made.late:
        made = Generator(int(made.event_id.replace("-", ""), 16)).event(event.tenant, event.at_ms + ms)
    return made.body


class Poisoner:
    """Makes batches in which some events are bad, and knows which letters they must become."""

    def __init__(self, seed: int, share: float) -> None:
        self._chance = random.Random(f"{seed}/poison")
        self._share = share
        self.letters: set[Letter] = set()
        self.made: Counter[str] = Counter()

    def mix(self, events: Sequence[Made]) -> tuple[list[bytes], list[Made]]:
        """Bodies of events to be sent, and the good ones among them."""
        bodies, good = [], []
        for event in events:
            if self._chance.random() < self._share:
                name = self._chance.choice(list(POISONS))
                reason, spoil = POISONS[name]
                body = spoil(event)
                self.letters.add(letter(event.tenant, reason, body))
                self.made[name] += 1
                bodies.append(body)
            else:
                bodies.append(event.body)
                good.append(event)
        return bodies, good

    def broken_record(self, tenant: str) -> tuple[bytes, list[tuple[str, bytes]]]:
        """A record that is no batch at all: value and headers."""
        noise = self._chance.randbytes(12).hex()
        kind = self._chance.choice(("not JSON", "no array", "no headers", "too large as a whole"))
        self.made[f"record: {kind}"] += 1
        headers = headers_of(tenant, "usage")
        if kind == "no headers":
            value = f'[{{"event_id":"{noise}"}}]'.encode()
            self.letters.add(letter("", "unreadable", value))
            return value, []
        value = {
            "not JSON": f"\x00{noise}".encode(),
            "no array": json.dumps(noise).encode(),
            "too large as a whole": b"[" + b",".join([b"1"] * 600) + f',"{noise}"]'.encode(),
        }[kind]
        self.letters.add(letter(tenant, "malformed", value))
        return value, headers


def headers_of(tenant: str, kind: str) -> list[tuple[str, bytes]]:
    """What a producer that follows the topic's description writes."""
    return [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"chaos"),
        ("ce_source", b"/chaos"),
        ("ce_type", f"uptake.{kind}.v1".encode()),
        ("ce_time", b"2026-11-20T09:00:00Z"),
        ("ce_tenant", tenant.encode()),
    ]


def poison(trial: Trial, seconds: float, rate: float) -> Result:
    """`seconds` without poison, in turns with as many with it; the letters, and how much later good events came.

    Later is judged by the slowest tenth: the last hundredth of a few thousand is one slow write on a busy machine."""
    stack, began = trial.stack, time.monotonic()
    bootstrap = f"127.0.0.1:{stack.node.port}"
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    try:
        run = _Run(trial, producer, rate)
        pure, poisoner = Poisoner(trial.seed, 0.0), Poisoner(trial.seed, SHARE)
        run.flow(pure, WARM_UP_SECONDS)
        clean: list[float] = []
        mixed: list[float] = []
        for _ in range(TURNS):  # in turns, so that both see the same machine
            clean += run.flow(pure, seconds / TURNS)
            mixed += run.flow(poisoner, seconds / TURNS)
    finally:
        producer.close(10)
    took = time.monotonic() - began
    trial.letters |= poisoner.letters
    difference, settled = trial.settle(SETTLE_SECONDS)
    topic = letters_of_topic(bootstrap, f"{PREFIX}dead-letters")
    difference.letters += len(topic ^ trial.letters)
    without, with_it = quantiles(clean), quantiles(mixed)
    trial.say(f"good events visible after (p50, p90, p99) {without} s without poison, {with_it} s with it")
    figures = {
        "poison": dict(sorted(poisoner.made.items())),
        "letters": len(poisoner.letters),
        "letters_in_topic": len(topic),
        "clean_p50_p90_p99": without,
        "poisoned_p50_p90_p99": with_it,
        "later_seconds": round(with_it[1] - without[1], 3),
    }
    return Result("poison", trial.seed, took, run.sent, difference, settled, {}, figures)


class _Run:
    """A steady flow, through the gateway and straight into the topics."""

    def __init__(self, trial: Trial, producer: KafkaProducer, rate: float) -> None:
        self._stack, self._oracle, self._producer, self._rate = trial.stack, trial.oracle, producer, rate
        self._generator = Generator(trial.seed + 500)
        self._chance = random.Random(f"{trial.seed}/poison/run")
        self._connection = Connection(trial.stack.url.removeprefix("http://"))
        self.sent = 0

    def flow(self, poisoner: Poisoner, seconds: float) -> list[float]:
        """Seconds from acknowledged to visible of each good event."""
        visibility = Visibility(self._stack.asker)
        wait, began, sent = threading.Event(), time.monotonic(), 0
        while (elapsed := time.monotonic() - began) < seconds:
            if sent > elapsed * self._rate:
                wait.wait(sent / self._rate - elapsed)
            tenant = self._generator.tenant()
            events = self._generator.batch(tenant, BATCH, time.time_ns() // 1_000_000)
            bodies, good = poisoner.mix(events)
            self._oracle.add(good)
            if self._chance.random() < RAW_SHARE:
                self._past_the_gateway(tenant, events, bodies, poisoner)
            else:
                self._through_the_gateway(tenant, bodies, len(good))
            self._oracle.acknowledge(good)
            visibility.acknowledged(good)
            sent += BATCH
            self.sent += BATCH
        _until_visible(self._stack, self._oracle)
        return visibility.end()

    def _through_the_gateway(self, tenant: str, bodies: list[bytes], good: int) -> None:
        body = b"[" + b",".join(bodies) + b"]"
        status, answer = self._connection.post(body, self._stack.tokens[tenant])
        if status != 200 or answer["accepted"] != good or len(answer["rejected"]) != len(bodies) - good:
            raise AssertionError(f"the gateway answered {status} to {good} good of {len(bodies)} events")

    def _past_the_gateway(
        self, tenant: str, events: list[Made], bodies: list[bytes], poisoner: Poisoner
    ) -> None:
        """One record a kind, as a producer of one's own would write it; sometimes one that is no batch at all."""
        kinds: dict[str, list[bytes]] = {}
        for event, body in zip(events, bodies, strict=True):
            kinds.setdefault(event.fields["type"], []).append(body)
        records = [
            (kind, b"[" + b",".join(own) + b"]", headers_of(tenant, kind)) for kind, own in kinds.items()
        ]
        if len(bodies) > sum(event.body is body for event, body in zip(events, bodies, strict=True)):
            records.append(("usage", *poisoner.broken_record(tenant)))
        key = self._chance.randbytes(8)
        for promise in [
            self._producer.send(f"{PREFIX}{kind}", v, key=key, headers=h) for kind, v, h in records
        ]:
            promise.get(20)


def _until_visible(stack: Stack, oracle: Oracle) -> None:
    deadline, wait = time.monotonic() + 60, threading.Event()
    while stack.asker.events() < len(oracle.made):
        if time.monotonic() > deadline:
            raise TimeoutError("good events did not become visible within 60 s")
        wait.wait(0.1)
