"""Usage concluded by column against what is concluded of each call by itself."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.processors.attribute import Attribution, days_of
from uptake.processors.authorise import authorise
from uptake.processors.card import NANO_LIMIT, Card, Counts, Rates, compile_card
from uptake.processors.cards import MAX_TOKENS, Cards
from uptake.processors.enrich import Enricher, call_of, served_model
from uptake.processors.price import PriceBook
from uptake.processors.read import read_batch
from uptake.processors.rows import rows

# Half a nano unit a token, so that halves are rounded; rarely rates with which 64 bits are not enough.
usual = st.sampled_from([Decimal(text) for text in ("0", "0.0005", "0.0015", "2.5")])
rates = st.integers(0, 29).flatmap(
    lambda n: {0: st.none(), 1: st.just(Decimal("1e9")), 2: st.decimals(0, 1_000, places=9)}.get(n, usual)
)
requests = st.sampled_from([Decimal(0), Decimal("0.5")])
several = st.lists(st.builds(Rates, rates, rates, rates, rates, rates, requests), min_size=1, max_size=4)
bands = st.builds(
    lambda inner, above: {-1: inner[0], **dict(zip(above, inner[1:], strict=False))},
    several,
    st.lists(st.sampled_from([0, 10, 200_000]), unique=True, max_size=3),
)
cards = st.none() | st.builds(
    compile_card, bands, st.sampled_from([Decimal(1), Decimal("0.92"), Decimal("1.0000000001")])
)
tokens = st.sampled_from([0, 0, 0, 0, 1, 3, 10, 11, 200_000, 200_001, MAX_TOKENS]) | st.integers(0, 10_000)
calls = st.builds(Counts, tokens, tokens, tokens, tokens, tokens)


@settings(max_examples=200, deadline=None)
@given(st.lists(cards, min_size=1, max_size=4), st.lists(st.tuples(st.integers(0, 3), calls), min_size=1))
def test_many_calls_cost_by_their_cards_what_each_of_them_costs(
    some: list[Card | None], asked: list[tuple[int, Counts]]
) -> None:
    which = np.array([number % len(some) for number, _ in asked])
    counts = np.array([call for _, call in asked], np.int64).T
    nano, sure = Cards(some).nano(which, counts)
    for at, (_, call) in enumerate(asked):
        card = some[which[at]]
        alone = None if card is None else card.nano(call)
        if sure[at]:
            assert nano[at] == alone
        elif card is not None and alone is not None:
            # Left to the one that reckons with numbers of any size, and for no other reason.
            assert max(rate or 0 for band in card.bands for rate in band.rates) * MAX_TOKENS > 1 << 59 or (
                card.scale > 1 << 59
            )


def test_usual_cards_are_sure_of_usual_calls() -> None:
    card = compile_card({-1: Rates(*[Decimal("2.5")] * 5)}, Decimal("0.92"))
    nano, sure = Cards([None, card]).nano(np.array([1, 1, 0]), np.array([[1_000, MAX_TOKENS, 0]] * 5))
    assert sure.tolist() == [True, True, False]
    assert nano[0] == card.nano(Counts(*[1_000] * 5)) == 11_500_000


def test_a_call_is_in_a_band_only_above_its_threshold() -> None:
    low, high = (Rates(*[Decimal(rate)] * 5) for rate in (1, 2))
    card = compile_card({-1: low, 10: high}, Decimal(1))
    nano, sure = Cards([card]).nano(np.zeros(3, np.intp), np.array([[9, 10, 11]] + [[0] * 3] * 4))
    assert (sure.all(), nano.tolist()) == (True, [9_000, 10_000, 22_000])


def test_halves_of_a_nano_unit_are_rounded_to_even() -> None:
    card = compile_card({-1: Rates(*[Decimal("0.0005")] * 5)}, Decimal(1))
    nano, _ = Cards([card]).nano(np.zeros(5, np.intp), np.array([[0, 1, 2, 3, 5]] + [[0] * 5] * 4))
    assert nano.tolist() == [0, 0, 1, 2, 2]


def test_an_amount_beyond_the_limit_stands_nowhere() -> None:
    card = compile_card({-1: Rates(*map(Decimal, (10**6, 0, 0, 10**6, 0)))}, Decimal(1))
    assert card.nano(Counts(MAX_TOKENS, 0, 0, 1, 0)) is None
    nano, sure = Cards([card]).nano(
        np.array([0, 0]), np.array([[MAX_TOKENS, 1], [0, 0], [0, 0], [1, 1], [0, 0]])
    )
    assert (nano[0] > NANO_LIMIT, sure.tolist()) == (True, [False, True])


@st.composite
def usage(draw: st.DrawFn) -> dict[str, Any]:
    said: dict[str, Any] = {
        "app": draw(st.sampled_from(["helper", "stranger"])),
        "use_case": draw(st.sampled_from(["", "draft", "other"])),
        "user_id": draw(st.sampled_from(["", "p1", "p2"])),
        "team": draw(st.sampled_from(["", "claimed"])),
        "provider": draw(st.sampled_from(["", "openai", "anthropic", "deepseek", "house"])),
        "request_model": draw(st.sampled_from(["", "gpt-4o", "deepseek-chat", "claude-sonnet-4-5", "inner"])),
        "response_model": draw(st.sampled_from(["", "gpt-4o-2024-08-06", "unheard-of"])),
        "operation": draw(st.sampled_from(["chat", "embeddings", "execute_tool"])),
        "status": draw(st.sampled_from(["ok", "error"])),
        "cache_hit": draw(st.booleans()),
        "hours": draw(st.sampled_from([0, -1, -12, -20])),
    }
    read, write, reasoning = (draw(st.sampled_from([0, 0, 7])) for _ in range(3))
    if read or write or draw(st.booleans()):
        more = draw(st.sampled_from([0, 1_000, 300_000]))
        said |= {"input_tokens": read + write + more, "cache_read_input_tokens": read}
        said["cache_creation_input_tokens"] = write
    if reasoning or draw(st.booleans()):
        said |= {"output_tokens": reasoning + 100, "reasoning_output_tokens": reasoning}
    if draw(st.booleans()):
        said |= {"reported_cost": "0.25", "reported_currency": draw(st.sampled_from(["USD", "XAU"]))}
    return said


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(usage(), min_size=1, max_size=12))
@pytest.mark.parametrize("priced", [True, False], ids=["in euros with a rate", "in a currency without one"])
def test_calls_are_concluded_together_as_each_of_them_alone(
    priced: bool, event: Any, workspace: Any, now: Any, said: list[dict[str, Any]]
) -> None:
    shop = workspace(
        organisation={} if priced else {"currency": "XPF"},
        roster=[{"user_id": "p1", "team": "claims", "joined": "2026-11-20"}],
        apps=[{"app": "helper", "owner": "o", "use_cases": ["draft"], "allowed_models": ["gpt-4o", "inner"]}],
        prices=[{"provider": "house", "model": "inner", "input": "1.5", "output": "2", "currency": "USD"}],
    )
    sent = [
        event(at, at=now + timedelta(hours=one.pop("hours")), **one) for at, one in enumerate(map(dict, said))
    ]
    read = read_batch(json.dumps(sent).encode(), now)
    assert len(read.items) == len(sent)
    enricher, book, attribution = Enricher(shop), PriceBook(shop), Attribution(shop)
    stamp = ("t", 1, 1, "", enricher.currency, "", -1, -1)
    found = rows("usage", read.items, [(stamp, len(sent))], enricher).to_pylist()  # type: ignore[list-item]
    for item, row in zip(read.items, found, strict=True):
        call: Any = item.record
        days = days_of(item.ms, shop.tz)
        cost = book.cost(call_of(call, days))
        quote = book.quote(call.provider, served_model(call), "", call.occurred_at, days)
        team = attribution.team(call.user_id, call.team, days.local)
        verdict = authorise(
            shop.registry, call.app, day=days.local, team=team, use_case=call.use_case,
            models=quote.names, data_class="",
        )  # fmt: skip
        assert (row["cost_nano"], row["cost_upper_nano"], row["price_source"]) == tuple(
            getattr(cost, name) for name in ("nano", "upper", "source")
        )
        assert (row["team"], row["authorisation"], row["model"]) == (team, verdict, served_model(call))
        for name in ("app", "use_case", "provider", "request_model", "response_model", "user_id"):
            assert row[name] == getattr(call, name)
        whole = call_of(call, days)
        assert (row["input_uncached_tokens"], row["output_visible_tokens"]) == (
            whole.input_uncached,
            whole.output_visible,
        )
