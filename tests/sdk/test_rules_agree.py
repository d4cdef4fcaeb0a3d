"""The SDK checks events without pydantic: these tests hold its rules to the contract's models."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from uptake.ingest.sdk.compose import MAX_EVENT_BYTES, compose
from uptake.ingest.sdk.items import NO_LAYER, Item, freeze
from uptake.ingest.sdk.kinds import RULES
from uptake.ingest.sdk.rules import MAX_REASONS, MAX_TAGS, Invalid
from uptake.schemas import batch, events
from uptake.schemas.taxonomy import REASONS

MODELS: dict[str, type[events.BaseEvent]] = {
    "usage": events.UsageEvent,
    "feedback": events.FeedbackEvent,
    "cost": events.CostEvent,
}
NOW_NS = 1_763_300_000 * 10**9
WHOLE: dict[str, dict[str, Any]] = {
    "usage": {"app": "letters"},
    "feedback": {"app": "letters", "kind": "survey", "score": 5},
    "cost": {
        "app": "letters",
        "category": "licence",
        "amount": "10.00",
        "currency": "EUR",
        "period_start": date(2026, 11, 1),
        "period_end": date(2026, 12, 1),
    },
}


def composed(kind: str, fields: dict[str, Any]) -> dict[str, Any] | None:
    """The event as the SDK would send it, None if it would not."""
    held = dict(fields)
    freeze(held)
    try:
        encoded, _, _ = compose(Item(kind, NOW_NS, NO_LAYER, held, 0), {}, send_text=True)
    except Invalid:
        return None
    event: dict[str, Any] = json.loads(encoded)
    return event


def accepted(event: dict[str, Any]) -> bool:
    """Whether the contract's models take the event."""
    try:
        events.EVENT.validate_json(json.dumps(event))
    except ValidationError:
        return False
    return True


def as_sent(kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The event that an SDK without rules would have sent."""
    event = composed(kind, WHOLE[kind])
    assert event is not None
    return event | json.loads(json.dumps(fields, default=str))


@pytest.mark.parametrize("kind", RULES)
def test_fields_are_those_of_the_model(kind: str) -> None:
    minted = {"event_id", "schema_version", "occurred_at", "type"}
    assert set(RULES[kind]) == set(MODELS[kind].model_fields) - minted


def test_limits_are_those_of_the_contract() -> None:
    assert MAX_TAGS == events.MAX_TAGS
    assert MAX_EVENT_BYTES == batch.MAX_EVENT_BYTES
    assert MAX_REASONS == 8


EDGES: list[Any] = [
    "",
    "x",
    "é" * 128,
    "x" * 129,
    "x" * 256,
    "x" * 257,
    "tab\there",
    "delete\x7f",
    "jane@example.org",
    "no-break\u00a0space",
    "line\u2028separator",
    "EUR",
    "eur",
    "EUR\n",
    "chat",
    "error",
    "up",
    "edited",
    "deliberate",
    0,
    1,
    10,
    11,
    -1,
    1_000,
    1_001,
    86_400_000,
    86_400_001,
    1_000_000_000,
    1_000_000_001,
    0.0,
    0.5,
    1.0,
    1.5,
    True,
    False,
    {},
    {"a": "b"},
    {"": "b"},
    {"a" * 129: "b"},
    {"a": "b" * 257},
    {"a": "b\n"},
    {str(n): "" for n in range(16)},
    {str(n): "" for n in range(17)},
    ["incorrect"],
    ["app:own"],
    ["app:Own"],
    ["unknown"],
    ["other"] * 8,
    ["other"] * 9,
]


@pytest.mark.parametrize("kind", RULES)
def test_each_field_is_judged_as_the_model_judges_it(kind: str) -> None:
    differ = []
    money = {"amount", "reported_cost"}
    for name in set(RULES[kind]) - money - {"period_start", "period_end"}:
        for value in EDGES:
            fields = WHOLE[kind] | {"input_tokens": 10**9, "output_tokens": 10**9} | {name: value}
            if kind != "usage":
                fields = WHOLE[kind] | {name: value}
            if name == "reported_currency":
                fields["reported_cost"] = "1.5"
            if kind == "feedback":
                fields |= {"severity": 0.5, "thumb": "up", "decision": "accepted"} | {name: value}
            if (composed(kind, fields) is not None) != accepted(as_sent(kind, fields)):
                differ.append((name, value))
    assert differ == []


texts = st.text(max_size=300)
names = st.sampled_from(sorted({name for rules in RULES.values() for name in rules}))
values = st.one_of(
    st.none(),
    texts,
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.booleans(),
    st.decimals(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.dictionaries(texts, texts, max_size=20),
    st.lists(st.sampled_from([*REASONS, "app:own", "nonsense"]), max_size=10),
    st.sampled_from(EDGES),
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(RULES)), st.dictionaries(names, values, max_size=6))
@example("usage", {"reported_cost": Decimal("999999999.9999999999"), "reported_currency": "EUR"})
@example("usage", {"provider": "\ud800"})
@example("cost", {"amount": Decimal("-0.0000000001"), "category": "credit"})
def test_what_the_sdk_sends_the_contract_accepts(kind: str, fields: dict[str, Any]) -> None:
    event = composed(kind, WHOLE[kind] | fields)
    assert event is None or accepted(event)


@pytest.mark.parametrize(
    ("given_amount", "sent"),
    [
        ("12.50", "12.50"),
        (12, "12"),
        (Decimal("1E+2"), "100"),
        (0.1, "0.1"),
        (1e-05, "0.00001"),
        (0.1 + 0.2, "0.300000000"),
        ("0.0000000005", "0"),
        ("0.0000000015", "0.000000002"),
        (".5", "0.5"),
        ("-0.0", "0"),
        ("1e-99999", "0"),
        ("1000000000", None),
        ("999999999.9999999999", None),
        ("-1", None),
        ("nan", None),
        ("Infinity", None),
        ("1,5", None),
        (float("inf"), None),
        (True, None),
    ],
)
def test_money_is_exact_to_a_thousand_millionth(given_amount: Any, sent: str | None) -> None:
    event = composed("usage", {"app": "letters", "reported_cost": given_amount, "reported_currency": "EUR"})
    if sent is None:
        assert event is None
    else:
        assert event is not None
        assert Decimal(event["reported_cost"]) == Decimal(sent)
        assert accepted(event)


@pytest.mark.parametrize(
    ("start", "end", "allowed"),
    [
        (date(2026, 11, 1), date(2026, 11, 2), True),
        ("2026-11-01", date(2026, 11, 2), True),
        (date(2026, 11, 1), date(2026, 11, 1), False),
        ("20261101", "2026-11-02", False),
        ("2026-02-30", "2026-11-02", False),
        (datetime(2026, 11, 1, tzinfo=UTC), date(2026, 11, 2), False),
        (date(1999, 12, 31), date(2026, 11, 2), False),
    ],
)
def test_a_period_is_of_days(start: Any, end: Any, allowed: bool) -> None:
    event = composed("cost", WHOLE["cost"] | {"period_start": start, "period_end": end})
    assert (event is not None) is allowed
    assert event is None or accepted(event)


def test_an_event_may_be_backdated_and_its_id_says_the_same_time() -> None:
    moment = datetime(2026, 8, 3, 9, 30, 15, 123_456, tzinfo=timezone(timedelta(hours=2)))
    event = composed("usage", {"app": "letters", "occurred_at": moment})
    assert event is not None
    assert datetime.fromisoformat(event["occurred_at"]) == moment
    assert int(event["event_id"].replace("-", ""), 16) >> 80 == int(moment.timestamp() * 1000)
    assert accepted(event)


@pytest.mark.parametrize("year", [1999, 2200])
def test_a_moment_is_within_the_years_of_the_tables(year: int) -> None:
    assert composed("usage", {"app": "letters", "occurred_at": datetime(year, 6, 1, tzinfo=UTC)}) is None


def test_the_year_is_that_of_the_moment_in_utc() -> None:
    edge = datetime(2000, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert composed("usage", {"app": "letters", "occurred_at": edge}) is None


def test_reasons_say_the_version_of_the_taxonomy_they_are_from(monkeypatch: pytest.MonkeyPatch) -> None:
    survey = WHOLE["feedback"]
    monkeypatch.setattr("uptake.ingest.sdk.compose.TAXONOMY_VERSION", 2)
    own = survey | {"reasons": ["other"], "taxonomy_version": 1}
    sent = [composed("feedback", fields) for fields in (survey | {"reasons": ["other"]}, own, survey)]
    assert [event and event.get("taxonomy_version") for event in sent] == [2, 1, None]


def test_an_event_that_is_too_large_says_so() -> None:
    tags = {f"{n:x<128}": "é" * 256 for n in range(16)}
    labels = dict.fromkeys(("session_id", "trace_id", "response_id"), "\U0001f600" * 256)
    big = {"app": "\U0001f600" * 128, "tags": dict.fromkeys(tags, "😀" * 256), **labels}
    held = dict(big)
    freeze(held)
    encoded, *_ = compose(Item("usage", NOW_NS, NO_LAYER, held, 0), {})
    assert len(encoded) <= MAX_EVENT_BYTES  # so many bytes the rules of single fields allow at most
