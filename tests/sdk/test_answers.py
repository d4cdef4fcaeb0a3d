"""What an answer means, without a network."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from uptake.ingest.sdk.answers import MAX_WAIT, Answer, Retry, Verdict, judge

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)


def judged(status: int, body: bytes = b"", **headers: str) -> object:
    return judge(Answer(status, headers, body), 2, NOW)


@pytest.mark.parametrize(
    ("status", "act", "reason"),
    [
        (400, "split", "rejected:malformed"),
        (401, "drop", "unauthorised"),
        (403, "drop", "unauthorised"),
        (404, "drop", "rejected:404"),
        (408, "again", "status_408"),
        (413, "split", "too_large"),
        (415, "drop", "rejected:415"),
        (422, "drop", "rejected:422"),
        (429, "again", "status_429"),
        (503, "again", "status_503"),
        (302, "drop", "rejected:302"),
        (204, "drop", "rejected:204"),
    ],
)
def test_each_status_has_one_meaning(status: int, act: str, reason: str) -> None:
    verdict = judged(status)
    assert (verdict.act, verdict.reason) == (act, reason)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"accepted": 1, "rejected": []}',
        b'{"accepted": 3, "rejected": []}',
        b'{"accepted": "2", "rejected": []}',
        b'{"accepted": 1, "rejected": [{}]}',
        b'{"accepted": 1, "rejected": [null]}',
        b'{"accepted": 1, "rejected": ["reason"]}',
        b'{"accepted": true, "duplicates": true, "rejected": []}'[:-1],
        b"[" * 100_000,
    ],
)
def test_an_answer_that_does_not_add_up_acknowledges_nothing(body: bytes) -> None:
    assert judged(200, body).act == "again"


def test_a_duplicate_was_delivered_before() -> None:
    verdict = judged(200, b'{"accepted": 0, "duplicates": 2, "rejected": []}')
    assert verdict.act == "done"
    assert not verdict.refused


def test_a_reason_holds_nothing_but_a_word() -> None:
    verdict = judged(200, b'{"accepted": 1, "rejected": [{"reason": "in\\nvalid jane@example.org \\u00e9"}]}')
    assert dict(verdict.refused) == {"rejected:invalidjaneexample.org": 1}


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Mon, 16 Nov 2026 12:00:20 GMT", 20.0),
        ("Mon, 16 Nov 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("9" * 50, None),
    ],
)
def test_both_forms_of_retry_after_are_read(header: str, seconds: float | None) -> None:
    assert judged(503, **{"retry-after": header}).retry_after == seconds


def test_waits_double_up_to_the_cap_with_jitter_from_half_to_all() -> None:
    least, most = Retry(jitter=lambda: 0.0), Retry(jitter=lambda: 1.0)
    assert [most.wait(n, None) for n in (1, 2, 3, 4, 10, 1000)] == [0.5, 1.0, 2.0, 4.0, 30.0, 30.0]
    assert [least.wait(n, None) for n in (1, 2, 10)] == [0.25, 0.5, 15.0]


def test_retry_after_is_honoured_up_to_a_minute_and_never_shortens_a_wait() -> None:
    retry = Retry(jitter=lambda: 1.0)
    assert retry.wait(1, 20.0) == 20.0
    assert retry.wait(1, 86_400.0) == MAX_WAIT
    assert retry.wait(10, 1.0) == 30.0


AWAY = Verdict("again", "status_503")


def given_up_after(retry: Retry, again: Verdict, seconds_an_attempt: float) -> tuple[float, Verdict]:
    """(seconds from the first attempt of a batch to the verdict that ends it, that verdict)."""
    seconds, faults = 0.0, 0
    for attempt in range(1, 100_000):
        seconds += seconds_an_attempt
        faults += again.fault
        after = retry.after(again, attempt, faults, seconds)
        if isinstance(after, Verdict):
            return seconds, after
        assert 0 < after <= retry.cap
        seconds += after
    raise AssertionError("a batch is sent for ever")


@pytest.mark.parametrize("seconds_an_attempt", [0.0, 10.0])
@pytest.mark.parametrize("jitter", [0.0, 1.0])
def test_a_gateway_that_is_away_gets_a_batch_again_for_a_day_and_no_longer(
    seconds_an_attempt: float, jitter: float
) -> None:
    retry = Retry(jitter=lambda: jitter)
    seconds, verdict = given_up_after(retry, AWAY, seconds_an_attempt)
    assert 86_400 - retry.cap <= seconds <= 86_400 + seconds_an_attempt
    assert (verdict.act, verdict.reason) == ("drop", "retries_exhausted")


def test_a_batch_over_which_the_gateway_fails_is_halved_after_ten_attempts() -> None:
    again = judged(500)
    assert isinstance(again, Verdict)
    seconds, verdict = given_up_after(Retry(jitter=lambda: 1.0), again, 0.0)
    assert seconds == 0.5 + 1 + 2 + 4 + 8 + 16 + 30 * 3
    assert (verdict.act, verdict.reason) == ("split", "retries_exhausted")


@pytest.mark.parametrize("status", [408, 425, 429, 502, 503, 504])
def test_only_the_gateways_own_failure_is_held_against_a_batch(status: int) -> None:
    again = judged(status)
    assert isinstance(again, Verdict)
    assert not again.fault
