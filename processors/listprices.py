"""Public list prices (genai-prices, offline) as rates by threshold. Pure: the data is part of the package.

Which provider, model, dated price, time-of-day price and service-tier variant applies is decided by genai-prices
itself; only the arithmetic is done elsewhere (`card`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import genai_prices
from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import ModelInfo, ModelPrice, Provider, TieredPrices, TimeOfDateConstraint

from uptake.processors.card import Rates

SOURCE = f"genai-prices/{genai_prices.__version__}"
CURRENCY = "USD"

# OpenTelemetry's names for providers that genai-prices calls otherwise or takes for another one.
_ALIASES = {
    "x_ai": "x-ai",
    "azure.ai.openai": "azure",
    "az.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "az.ai.inference": "azure",
    "azure_ai": "azure",
    "gcp.gen_ai": "google",
}
_ZERO = Decimal(0)


def provider_id(name: str) -> str:
    """The provider as genai-prices and prices.yaml call it."""
    lowered = name.strip().lower()
    return _ALIASES.get(lowered, lowered)


def context_of(service_tier: str) -> dict[str, str] | None:
    """What selects the variants of a price: the tier that the provider reported, `batch` under both its names."""
    if not service_tier:
        return None
    context = {"service_tier": service_tier}
    if service_tier == "batch":
        context["processing"] = "batch"
    return context


@dataclass(frozen=True, slots=True)
class Listed:
    """A model on the price list. `timed`: its price depends on the time of day, to the minute."""

    provider: Provider
    model: ModelInfo
    timed: bool


class PriceList:
    """Looks models up. Keeps what genai-prices remembers to itself, so that it can be forgotten: names come
    from events and there is no end to them."""

    def __init__(self) -> None:
        self._snapshot = DataSnapshot(providers=providers, from_auto_update=False)

    def find(self, provider: str, model: str) -> Listed | None:
        """The listed model for a name as an app reports it; None where the list does not know it.

        Without a provider the model's name decides. A provider that is not known is not guessed around.
        """
        if not model:
            return None
        try:
            found, info = self._snapshot.find_provider_model(model, None, provider_id(provider) or None, None)
        except LookupError:
            return None
        constraints = [price.constraint for price in info.prices] if isinstance(info.prices, list) else []
        constraints += [variant.constraint for variant in info.price_variants or ()]
        return Listed(found, info, any(isinstance(c, TimeOfDateConstraint) for c in constraints))

    def bands(self, listed: Listed, moment: datetime, service_tier: str) -> dict[int, Rates]:
        """The rates at `moment` (zone-aware), in USD, by the input tokens above which they hold (-1: from the
        first). Crossing a threshold changes the rate of all tokens of the call."""
        context = context_of(service_tier)
        if context and not any(listed.model is model for model in listed.provider.models):
            context = None  # variants are the maker's own; a reseller of its models need not have them
        price = listed.model.get_prices(moment, context)
        return {above: _rates(price, above) for above in sorted({-1, *_thresholds(price.__dict__.values())})}

    def forget(self) -> None:
        self.__init__()  # type: ignore[misc]


def _thresholds(prices: Iterable[object]) -> set[int]:
    return {tier.start for price in prices if isinstance(price, TieredPrices) for tier in price.tiers}


def _rates(price: ModelPrice, above: int) -> Rates:
    """Kinds without a price of their own are billed as the kind they are part of."""
    inputs = _at(price.input_mtok, above)
    outputs = _at(price.output_mtok, above)
    read = _at(price.cache_read_mtok, above)
    write = _at(price.cache_write_mtok, above)
    reasoning = _at(price.output_reasoning_mtok, above)
    return Rates(
        inputs,
        inputs if read is None else read,
        inputs if write is None else write,
        outputs,
        outputs if reasoning is None else reasoning,
        _at(price.requests_kcount, above) or _ZERO,
    )


def _at(price: Decimal | TieredPrices | None, above: int) -> Decimal | None:
    """The price in the band that begins above `above` input tokens."""
    if not isinstance(price, TieredPrices):
        return price
    reached = [tier.price for tier in price.tiers if tier.start <= above]
    return reached[-1] if reached else price.base
