"""What the digest must say, computed from the list of planned calls and the roster in plain Python.

Shares nothing with the SQL or the pipeline but the definitions that people agreed on (docs and `kpi.yaml`): whoever
reads both sees the same rule written twice, by two hands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cached_property

from uptake.calendar import IsoWeek, Period
from uptake.demo import definitions, facts
from uptake.demo.calls import Call
from uptake.demo.organisation import Member, Organisation
from uptake.demo.patterns import local_day
from uptake.demo.pricing import billed_between, call_cost
from uptake.demo.terms import (
    ALL_TEAMS,
    AdoptionChange,
    Override,
    Share,
    Sighting,
    Span,
    deliberate,
    invoiced,
    overridden,
    period_of,
)


class Oracle:
    """Reads the plan; every answer is exact. `teams` is a department's, or all of them."""

    def __init__(self, organisation: Organisation, calls: Iterable[Call]) -> None:
        self.organisation = organisation
        self.planned = list(calls)
        self.calls = [call for call in self.planned if call.valid]
        self._costs: dict[int, int | None] = {}

    @cached_property
    def _people(self) -> dict[str, Member]:
        return {member.address: member for member in self.organisation.members}

    @cached_property
    def by_day(self) -> dict[date, list[Call]]:
        """Calls by the local day on which they happened."""
        days: dict[date, list[Call]] = {}
        for call in self.calls:
            days.setdefault(local_day(call.at), []).append(call)
        return days

    @cached_property
    def _teams(self) -> dict[int, str]:
        return {id(call): self._team(call) for call in self.planned}

    def team_of(self, call: Call) -> str:
        """The roster's team of the caller on the day of the call, else the team that the call names."""
        return self._teams[id(call)]

    def _team(self, call: Call) -> str:
        member = self._people.get(call.user)
        team = member.team_on(local_day(call.at)) if member else None
        return team or str(call.fields.get("team", ""))

    def happened(self, span: Span) -> Iterator[Call]:
        """All calls of the days of a period."""
        for day in period_of(span).days():
            yield from self.by_day.get(day, ())

    def said(self, span: Span, verb: str, teams: Collection[str] = ALL_TEAMS) -> list[Call]:
        """Calls of one kind and of some teams."""
        return [c for c in self.happened(span) if c.verb == verb and self.team_of(c) in teams]

    # Adoption

    def eligible(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> set[str]:
        """People with a seat on the period's last day who joined at least the days of grace before its end."""
        period = period_of(span)
        return {
            member.address
            for member in self.organisation.members
            if member.seat and member.team_on(period.last) in teams and _since(member, period)
        }

    def active(self, span: Span) -> set[str]:
        """People with at least one deliberate call in the period."""
        return {call.user for call in self.happened(span) if deliberate(call)}

    def adoption(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        eligible = self.eligible(span, teams)
        return Share(len(eligible & self.active(span)), len(eligible))

    def adoption_change(self, week: IsoWeek, teams: Collection[str] = ALL_TEAMS) -> AdoptionChange:
        """Against the week before."""
        earlier = week.shift(-1)
        both = self.eligible(week, teams) & self.eligible(earlier, teams)
        now, before = self.active(week) & both, self.active(earlier) & both
        return AdoptionChange(
            self.adoption(earlier, teams), self.adoption(week, teams), len(now - before), len(before - now)
        )

    def never_started(self, until: IsoWeek, team: str) -> int:
        """Eligible people of a team without a deliberate call in any of the weeks up to `until`."""
        last = until.period(facts.ZONE).last
        started = {
            call.user
            for day, calls in self.by_day.items()
            if day <= last
            for call in calls
            if deliberate(call)
        }
        return len(self.eligible(until, (team,)) - started)

    # Trust

    def override(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Override:
        decisions = self.said(span, "decision", teams)
        kinds = Counter(call.fields["decision"] for call in decisions)
        shown = {
            call.fields["response_id"]
            for call in self.said(span, "usage", teams)
            if call.fields.get("status") != "error" and "response_id" in call.fields
        }
        covered = {c.fields["response_id"] for c in decisions if c.fields["decision"] != "escalated"}
        decided = len(decisions) - kinds["escalated"]
        share = Share(sum(map(overridden, decisions)), decided)
        return Override(share, len(covered & shown), len(shown), kinds["escalated"])

    def prompts(self, week: IsoWeek) -> dict[str, Share]:
        """Override rate of the planted app and use case, by prompt version."""
        change = facts.PROMPT
        decided: Counter[str] = Counter()
        against: Counter[str] = Counter()
        for call in self.said(week, "decision", ALL_TEAMS):
            about = (call.app, call.fields["use_case"])
            if about == (change.app, change.use_case) and call.fields["decision"] != "escalated":
                decided[call.fields["prompt_version"]] += 1
                against[call.fields["prompt_version"]] += overridden(call)
        return {version: Share(against[version], count) for version, count in decided.items()}

    def reasons(self, week: IsoWeek, prompt: str) -> Counter[str]:
        """Reasons of the overridden answers of the planted app and use case that a prompt version gave."""
        change = facts.PROMPT
        return Counter(
            reason
            for call in self.said(week, "decision", ALL_TEAMS)
            if (call.app, call.fields["use_case"], call.fields["prompt_version"])
            == (change.app, change.use_case, prompt)
            and overridden(call)
            for reason in call.fields["reasons"]
        )

    def thumbs_down(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        thumbs = self.said(span, "thumb", teams)
        return Share(sum(call.fields["thumb"] == "down" for call in thumbs), len(thumbs))

    # Money

    def spend(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> int:
        """Nano euros: priced calls of the period, and cost events for the days of it that they bill. What a provider
        bills for calls is those calls again."""
        period = period_of(span)
        called = sum(self.cost(call) or 0 for call in self.said(period, "usage", teams))
        return called + sum(
            billed_between(call, period.first, period.after)
            for call in self.calls
            if call.verb == "cost" and self.team_of(call) in teams and not invoiced(call)
        )

    def unauthorised(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Nano euros of calls of the unregistered app, of all priced calls."""
        calls = self.said(span, "usage", teams)
        bad = sum(self.cost(call) or 0 for call in calls if call.app == facts.SHADOW.app)
        return Share(bad, sum(self.cost(call) or 0 for call in calls))

    def sighting(self, app: str, teams: Collection[str] = ALL_TEAMS) -> Sighting:
        calls = [c for c in self.calls if c.app == app and c.verb == "usage" and self.team_of(c) in teams]
        people = {call.user for call in calls if call.user}
        nano = sum(self.cost(call) or 0 for call in calls)
        return Sighting(min(call.at for call in calls), len(calls), len(people), nano)

    def crossings(self, app: str, since: date, amount: int, thresholds: Iterable[int]) -> dict[int, datetime]:
        """When the calls of an app that arrived since a local day had cost a percentage of an amount in euros."""
        open_thresholds = sorted(thresholds)
        crossed: dict[int, datetime] = {}
        total = 0
        for call in self.calls:
            if call.app == app and call.verb == "usage" and local_day(call.at) >= since:
                total += self.cost(call) or 0
                while open_thresholds and total * 100 >= open_thresholds[0] * amount * 1_000_000_000:
                    crossed[open_thresholds.pop(0)] = call.when_sent
        return crossed

    def cost(self, call: Call) -> int | None:
        """Nano euros of a usage call, None where nobody knows its price."""
        if id(call) not in self._costs:
            self._costs[id(call)] = call_cost(call)
        return self._costs[id(call)]

    # Trust in the figures themselves

    def tokens(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> int:
        return sum(map(_tokens, self.said(span, "usage", teams)))

    def unpriced(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Tokens of calls without a price, of all."""
        calls = self.said(span, "usage", teams)
        unknown = sum(_tokens(call) for call in calls if self.cost(call) is None)
        return Share(unknown, sum(map(_tokens, calls)))

    def late(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Usage and feedback that was sent more than a day after it happened."""
        calls = [c for c in self.happened(span) if c.verb != "cost" and self.team_of(c) in teams]
        return Share(sum(c.when_sent - c.at > timedelta(days=1) for c in calls), len(calls))

    def complete(self, week: IsoWeek) -> Share:
        """Events that were kept, of those that SDKs sent in the week."""
        period = week.period(facts.ZONE)
        sent = [call for call in self.planned if period.start <= call.when_sent < period.end]
        return Share(sum(call.valid for call in sent), len(sent))


def _since(member: Member, period: Period) -> bool:
    joined = min(stay.joined for stay in member.stays)
    return joined + timedelta(days=definitions.GRACE_DAYS) <= period.after


def _tokens(call: Call) -> int:
    return int(call.fields["input_tokens"]) + int(call.fields["output_tokens"])
