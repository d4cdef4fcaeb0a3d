"""What the gateway answers, and what becomes of the events then."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from uptake import Retry
from uptake.ingest.sdk.transport import HttpTransport, Unreached
from uptake.schemas.batch import MAX_BATCH_EVENTS

BOUND = 10.0
OUTAGE = 60
"""Attempts that fail: with the usual waits, 20 minutes."""


def test_a_batch_carries_the_key_and_the_clients_own_counters(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url + "/")
    client.usage(nonsense=1)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    (request,) = gateway.requests
    assert request.path == "/v1/events"
    assert request.headers["authorization"] == "Bearer upt_key_secret"
    assert request.headers["content-encoding"] == "gzip"
    assert request.headers["uptake-client-id"] == client.stats().client_id
    assert request.headers["uptake-client-accepted"] == "2"
    assert request.headers["uptake-client-dropped"] == "1"
    assert client.stats().sent == 1


def test_what_a_full_queue_refused_is_reported_as_handed_over_and_given_up(
    gateway: Any, make_client: Any
) -> None:
    client = make_client(gateway.url, queue_events=10, background=False)
    for _ in range(80):
        client.usage(request_model="gpt")
    assert client.flush(BOUND)
    (request,) = gateway.requests
    assert len(request.events) == 10
    assert request.headers["uptake-client-accepted"] == "80"
    assert request.headers["uptake-client-dropped"] == "70"
    stats = client.stats()
    assert (stats.accepted, stats.dropped, stats.refused) == (10, {}, {"queue_full": 70})


def test_the_report_is_taken_anew_for_every_attempt(gateway: Any, make_client: Any) -> None:
    asked, answer_now = threading.Event(), threading.Event()

    def busy(handler: Any, request: Any) -> None:
        asked.set()
        answer_now.wait(BOUND)
        handler.reply(503)

    gateway.script.append(busy)
    client = make_client(gateway.url, queue_events=3, linger=0.0)
    client.usage(request_model="gpt")
    assert asked.wait(BOUND)
    for _ in range(5):
        client.usage(request_model="gpt")
    answer_now.set()
    assert client.flush(BOUND)
    told = [
        (request.headers["uptake-client-accepted"], request.headers["uptake-client-dropped"])
        for request in gateway.requests
    ]
    assert told == [("1", "0"), ("6", "2"), ("6", "2")]


def test_a_full_batch_is_sent_without_lingering(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    for _ in range(MAX_BATCH_EVENTS):
        client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    assert len(gateway.requests[0].events) == MAX_BATCH_EVENTS


def test_a_lone_event_is_sent_when_its_time_to_linger_is_over(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=0.01)
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    client.usage(request_model="gpt")
    gateway.wait_for_requests(2)


def test_a_batch_stays_under_the_limit_in_bytes(gateway: Any, make_client: Any) -> None:
    client = make_client(gateway.url, linger=3600)
    tags = {f"tag{n}": "x" * 256 for n in range(16)}
    for _ in range(300):
        client.usage(tags=tags)
    assert client.flush(BOUND)
    assert len(gateway.events) == 300
    assert max(len(request.body) for request in gateway.requests) <= 512 * 1024
    assert len(gateway.requests) == 3


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_gateway_gets_the_same_events_again(status: int, gateway: Any, make_client: Any) -> None:
    gateway.script.append(gateway.say(status))
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    client.thumb("up")
    assert client.flush(BOUND)
    first, second = gateway.requests
    assert first.ids == second.ids
    assert client.stats().sent == 2


def test_a_reset_connection_gets_the_same_events_again(gateway: Any, make_client: Any) -> None:
    gateway.script.append(gateway.reset)
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert [request.ids for request in gateway.requests] == [gateway.requests[0].ids] * 2
    assert client.stats().sent == 1


def test_a_request_that_takes_too_long_is_made_again(gateway: Any, make_client: Any) -> None:
    gateway.script.append(gateway.hang)
    client = make_client(gateway.url, timeout=0.2)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert len(gateway.requests) == 2
    assert client.stats().sent == 1


def test_an_answer_that_is_not_the_gateways_acknowledges_nothing(gateway: Any, make_client: Any) -> None:
    gateway.script.extend(
        [
            gateway.say(200, b"<html>Welcome to our hotel</html>"),
            gateway.say(200, {"accepted": 7, "rejected": []}),
        ]
    )
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert len(gateway.requests) == 3
    assert client.stats().sent == 1


def test_an_endless_answer_is_cut_off(gateway: Any, make_client: Any) -> None:
    gateway.script.append(gateway.say(200, b" " * (3 * 1024 * 1024)))
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().sent == 1
    assert len(gateway.requests) == 2


@pytest.mark.parametrize("kind", ["busy", "reset", "nobody"])
def test_an_outage_of_any_length_loses_nothing_that_the_queue_holds(
    kind: str, gateway: Any, make_client: Any
) -> None:
    class Nobody(HttpTransport):
        tries = 0

        def post(self, *request: Any) -> Any:
            Nobody.tries += 1
            if kind == "nobody" and Nobody.tries <= OUTAGE:
                raise Unreached("ConnectionRefusedError")
            return super().post(*request)

    if kind != "nobody":
        gateway.script.extend([gateway.say(503) if kind == "busy" else gateway.reset] * OUTAGE)
    transport = lambda: Nobody(f"{gateway.url}/v1/events")  # noqa: E731
    client = make_client(gateway.url, transport=transport, retry=Retry(base=0.0))
    for number in range(700):
        client.usage(request_model="gpt", input_tokens=number)
    assert client.flush(BOUND)
    assert client.stats().sent == 700
    assert client.stats().lost == 0
    assert len(dict.fromkeys(event["event_id"] for event in gateway.events)) == 700
    assert {len(request.events) for request in gateway.requests} == {500, 200}
    assert Nobody.tries > OUTAGE


def test_new_calls_meet_a_full_queue_while_the_gateway_is_away_and_what_waits_is_kept(
    gateway: Any, make_client: Any
) -> None:
    back = threading.Event()
    gateway.always = lambda handler, request: (
        gateway.take(handler, request) if back.is_set() else handler.reply(503)
    )
    client = make_client(gateway.url, queue_events=20, linger=0.0, retry=Retry(base=0.001, cap=0.001))
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    for _ in range(30):
        client.usage(request_model="gpt")
    gateway.wait_for_requests(30)
    assert client.stats().refused == {"queue_full": 10}
    assert client.stats().queued == 21
    back.set()
    assert client.flush(BOUND)
    assert client.stats().sent == 21
    assert client.stats().dropped == {}


def test_a_batch_is_given_up_when_patience_is_over(gateway: Any, make_client: Any) -> None:
    gateway.always = gateway.say(503)
    client = make_client(gateway.url, retry=Retry(base=0.0, patience=0.0))
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().dropped == {"retries_exhausted": 1}


def test_an_event_that_the_gateway_fails_over_is_dropped_alone(gateway: Any, make_client: Any) -> None:
    gateway.always = lambda handler, request: (
        handler.reply(500)
        if any(event.get("request_model") == "bad" for event in request.events)
        else gateway.take(handler, request)
    )
    client = make_client(gateway.url, linger=3600)
    for number in range(100):
        client.usage(request_model="bad" if number == 42 else "good")
    assert client.flush(BOUND)
    assert client.stats().sent == 99
    assert client.stats().dropped == {"retries_exhausted": 1}


def test_a_flush_without_a_thread_ends_in_its_time_though_the_gateway_is_away(
    gateway: Any, make_client: Any
) -> None:
    gateway.always = gateway.say(503, Retry_After="60")
    client = make_client(gateway.url, background=False)
    for _ in range(MAX_BATCH_EVENTS + 1):
        client.usage(request_model="gpt")
    began = time.monotonic()
    client.flush(0.2)
    assert time.monotonic() - began < BOUND
    assert client.stats().dropped == {"retries_exhausted": MAX_BATCH_EVENTS}
    assert len(gateway.requests) == 1


def test_a_wait_that_the_gateway_asks_for_is_honoured(gateway: Any, make_client: Any) -> None:
    gateway.always = gateway.say(503, Retry_After="50")
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    gateway.wait_for_requests(1)
    assert not client.flush(0.2)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("status", [200, 422])
def test_rejected_events_are_counted_by_the_gateways_reason(
    status: int, gateway: Any, make_client: Any
) -> None:
    rejected = [0, 2] if status == 200 else [0, 1, 2]
    gateway.script.append(gateway.reject(*rejected, status=status))
    client = make_client(gateway.url)
    for _ in range(3):
        client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().sent == 3 - len(rejected)
    assert client.stats().dropped == {"rejected:future": len(rejected)}


def test_a_batch_that_is_too_large_is_halved_until_it_fits(gateway: Any, make_client: Any) -> None:
    gateway.always = lambda handler, request: (
        handler.reply(413) if len(request.events) > 3 else gateway.take(handler, request)
    )
    client = make_client(gateway.url, linger=3600)
    for number in range(10):
        client.usage(request_model=f"model-{number}")
    assert client.flush(BOUND)
    assert client.stats().sent == 10
    taken = [request for request in gateway.requests if len(request.events) <= 3]
    assert [event["request_model"] for request in taken for event in request.events] == [
        f"model-{number}" for number in range(10)
    ]


def test_an_event_that_is_too_large_alone_is_dropped_alone(gateway: Any, make_client: Any) -> None:
    gateway.always = lambda handler, request: (
        handler.reply(413)
        if any(event.get("request_model") == "big" for event in request.events)
        else gateway.take(handler, request)
    )
    client = make_client(gateway.url, linger=3600)
    for number in range(20):
        client.usage(request_model="big" if number == 11 else "small", input_tokens=number)
    assert client.flush(BOUND)
    assert client.stats().sent == 19
    assert client.stats().dropped == {"too_large": 1}
    taken = [
        event["input_tokens"]
        for request in gateway.requests
        if "big" not in str(request.body)
        for event in request.events
    ]
    assert taken == [number for number in range(20) if number != 11]


def test_one_event_that_the_gateway_cannot_read_does_not_lose_its_batch(
    gateway: Any, make_client: Any
) -> None:
    gateway.always = lambda handler, request: (
        handler.reply(400)
        if any(event.get("request_model") == "bad" for event in request.events)
        else gateway.take(handler, request)
    )
    client = make_client(gateway.url, linger=3600)
    for number in range(500):
        client.usage(request_model="bad" if number == 123 else "good")
    assert client.flush(BOUND)
    assert client.stats().sent == 499
    assert client.stats().dropped == {"rejected:malformed": 1}


def test_many_events_that_the_gateway_cannot_read_do_not_lose_the_others(
    gateway: Any, make_client: Any
) -> None:
    gateway.always = lambda handler, request: (
        handler.reply(400)
        if any(event.get("request_model") == "bad" for event in request.events)
        else gateway.take(handler, request)
    )
    client = make_client(gateway.url, linger=3600)
    for number in range(500):
        client.usage(request_model="bad" if number % 100 == 50 else "good")
    assert client.flush(BOUND)
    assert client.stats().sent == 495
    assert client.stats().dropped == {"rejected:malformed": 5}


def test_a_gateway_that_can_read_nothing_is_not_asked_a_thousand_times(
    gateway: Any, make_client: Any
) -> None:
    gateway.always = gateway.say(400)
    client = make_client(gateway.url, linger=3600)
    for _ in range(500):
        client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().dropped == {"rejected:malformed": 500}
    assert len(gateway.requests) < 40


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_drops_the_batch_and_warns_once(
    status: int, gateway: Any, make_client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gateway.always = gateway.say(status)
    client = make_client(gateway.url)
    for _ in range(3):
        client.usage(request_model="gpt")
        assert client.flush(BOUND)
    assert client.stats().dropped == {"unauthorised": 3}
    assert len(gateway.requests) == 3
    assert [record.getMessage().count("API key") for record in caplog.records] == [1]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_never_takes_the_key_elsewhere(status: int, gateway: Any, make_client: Any) -> None:
    gateway.always = gateway.say(status, Location=gateway.url + "/elsewhere")
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert [request.path for request in gateway.requests] == ["/v1/events"]
    assert client.stats().dropped == {f"rejected:{status}": 1}


def test_proxies_of_the_environment_are_not_used(
    gateway: Any, make_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    client = make_client(gateway.url)
    client.usage(request_model="gpt")
    assert client.flush(BOUND)
    assert client.stats().sent == 1
