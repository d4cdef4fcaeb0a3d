"""What one organisation's workspace makes of events: their teams, costs, verdicts. Pure.

One `Enricher` lasts as long as its workspace does not change and remembers what it concluded, day by day: in a stream
the same people, models and apps come again and again. Usage is concluded by column, for many events at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from uptake.processors.attribute import QUARTER_MS, Attribution, Days, days_of
from uptake.processors.authorise import authorise
from uptake.processors.card import Card
from uptake.processors.cards import Cards
from uptake.processors.columns import Column, Known, Mask, Numbers, numbers, optional, words
from uptake.processors.price import Call, PriceBook
from uptake.processors.records import UsageRecord
from uptake.processors.texts import kept_texts
from uptake.workspace.models import Workspace

_MAX_REMEMBERED = 100_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RULED_BY = ("app", "use_case", "data_class", "provider", "request_model", "response_model", "service_tier")
_PARTS = ("cache_read_input_tokens", "cache_creation_input_tokens", "reasoning_output_tokens")

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True, eq=False)
class Ruling:
    """What holds for all calls of a day that agree in `_RULED_BY` and in the team (together: `by`). `card` None: each
    of them is priced by itself. `model` is the one that answered."""

    by: tuple[str, ...]
    model: str
    verdict: str
    card: Card | None
    source: str


class _Remembered(dict[K, V]):
    """Conclusions by what they follow from."""

    def __init__(self, conclude: Callable[[K], V]) -> None:
        super().__init__()
        self._conclude = conclude

    def __missing__(self, key: K) -> V:
        value = self[key] = self._conclude(key)
        return value


@dataclass(frozen=True, slots=True)
class _Day:
    """Conclusions that hold on one day: teams by (person, claimed team), rulings by what they are of."""

    days: Days
    teams: Mapping[tuple[str, str], str]
    rulings: Mapping[tuple[str, ...], Ruling]


class Enricher:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.prices = PriceBook(workspace)
        self.currency = workspace.organisation.currency
        self._zone = workspace.tz
        self._attribution = Attribution(workspace)
        self._registry = workspace.registry
        self._days: dict[Days, _Day] = {}
        self._quarters: dict[int, _Day] = {}
        self._remembered = 0

    def usage(
        self, records: Sequence[UsageRecord], said: Mapping[str, Column], ms: Numbers
    ) -> dict[str, Any]:
        """What is concluded of calls, by column of the table, as Arrow arrays: from the `records`, the same by field
        (`said`), and when they occurred (Unix milliseconds). At least one call."""
        days = self._each_day(ms)
        keys = zip(*(said[name] for name in _RULED_BY), self._teams(said, days), strict=True)
        ruled = [day.rulings[by] for day, by in zip(days, keys, strict=True)]
        numbered = {ruling: number for number, ruling in enumerate(dict.fromkeys(ruled))}
        rulings, which = list(numbered), np.array([numbered[ruling] for ruling in ruled], np.intp)
        read, write, reasoning = (numbers(said[name]).values for name in _PARTS)
        whole, answer = numbers(said["input_tokens"]), numbers(said["output_tokens"])
        uncached = Known(whole.values - read - write, whole.known)
        visible = Known(answer.values - reasoning, answer.known)
        counts = np.stack([uncached.values, read, write, visible.values, reasoning])
        usual = uncached.known & visible.known & ~np.array(said["cache_hit"], np.bool_)
        return {
            **{
                name: words([one.by[at] for one in rulings], which)
                for at, name in enumerate((*_RULED_BY, "team"))
            },
            "model": words([one.model for one in rulings], which),
            "authorisation": words([one.verdict for one in rulings], which),
            "input_uncached_tokens": optional(uncached, pa.uint32()),
            "output_visible_tokens": optional(visible, pa.uint32()),
            **self._amounts(records, days, rulings, which, counts, usual),
        }

    def feedback(self, said: Mapping[str, Column], ms: Numbers) -> dict[str, Column]:
        """As `usage`, of feedback: the teams, and the texts that are stored."""
        return {"team": self._teams(said, self._each_day(ms)), **kept_texts(self._registry, said)}

    def costs(self, said: Mapping[str, Column], ms: Numbers) -> dict[str, Column]:
        """As `usage`, of what was billed: the teams, and the amounts in the organisation's currency."""
        days = self._each_day(ms)
        billed = zip(said["amount"], said["currency"], days, strict=True)
        costs = [
            self.prices.convert(amount, currency, day.days.local, "") for amount, currency, day in billed
        ]
        return {
            "team": self._teams(said, days),
            "cost_nano": [cost.nano for cost in costs],
            "cost_upper_nano": [cost.upper for cost in costs],
        }

    def _teams(self, said: Mapping[str, Column], days: Sequence[_Day]) -> list[str]:
        persons = zip(said["user_id"], said["team"], strict=True)
        return [day.teams[person] for day, person in zip(days, persons, strict=True)]

    def _amounts(
        self,
        calls: Sequence[UsageRecord],
        days: Sequence[_Day],
        rulings: Sequence[Ruling],
        which: NDArray[np.intp],
        counts: Numbers,
        usual: Mask,
    ) -> dict[str, Any]:
        """What calls cost. Of a `usual` one its card says it, which is what `PriceBook.cost` would say."""
        cards = {id(ruling.card): ruling.card for ruling in rulings}
        number = {card: at for at, card in enumerate(cards)}
        card_of = np.array([number[id(ruling.card)] for ruling in rulings], np.intp)
        nano, sure = Cards(list(cards.values())).nano(card_of[which], counts)
        sure &= usual
        upper, known, sources, source = nano, sure, [ruling.source for ruling in rulings], which
        if not sure.all():
            upper, known, source = nano.copy(), sure.copy(), which.copy()
            for at in np.flatnonzero(~sure).tolist():
                cost = self.prices.cost(call_of(calls[at], days[at].days))
                nano[at], upper[at], known[at] = cost.nano or 0, cost.upper, cost.nano is not None
                source[at] = len(sources)
                sources.append(cost.source)
        return {
            "cost_nano": optional(Known(nano, known), pa.int64()),
            "cost_upper_nano": pa.array(upper),
            "price_source": words(sources, source),
        }

    def _rule(self, by: tuple[str, ...], days: Days, moment: datetime) -> Ruling:
        app, use_case, data_class, provider, asked, served, service_tier, team = by
        model = served or asked
        quote = self.prices.quote(provider, model, service_tier, moment, days)
        verdict = authorise(
            self._registry,
            app,
            day=days.local,
            team=team,
            use_case=use_case,
            models=quote.names,
            data_class=data_class,
        )
        self._remember()
        return Ruling(by, model, verdict, None if quote.timed else quote.card, quote.source)

    def _team(self, person: tuple[str, str], days: Days) -> str:
        self._remember()
        return self._attribution.team(*person, days.local)

    def _each_day(self, ms: Numbers) -> list[_Day]:
        """The day of each moment."""
        quarters = ms // QUARTER_MS
        found, which = np.unique(quarters, return_inverse=True)
        days = [self._day(quarter) for quarter in found.tolist()]
        return days * len(ms) if len(days) == 1 else [days[at] for at in which.tolist()]

    def _day(self, quarter: int) -> _Day:
        day = self._quarters.get(quarter)
        if day is None:
            days, moment = (
                days_of(quarter * QUARTER_MS, self._zone),
                _EPOCH + timedelta(milliseconds=quarter * QUARTER_MS),
            )
            new = _Day(
                days,
                _Remembered(lambda person: self._team(person, days)),
                _Remembered(lambda by: self._rule(by, days, moment)),
            )
            day = self._quarters[quarter] = self._days.setdefault(days, new)
            self._remember()
        return day

    def _remember(self) -> None:
        """Bounds memory: names come from events, and there is no end to them."""
        self._remembered += 1
        if self._remembered >= _MAX_REMEMBERED:
            self._days.clear()
            self._quarters.clear()
            self._remembered = 0


def served_model(event: UsageRecord) -> str:
    """The model that answered; what was asked for only where the provider did not say."""
    return event.response_model or event.request_model


def call_of(event: UsageRecord, days: Days) -> Call:
    """What prices the event. Cached tokens are part of the input and reasoning tokens of the output: taken out."""
    read, write = event.cache_read_input_tokens, event.cache_creation_input_tokens
    reasoning = event.reasoning_output_tokens
    return Call(
        occurred_at=event.occurred_at,
        days=days,
        operation=event.operation,
        provider=event.provider,
        model=served_model(event),
        service_tier=event.service_tier,
        input_uncached=None if event.input_tokens is None else event.input_tokens - read - write,
        cache_read=read,
        cache_write=write,
        output_visible=None if event.output_tokens is None else event.output_tokens - reasoning,
        reasoning=reasoning,
        failed=event.status == "error",
        cache_hit=event.cache_hit,
        reported_cost=event.reported_cost,
        reported_currency=event.reported_currency,
    )
