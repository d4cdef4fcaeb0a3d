"""The arithmetic of rate cards against genai-prices itself, over the whole list, to the nano unit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from genai_prices import Usage, calc_price
from genai_prices.data import providers
from genai_prices.types import StartDateConstraint, TieredPrices, TimeOfDateConstraint
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.money import to_nano
from uptake.processors.card import Counts, compile_card
from uptake.processors.listprices import PriceList, context_of, provider_id

ONE = Decimal(1)
LIST = PriceList()


def literals(clause: Any) -> Iterator[str]:
    """Texts in a matching rule, any of which may be a name of the model."""
    for value in vars(clause).values():
        if isinstance(value, str):
            yield value
        else:
            for inner in value:
                yield from literals(inner)


def name_of(provider: str, model: Any) -> str | None:
    """A name under which the list finds this model (some ids are not among their own names)."""
    for name in (model.id, *literals(model.match)):
        found = LIST.find(provider, name)
        if found is not None and found.model is model:
            return name
    return None


NAMES = {
    (provider.id, name): model
    for provider in providers
    for model in provider.models
    if (name := name_of(provider.id, model))
}


def conditions(model: Any) -> list[Any]:
    prices = [p.constraint for p in model.prices] if isinstance(model.prices, list) else []
    return prices + [variant.constraint for variant in model.price_variants or ()]


def thresholds(model: Any) -> list[int]:
    prices = [p.prices for p in model.prices] if isinstance(model.prices, list) else [model.prices]
    values = [value for price in prices for value in price.__dict__.values()]
    return sorted({tier.start for value in values if isinstance(value, TieredPrices) for tier in value.tiers})


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, str, datetime, str, Counts]:
    """A listed model, a moment around its price changes, a tier, and tokens around its thresholds."""
    (provider, name), model = draw(st.sampled_from(list(NAMES.items())))
    day = draw(st.dates(date(2024, 1, 1), date(2027, 6, 1)))
    clock = draw(st.times())
    for condition in conditions(model):
        if isinstance(condition, StartDateConstraint) and draw(st.booleans()):
            day = condition.start_date + timedelta(days=draw(st.sampled_from([-1, 0, 1])))
        if isinstance(condition, TimeOfDateConstraint) and draw(st.booleans()):
            edge = datetime.combine(day, draw(st.sampled_from([condition.start_time, condition.end_time])))
            clock = (edge + timedelta(microseconds=draw(st.sampled_from([-1, 0, 1])))).time()
    tiers = [
        "",
        "default",
        "priority",
        "flex",
        "fast",
        "batch",
        *(v for w in model.price_variants or () for v in w.when.values()),
    ]
    counts = [draw(st.integers(0, 10 ** draw(st.integers(1, 8)))) for _ in range(5)]
    for start in thresholds(model):
        if draw(st.booleans()):
            counts[0] = max(0, start + draw(st.sampled_from([-1, 0, 1])) - counts[1] - counts[2])
    moment = datetime.combine(day, clock.replace(tzinfo=None), UTC)
    return provider, name, moment, draw(st.sampled_from(tiers)), Counts(*counts)


def theirs(provider: str, model: str, moment: datetime, tier: str, counts: Counts) -> int:
    usage = Usage(
        input_tokens=sum(counts[:3]),
        cache_read_tokens=counts.cache_read,
        cache_write_tokens=counts.cache_write,
        output_tokens=counts.output_visible + counts.reasoning,
        output_reasoning_tokens=counts.reasoning,
    )
    price = calc_price(
        usage, model, provider_id=provider, genai_request_timestamp=moment, price_context=context_of(tier)
    )
    return to_nano(price.total_price)


def ours(provider: str, model: str, moment: datetime, tier: str, counts: Counts) -> int | None:
    listed = LIST.find(provider, model)
    assert listed is not None
    return compile_card(LIST.bands(listed, moment, tier), ONE).nano(counts)


def priced_in_full(provider: str, model: str, moment: datetime, tier: str, counts: Counts) -> bool:
    """Whether the list has a price for every kind of token that was used (it counts the others as free)."""
    listed = LIST.find(provider, model)
    assert listed is not None
    rates = LIST.bands(listed, moment, tier)[-1]
    kinds = (rates.input_uncached, rates.cache_read, rates.cache_write, rates.output_visible, rates.reasoning)
    return all(rate is not None or not count for rate, count in zip(kinds, counts, strict=True))


@settings(max_examples=600, deadline=None)
@given(calls())
def test_a_card_says_exactly_what_genai_prices_says(call: tuple[str, str, datetime, str, Counts]) -> None:
    if priced_in_full(*call):
        assert ours(*call) == theirs(*call)
    else:
        assert ours(*call) is None


@pytest.mark.parametrize("tier", ["", "batch", "priority"])
def test_every_listed_model_is_priced_as_genai_prices_does(tier: str) -> None:
    moment, counts = (
        datetime(2026, 11, 20, 2, 30, tzinfo=UTC),
        Counts(123_457, 234_567, 3_331, 7_919, 104_729),
    )
    assert len(NAMES) > 2_200
    compared = 0
    for provider, name in NAMES:
        arguments = (provider, name, moment, tier, counts)
        if priced_in_full(*arguments):
            assert ours(*arguments) == theirs(*arguments), arguments
            compared += 1
    assert compared > 2_000


def test_time_of_day_prices_change_on_whole_minutes() -> None:
    # Cards are remembered by minute.
    edges = [
        edge
        for model in NAMES.values()
        for condition in conditions(model)
        if isinstance(condition, TimeOfDateConstraint)
        for edge in (condition.start_time, condition.end_time)
    ]
    assert edges
    assert all(edge == time(edge.hour, edge.minute, tzinfo=edge.tzinfo) for edge in edges)


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("x_ai", "x-ai"),
        ("azure.ai.openai", "azure"),
        ("azure.ai.inference", "azure"),
        ("aws.bedrock", "aws"),
        ("gcp.gemini", "google"),
        ("gcp.gen_ai", "google"),
        ("gcp.vertex_ai", "google"),
        ("mistral_ai", "mistral"),
        ("OpenAI", "openai"),
    ],
)
def test_opentelemetrys_names_of_providers_are_understood(name: str, listed: str) -> None:
    model = {"x-ai": "grok-4", "azure": "gpt-4o", "openai": "gpt-4o", "google": "gemini-2.5-pro"}.get(listed)
    models = {"aws": "amazon.nova-lite-v1:0", "mistral": "mistral-large-latest"}
    found = LIST.find(name, model or models[listed])
    assert found is not None
    assert found.provider.id == listed


def test_an_unknown_provider_or_model_is_not_guessed() -> None:
    assert LIST.find("a-proxy-of-our-own", "gpt-4o") is None
    assert LIST.find("openai", "house-model") is None
    assert LIST.find("openai", "") is None
    assert provider_id("A-Proxy ") == "a-proxy"


def test_without_a_provider_the_name_of_the_model_decides() -> None:
    found = LIST.find("", "gpt-4o-2024-08-06")
    assert found is not None
    assert (found.provider.id, found.model.id) == ("openai", "gpt-4o")


@pytest.mark.parametrize("tier", ["", "priority", "batch"])
def test_a_reseller_has_the_makers_prices_without_the_makers_variants(tier: str) -> None:
    call = ("azure", "gpt-4o", datetime(2026, 11, 20, tzinfo=UTC), tier, Counts(1_000, 100, 0, 50, 5))
    assert ours(*call) == theirs(*call)
