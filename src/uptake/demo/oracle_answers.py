"""What the digests must say of answers and of what they cost, from the plan in plain Python: see `oracle`."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from uptake.calendar import Month
from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.oracle import Oracle
from uptake.demo.pricing import billed_between, saved_by_cache
from uptake.demo.terms import ALL_TEAMS, Share, Span, invoiced, overridden, period_of

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Decided:
    """Money in nano euros: of all decided answers, and of the rejected ones of them."""

    nano: int
    rejected_nano: int
    rejected: int
    accepted: int


class AnswersOracle:
    """Reads the plan; every answer is exact."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle

    @cached_property
    def _answered(self) -> dict[str, Call]:
        return {
            call.fields["response_id"]: call
            for call in self.oracle.calls
            if call.verb == "usage" and "response_id" in call.fields
        }

    def reasons(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Counter[str]:
        """How often each reason was given for an override."""
        given = [c for c in self.oracle.said(span, "decision", teams) if overridden(c)]
        return Counter(reason for call in given for reason in set(call.fields["reasons"]))

    def vague(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Overrides without a reason, or with no other than "other"."""
        given = [c for c in self.oracle.said(span, "decision", teams) if overridden(c)]
        return Share(sum(set(call.fields["reasons"]) <= {"other"} for call in given), len(given))

    def severities(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> list[float]:
        """The severity of every edited answer, in order; the last edit of an answer counts."""
        last: dict[tuple[str, str], Call] = {}
        edits = [*self.oracle.said(span, "edit", teams), *self.oracle.said(span, "decision", teams)]
        for call in sorted((c for c in edits if c.severity is not None), key=lambda call: call.at):
            last[call.app, call.fields["response_id"]] = call
        return sorted(call.severity for call in last.values() if call.severity is not None)

    def promoters(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Counter[str]:
        """The last answer of each person about each app, by what it makes the person."""
        surveys = sorted(self.oracle.said(span, "survey"), key=lambda call: call.at)
        last = {(call.user, call.app): call for call in surveys}
        return Counter(
            "promoters"
            if call.fields["score"] >= 9
            else "passives"
            if call.fields["score"] >= 7
            else "detractors"
            for call in last.values()
            if self.oracle.team_of(call) in teams
        )

    def errors(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        calls = self.oracle.said(span, "usage", teams)
        return Share(sum(call.fields.get("status") == "error" for call in calls), len(calls))

    def durations(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> list[int]:
        """Milliseconds of the calls that a model answered, in order."""
        return sorted(
            call.fields["duration_ms"]
            for call in self.oracle.said(span, "usage", teams)
            if call.fields.get("status") != "error" and not call.fields.get("cache_hit")
        )

    # Money

    def priced(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Nano euros of the calls whose price is known, and how many they are."""
        costs = [self.oracle.cost(call) for call in self.oracle.said(span, "usage", teams)]
        known = [cost for cost in costs if cost is not None]
        return Share(sum(known), len(known))

    def decided(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Decided:
        """What the answers cost that people decided on, of those whose price is known."""
        nano = rejected_nano = rejected = accepted = 0
        for call in self.oracle.said(span, "decision", teams):
            cost = self.oracle.cost(self._answered[call.fields["response_id"]])
            if cost is None or call.fields["decision"] == "escalated":
                continue
            nano += cost
            accepted += not overridden(call)
            if call.fields["decision"] == "rejected":
                rejected, rejected_nano = rejected + 1, rejected_nano + cost
        return Decided(nano, rejected_nano, rejected, accepted)

    def cache_saving(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> tuple[int, int]:
        """Nano euros that would have been paid had no provider's cache known anything; tokens without a price."""
        saved, unknown = Fraction(0), 0
        for call in self.oracle.said(span, "usage", teams):
            if call.fields.get("cache_hit"):
                continue
            of_call = saved_by_cache(call)
            if of_call is None:
                unknown += call.fields["cache_read_input_tokens"]
            else:
                saved += of_call
        return round(saved), unknown

    def shadow_gap(self, span: Span) -> Share:
        """What providers billed for the period and no call of theirs explains, of what they billed."""
        period = period_of(span)
        bills = [call for call in self.oracle.calls if call.verb == "cost" and invoiced(call)]
        billed: Counter[str] = Counter()
        for bill in bills:
            billed[bill.fields["provider"]] += billed_between(bill, period.first, period.after)
        explained = sum(
            self.oracle.cost(call) or 0
            for call in self.oracle.happened(period)
            if call.verb == "usage" and billed[call.fields["provider"]]
        )
        return Share(sum(billed.values()) - explained, sum(billed.values()))

    def daily(self, teams: Collection[str] = ALL_TEAMS) -> dict[date, int]:
        """Spend of each day, in nano euros."""
        days: Counter[date] = Counter()
        for day, calls in self.oracle.by_day.items():
            days[day] += sum(
                self.oracle.cost(call) or 0
                for call in calls
                if call.verb == "usage" and self.oracle.team_of(call) in teams
            )
        for call in self.oracle.calls:
            if call.verb == "cost" and not invoiced(call) and self.oracle.team_of(call) in teams:
                first, after = call.fields["period_start"], call.fields["period_end"]
                for day in (first + timedelta(days=n) for n in range((after - first).days)):
                    days[day] += billed_between(call, day, day + timedelta(days=1))
        return dict(days)

    def forecast(self, today: date, teams: Collection[str] = ALL_TEAMS) -> int:
        """What the month of yesterday will have cost: what is spent, and for each day that is left the median of the
        last four such weekdays, scaled by the last seven days against a mean week of the last four."""
        spent = self.daily(teams)
        yesterday = today - timedelta(days=1)
        month = Month.of(yesterday).period(facts.ZONE)
        week_sums = [
            sum(spent.get(today - n * WEEK - timedelta(days=d), 0) for d in range(1, 8)) for n in range(4)
        ]
        trend = min(2.0, max(0.5, week_sums[0] / statistics.fmean(week_sums)))
        total = float(sum(spent.get(day, 0) for day in month.days() if day < today))
        for day in month.days():
            if day >= today:
                nearest = day - math.ceil((day - yesterday).days / 7) * WEEK
                total += trend * statistics.median(spent.get(nearest - n * WEEK, 0) for n in range(4))
        return round(total)
