"""What a call costs: which price holds, on which day, for which tokens; and what is not known is never 0."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from uptake.processors.attribute import days_of
from uptake.processors.card import NANO_LIMIT, Counts, Rates, compile_card
from uptake.processors.enrich import call_of
from uptake.processors.exchange import Exchange
from uptake.processors.listprices import SOURCE
from uptake.processors.price import Cost, PriceBook
from uptake.schemas.identity import unix_ms

IN_USD = {"currency": "USD"}
MILLION = 1_000_000
DOLLAR = 1_000_000_000  # nano


@pytest.fixture
def price(workspace: Callable[..., Any], record: Callable[..., Any]) -> Callable[..., Cost]:
    """The cost of one usage event, by default for an organisation that counts in dollars."""

    def of(files: dict[str, Any] | None = None, **fields: Any) -> Cost:
        made = workspace(**{"organisation": IN_USD, **(files or {})})
        event = record(**fields)
        return PriceBook(made).cost(call_of(event, days_of(unix_ms(event.occurred_at), made.tz)))

    return of


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def test_a_listed_model_costs_its_list_price(price: Any) -> None:
    # gpt-4o: $2.50 in, $10 out a million
    assert price(input_tokens=MILLION, output_tokens=MILLION) == Cost(12_500_000_000, 12_500_000_000, SOURCE)


def test_the_served_model_is_priced_and_not_the_requested_one(price: Any) -> None:
    cost = price(request_model="gpt-4o", response_model="gpt-4o-mini", input_tokens=MILLION, output_tokens=0)
    assert cost.nano == 150_000_000


def test_the_requested_model_is_priced_where_the_served_one_was_not_said(price: Any) -> None:
    assert price(response_model="", input_tokens=MILLION, output_tokens=0).nano == 2_500_000_000


def test_an_unknown_served_model_is_not_priced_as_the_requested_one(price: Any) -> None:
    assert price(request_model="gpt-4o", response_model="house-model").nano is None


def test_an_unknown_model_has_no_cost_but_an_upper_bound(price: Any) -> None:
    cost = price(response_model="house-model", input_tokens=MILLION, output_tokens=MILLION)
    assert cost == Cost(None, (15 + 75) * DOLLAR, "unknown")


def test_an_unknown_provider_has_no_cost_either(price: Any) -> None:
    assert price(provider="proxy").source == "unknown"


def test_the_bound_of_an_unknown_model_is_the_organisations_own(price: Any) -> None:
    organisation = IN_USD | {"unknown_price_input": 1, "unknown_price_output": 2}
    cost = price(
        {"organisation": organisation}, response_model="m", input_tokens=MILLION, output_tokens=MILLION
    )
    assert cost.upper == 3 * DOLLAR


def test_cached_tokens_are_part_of_the_input_and_not_counted_twice(price: Any) -> None:
    cost = price(input_tokens=MILLION, cache_read_input_tokens=MILLION, output_tokens=0)
    assert cost.nano == 1_250_000_000


def test_reasoning_tokens_are_part_of_the_output_and_not_added_to_it(price: Any) -> None:
    some = price(input_tokens=0, output_tokens=MILLION, reasoning_output_tokens=MILLION // 2)
    assert some.nano == price(input_tokens=0, output_tokens=MILLION).nano == 10 * DOLLAR


def test_reasoning_has_its_own_price_where_the_list_has_one(price: Any) -> None:
    cost = price(
        provider="perplexity",
        response_model="sonar-deep-research",
        input_tokens=0,
        output_tokens=MILLION,
        reasoning_output_tokens=MILLION,
    )
    assert cost.nano == 3 * DOLLAR


@pytest.mark.parametrize(("tokens", "rate"), [(199_999, 1_250), (200_000, 1_250), (200_001, 2_500)])
def test_above_a_threshold_all_tokens_of_the_call_cost_more(price: Any, tokens: int, rate: int) -> None:
    cost = price(provider="gcp.gemini", response_model="gemini-2.5-pro", input_tokens=tokens, output_tokens=0)
    assert cost.nano == tokens * rate


def test_cached_tokens_count_towards_a_threshold(price: Any) -> None:
    cost = price(
        provider="gcp.gemini",
        response_model="gemini-2.5-pro",
        input_tokens=200_001,
        cache_read_input_tokens=200_001,
        output_tokens=0,
    )
    assert cost.nano == 200_001 * 250


@pytest.mark.parametrize(
    ("at", "rate"),
    [
        ("2025-06-09T23:59:59.999999+00:00", 10_000),
        ("2025-06-10T00:00:00+00:00", 2_000),
        ("2025-06-10T01:00:00+02:00", 10_000),  # still the 9th in UTC
    ],
)
def test_a_list_price_changes_on_its_day_in_utc(price: Any, at: str, rate: int) -> None:
    paris = {"organisation": IN_USD | {"zone": "Europe/Paris"}}
    cost = price(paris, at=moment(at), response_model="o3", input_tokens=MILLION, output_tokens=0)
    assert cost.nano == rate * MILLION


@pytest.mark.parametrize(
    ("at", "rate"), [("00:59:59.999", 660), ("01:00", 1320), ("03:59:59.999", 1320), ("04:00", 660)]
)
def test_a_price_by_the_time_of_day_is_honoured(price: Any, at: str, rate: int) -> None:
    cost = price(
        at=datetime.fromisoformat(f"2026-11-20T{at}+00:00"),
        provider="deepseek",
        response_model="deepseek-v4-pro",
        input_tokens=MILLION,
        output_tokens=0,
    )
    assert cost.nano == rate * MILLION


def test_prices_by_the_time_of_day_hold_within_one_day_and_one_pipeline(bench: Any, event: Any) -> None:
    deepseek = {
        "provider": "deepseek",
        "response_model": "deepseek-v4-pro",
        "input_tokens": MILLION,
        "output_tokens": 0,
    }
    hours = {hour: datetime(2026, 11, 19, hour, tzinfo=UTC) for hour in (0, 2, 5, 7, 11)}
    bench.process([event(hour, at=at, **deepseek) for hour, at in hours.items()])
    costs = {row["occurred_at"].hour: row["cost_nano"] for row in bench.rows("usage")}
    assert costs == {0: 330_000_000, 2: 660_000_000, 5: 330_000_000, 7: 660_000_000, 11: 330_000_000}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"cache_hit": True},
        {"status": "error", "input_tokens": ...},
        {"input_tokens": ...},
        {"output_tokens": ...},
        {"response_model": ""},
        {"response_model": "house-model"},
        {"response_model": "house-model", "reported_cost": "1", "reported_currency": "USD"},
        {"provider": "deepseek", "response_model": "deepseek-v4-pro"},
        {"provider": "groq", "response_model": "whisper-large-v3"},
        {"operation": "embeddings", "response_model": "text-embedding-3-small", "output_tokens": ...},
        {
            "operation": "execute_tool",
            "request_model": "",
            "response_model": "",
            "input_tokens": ...,
            "output_tokens": ...,
        },
        {"cache_read_input_tokens": 7, "cache_creation_input_tokens": 5, "reasoning_output_tokens": 3},
        {"service_tier": "priority"},
    ],
)
def test_a_row_holds_what_the_price_book_says(
    bench: Any, event: Any, record: Any, fields: dict[str, Any]
) -> None:
    bench.process([event(1, **fields)])
    said, made = record(1, **fields), bench.workspaces[bench.tenant]
    expected = PriceBook(made).cost(call_of(said, days_of(unix_ms(said.occurred_at), made.tz)))
    row = bench.row()
    assert Cost(row["cost_nano"], row["cost_upper_nano"], row["price_source"]) == expected
    assert row["model"] == (said.response_model or said.request_model)
    assert row["currency"] == "EUR"


def test_a_service_tier_has_its_own_price(price: Any) -> None:
    assert price(service_tier="priority", input_tokens=MILLION, output_tokens=0).nano == 4_250_000_000
    assert price(service_tier="default", input_tokens=MILLION, output_tokens=0).nano == 2_500_000_000


NEGOTIATED = {"provider": "openai", "model": "gpt-4o", "input": 1, "output": 4}


def test_a_negotiated_price_comes_before_the_list_price(price: Any) -> None:
    cost = price({"prices": [NEGOTIATED]}, input_tokens=MILLION, output_tokens=MILLION)
    assert cost == Cost(5 * DOLLAR, 5 * DOLLAR, "workspace")


def test_a_negotiated_price_of_the_dated_name_comes_before_that_of_the_family(price: Any) -> None:
    dated = NEGOTIATED | {"model": "gpt-4o-2024-08-06", "input": 2}
    assert price({"prices": [NEGOTIATED, dated]}, input_tokens=MILLION, output_tokens=0).nano == 2 * DOLLAR


def test_a_negotiated_price_gives_a_model_of_ones_own_a_cost(price: Any) -> None:
    own = {
        "provider": "house",
        "model": "house-model",
        "input": 0,
        "output": "0.5",
        "reasoning": 3,
        "cache_read": 0,
    }
    cost = price(
        {"prices": [own]},
        provider="house",
        response_model="house-model",
        input_tokens=MILLION,
        output_tokens=2 * MILLION,
        reasoning_output_tokens=MILLION,
    )
    assert cost == Cost(3_500_000_000, 3_500_000_000, "workspace")


@pytest.mark.parametrize(
    ("at", "source"),
    [
        ("2026-09-30T23:59:59+02:00", SOURCE),
        ("2026-10-01T00:00:00+02:00", "workspace"),
        ("2026-10-31T23:59:59+01:00", "workspace"),
        ("2026-11-01T00:00:00+01:00", SOURCE),
    ],
)
def test_a_negotiated_price_holds_from_and_until_its_days_in_the_organisations_zone(
    price: Any, at: str, source: str
) -> None:
    files = {
        "organisation": IN_USD | {"zone": "Europe/Paris"},
        "prices": [NEGOTIATED | {"valid_from": "2026-10-01", "valid_to": "2026-11-01"}],
    }
    assert price(files, at=moment(at)).source == source


def test_a_cost_is_in_the_organisations_currency_at_the_rate_of_the_day(price: Any, now: datetime) -> None:
    files = {
        "organisation": {"currency": "EUR"},
        "fx": [
            {"currency": "USD", "rate": "0.5"},
            {"currency": "USD", "rate": "0.8", "valid_from": "2026-11-20"},
            {"currency": "USD", "rate": "0.7", "valid_from": "2026-11-21"},
        ],
    }
    tokens = {"input_tokens": MILLION, "output_tokens": 0}
    assert price(files, **tokens).nano == 2_000_000_000
    assert price(files, at=now - timedelta(days=1), **tokens).nano == 1_250_000_000
    assert price(files, at=now + timedelta(days=1), **tokens).nano == 1_750_000_000


def test_without_a_rate_the_cost_is_unknown_and_bounded_by_the_highest_rate_that_is_known(price: Any) -> None:
    files = {"organisation": {"currency": "EUR"}, "fx": [{"currency": "GBP", "rate": "1.2"}]}
    cost = price(files, input_tokens=MILLION, output_tokens=0)
    assert cost == Cost(None, 3 * DOLLAR, "unknown")


def test_a_rate_that_is_not_valid_yet_is_no_rate(price: Any) -> None:
    files = {
        "organisation": {"currency": "EUR"},
        "fx": [{"currency": "USD", "rate": "0.9", "valid_from": "2027-01-01"}],
    }
    assert price(files).nano is None


def test_an_answer_from_the_cache_costs_nothing(price: Any) -> None:
    assert price(cache_hit=True, response_model="house-model", input_tokens=9) == Cost(0, 0, "cache")


def test_an_embedding_has_no_output_to_wait_for(price: Any) -> None:
    cost = price(
        operation="embeddings",
        response_model="text-embedding-3-small",
        input_tokens=MILLION,
        output_tokens=...,
    )
    assert cost == Cost(20_000_000, 20_000_000, SOURCE)


@pytest.mark.parametrize("missing", ["input_tokens", "output_tokens"])
def test_an_unknown_count_of_tokens_is_an_unknown_cost(price: Any, missing: str) -> None:
    cost = price(**{missing: ...})
    assert (cost.nano, cost.source) == (None, "unknown")
    assert cost.upper > price(**{missing: 0}).upper > 0


def test_a_failed_call_costs_what_it_says_it_used(price: Any) -> None:
    assert price(status="error", input_tokens=..., output_tokens=...) == Cost(0, 0, SOURCE)
    assert price(status="error", input_tokens=MILLION, output_tokens=...).nano == 2_500_000_000


def test_a_reported_cost_is_taken_where_there_is_no_price(price: Any) -> None:
    said = {"reported_cost": "0.25", "reported_currency": "USD"}
    assert price(response_model="house-model", **said) == Cost(DOLLAR // 4, DOLLAR // 4, "reported")
    assert price(input_tokens=..., **said).nano == DOLLAR // 4


def test_an_app_cannot_talk_a_priced_call_down(price: Any) -> None:
    assert price(reported_cost="0", reported_currency="USD").source == SOURCE


def test_a_reported_cost_without_a_rate_is_unknown(price: Any) -> None:
    cost = price(response_model="m", reported_cost="2", reported_currency="CHF")
    assert cost == Cost(None, 2 * DOLLAR, "unknown")


@pytest.mark.parametrize("operation", ["execute_tool", "invoke_agent"])
def test_a_step_without_a_model_costs_nothing(price: Any, operation: str) -> None:
    step = {"operation": operation, "request_model": "", "response_model": ""}
    assert price(**step, input_tokens=..., output_tokens=...) == Cost(0, 0, "none")
    assert price(**step, input_tokens=10, output_tokens=1).source == "unknown"


def test_a_chat_without_a_model_is_unknown(price: Any) -> None:
    assert price(request_model="", response_model="", input_tokens=..., output_tokens=...).nano is None


def test_tokens_that_the_list_has_no_price_for_are_unknown_and_not_free(price: Any) -> None:
    # priced by the hour of audio only
    cost = price(provider="groq", response_model="whisper-large-v3", input_tokens=10, output_tokens=0)
    assert (cost.nano, cost.upper) == (None, 150_000)


def test_an_absurd_amount_is_unknown_and_does_not_overflow(price: Any) -> None:
    files = {"prices": [NEGOTIATED | {"input": 999_999_999}]}
    cost = price(files, input_tokens=10**9, output_tokens=0)
    assert cost.nano is None
    assert 0 < cost.upper <= NANO_LIMIT


@pytest.mark.parametrize(
    ("amount", "currency", "cost"),
    [
        ("12.50", "EUR", Cost(12_500_000_000, 12_500_000_000, "s")),
        ("12.50", "USD", Cost(6_250_000_000, 6_250_000_000, "s")),
        ("-12.50", "USD", Cost(-6_250_000_000, -6_250_000_000, "s")),
        ("0.000000001", "USD", Cost(0, 0, "s")),  # half a nano, to the even one
        ("0.000000003", "USD", Cost(2, 2, "s")),
        ("12.50", "CHF", Cost(None, 12_500_000_000, "unknown")),
        ("-12.50", "CHF", Cost(None, 0, "unknown")),
    ],
)
def test_money_is_converted_exactly_or_not_at_all(
    workspace: Any, amount: str, currency: str, cost: Cost
) -> None:
    assert PriceBook(workspace()).convert(Decimal(amount), currency, date(2026, 11, 20), "s") == cost


def test_the_latest_valid_rate_holds_whatever_the_order_of_the_file(workspace: Any) -> None:
    rates = [("0.9", "2026-03-01"), ("0.7", None), ("0.8", "2026-02-01")]
    made = workspace(fx=[{"currency": "USD", "rate": rate, "valid_from": since} for rate, since in rates])
    exchange = Exchange(made)
    days = [date(2026, 1, 31), date(2026, 2, 1), date(2026, 3, 1)]
    assert [exchange.rate("USD", day) for day in days] == [Decimal("0.7"), Decimal("0.8"), Decimal("0.9")]


def test_a_card_rounds_once_and_half_to_even() -> None:
    half = Rates(*[Decimal("0.0005")] * 5)
    card = compile_card({-1: half}, Decimal(1))
    assert [card.nano(Counts(n, 0, 0, 0, 0)) for n in (1, 3, 5)] == [0, 2, 2]
    assert card.nano(Counts(1, 1, 1, 1, 1)) == 2


def test_a_card_without_a_first_band_is_refused() -> None:
    with pytest.raises(ValueError, match="from the first token"):
        compile_card({200_000: Rates(*[Decimal(1)] * 5)}, Decimal(1))


def test_days_are_those_of_the_zone_and_of_utc() -> None:
    zone = ZoneInfo("Asia/Kathmandu")  # +05:45
    before, after = moment("2026-11-20T18:14:59.999999+00:00"), moment("2026-11-20T18:15:00+00:00")
    assert days_of(unix_ms(before), zone) == (date(2026, 11, 20), date(2026, 11, 20))
    assert days_of(unix_ms(after), zone) == (date(2026, 11, 21), date(2026, 11, 20))


def test_a_day_begins_at_its_first_moment_in_a_zone_that_is_hours_and_a_quarter_away(
    make_bench: Any, tenant: str, event: Any
) -> None:
    stays = [{"user_id": "p", "team": "sales", "joined": "2026-11-20"}]
    bench = make_bench(tenant, organisation={"zone": "Asia/Kathmandu"}, roster=stays)
    first = datetime(2026, 11, 19, 18, 15, tzinfo=UTC)
    moments = [first - timedelta(milliseconds=1), first]
    bench.process([event(key, at=at, user_id="p", team="") for key, at in enumerate(moments)])
    assert [row["team"] for row in bench.rows("usage")] == ["", "sales"]
