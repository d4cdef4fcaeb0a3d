"""A bad event never stops a good one, and a refusal never repeats what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.schemas.batch import MAX_BATCH_EVENTS, MAX_EVENT_BYTES, MalformedBatch, RejectionReason
from uptake.schemas.codec import MAX_UNKNOWN_NAMES, OTHER_NAMES, Decoded, decode_batch, encode_batch
from uptake.schemas.events import CostEvent, FeedbackEvent, UsageEvent
from uptake.schemas.identity import mint, unix_ms
from uptake.schemas.refusals import path_of

Make = Callable[..., dict[str, Any]]
Body = Callable[..., bytes]
SECRET = "jane.doe@example.com"
R = RejectionReason
AHEAD = datetime(2026, 11, 22, tzinfo=UTC)
TIME = "must be a time with a zone, such as 2026-11-20T09:30:00Z"
YEARS = "must be a time within the years 2000 to 2199"
FUTURE = "at most one day ahead of the server's clock; check the sender's clock and its zone"
MONEY = 'must be a string such as "12.50", with at most 9 digits before and 9 after the point'
CURRENCY = "must be three capital letters (ISO 4217), such as EUR"
SKEW = "the time inside event_id and occurred_at must be at most a day apart"
CACHED = "cached tokens are part of input_tokens and must not exceed them"
ADDRESS = "is a pseudonym, not an address: it has no @ and no control characters"
SURVEY = {"type": "feedback", "kind": "survey", "score": 5}
REASON = "must be a code of the taxonomy, or the app's own written app:lower_case"


def indexes(decoded: Decoded) -> list[int]:
    return [index for index, _ in decoded.events]


def test_every_event_of_a_good_batch_comes_back_in_order(
    usage: Make, feedback: Make, cost: Make, body: Body, now: datetime
) -> None:
    sent = [usage(), feedback(), cost()]
    decoded = decode_batch(body(*sent), now)
    assert indexes(decoded) == [0, 1, 2]
    assert [str(event.event_id) for _, event in decoded.events] == [event["event_id"] for event in sent]
    assert decoded.rejections == []


def test_an_object_around_the_array_is_read_like_the_array(usage: Make, now: datetime) -> None:
    events = [usage(), usage(app="")]
    plain = decode_batch(json.dumps(events).encode(), now)
    around = decode_batch(json.dumps({"sdk": "1", "events": events, "later": {}}).encode(), now)
    assert around == plain
    assert indexes(around) == [0]
    assert len(decode_batch(json.dumps({"sdk": "1", "events": events[:1]}).encode(), now).events) == 1


def test_an_empty_batch_holds_nothing(now: datetime) -> None:
    assert decode_batch(b" [ ] ", now) == decode_batch(b'{"events": []}', now) == Decoded([])


BAD: list[tuple[dict[str, Any], RejectionReason, str, str]] = [
    ({"app": ...}, R.INVALID, ".app", "is required"),
    ({"app": 5}, R.INVALID, ".app", "must be a string"),
    ({"app": ""}, R.INVALID, ".app", "must have at least 1 character(s)"),
    ({"team": "x" * 200}, R.INVALID, ".team", "must have at most 128 characters"),
    ({"team": "\x00"}, R.INVALID, ".team", "must have no control characters"),
    ({"user_id": SECRET}, R.INVALID, ".user_id", f"user_id {ADDRESS}"),
    ({**SURVEY, "reviewer_id": SECRET}, R.INVALID, ".reviewer_id", f"reviewer_id {ADDRESS}"),
    ({"input_tokens": -1}, R.INVALID, ".input_tokens", "must be at least 0"),
    ({"input_tokens": 10**25}, R.INVALID, ".input_tokens", "must be at most 1000000000"),
    ({"input_tokens": 1.5}, R.INVALID, ".input_tokens", "must be a whole number"),
    ({"status": SECRET}, R.INVALID, ".status", "must be 'ok' or 'error'"),
    ({"cache_hit": "yes"}, R.INVALID, ".cache_hit", "must be true or false"),
    ({"tags": [1]}, R.INVALID, ".tags", "must be an object"),
    ({"tags": {SECRET: 1}}, R.INVALID, ".tags.*", "must be a string"),
    ({"tags": {"": "x"}}, R.INVALID, ".tags.*", "a key must have at least 1 character(s)"),
    ({"tags": {str(n): "x" for n in range(17)}}, R.INVALID, ".tags", "must have at most 16 entries"),
    ({"occurred_at": SECRET}, R.INVALID, ".occurred_at", TIME),
    ({"occurred_at": "2026-11-20T12:00:00"}, R.INVALID, ".occurred_at", TIME),
    ({"occurred_at": "0001-01-01T00:00:00+23:00"}, R.INVALID, ".occurred_at", YEARS),
    ({"occurred_at": AHEAD.isoformat(), "event_id": str(mint(unix_ms(AHEAD)))}, R.FUTURE, ".occurred_at", FUTURE),
    ({"occurred_at": "2026-11-18T00:00:00Z"}, R.ID_TIME_MISMATCH, ".event_id", SKEW),
    ({"event_id": SECRET}, R.INVALID, ".event_id", "must be a UUID of version 7"),
    ({"event_id": 7}, R.INVALID, ".event_id", "must be a UUID of version 7"),
    ({"reported_cost": 0.5, "reported_currency": "EUR"}, R.INVALID, ".reported_cost", MONEY),
    ({"reported_cost": "0.5"}, R.INVALID, "", "reported_cost and reported_currency must come together"),
    ({"reported_cost": "0.5", "reported_currency": "eur"}, R.INVALID, ".reported_currency", CURRENCY),
    ({"reported_cost": "NaN", "reported_currency": SECRET}, R.INVALID, ".reported_cost", MONEY + " (and 1 more)"),
    ({"cache_read_input_tokens": 5000}, R.INVALID, "", CACHED),
    ({"type": SECRET}, R.UNKNOWN_TYPE, ".type", "must be one of usage, feedback, cost"),
    ({"type": ...}, R.UNKNOWN_TYPE, ".type", "must be one of usage, feedback, cost"),
    ({"type": {"a": 1}}, R.UNKNOWN_TYPE, ".type", "must be one of usage, feedback, cost"),
    ({"schema_version": 2}, R.UNSUPPORTED_VERSION, ".schema_version", "must be 1"),
    ({"schema_version": "1"}, R.UNSUPPORTED_VERSION, ".schema_version", "must be 1"),
    ({"schema_version": None}, R.UNSUPPORTED_VERSION, ".schema_version", "must be 1"),
    ({"schema_version": 2, "type": "carbon", "app": 5}, R.UNSUPPORTED_VERSION, ".schema_version", "must be 1"),
    ({"type": "feedback", "kind": "survey"}, R.INVALID, "", "feedback of kind survey must carry score"),
    ({**SURVEY, "reasons": ["other", "Me"]}, R.INVALID, ".reasons[1]", REASON),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "reason", "path", "detail"), BAD)
def test_a_refusal_says_why_where_and_what_would_be_right(
    usage: Make,
    body: Body,
    now: datetime,
    changes: dict[str, Any],
    reason: RejectionReason,
    path: str,
    detail: str,
) -> None:
    bad = usage(**changes)
    decoded = decode_batch(body(usage(), bad, usage()), now)
    assert indexes(decoded) == [0, 2]
    (rejection,) = decoded.rejections
    assert (rejection.index, rejection.reason, rejection.path, rejection.detail) == (
        1,
        reason,
        f"[1]{path}",
        detail,
    )
    assert json.loads(rejection.payload) == bad


def test_a_refusal_names_the_event_only_by_a_real_id(usage: Make, body: Body, now: datetime) -> None:
    named, unnamed = usage(app=""), usage(app="", event_id=SECRET)
    first, second = decode_batch(body(named, unnamed), now).rejections
    assert first.event_id == named["event_id"]
    assert second.event_id == ""


@pytest.mark.parametrize("element", ["5", "null", '"x"', "[]", "NaN", "[[[1]]]"])
def test_an_element_that_is_not_an_object_is_refused_alone(usage: Make, now: datetime, element: str) -> None:
    text = f"[{json.dumps(usage())}, {element}]"
    decoded = decode_batch(text.encode(), now)
    assert indexes(decoded) == [0]
    assert decoded.rejections[0].detail == "an event is a JSON object"


@pytest.mark.parametrize(
    "broken",
    [
        '{"app": "\\ud83d"}',  # an emoji cut in half, as JavaScript and Python write it
        '{"app": ' + "1" * 5000 + "}",
        '{"x": ' + "[" * 250 + "]" * 250 + "}",
    ],
)
def test_what_the_validator_cannot_even_read_is_refused_alone(
    usage: Make, now: datetime, broken: str
) -> None:
    decoded = decode_batch(f"[{broken},{json.dumps(usage())}]".encode(), now)
    assert indexes(decoded) == [1]
    assert decoded.rejections[0].reason is R.INVALID
    assert decoded.rejections[0].detail.startswith("must be JSON that can be read")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_none_is_refused_alone(feedback: Make, now: datetime, number: str) -> None:
    bad = json.dumps(feedback(kind="edit", severity=0)).replace('"severity": 0', f'"severity": {number}')
    decoded = decode_batch(f"[{json.dumps(feedback())},{bad}]".encode(), now)
    assert indexes(decoded) == [0]
    assert decoded.rejections[0].path == "[1].severity"


def test_the_last_of_two_equal_names_counts_on_both_ways(usage: Make, now: datetime) -> None:
    twice = json.dumps(usage()).replace('"app": "helpdesk"', '"app": "first", "app": "second"')
    for text in (f"[{twice}]", f"[{twice}, 5]"):
        assert decode_batch(text.encode(), now).events[0][1].app == "second"


def test_decimals_come_through_the_slow_way_undamaged(cost: Make, body: Body, now: datetime) -> None:
    decoded = decode_batch(body(cost(amount="999999999.999999999"), {}), now)
    assert str(decoded.events[0][1].amount) == "999999999.999999999"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the body is not JSON: expecting value, at line 1 column 1"),
        (b"[1,]", "the body is not JSON: expecting value, at line 1 column 4"),
        (b'[{"a":1}\n{', "the body is not JSON: expecting ',' delimiter, at line 2 column 1"),
        (b'[{"a', "the body is not JSON: unterminated string starting, at line 1 column 3"),
        (b"[] []", "the body is not JSON: more after the end, at line 1 column 4"),
        (b"{1}", "the body is not JSON: expecting a name in double quotes, at line 1 column 2"),
        (b'{"events" []}', "the body is not JSON: expecting ':' delimiter, at line 1 column 11"),
        (b"\xef\xbb\xbf[]", "the body is not JSON: expecting value, at line 1 column 1"),
        (b'[{"app":"\x00"}]', "the body is not JSON: invalid control character, at line 1 column 10"),
        (b'["\xff"]', "the body is not UTF-8: byte 2 cannot be read"),
        (b'["\xed\xa0\x80"]', "the body is not UTF-8: byte 2 cannot be read"),
        (b"null", "the body is not an array of events"),
        (b"{}", 'the body is an object without "events": send an array of events'),
        (b'{"event_id": 1}', 'the body is an object without "events": send an array of events'),
        (b'{"events": {}}', '"events" is not an array'),
        (b"[1," + b"[" * 100_000, "the body is nested too deeply, at event 1"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_read_says_what_and_where(now: datetime, text: bytes, message: str) -> None:
    with pytest.raises(MalformedBatch) as caught:
        decode_batch(text, now)
    assert str(caught.value) == message


def test_a_batch_that_is_too_long_says_how_long_it_is(usage: Make, body: Body, now: datetime) -> None:
    assert len(decode_batch(body(*[usage()] * MAX_BATCH_EVENTS), now).events) == MAX_BATCH_EVENTS
    with pytest.raises(MalformedBatch, match="the batch holds 501 events; send at most 500 at once"):
        decode_batch(body(*[usage()] * (MAX_BATCH_EVENTS + 1)), now)


def long(event: dict[str, Any], size: int, inside: str) -> str:
    """The event as exactly `size` bytes of JSON: `inside` stands in its middle, spaces make up the rest."""
    text = json.dumps(event)
    half = (size - len(text) - len(inside)) // 2
    middle = text[:-1] + " " * half + inside
    return middle + " " * (size - len(middle) - 1) + "}"


@pytest.mark.parametrize(
    "inside",
    [
        "",
        ',"x":"' + "y" * 30_000 + '"',
        ',"x":"occurred_at"',
        ',"occurred_at":"2026-11-20T12:00:00Z"',
        ',"x":"\\"occurred_at\\""',
        ',"x":[' + ",".join(['"occurred_at"'] * 2000) + "]",
    ],
)
@pytest.mark.parametrize("escape", ["", "\\u006f", "\\u006F"])
@pytest.mark.parametrize("place", [0, 1, 7])
def test_the_size_limit_is_exact_wherever_and_however_an_event_is_long(
    usage: Make, now: datetime, inside: str, escape: str, place: int
) -> None:
    for size, fits in ((MAX_EVENT_BYTES, True), (MAX_EVENT_BYTES + 1, False)):
        texts = [json.dumps(usage()) for _ in range(8)]
        if escape:  # an event whose key is not seen must not lend its place to the long one
            texts[(place + 1) % 8] = texts[place].replace("occurred_at", f"{escape}ccurred_at")
        texts[place] = long(usage(), size, inside)
        assert len(texts[place]) == size
        decoded = decode_batch(f"[{','.join(texts)}]".encode(), now)
        assert indexes(decoded) == [i for i in range(8) if fits or i != place]
        assert [(r.index, r.reason) for r in decoded.rejections] == ([] if fits else [(place, R.TOO_LARGE)])


def test_a_day_ahead_is_accepted_and_a_moment_more_is_not(usage: Make, body: Body, now: datetime) -> None:
    def at(moment: datetime) -> dict[str, Any]:
        return usage(occurred_at=moment.isoformat(), event_id=str(mint(unix_ms(moment))))

    edge = now + timedelta(days=1)
    decoded = decode_batch(body(at(edge), at(edge + timedelta(microseconds=1))), now)
    assert indexes(decoded) == [0]
    assert decoded.rejections[0].reason is R.FUTURE


def test_unknown_fields_of_accepted_events_are_counted_by_name(
    usage: Make, body: Body, now: datetime
) -> None:
    events = [usage(carbon_grams=1), usage(carbon_grams=2, region="eu"), usage(**{SECRET: 1, "a b": 2})]
    expected = {"carbon_grams": 2, "region": 1, OTHER_NAMES: 2}
    assert decode_batch(body(*events), now).unknown_fields == expected
    assert decode_batch(body(*events, usage(app="", refused_anyway=1)), now).unknown_fields == expected


def test_the_number_of_unknown_names_is_bounded(usage: Make, body: Body, now: datetime) -> None:
    names = {f"field_{n}": 1 for n in range(100)}
    counted = decode_batch(body(usage(**names), usage(field_1=1)), now).unknown_fields
    assert len(counted) == MAX_UNKNOWN_NAMES + 1
    assert counted["field_1"] == 2
    assert counted.total() == 101


def test_what_is_encoded_decodes_to_the_same_events(
    usage: Make, feedback: Make, cost: Make, body: Body, now: datetime
) -> None:
    sent = body(
        usage(reported_cost="0.000000001", reported_currency="EUR", operation="embeddings", tags={"é": "ü"}),
        feedback(kind="edit", thumb=..., severity=0.25, reasons=["other"]),
        cost(category="credit", amount="-100.00"),
        usage(carbon_grams=3),
    )
    first = decode_batch(sent, now)
    again = decode_batch(encode_batch([event for _, event in first.events]), now)
    assert again == first


def test_mappings_are_encoded_unchecked_and_refused_one_by_one(usage: Make, now: datetime) -> None:
    events = [usage(occurred_at=now), usage(team="\ud83d"), usage(input_tokens=float("nan")), usage()]
    decoded = decode_batch(encode_batch(events), now)
    assert indexes(decoded) == [0, 3]
    with pytest.raises(TypeError, match="cannot be a object"):
        encode_batch([{"app": object()}])


MIXES = st.lists(st.one_of(st.just(None), st.integers(0, len(BAD) - 1)), max_size=40)


@settings(max_examples=150, deadline=None)
@given(mix=MIXES, around=st.booleans(), indent=st.sampled_from([None, 2]))
def test_any_mix_gives_exactly_the_good_ones_and_one_rejection_for_each_bad_one(
    usage: Make, now: datetime, mix: list[int | None], around: bool, indent: int | None
) -> None:
    events = [usage() if which is None else usage(**BAD[which][0]) for which in mix]
    text = json.dumps({"events": events} if around else events, indent=indent)
    decoded = decode_batch(text.encode(), now)
    assert [(i, str(e.event_id)) for i, e in decoded.events] == [
        (i, events[i]["event_id"]) for i, which in enumerate(mix) if which is None
    ]
    assert [(r.index, r.reason) for r in decoded.rejections] == [
        (i, BAD[which][1]) for i, which in enumerate(mix) if which is not None
    ]


FIELDS = sorted({*UsageEvent.model_fields, *FeedbackEvent.model_fields, *CostEvent.model_fields})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(
    raw=st.binary()
    | st.lists(JSON).map(lambda v: json.dumps(v).encode())
    | st.text('[]{}",:events1\\u\n ').map(str.encode)
)
def test_arbitrary_bytes_raise_nothing_but_malformed_batch(now: datetime, raw: bytes) -> None:
    with suppress(MalformedBatch):
        assert decode_batch(raw, now).events == []


@settings(max_examples=300, deadline=None)
@given(
    field=st.sampled_from(FIELDS),
    kind=st.sampled_from(["usage", "feedback", "cost"]),
    value=st.sampled_from(
        [
            SECRET,
            [SECRET],
            {SECRET: SECRET},
            {SECRET: 1},
            {SECRET * 20: "x"},
            [SECRET * 20],
            SECRET * 200,
            {SECRET: {SECRET: 1}},
        ]
    ),
)
def test_a_refusal_never_repeats_what_was_sent(
    usage: Make, feedback: Make, cost: Make, now: datetime, field: str, kind: str, value: Any
) -> None:
    make = {"usage": usage, "feedback": feedback, "cost": cost}[kind]
    decoded = decode_batch(json.dumps([make(**{field: value, SECRET: value, "kind": value})]).encode(), now)
    for rejection in decoded.rejections:
        told = f"{rejection.path} {rejection.detail} {rejection.event_id} {rejection!r}"
        assert "jane" not in told
        assert len(told) < 1000
    assert not any("jane" in name for name in decoded.unknown_fields)


@settings(max_examples=200, deadline=None)
@given(
    changes=st.dictionaries(
        st.sampled_from(["app", "team", "tags", "input_tokens", "x", "type"]), JSON, max_size=3
    )
)
def test_both_ways_judge_every_event_alike(usage: Make, now: datetime, changes: dict[str, Any]) -> None:
    event = usage(**changes)
    alone = decode_batch(json.dumps([event]).encode(), now)
    beside_a_bad_one = decode_batch(json.dumps([event, 5]).encode(), now)
    assert beside_a_bad_one.events == alone.events
    assert beside_a_bad_one.rejections[:-1] == alone.rejections
    assert beside_a_bad_one.unknown_fields == alone.unknown_fields


def test_a_path_holds_declared_names_and_positions_only() -> None:
    assert path_of(("usage", "tags", SECRET, "[key]")) == ".tags.*"
    assert path_of(("feedback", "reasons", 2)) == ".reasons[2]"
    assert path_of((SECRET, "x")) == ".*.*"
    assert path_of(()) == ""
