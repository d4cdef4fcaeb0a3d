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
from uptake.processors.rows import Row, Stamp, call_of, cost_row, feedback_row, usage_row
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

    def row(self, stamp: Stamp, item: Item) -> tuple[str, Row]:
        """The table and the row of an event."""
        ms, content, event = item.ms, item.content, item.record
        day = self._quarters.get(ms // QUARTER_MS)
        if day is None:
            day = self._day(ms)
        days = day.days
        person = (event.user_id, event.team)
        team = day.teams.get(person)
        if team is None:
            team = day.teams[person] = self._attribution.team(*person, days.local)
            self._remember()
        if isinstance(event, UsageRecord):
            call = call_of(event, days)
            key = (_ruled_by(event), team)
            ruling = day.rulings.get(key)
            if ruling is None:
                ruling = day.rulings[key] = self._rule(event, call, team)
                self._remember()
            verdict, quote = ruling
            cost = self.prices.cost(call, quote)
            return "usage", usage_row(stamp, event, content, ms, team, call, cost, self.currency, verdict)
        if isinstance(event, FeedbackRecord):
            return "feedback", feedback_row(stamp, event, content, ms, team)
        billed = self.prices.convert(event.amount, event.currency, days.local, "")
        return "cost", cost_row(stamp, event, content, ms, team, billed, self.currency)

    def _day(self, ms: int) -> _Day:
        days = days_of(ms, self._zone)
        day = self._quarters[ms // QUARTER_MS] = self._days.setdefault(days, _Day(days))
        self._remember()
        return day

    def _rule(self, event: UsageRecord, call: Call, team: str) -> tuple[Verdict, Quote]:
        quote = self.prices.quote(call.provider, call.model, call.service_tier, call.occurred_at, call.days)
        verdict = authorise(
            self._registry,
            event.app,
            day=call.days.local,
            team=team,
            use_case=event.use_case,
            models=quote.names,
            data_class=event.data_class,
        )
        return verdict, quote

    def _remember(self) -> None:
        """Bounds memory: names come from events, and there is no end to them."""
        self._remembered += 1
        if self._remembered >= _MAX_REMEMBERED:
            self._days.clear()
            self._quarters.clear()
            self._remembered = 0
