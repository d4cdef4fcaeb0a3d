"""What a call cost, and at most. Pure.

The first of these that applies is the cost, and its name is stored as `price_source`:
`cache` (answered from the app's own cache: 0), `none` (a tool or agent step that used no model: 0), `workspace` (a
negotiated price), `genai-prices/<version>` (the list price on that day), `reported` (what the app says it cost; last,
so that an app cannot talk its cost down), `unknown` (NULL).
Unknown is never 0: the upper bound that budgets use then takes the organisation's `unknown_price_*`, and where not even
the tokens are known, those of a large call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

import msgspec

from uptake.money import to_nano
from uptake.processors.attribute import Days
from uptake.processors.card import NANO_LIMIT, Card, Counts, Rates, compile_card
from uptake.processors.exchange import Exchange
from uptake.processors.listprices import CURRENCY, SOURCE, Listed, PriceList, provider_id
from uptake.workspace.models import Price, Workspace

LARGE_CALL_INPUT, LARGE_CALL_OUTPUT = 10_000, 2_000
"""Tokens that an upper bound assumes where an app does not know them."""

_MAX_REMEMBERED = 20_000
_WITHOUT_MODEL = ("execute_tool", "invoke_agent")
_Key = tuple[str, str, str, Days, datetime | None]


class Call(msgspec.Struct, frozen=True, gc=False):
    """What decides the cost of a usage event; all of it is stored, so that it can be priced again.

    Token counts are disjoint, None: the app does not know. `model` is the served one.
    """

    occurred_at: datetime
    days: Days
    operation: str
    provider: str
    model: str
    service_tier: str
    input_uncached: int | None
    cache_read: int
    cache_write: int
    output_visible: int | None
    reasoning: int
    failed: bool
    cache_hit: bool
    reported_cost: Decimal | None = None
    reported_currency: str | None = None


class Cost(msgspec.Struct, frozen=True, gc=False):
    """Nano units of the organisation's currency; `nano` None: not known. `upper` bounds it for budgets."""

    nano: int | None
    upper: int
    source: str


@dataclass(frozen=True, slots=True)
class Quote:
    """The prices that hold for a model on a day. `card` None: no price, or none that can be converted.
    `bound` is a card all the same. `names` are those of the served model, as reported and as listed. `timed`: holds
    for a minute only, else for the day."""

    card: Card | None
    bound: Card
    source: str
    names: tuple[str, ...]
    timed: bool = False


class PriceBook:
    """Prices of one organisation; remembers the cards that it compiled."""

    def __init__(self, workspace: Workspace) -> None:
        organisation = workspace.organisation
        self.exchange = Exchange(workspace)
        self._list = PriceList()
        self._negotiated: dict[tuple[str, str], list[Price]] = {}
        for price in workspace.prices:
            self._negotiated.setdefault((provider_id(price.provider), price.model), []).append(price)
        unknown_in, unknown_out = organisation.unknown_price_input, organisation.unknown_price_output
        self._unknown = {-1: Rates(unknown_in, unknown_in, unknown_in, unknown_out, unknown_out)}
        self._quotes: dict[_Key, Quote] = {}
        self._listed: dict[tuple[str, str], Listed | None] = {}

    def quote(self, provider: str, model: str, service_tier: str, moment: datetime, days: Days) -> Quote:
        """Prices for the model at that moment."""
        served = (provider, model)
        listed = self._listed.get(served)
        if listed is None and served not in self._listed:
            if len(self._listed) >= _MAX_REMEMBERED:
                self._listed.clear()
                self._list.forget()
            listed = self._listed[served] = self._list.find(provider, model)
        minute = moment.replace(second=0, microsecond=0) if listed is not None and listed.timed else None
        key = (provider, model, service_tier, days, minute)
        quote = self._quotes.get(key)
        if quote is None:
            if len(self._quotes) >= _MAX_REMEMBERED:
                self._quotes.clear()
            quote = self._quotes[key] = self._compile(
                provider, model, listed, service_tier, minute or moment, days
            )
        return quote

    def cost(self, call: Call) -> Cost:
        """The cost of one call; see the order at the top."""
        if call.cache_hit:
            return Cost(0, 0, "cache")
        uncached, visible = call.input_uncached, call.output_visible
        bought = call.model or call.operation not in _WITHOUT_MODEL or call.reported_cost is not None
        if not bought and uncached is None and visible is None:
            return Cost(0, 0, "none")
        if call.failed:  # what a failed call used is what it says it used
            uncached, visible = uncached or 0, visible or 0
        elif call.operation == "embeddings":  # answers with vectors
            visible = visible or 0
        quote = self.quote(call.provider, call.model, call.service_tier, call.occurred_at, call.days)
        known = uncached is not None and visible is not None
        counts = Counts(
            LARGE_CALL_INPUT if uncached is None else uncached,
            call.cache_read,
            call.cache_write,
            LARGE_CALL_OUTPUT if visible is None else visible,
            call.reasoning,
        )
        if known and quote.card is not None:
            nano = quote.card.nano(counts)
            if nano is not None:
                return Cost(nano, nano, quote.source)
        if call.reported_cost is not None and call.reported_currency is not None:
            return self.convert(call.reported_cost, call.reported_currency, call.days.local, "reported")
        upper = quote.bound.nano(counts)
        if upper is None:
            upper = self._unknown_card(call.days.local).nano(counts)
        return Cost(None, NANO_LIMIT if upper is None else upper, "unknown")

    def convert(self, amount: Decimal, currency: str, day: date, source: str) -> Cost:
        """An amount of money on a day, in the organisation's currency. Without a rate it is not known; a credit
        that is not known lowers no bound."""
        rate = self.exchange.rate(currency, day)
        if rate is not None:
            nano = to_nano(amount * rate)
            if abs(nano) <= NANO_LIMIT:
                return Cost(nano, nano, source)
        return Cost(None, max(0, min(NANO_LIMIT, to_nano(amount * self.exchange.highest))), "unknown")

    def _compile(
        self,
        provider: str,
        model: str,
        listed: Listed | None,
        service_tier: str,
        moment: datetime,
        days: Days,
    ) -> Quote:
        names: tuple[str, ...] = (model,) if model else ()
        providers = [provider_id(provider)]
        if listed is not None:
            names = (model,) if listed.model.id == model else (model, listed.model.id)
            providers.append(listed.provider.id)
        negotiated = self._negotiated_price(providers, names, days.local)
        if negotiated is not None:
            bands, currency, source = {-1: _rates(negotiated)}, negotiated.currency, "workspace"
        elif listed is not None:
            bands, currency, source = self._list.bands(listed, moment, service_tier), CURRENCY, SOURCE
        else:
            return Quote(None, self._unknown_card(days.local), "unknown", names)
        rate = self.exchange.rate(currency, days.local)
        timed = listed is not None and listed.timed
        if rate is None:
            return Quote(None, compile_card(bands, self.exchange.highest), "unknown", names, timed)
        card = compile_card(bands, rate)
        return Quote(card, card, source, names, timed)

    def _negotiated_price(self, providers: list[str], names: tuple[str, ...], day: date) -> Price | None:
        """The price that prices.yaml gives for the served name, else for the name on the list."""
        for name in names:
            for provider in providers:
                for price in self._negotiated.get((provider, name), ()):
                    early = price.valid_from is not None and day < price.valid_from
                    if not early and (price.valid_to is None or day < price.valid_to):
                        return price
        return None

    def _unknown_card(self, day: date) -> Card:
        rate = self.exchange.rate(CURRENCY, day)
        return compile_card(self._unknown, self.exchange.highest if rate is None else rate)


def _rates(price: Price) -> Rates:
    inputs, outputs = Decimal(price.input), Decimal(price.output)
    return Rates(
        inputs,
        inputs if price.cache_read is None else Decimal(price.cache_read),
        inputs if price.cache_write is None else Decimal(price.cache_write),
        outputs,
        outputs if price.reasoning is None else Decimal(price.reasoning),
    )
