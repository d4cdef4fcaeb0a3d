"""The oracle against sums done by hand, and against wrong databases: one that cannot see a fault proves nothing."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from uptake_chaos.events import DAY_MS, Generator, Made, encode
from uptake_chaos.money import Cost, call_cost, converted
from uptake_chaos.oracle import Oracle, Sums, cell_of
from uptake_chaos.world import price_list

TODAY = date(2026, 11, 20)
NOW = 1_795_150_800_000  # 2026-11-20T05:00Z
PRICES = price_list(0, TODAY)

CALL: dict[str, Any] = {
    "type": "usage",
    "response_model": "chaos-large",
    "input_tokens": 1_000,
    "cache_read_input_tokens": 400,
    "output_tokens": 100,
    "reasoning_output_tokens": 40,
}


def test_a_call_costs_its_tokens_at_the_rates_of_the_list_in_the_tenants_currency() -> None:
    # (600 x $2.50 + 400 x $0.25 + 60 x $10 + 40 x $12.50) a million = $0.0027; x 0.9137
    assert call_cost("north", NOW, CALL, PRICES) == Cost(2_466_990, 2_466_990)
    assert call_cost("west", NOW, CALL, PRICES) == Cost(2_700_000, 2_700_000)


def test_the_second_re_pricing_holds_from_a_day_in_the_tenants_own_zone() -> None:
    call = {
        **CALL,
        "response_model": "chaos-small",
        "cache_read_input_tokens": 0,
        "reasoning_output_tokens": 0,
    }
    prices = price_list(2, TODAY)  # cheaper from the 18th on
    midnight = NOW - 2 * DAY_MS - 5 * 3_600_000  # the 18th, 00:00 UTC: still the 17th in Los Angeles
    assert call_cost("west", midnight, call, prices).nano == 210_000  # 1,000 x $0.15 + 100 x $0.60
    assert call_cost("north", midnight, call, prices).nano == round((123.4567 + 51.2345678) * 0.9137 * 1_000)


@pytest.mark.parametrize(
    ("change", "cost"),
    [
        ({"cache_hit": True}, Cost(0, 0)),
        ({"response_model": "atlas-7b"}, Cost(None, 22_500_000)),  # 1,000 x $15 + 100 x $75
        (
            {"response_model": "atlas-7b", "reported_cost": "0.5", "reported_currency": "USD"},
            Cost(500_000_000, 500_000_000),
        ),
    ],
)
def test_what_has_no_price_is_not_known_but_bounded(change: dict[str, Any], cost: Cost) -> None:
    assert call_cost("west", NOW, {**CALL, **change}, PRICES) == cost


def test_money_without_a_rate_is_not_known_and_a_credit_lowers_no_bound() -> None:
    assert converted("south", "10.5", "SEK") == Cost(None, 16_078_650_000)
    assert converted("south", "-10.5", "SEK") == Cost(None, 0)
    assert converted("west", "10", "EUR") == Cost(10_944_000_000, 10_944_000_000)


def test_the_same_seed_makes_the_same_events() -> None:
    assert encode(Generator(3).batch("north", 50, NOW)) == encode(Generator(3).batch("north", 50, NOW))
    assert encode(Generator(4).batch("north", 50, NOW)) != encode(Generator(3).batch("north", 50, NOW))


def perfect(events: list[Made]) -> tuple[Oracle, Sums, list[tuple[str, str]]]:
    """An oracle, and what a database without a fault holds."""
    oracle = Oracle()
    oracle.add(events)
    oracle.add(events)  # made once, however often it is sent
    return oracle, oracle.expected(PRICES), [(event.tenant, event.event_id) for event in events]


@pytest.fixture
def events() -> list[Made]:
    return Generator(11).batch("south", 300, NOW)


def test_a_database_that_holds_everything_once_differs_in_nothing(events: list[Made]) -> None:
    oracle, sums, ids = perfect(events)
    difference = oracle.difference(sums, ids, PRICES)
    assert not difference
    assert difference.compared > 300


def test_one_lost_event_is_named(events: list[Made]) -> None:
    oracle, _, ids = perfect(events)
    without, _, _ = perfect(events[1:])
    difference = oracle.difference(without.expected(PRICES), ids[1:], PRICES)
    assert difference.missing == [events[0].event_id]
    assert difference.counts > 0


def test_one_doubled_event_is_named(events: list[Made]) -> None:
    oracle, sums, ids = perfect(events)
    sums[cell_of(events[0])]["events"] += 1
    difference = oracle.difference(sums, [*ids, ids[0]], PRICES)
    assert difference.doubled == [events[0].event_id]
    assert difference.counts == 1


def test_an_event_of_another_tenant_is_unexpected(events: list[Made]) -> None:
    oracle, sums, ids = perfect(events)
    difference = oracle.difference(sums, [("north", ids[0][1]), *ids[1:]], PRICES)
    assert difference.missing == difference.unexpected == [events[0].event_id]


def test_a_sum_that_is_off_by_one_nano_is_a_difference(events: list[Made]) -> None:
    oracle, sums, ids = perfect(events)
    cell = next(cell for cell, figures in sums.items() if figures["cost_nano"])
    sums[cell] = Counter(sums[cell])
    sums[cell]["cost_nano"] -= 1
    difference = oracle.difference(sums, ids, PRICES)
    assert (difference.counts, difference.amount) == (1, 1)
    assert difference.cells == [f"{'/'.join(cell)} cost_nano -1"]


def test_yesterdays_prices_are_a_difference(events: list[Made]) -> None:
    oracle, sums, ids = perfect(events)
    assert oracle.difference(sums, ids, price_list(1, TODAY))
