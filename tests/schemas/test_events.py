"""What a single event may and may not say."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from uptake.money import to_nano
from uptake.schemas.events import EVENT, CostEvent, UsageEvent
from uptake.schemas.identity import mint, unix_ms

Make = Callable[..., dict[str, Any]]
INT64 = 2**63 - 1


def read(event: dict[str, Any]) -> Any:
    return EVENT.validate_json(json.dumps(event))


def refused(event: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        read(event)
    return caught.value.errors(include_input=False)[0]["type"]


@pytest.mark.parametrize("amount", ["0", "12.5", "999999999.999999999", "0.000000001"])
def test_money_is_a_decimal_string_kept_to_the_last_digit(cost: Make, amount: str) -> None:
    event = read(cost(amount=amount))
    assert isinstance(event, CostEvent)
    assert event.amount == Decimal(amount)
    assert to_nano(event.amount) <= INT64


@pytest.mark.parametrize(
    "amount",
    [
        1.5, 3, True, None, "", "1e5", "1_000", " 1", "1 ", "+1", ".5", "1.", "NaN", "Infinity", "1,5", "١",
        "9223372037", "1000000000", "0.0000000001", "1" * 5000, "1\n",
    ],
)  # fmt: skip
def test_money_in_any_other_form_or_beyond_what_the_tables_hold_is_refused(
    cost: Make, amount: object
) -> None:
    assert refused(cost(amount=amount)) == "money"


def test_money_written_in_python_is_held_to_the_same_range(cost: Make) -> None:
    fields: dict[str, Any] = {**read(cost()).model_dump(), "amount": Decimal("9223372037")}
    with pytest.raises(ValidationError):
        EVENT.validate_python(fields)
    assert EVENT.validate_python({**fields, "amount": Decimal("1E+2")}).amount == 100  # type: ignore[union-attr]


def test_a_credit_is_negative_and_nothing_else_is(cost: Make) -> None:
    assert read(cost(category="credit", amount="-10.00")).amount == Decimal(-10)
    assert refused(cost(category="credit", amount="10.00")) == "wrong_sign"
    assert refused(cost(category="credit", amount="-0.00")) == "wrong_sign"
    assert refused(cost(amount="-10.00")) == "wrong_sign"


def test_a_billed_period_is_not_empty(cost: Make) -> None:
    assert refused(cost(period_end="2026-11-01")) == "empty_period"


@pytest.mark.parametrize(
    "day",
    [
        "1762300800",
        1762300800,
        "2026-11-31",
        "2026-11-01T00:00:00Z",
        "20261101",
        "",
        "1999-12-31",
        "2200-01-01",
    ],
)
def test_a_day_is_a_calendar_day_and_not_a_number(cost: Make, day: object) -> None:
    assert refused(cost(period_start=day)) == "day"


@pytest.mark.parametrize("offset", [-86_400_000, 86_400_000])
def test_an_id_may_be_a_day_from_its_event(usage: Make, now: Any, offset: int) -> None:
    assert read(usage(event_id=str(mint(unix_ms(now) + offset)))).app == "helpdesk"


@pytest.mark.parametrize("offset", [-86_400_001, 86_400_001])
def test_an_id_more_than_a_day_from_its_event_is_refused(usage: Make, now: Any, offset: int) -> None:
    assert refused(usage(event_id=str(mint(unix_ms(now) + offset)))) == "id_time_mismatch"


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "1999-12-31T23:00:00Z",
        "2200-01-01T00:00:00Z",
    ],
)
def test_a_moment_lies_in_years_that_the_tables_hold(usage: Make, moment: str) -> None:
    assert refused(usage(occurred_at=moment)) == "moment"


def test_a_moment_is_kept_in_utc_whatever_its_zone(usage: Make) -> None:
    event = read(usage(occurred_at="2026-11-20T17:30:00+05:30"))
    assert event.occurred_at.isoformat() == "2026-11-20T12:00:00+00:00"


def test_a_moment_without_a_zone_is_refused(usage: Make) -> None:
    assert refused(usage(occurred_at="2026-11-20T12:00:00")) == "timezone_aware"


@pytest.mark.parametrize(
    "version", ["2b3c6d1e-1111-4222-8333-444455556666", "019a0000-0000-7000-0000-000000000000"]
)
def test_an_id_is_a_uuid_of_version_7(usage: Make, version: str) -> None:
    assert refused(usage(event_id=version)) == "uuid_version"


@pytest.mark.parametrize("field", ["app", "team", "session_id", "request_model"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\x1b", "\x7f"])
def test_a_control_character_is_refused_because_it_reaches_terminals(
    usage: Make, field: str, character: str
) -> None:
    assert refused(usage(**{field: f"a{character}"})) == "string_pattern_mismatch"
    assert refused(usage(tags={f"k{character}": "v"})) == "string_pattern_mismatch"
    assert refused(usage(tags={"k": f"v{character}"})) == "string_pattern_mismatch"


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("app", "", "string_too_short"),
        ("app", "x" * 129, "string_too_long"),
        ("session_id", "x" * 257, "string_too_long"),
        ("input_tokens", 1.0, "int_type"),
        ("input_tokens", "1", "int_type"),
        ("input_tokens", True, "int_type"),
        ("input_tokens", -1, "greater_than_equal"),
        ("input_tokens", 10**30, "less_than_equal"),
        ("cache_hit", 0, "bool_type"),
        ("status", "OK", "literal_error"),
        ("operation", "Chat", "enum"),
        ("tags", {str(n): "x" for n in range(17)}, "too_long"),
        ("tags", {"k": 1}, "string_type"),
        ("tags", None, "dict_type"),
        ("reported_currency", "EUR", "incomplete_money"),
        ("reported_cost", "0.01", "incomplete_money"),
        ("cache_read_input_tokens", 1201, "inconsistent_tokens"),
        ("cache_creation_input_tokens", 1201, "inconsistent_tokens"),
        ("reasoning_output_tokens", 301, "inconsistent_tokens"),
    ],
)
def test_types_are_strict_and_ranges_hold(usage: Make, field: str, value: object, kind: str) -> None:
    assert refused(usage(**{field: value})) == kind


def test_cached_tokens_of_both_kinds_fit_into_the_input_together(usage: Make) -> None:
    assert read(usage(cache_read_input_tokens=600, cache_creation_input_tokens=600)).input_tokens == 1200
    assert (
        refused(usage(cache_read_input_tokens=600, cache_creation_input_tokens=601)) == "inconsistent_tokens"
    )


def test_a_negative_reported_cost_is_refused(usage: Make) -> None:
    assert refused(usage(reported_cost="-0.01", reported_currency="EUR")) == "greater_than_equal"


@pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "€€€", "EUR\n", ""])
def test_a_currency_is_three_capital_letters(cost: Make, currency: str) -> None:
    assert refused(cost(currency=currency)) == "string_pattern_mismatch"


@pytest.mark.parametrize(
    ("kind", "complete"),
    [
        ("thumb", {"thumb": "down"}),
        ("edit", {"severity": 0.25}),
        ("decision", {"decision": "rejected"}),
        ("survey", {"score": 0}),
    ],
)
def test_feedback_of_a_kind_carries_its_field(feedback: Make, kind: str, complete: dict[str, Any]) -> None:
    assert read(
        feedback(kind=kind, thumb=..., **{k: v for k, v in complete.items() if k != "thumb"}) | complete
    )
    assert refused(feedback(kind=kind, thumb=...)) == "missing_for_kind"


def test_an_edited_decision_carries_a_severity(feedback: Make) -> None:
    assert refused(feedback(kind="decision", thumb=..., decision="edited")) == "missing_for_kind"
    assert read(feedback(kind="decision", thumb=..., decision="edited", severity=1)).severity == 1.0


@pytest.mark.parametrize("reason", ["made_up", "app:", "app:Upper", "app:" + "x" * 49, "Incorrect"])
def test_a_reason_is_a_code_and_never_free_text(feedback: Make, reason: str) -> None:
    assert refused(feedback(reasons=["incorrect", reason])) == "unknown_reason"
    assert read(feedback(reasons=["incorrect", "app:wrong-tariff"])).reasons == [
        "incorrect",
        "app:wrong-tariff",
    ]


def test_an_unknown_field_is_kept_aside(usage: Make) -> None:
    event = read(usage(carbon_grams=3))
    assert isinstance(event, UsageEvent)
    assert event.model_extra == {"carbon_grams": 3}
