"""When a batch is answered, when it must be sent again, and when the producer is replaced."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from kafka.errors import (
    IllegalStateError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumberError,
    ProducerFencedError,
    UnknownProducerIdError,
)

from uptake.errors import UnavailableError
from uptake.ingest.log.appender import PATIENCE, PAUSE_SECONDS, Appended
from uptake.ingest.log.writer import LogWriter
from uptake.schemas.batch import LogPosition, MalformedBatch, Receipt, StoreUnavailable
from uptake.schemas.records import Topic, event_records

BOUND = 10.0


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Made:
    """A writer, the producers it asked for and what it told."""

    def __init__(self, producers: list[Any], time: Callable[[], float] = lambda: 0.0) -> None:
        self.waiting = list(producers)
        self.asked = 0
        self.told: list[Appended] = []
        self.writer = LogWriter(self.next, "p.", 9.0, self.told.append, time)

    def next(self) -> Any:
        self.asked += 1
        producer = self.waiting.pop(0)
        if isinstance(producer, Exception):
            raise producer
        return producer


def kinds(outcomes: list[Any]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


def test_a_batch_is_answered_when_all_its_records_are_acknowledged(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    producer = make_producer()
    made = Made([producer])
    (receipt,) = made.writer.process([make_batch(make_event(), make_event("cost"), make_event("feedback"))])
    assert isinstance(receipt, Receipt)
    assert receipt.accepted == 3
    assert [topic for topic, _, _ in producer.sent] == ["p.usage", "p.cost", "p.feedback"]
    assert len(producer.waited) == 3
    assert made.told == [Appended(3, 0, False)]


def test_exactly_the_batches_of_which_a_record_failed_must_be_sent_again(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    producer = make_producer()
    producer.at_get.extend([None, None, NotEnoughReplicasError()])
    made = Made([producer])
    outcomes = made.writer.process(
        [
            make_batch(make_event()),
            make_batch(body=b"nothing"),
            make_batch(make_event(), make_event("cost")),
            make_batch(make_event()),
        ]
    )
    assert kinds(outcomes) == [Receipt, MalformedBatch, StoreUnavailable, Receipt]
    assert made.told == [Appended(3, 1, False)]


def test_a_dead_letter_that_is_not_acknowledged_fails_its_batch(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    producer = make_producer()
    producer.at_get.extend([None, KafkaTimeoutError()])
    made = Made([producer])
    assert kinds(made.writer.process([make_batch(make_event(), {"type": "rumour"})])) == [StoreUnavailable]


def test_what_cannot_be_handed_over_ends_its_own_batch_only(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    producer = make_producer()
    producer.at_send.append(KafkaTimeoutError("no metadata"))
    made = Made([producer])
    outcomes = made.writer.process(
        [make_batch(make_event(), make_event("cost")), make_batch(make_event("feedback"))]
    )
    assert kinds(outcomes) == [StoreUnavailable, Receipt]
    assert [topic for topic, _, _ in producer.sent] == ["p.feedback"]


def test_all_waits_together_stay_within_the_bound(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    time = Time()
    producer = make_producer()
    real = producer.send

    def slow(*args: Any, **kwargs: Any) -> Any:
        time.now += 4.0
        return real(*args, **kwargs)

    producer.send = slow
    made = Made([producer], time)
    outcomes = made.writer.process([make_batch(make_event()) for _ in range(5)])
    assert kinds(outcomes) == [Receipt, Receipt, Receipt, StoreUnavailable, StoreUnavailable]
    assert len(producer.sent) == 3
    assert max(producer.waited) == 0.0


@pytest.mark.parametrize(
    "error",
    [
        OutOfOrderSequenceNumberError(),
        ProducerFencedError(),
        UnknownProducerIdError(),
        MessageSizeTooLargeError(),
        IllegalStateError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_producer_is_replaced_after_an_error_that_it_does_not_outlive(
    error: Exception, make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    ended = threading.Event()
    first, second = make_producer(), make_producer()
    first.at_get.append(error)
    first.close = lambda timeout=None: ended.set()
    made = Made([first, second])
    assert kinds(made.writer.process([make_batch(make_event())])) == [StoreUnavailable]
    assert kinds(made.writer.process([make_batch(make_event())])) == [Receipt]
    assert len(second.sent) == 1
    assert ended.wait(BOUND)
    assert made.told == [Appended(0, 1, True), Appended(1, 0, False)]


def test_a_producer_is_kept_over_passing_failures_and_replaced_when_nothing_ever_comes_through(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    first, second = make_producer(), make_producer()
    passing = NotLeaderForPartitionError
    first.at_get.extend([passing()] * (PATIENCE - 1) + [None] + [passing()] * PATIENCE)
    made = Made([first, second])
    outcomes = [made.writer.process([make_batch(make_event())])[0] for _ in range(2 * PATIENCE + 1)]
    assert kinds(outcomes).count(Receipt) == 2
    assert kinds(outcomes)[PATIENCE - 1] is Receipt
    assert (len(first.sent), len(second.sent)) == (2 * PATIENCE, 1)


def test_a_producer_in_which_a_record_expired_is_replaced_because_it_will_never_send_again(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    first, second = make_producer(), make_producer()
    first.at_get.extend([KafkaTimeoutError()])
    made = Made([first, second])
    outcomes = [made.writer.process([make_batch(make_event())])[0] for _ in range(2)]
    assert kinds(outcomes) == [StoreUnavailable, Receipt]
    assert len(second.sent) == 1


def test_brokers_that_do_not_answer_are_asked_again_after_a_pause(
    make_producer: Any, make_batch: Any, make_event: Any
) -> None:
    time = Time()
    made = Made([UnavailableError("Kafka does not answer"), make_producer()], time)
    batch = make_batch(make_event())
    assert kinds(made.writer.process([batch])) == [StoreUnavailable]
    assert kinds(made.writer.process([batch])) == [StoreUnavailable]
    assert made.asked == 1
    time.now += PAUSE_SECONDS
    assert kinds(made.writer.process([batch])) == [Receipt]
    assert made.asked == 2


def test_a_batch_that_nothing_of_can_be_read_and_an_empty_one_need_no_broker(make_batch: Any) -> None:
    made = Made([UnavailableError("Kafka does not answer")])
    outcomes = made.writer.process([make_batch(body=b"nothing"), make_batch(body=b"[]")])
    assert kinds(outcomes) == [MalformedBatch, Receipt]
    assert made.asked == 0


def test_a_bug_is_no_outage(make_producer: Any, make_batch: Any, make_event: Any) -> None:
    producer = make_producer()
    producer.at_send.append(TypeError("headers must be list-type"))
    with pytest.raises(TypeError):
        Made([producer]).writer.process([make_batch(make_event())])


def test_records_are_appended_for_others_and_their_places_told(make_producer: Any, now: Any) -> None:
    made = Made([make_producer()])
    records = event_records("acme", [("usage", "u", b"{}"), ("cost", "c", b"{}")], now, "redrive")
    assert made.writer.append(records) == [LogPosition("p.usage", 0, 0), LogPosition("p.cost", 0, 1)]
    assert records[0].topic is Topic.USAGE


def test_a_closed_writer_takes_nothing(make_producer: Any, now: Any) -> None:
    producer = make_producer()
    made = Made([producer])
    records = event_records("acme", [("usage", "u", b"{}")], now, "redrive")
    made.writer.append(records)
    made.writer.close()
    assert producer.closed == 1
    with pytest.raises(StoreUnavailable):
        made.writer.append(records)


def test_a_producer_that_stops_half_way_is_asked_to_end_again(make_producer: Any, now: Any) -> None:
    producer = make_producer()
    asked: list[float | None] = []

    def close(timeout: float | None = None) -> None:
        asked.append(timeout)
        if len(asked) == 1:
            raise KafkaTimeoutError("not settled")

    producer.close = close
    made = Made([producer])
    made.writer.append(event_records("acme", [("usage", "u", b"{}")], now, "redrive"))
    made.writer.close(2.0)
    assert asked == [2.0, 2.0]
