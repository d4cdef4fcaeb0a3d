"""What one organisation's workspace makes of an event: its team, its cost, its verdict. Pure.

One `Enricher` lasts as long as its workspace does not change and remembers what it concluded: in a stream the same
people, models and apps come again and again.
"""

from __future__ import annotations

from datetime import date

from uptake.processors.attribute import Attribution, DayFinder
from uptake.processors.authorise import Verdict, authorise
from uptake.processors.price import Call, PriceBook
from uptake.processors.rows import Row, Stamp, call_of, cost_row, feedback_row, usage_row
from uptake.schemas.events import Event, FeedbackEvent, UsageEvent
from uptake.workspace.models import Workspace

_MAX_REMEMBERED = 100_000


class Enricher:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.prices = PriceBook(workspace)
        self.currency = workspace.organisation.currency
        self._days = DayFinder(workspace.tz)
        self._attribution = Attribution(workspace)
        self._registry = workspace.registry
        self._teams: dict[tuple[str, str, date], str] = {}
        self._verdicts: dict[tuple[str, str, str, str, str, str, date], Verdict] = {}

    def row(self, stamp: Stamp, event: Event, content: int) -> tuple[str, Row]:
        """The table and the row of an event whose content hash is `content`."""
        days = self._days(event.occurred_at)
        team = self.team(event.user_id, event.team, days.local)
        if isinstance(event, UsageEvent):
            call = call_of(event, days)
            verdict = self.verdict(event, call, team)
            cost = self.prices.cost(call)
            return "usage", usage_row(stamp, event, content, team, call, cost, self.currency, verdict)
        if isinstance(event, FeedbackEvent):
            return "feedback", feedback_row(stamp, event, content, team)
        billed = self.prices.convert(event.amount, event.currency, days.local, "")
        return "cost", cost_row(stamp, event, content, team, billed, self.currency)

    def team(self, user_id: str, claimed: str, day: date) -> str:
        key = (user_id, claimed, day)
        team = self._teams.get(key)
        if team is None:
            if len(self._teams) >= _MAX_REMEMBERED:
                self._teams.clear()
            team = self._teams[key] = self._attribution.team(user_id, claimed, day)
        return team

    def verdict(self, event: UsageEvent, call: Call, team: str) -> Verdict:
        day = call.days.local
        key = (event.app, event.use_case, team, call.provider, call.model, event.data_class, day)
        verdict = self._verdicts.get(key)
        if verdict is None:
            if len(self._verdicts) >= _MAX_REMEMBERED:
                self._verdicts.clear()
            verdict = self._verdicts[key] = authorise(
                self._registry,
                event.app,
                day=day,
                team=team,
                use_case=event.use_case,
                models=self.prices.quote(
                    call.provider, call.model, call.service_tier, call.occurred_at, call.days
                ).names,
                data_class=event.data_class,
            )
        return verdict
