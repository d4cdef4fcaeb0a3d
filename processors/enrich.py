"""What one organisation's workspace makes of an event: its team, its cost, its verdict. Pure.

One `Enricher` lasts as long as its workspace does not change and remembers what it concluded, day by day: in a stream
the same people, models and apps come again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter

from uptake.processors.attribute import QUARTER_MS, Attribution, Days, days_of
from uptake.processors.authorise import Verdict, authorise
from uptake.processors.price import Call, PriceBook, Quote
from uptake.processors.read import Item
from uptake.processors.records import FeedbackRecord, UsageRecord
from uptake.processors.rows import Concluded
from uptake.workspace.models import Workspace

_MAX_REMEMBERED = 100_000
_ruled_by = attrgetter(
    "app", "use_case", "data_class", "provider", "request_model", "response_model", "service_tier"
)


@dataclass(slots=True)
class _Day:
    """Conclusions that hold on one day: teams by (person, claimed team); verdicts and prices by `_ruled_by` and
    team."""

    days: Days
    teams: dict[tuple[str, str], str] = field(default_factory=dict)
    rulings: dict[tuple[tuple[str, ...], str], tuple[Verdict, Quote]] = field(default_factory=dict)


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

    def conclude(self, item: Item) -> tuple[str, Concluded]:
        """The table of an event, and what is concluded of it in the order of `rows.CONCLUDED`."""
        event = item.record
        day = self._quarters.get(item.ms // QUARTER_MS)
        if day is None:
            day = self._day(item.ms)
        person = (event.user_id, event.team)
        team = day.teams.get(person)
        if team is None:
            team = day.teams[person] = self._attribution.team(*person, day.days.local)
            self._remember()
        if type(event) is UsageRecord:
            return "usage", self._usage(event, day, team)
        if type(event) is FeedbackRecord:
            return "feedback", (team,)
        assert not isinstance(event, UsageRecord | FeedbackRecord)
        billed = self.prices.convert(event.amount, event.currency, day.days.local, "")
        return "cost", (team, billed.nano, billed.upper)

    def _usage(self, event: UsageRecord, day: _Day, team: str) -> Concluded:
        key = (_ruled_by(event), team)
        ruling = day.rulings.get(key)
        if ruling is None:
            ruling = day.rulings[key] = self._rule(event, day, team)
            self._remember()
        verdict, quote = ruling
        read, write = event.cache_read_input_tokens, event.cache_creation_input_tokens
        reasoning = event.reasoning_output_tokens
        uncached = None if event.input_tokens is None else event.input_tokens - read - write
        visible = None if event.output_tokens is None else event.output_tokens - reasoning
        # Nearly always nothing is special, and this is what `cost` would say.
        card = None if quote.timed or event.cache_hit else quote.card
        if card is not None and uncached is not None and visible is not None:
            nano = card.nano((uncached, read, write, visible, reasoning))
            if nano is not None:
                return team, uncached, visible, nano, nano, quote.source, verdict
        cost = self.prices.cost(call_of(event, day.days))
        return team, uncached, visible, cost.nano, cost.upper, cost.source, verdict

    def _rule(self, event: UsageRecord, day: _Day, team: str) -> tuple[Verdict, Quote]:
        model = served_model(event)
        quote = self.prices.quote(event.provider, model, event.service_tier, event.occurred_at, day.days)
        verdict = authorise(
            self._registry,
            event.app,
            day=day.days.local,
            team=team,
            use_case=event.use_case,
            models=quote.names,
            data_class=event.data_class,
        )
        return verdict, quote

    def _day(self, ms: int) -> _Day:
        days = days_of(ms, self._zone)
        day = self._quarters[ms // QUARTER_MS] = self._days.setdefault(days, _Day(days))
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
