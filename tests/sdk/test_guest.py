"""A guest never blocks and never raises, whatever it is given and whatever the network does."""

from __future__ import annotations

import gc
import logging
import signal
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

import uptake
from uptake import Retry

BOUND = 10.0


class Hostile:
    """A value whose every use raises."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("do not touch me")


def sender_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "uptake-sender"}


def test_no_thread_runs_before_the_first_event(gateway: Any, make_client: Any) -> None:
    before = sender_threads()
    client = make_client(gateway.url)
    with client.context(user="jane"):
        assert not sender_threads() - before
        client.usage(request_model="gpt")
        assert len(sender_threads() - before) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"input_tokens": "12"},
        {"input_tokens": -1},
        {"input_tokens": True},
        {"cache_read_input_tokens": 5, "input_tokens": 4},
        {"provider": 12},
        {"provider": "x" * 129},
        {"provider": "a\nb"},
        {"provider": "half a character \ud800"},
        {"provider": Hostile()},
        {"provider": object()},
        {"user": object()},
        {"user": Hostile()},
        {"user": {"name": "jane"}},
        {"tags": "x"},
        {"tags": {1: 2}},
        {"tags": {str(n): "x" for n in range(17)}},
        {"tags": {str(n): "x" for n in range(100_000)}},
        {"occurred_at": "yesterday"},
        {"occurred_at": datetime(2026, 11, 16)},  # noqa: DTZ001 - that is the point
        {"occurred_at": datetime(1, 1, 1, tzinfo=UTC)},
        {"status": "maybe"},
        {"self": 1},
        {"event_id": "mine"},
        {"type": "cost"},
        {"kind": "thumb"},
        {"": 1},
        {f"field_{n}": n for n in range(1000)},
        {"duration_ms": 10**10000},
        {"reported_cost": float("nan"), "reported_currency": "EUR"},
        {"reported_cost": "a lot", "reported_currency": "EUR"},
        {"reported_cost": "1.5"},
        {"app": ""},
    ],
)
def test_a_wrong_value_costs_its_event_and_nothing_else(
    fields: dict[str, Any], gateway: Any, make_client: Any
) -> None:
    client = make_client(gateway.url)
    client.usage(**fields)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    stats = client.stats()
    assert stats.sent == 1
    assert stats.lost == 1
    assert [event.get("request_model") for event in gateway.events] == ["gpt"]


def test_wrong_arguments_raise_nothing(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url)
    wrong: list[tuple[Any, tuple[Any, ...]]] = [
        (client.usage, ("gpt", 1)),
        (client.feedback, ()),
        (client.feedback, ("applause",)),
        (client.thumb, ()),
        (client.thumb, ("sideways", 2)),
        (client.edit, ()),
        (client.edit, ("draft",)),
        (client.edit, (None, 12)),
        (client.edit, ("a", "b", "c")),
        (client.decision, ()),
        (client.decision, ("edited",)),
        (client.survey, ()),
        (client.survey, (11,)),
        (client.cost, ()),
        (client.cost, (10,)),
    ]
    for method, arguments in wrong:
        method(*arguments)
    assert client.flush(BOUND)
    assert client.stats().lost == len(wrong)
    with client.context("claims", wrong=1, user=Hostile()), client.call("gpt") as call:
        call.set("x", nonsense=Hostile())
    assert client.flush(BOUND)
    assert gateway.events == []


def test_a_warning_names_the_field_and_is_said_once(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(gateway.url)
    for _ in range(5):
        client.usage(input_tokens="secret-value")
    assert client.flush(BOUND)
    assert caplog.text.count("usage.input_tokens must be a whole number") == 1
    assert "secret-value" not in caplog.text


def test_a_field_that_does_not_exist_is_dropped_with_its_reason(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(gateway.url)
    client.usage(input_token=12)
    client.usage(**{"jane@example.org": 1})
    assert client.flush(BOUND)
    assert client.stats().dropped == {"unknown_field": 2}
    assert "usage has no field input_token" in caplog.text
    assert "jane" not in caplog.text


def test_a_silent_gateway_holds_nobody_up_and_the_queue_stays_bounded(gateway: Any, make_client: Any) -> None:
    gateway.always = gateway.hang
    client = make_client(gateway.url, queue_events=50, linger=0.0)
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    for _ in range(80):
        client.usage(request_model="gpt")
    stats = client.stats()
    assert stats.accepted == stats.queued == 51
    assert stats.refused == {"queue_full": 30}
    client.close(0.05)
    stats = client.stats()
    assert (stats.queued, stats.dropped) == (0, {"closed": 51})


def test_the_queue_is_bounded_in_bytes(gateway: Any, make_client: Any) -> None:
    gateway.always = gateway.hang
    client = make_client(gateway.url, queue_bytes=100_000, linger=3600)
    for _ in range(20):
        client.edit("a " * 5_000, "b " * 5_000)
    assert client.stats().refused == {"queue_full": 16}
    assert client.stats().accepted == 4


def test_room_is_given_back_when_events_leave(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, queue_bytes=25_000)
    for _ in range(10):
        client.edit("a " * 5_000, "b " * 5_000)
        assert client.flush(BOUND)
    assert client.stats().sent == 10


def test_drops_are_told_with_reason_and_count(gateway: Any, make_client: Any) -> None:
    told: list[tuple[str, int]] = []
    gateway.script.append(gateway.reject(0, 1))
    client = make_client(gateway.url, on_drop=lambda reason, count: told.append((reason, count)), linger=3600)
    for _ in range(3):
        client.usage(request_model="gpt")
    client.usage(nonsense=1)
    assert client.flush(BOUND)
    assert told == [("unknown_field", 1), ("rejected:future", 2)]


def test_a_full_queue_is_told_while_the_gateway_is_still_away(gateway: Any, make_client: Any) -> None:
    told = threading.Event()
    gateway.always = gateway.hang
    client = make_client(
        gateway.url,
        queue_events=5,
        linger=0.0,
        timeout=0.3,
        retry=Retry(base=0.0),
        on_drop=lambda reason, count: told.set() if (reason, count) == ("queue_full", 4) else None,
    )
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    for _ in range(9):
        client.usage(request_model="gpt")
    assert told.wait(BOUND)
    assert client.stats().queued == 6


def test_a_callback_that_raises_is_counted_and_costs_nothing_else(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, on_drop=lambda reason, count: 1 / 0)
    client.usage(nonsense=1)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().sent == 1
    assert client.stats().callback_errors == 1


def test_a_callback_may_flush_and_close(gateway: Any, make_client: Any) -> None:
    called = threading.Event()

    def on_drop(reason: str, count: int) -> None:
        client.flush(BOUND)
        client.close(BOUND)
        called.set()

    client = make_client(gateway.url, on_drop=on_drop)
    client.usage(nonsense=1)
    assert called.wait(BOUND)
    client.usage(request_model="gpt")
    assert client.stats().refused == {"closed": 1}


def test_a_log_handler_that_raises_breaks_nothing(gateway: Any, make_client: Any) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError("no disk")

    logger, broken = logging.getLogger("uptake"), Broken()
    logger.addHandler(broken)
    try:
        client = make_client(gateway.url)
        client.usage(nonsense=1)
        client.usage(request_model="gpt")
        assert client.flush(BOUND)
        assert client.stats().sent == 1
    finally:
        logger.removeHandler(broken)


def test_a_clock_that_raises_costs_the_event(gateway: Any, make_client: Any) -> None:
    class Stopped:
        def now(self) -> datetime:
            raise OSError("battery")

    client = make_client(gateway.url, clock=Stopped())
    client.usage(request_model="gpt")
    with client.call(request_model="gpt"):
        pass
    assert client.flush(BOUND)
    assert client.stats().refused == {"internal": 1}
    assert client.stats().sent == 1


def test_closing_twice_is_closing_once(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    client.usage(request_model="gpt")
    client.close(BOUND)
    client.close(BOUND)
    client.usage(request_model="gpt")
    stats = client.stats()
    assert (stats.sent, stats.refused, stats.queued) == (1, {"closed": 1}, 0)
    assert client.flush(0)


def test_closing_cuts_a_wait_short_and_tries_once_more(gateway: Any, make_client: Any) -> None:
    gateway.script.append(gateway.say(503, Retry_After="60"))
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    client.close(BOUND)
    assert client.stats().sent == 1


def test_where_no_thread_can_start_events_wait_and_close_sends_them(
    gateway: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def cannot(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("uptake.ingest.sdk.runtime.threading.Thread.start", cannot)
        client = make_client(gateway.url)
        client.usage(request_model="gpt")
        client.usage(request_model="gpt")
        assert client.stats().queued == 2
    client.close(BOUND)
    assert client.stats().sent == 2
    assert caplog.text.count("no thread can be started") == 1


def test_a_signal_handler_may_report_in_the_middle_of_a_report(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, queue_events=1_000_000)
    interrupted = 0

    def handler(number: int, frame: object) -> None:
        nonlocal interrupted
        interrupted += 1
        client.edit("a " * 2_000, "b " * 2_000)
        client.stats()

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    calls = 0
    try:
        while interrupted < 50 and calls < 1_000_000:
            client.edit("a " * 2_000, "b")
            client.stats()
            calls += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    stats = client.stats()
    assert stats.accepted + sum(stats.refused.values()) == calls + interrupted
    assert interrupted >= 50


@pytest.mark.parametrize(
    ("endpoint", "api_key"),
    [
        (None, "k"),
        ("http://127.0.0.1:1", None),
        ("gopher://x", "k"),
        ("http://", "k"),
        ("http://h", "a b\n c"),
    ],
)
def test_without_endpoint_or_key_nothing_happens_and_is_counted(
    endpoint: str | None,
    api_key: str | None,
    make_client: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = sender_threads()
    client = make_client(endpoint, api_key=api_key)
    for _ in range(10_000):
        client.usage(request_model="gpt")
    with client.context(user="jane"), client.call():
        pass
    assert client.flush(0)
    client.close()
    assert client.stats().refused == {"not_configured": 10_001}
    assert not sender_threads() - before
    assert caplog.text.count("nothing is reported") == 1


def test_the_environment_configures_what_arguments_leave_out(
    gateway: Any, no_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPTAKE_ENDPOINT", gateway.url)
    monkeypatch.setenv("UPTAKE_API_KEY", "upt_a_b")
    monkeypatch.setenv("UPTAKE_APP", "letters")
    monkeypatch.setenv("UPTAKE_ENVIRONMENT", "staging")
    monkeypatch.setattr("uptake.ingest.sdk.default._client", None)
    uptake.usage(request_model="gpt")
    assert uptake.flush(BOUND)
    (event,) = gateway.events
    assert (event["app"], event["environment"]) == ("letters", "staging")
    uptake.close()


def test_events_without_an_app_are_dropped_with_a_remedy(
    gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = make_client(gateway.url, app=None)
    client.usage(request_model="gpt")
    client.usage(app="other", request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().dropped == {"invalid": 1}
    assert "UPTAKE_APP" in caplog.text


def test_a_bug_in_the_sender_costs_a_batch_and_not_the_thread(
    gateway: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = make_client(gateway.url)
    with monkeypatch.context() as patch:
        patch.setattr("uptake.ingest.sdk.sender.gzip.compress", lambda *a, **k: 1 / 0)
        client.usage(request_model="gpt")
        assert client.flush(BOUND)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    stats = client.stats()
    assert (stats.sent, stats.dropped) == (1, {"internal": 1})


def test_a_client_that_nobody_holds_still_sends_what_it_has(gateway: Any, make_client: Any) -> None:
    uptake.Client(gateway.url, "upt_a_b", "letters", linger=0.0, retry=Retry(attempts=1)).usage(
        request_model="gpt"
    )
    gc.collect()
    gateway.wait_for_requests(1)
