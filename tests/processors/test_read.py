"""The fast way of reading against the contract: it may decline, but what it takes it must read as the contract does."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from uptake.processors import read as reading
from uptake.processors.content import content_hash
from uptake.processors.read import read_batch
from uptake.processors.records import record_of
from uptake.schemas.batch import MAX_BATCH_EVENTS, MalformedBatch
from uptake.schemas.codec import decode_batch
from uptake.schemas.events import CostEvent, FeedbackEvent, UsageEvent

NOW = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
ID = "01a1f8d3-ea00-7000-8000-000000000001"
USAGE = {"type": "usage", "event_id": ID, "occurred_at": "2026-11-20T12:00:00Z", "app": "a"}
FEEDBACK = USAGE | {"type": "feedback", "kind": "thumb", "thumb": "up"}
COST = USAGE | {
    "type": "cost",
    "category": "credit",
    "amount": "-1.50",
    "currency": "EUR",
    "period_start": "2026-11-01",
    "period_end": "2026-12-01",
}

NUMBERS = ["0", "1", "-1", "1.0", "1e3", "-0", "1000000000", "1000000001", "86400001", "0.5", "10", "11"]
MOMENTS = [
    "2026-11-20T12:00:00Z",
    "2026-11-20t12:00:00z",
    "2026-11-20 12:00:00Z",
    "2026-11-20T13:00:00.5+01:00",
    "2026-11-20T13:00:00+0100",
    "2026-11-20T12:00:00.123456Z",
    "2026-11-20T12:00:00.1234567Z",
    "2026-11-20T12:00:00.9999999Z",
    "2026-11-20T12:00:00",
    "2026-11-20T12:00Z",
    "2026-11-20",
    "2026-11-20T12:00:60Z",
    "2026-11-20T24:00:00Z",
    "2026-11-21T11:59:59.999999Z",
    "2026-11-21T12:00:00Z",
    "2026-11-21T12:00:00.000001Z",
    "2026-11-19T12:00:00Z",
    "2026-11-19T11:59:59.999Z",
    "1999-12-31T23:59:59Z",
    "2200-01-01T00:00:00Z",
    "1795176000",
]
IDS = [
    ID,
    ID.upper(),
    ID.replace("-", ""),
    "{" + ID + "}",
    "urn:uuid:" + ID,
    "01a1f8d3-ea00-4000-8000-000000000001",
    "01a1f8d3-ea00-7000-0000-000000000001",
    "01a1f8d3-ea00-7000-c000-000000000001",
    "01a20000-0000-7000-8000-000000000001",
    "01a00000-0000-7000-8000-000000000001",
    "00dc6acf-a818-7000-8000-000000000001",  # the last second of 1999
]
TEXTS = [
    "",
    "x",
    "é",
    "😀" * 128,
    "😀" * 129,
    "y" * 128,
    "y" * 129,
    "y" * 256,
    "y" * 257,
    "\x7f",
    "\x80",
    "\u2028",
    "jane@example.org",
]
WORDS = [
    "chat",
    "invoke_agent",
    "ok",
    "error",
    "deliberate",
    "automatic",
    "usage",
    "feedback",
    "USD",
    "other",
    "up",
]
JSON_TEXTS = [json.dumps(text, ensure_ascii=False) for text in (*TEXTS, *MOMENTS, *IDS, *WORDS)]
ESCAPES = [r'"a\n"', r'"a\u0041"', r'"\ud800"', r'"\u0000"', r'"a\/b"', '"tab\tin"']
TAGS = ["{}", '{"a":"b"}', '{"":"b"}', '{"a":1}', '{"a":"b","a":"c"}', '{"type":"x"}', '{"occurred_at":"x"}']
TAGS += [json.dumps({f"k{n}": "v" for n in range(size)}) for size in (16, 17)]
OTHERS = ["null", "true", "false", "[]", '["other"]', '["nonsense"]', '"0.10"', '"1e5"', '"-1"', "1.5"]

FIELDS = sorted(
    {*UsageEvent.model_fields, *FeedbackEvent.model_fields, *CostEvent.model_fields, "unknown_field"}
)
values = st.sampled_from([*NUMBERS, *JSON_TEXTS, *ESCAPES, *TAGS, *OTHERS])
# Mostly what fits its field, so that most events are good ones.
fitting = {
    "occurred_at": st.sampled_from([json.dumps(text) for text in MOMENTS]),
    "event_id": st.sampled_from([json.dumps(text) for text in IDS]),
    "tags": st.sampled_from(TAGS),
    **{name: st.sampled_from(NUMBERS) for name in FIELDS if name.endswith(("_tokens", "_ms"))},
    **{
        name: st.sampled_from(['"ok"', '"error"', '"chat"', '"automatic"'])
        for name in ("status", "operation", "intent")
    },
}


@st.composite
def events(draw: st.DrawFn) -> str:
    """An event as text: fields in any order, possibly twice, with values that are right or nearly."""
    base = draw(st.sampled_from([USAGE, USAGE, USAGE, FEEDBACK, COST]))
    parts = [(name, json.dumps(value)) for name, value in base.items()]
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
        fits = draw(st.integers(0, 3)) > 0 and name in fitting
        parts.append((name, draw(fitting[name] if fits else values)))
    if draw(st.booleans()):
        parts = [part for part in parts if draw(st.integers(0, 9))]
    if draw(st.booleans()):  # a field that is said twice is not moved before its first value
        parts = list(dict(parts).items())
        parts = draw(st.permutations(parts))
    return "{" + ",".join(f'"{name}":{value}' for name, value in parts) + "}"


def by_the_contract(body: bytes) -> Any:
    try:
        decoded = decode_batch(body, NOW)
    except MalformedBatch as error:
        return str(error)
    found = [
        (
            index,
            event.event_id.int,
            content_hash(record_of(event), event.__pydantic_extra__),
            record_of(event),
        )
        for index, event in decoded.events
    ]
    return found, decoded.rejections, decoded.unknown_fields


def by_reading(body: bytes) -> Any:
    try:
        read = read_batch(body, NOW)
    except MalformedBatch as error:
        return str(error)
    found = [(item.position, item.event_id, item.content, item.record) for item in read.items]
    return found, read.rejections, read.unknown_fields


EVERY_VALUE = [*NUMBERS, *JSON_TEXTS, *ESCAPES, *TAGS, *OTHERS]


@pytest.mark.parametrize("base", [USAGE, FEEDBACK, COST], ids=["usage", "feedback", "cost"])
def test_every_field_with_every_value_is_read_as_the_contract_reads_it(base: dict[str, Any]) -> None:
    base = base | {"input_tokens": 10, "output_tokens": 10} if base is USAGE else base
    rest = {name: json.dumps(value) for name, value in base.items()}
    good = 0
    for field in FIELDS:
        for value in EVERY_VALUE:
            event = ",".join(f'"{name}":{said}' for name, said in (rest | {field: value}).items())
            body = f"[{{{event}}}]".encode()
            contract = by_the_contract(body)
            assert by_reading(body) == contract, body
            good += bool(contract[0])
    assert good > 500  # it is not all refusals


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("event_id", IDS)
def test_every_moment_with_every_id_is_read_as_the_contract_reads_it(moment: str, event_id: str) -> None:
    body = json.dumps([USAGE | {"occurred_at": moment, "event_id": event_id}]).encode()
    assert by_reading(body) == by_the_contract(body)


@settings(max_examples=500, deadline=None)
@given(st.lists(events(), max_size=3), st.sampled_from([",", " ,\n"]))
@example(['{"type":"usage",' + json.dumps(COST)[1:]], ",")
@example([json.dumps(USAGE).replace('"type": "usage", ', "")], ",")
@example([json.dumps(USAGE).replace(" ", " " * 9_000)], ",")
@example(
    [
        json.dumps(USAGE | {"tags": {"type": "x"}})
        .replace("{", "{" + " " * 14_000)
        .replace("}}", " " * 14_000 + "}}")
    ],
    ",",
)
def test_reading_is_the_contract_whatever_way_it_goes(texts: list[str], comma: str) -> None:
    body = f"[{comma.join(texts)}]".encode()
    assert by_reading(body) == by_the_contract(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[",
        b"[1]",
        b"[{}]",
        b"null",
        b'{"events":[]}',
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"[{}] x",
        b'["a"]',
    ],
)
def test_what_is_no_batch_is_refused_as_the_contract_refuses_it(body: bytes) -> None:
    assert by_reading(body) == by_the_contract(body)


@pytest.mark.parametrize("count", [MAX_BATCH_EVENTS, MAX_BATCH_EVENTS + 1])
def test_the_limit_of_a_batch_is_the_contracts(count: int) -> None:
    body = json.dumps([USAGE] * count).encode()
    assert by_reading(body) == by_the_contract(body)


def test_usual_batches_go_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(body: bytes, now: datetime) -> None:
        raise AssertionError("this batch was left to the contract")

    full = USAGE | {"input_tokens": 5, "output_tokens": 5, "tags": {"a": "b"}, "operation": "embeddings"}
    body = json.dumps([USAGE, full, FEEDBACK, COST], ensure_ascii=False).encode()
    expected = by_the_contract(body)
    monkeypatch.setattr(reading, "decode_batch", never)
    assert by_reading(body) == expected


def test_records_of_both_ways_are_equal_to_the_type_of_every_value() -> None:
    body = json.dumps([USAGE | {"duration_ms": 3, "tags": {"a": "b"}}, FEEDBACK, COST]).encode()
    ours = [item.record for item in read_batch(body, NOW).items]
    theirs = [record_of(event) for _, event in decode_batch(body, NOW).events]
    for a, b in zip(ours, theirs, strict=True):
        for name in a.__struct_fields__:
            left, right = getattr(a, name), getattr(b, name)
            assert left == right
            assert isinstance(right, type(left)), name
