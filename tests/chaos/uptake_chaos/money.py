"""What each event costs, worked out with exact fractions from the price lists of `world`: no code of the service."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any, NamedTuple

from uptake_chaos.world import (
    LARGE_INPUT,
    LARGE_OUTPUT,
    TENANTS,
    UNKNOWN_INPUT,
    UNKNOWN_OUTPUT,
    Prices,
    Tenant,
)

NANO = 10**9
PER_MILLION = 10**6
_TENANTS = {tenant.name: tenant for tenant in TENANTS}


class Cost(NamedTuple):
    """Nano units of the organisation's currency; None: not known. `upper` bounds it."""

    nano: int | None
    upper: int


def local_day(tenant: str, at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(_TENANTS[tenant].tz).date()


def exchange(tenant: Tenant, currency: str) -> Fraction | None:
    """What one unit of `currency` is worth to the tenant; None where fx.yaml does not say."""
    if currency == tenant.currency:
        return Fraction(1)
    if tenant.currency != "USD":
        return Fraction(tenant.dollar) if currency == "USD" else None
    return Fraction("1.0944") if currency == "EUR" else None


def call_cost(tenant: str, at_ms: int, fields: dict[str, Any], prices: tuple[Prices, ...]) -> Cost:
    """Of a usage event: what the list in force says, else what the app reports, else nothing but a bound."""
    if fields.get("cache_hit"):
        return Cost(0, 0)
    dollar = exchange(_TENANTS[tenant], "USD")
    assert dollar is not None
    known_in = "input_tokens" in fields
    known_out = "output_tokens" in fields or fields.get("status") == "error"
    read, write = fields.get("cache_read_input_tokens", 0), fields.get("cache_creation_input_tokens", 0)
    reasoning = fields.get("reasoning_output_tokens", 0)
    uncached = fields["input_tokens"] - read - write if known_in else LARGE_INPUT
    visible = fields.get("output_tokens", 0) - reasoning if known_out else LARGE_OUTPUT
    price = _in_force(fields["response_model"], local_day(tenant, at_ms), prices)
    rates: tuple[Fraction, ...] = (
        UNKNOWN_INPUT,
        UNKNOWN_INPUT,
        UNKNOWN_INPUT,
        UNKNOWN_OUTPUT,
        UNKNOWN_OUTPUT,
    )
    if price is not None:
        texts = (price.uncached, price.cache_read, price.cache_write, price.visible, price.reasoning)
        rates = tuple(Fraction(text) for text in texts)
    counts = (uncached, read, write, visible, reasoning)
    exact = sum((count * rate for count, rate in zip(counts, rates, strict=True)), Fraction(0)) * dollar
    nano = round(exact * NANO / PER_MILLION)  # a fraction rounds half to even
    if price is not None and known_in and known_out:
        return Cost(nano, nano)
    if "reported_cost" in fields:
        return converted(tenant, fields["reported_cost"], fields["reported_currency"])
    return Cost(None, nano)


def converted(tenant: str, amount: str, currency: str) -> Cost:
    """An amount in the tenant's currency; without a rate only a bound, which no credit lowers."""
    rate = exchange(_TENANTS[tenant], currency)
    if rate is not None:
        nano = round(Fraction(amount) * rate * NANO)
        return Cost(nano, nano)
    other = "EUR" if _TENANTS[tenant].currency == "USD" else "USD"
    highest = max(Fraction(1), exchange(_TENANTS[tenant], other) or Fraction(1))
    return Cost(None, max(0, round(Fraction(amount) * highest * NANO)))


def _in_force(model: str, day: date, prices: tuple[Prices, ...]) -> Prices | None:
    for price in prices:
        early = price.since is not None and day < price.since
        over = price.until is not None and day >= price.until
        if price.model == model and not early and not over:
            return price
    return None
