"""The oracle's prices: what a planned call costs, by genai-prices and plain Decimal. Knows nothing of the pipeline."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from genai_prices import Usage, calc_price

from uptake.demo import definitions, facts
from uptake.demo.calls import Call
from uptake.demo.patterns import local_day

_NANO = 1_000_000_000
_SMALL_PROMPT = 10_000


def in_euro(amount: Decimal, currency: str, day: date) -> int:
    """Nano euros of an amount, at the rate of a day."""
    rate = Decimal(1)
    if currency != facts.CURRENCY:
        rate = [rate for since, rate in definitions.USD_IN_EUR if since <= day][-1]
    return int((amount * rate * _NANO).to_integral_value(ROUND_HALF_EVEN))


def call_cost(call: Call) -> int | None:
    """Nano euros of a usage call, None where nobody knows its price."""
    fields, day = call.fields, local_day(call.at)
    if fields.get("cache_hit"):
        return 0
    if fields["provider"] == facts.UNPRICED.provider:
        return None
    agreed = definitions.NEGOTIATED
    if fields["response_model"] == agreed.model and day >= agreed.valid_from:
        cached = fields["cache_read_input_tokens"]
        dollars = (
            agreed.input * (fields["input_tokens"] - cached)
            + agreed.cache_read * cached
            + agreed.output * fields["output_tokens"]
        ) / 1_000_000
        return in_euro(dollars, "USD", day)
    priced = calc_price(
        Usage(
            input_tokens=fields["input_tokens"],
            cache_read_tokens=fields["cache_read_input_tokens"],
            output_tokens=fields["output_tokens"],
        ),
        fields["response_model"],
        provider_id=fields["provider"],
        genai_request_timestamp=call.at,
    )
    return in_euro(priced.total_price, "USD", day)


def saved_by_cache(call: Call) -> Fraction | None:
    """Nano euros that a usage call would have cost more, had the provider's cache known none of it. A model that has
    bands is taken at its lowest one: the price of a small prompt."""
    prompt = {"input_tokens": _SMALL_PROMPT, "output_tokens": 0}

    def priced(cached: int) -> int | None:
        return call_cost(replace(call, fields={**call.fields, **prompt, "cache_read_input_tokens": cached}))

    uncached, read = priced(0), priced(_SMALL_PROMPT)
    if uncached is None or read is None:
        return None
    return Fraction((uncached - read) * call.fields["cache_read_input_tokens"], _SMALL_PROMPT)


def upper_bound(call: Call) -> int:
    """Nano euros that a call costs at most: its cost, or the workspace's bound where it has none."""
    known = call_cost(call)
    if known is not None:
        return known
    dollars = (
        definitions.UNKNOWN_INPUT * call.fields["input_tokens"]
        + definitions.UNKNOWN_OUTPUT * call.fields["output_tokens"]
    ) / 1_000_000
    return in_euro(dollars, "USD", local_day(call.at))


def billed_between(call: Call, first: date, after: date) -> int:
    """Nano euros of a cost event for the days [first, after): spread evenly over the days that it bills, in whole
    nano, so that adjacent periods add up to its amount."""
    start, end = call.fields["period_start"], call.fields["period_end"]
    amount = in_euro(Decimal(call.fields["amount"]), call.fields["currency"], local_day(call.at))
    days = (end - start).days

    def through(day: date) -> int:
        elapsed = min(max((day - start).days, 0), days)
        return int(Fraction(amount * elapsed, days))  # towards zero, as money that is not yet a whole nano

    return through(after) - through(first)
