"""What the digests must say of people, from the plan and the roster in plain Python: see `oracle`.

Seats are constant in the demo: whoever has one has it in every stay.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from uptake.calendar import Period
from uptake.demo.oracle import Oracle
from uptake.demo.organisation import Member
from uptake.demo.patterns import is_working, local_day
from uptake.demo.terms import ALL_TEAMS, Share, Span, deliberate, period_of

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Waited:
    """Somebody from the first seat on: `uses` are the days of use with a seat, `until` the day the seat was lost or the
    period ended (exclusive). The person counts for the team of the last seat."""

    team: str
    start: date
    until: date
    uses: tuple[date, ...]

    @property
    def first_use(self) -> date | None:
        return min(self.uses, default=None)


class PeopleOracle:
    """Reads the plan; every answer is exact."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.members = oracle.organisation.members

    @cached_property
    def _days_of(self) -> dict[str, list[date]]:
        """The local day of each deliberate call, by user."""
        days: defaultdict[str, list[date]] = defaultdict(list)
        for call in self.oracle.calls:
            if deliberate(call):
                days[call.user].append(local_day(call.at))
        return days

    @cached_property
    def heard(self) -> date:
        """The first day of which anything is known."""
        return min(local_day(call.at) for call in self.oracle.calls if call.verb == "usage")

    def _ago(self, member: Member, after: date) -> list[int]:
        """How many weeks of seven days before `after` each of the person's uses was."""
        return [
            (after - day - timedelta(days=1)).days // 7
            for day in self._days_of[member.address]
            if day < after
        ]

    def _seated(self, day: date, teams: Collection[str]) -> list[Member]:
        return [member for member in self.members if member.seat and member.team_on(day) in teams]

    def habits(self, span: Span, teams: Collection[str] = ALL_TEAMS, weeks: int = 12) -> Counter[str]:
        """Eligible people by segment: a habit is nine weeks of twelve, or each of four; 15 uses a week are power."""
        period = period_of(span)
        enough = 9 if weeks == 12 else weeks
        segments: Counter[str] = Counter()
        for member in self.members:
            if member.address not in self.oracle.eligible(period, teams):
                continue
            ago = [week for week in self._ago(member, period.after) if week < weeks]
            if len(set(ago)) >= enough:
                segments["power" if len(ago) >= 15 * weeks else "habitual"] += 1
            else:
                segments["novice" if len(ago) >= weeks else "low" if ago else "none"] += 1
        return segments

    def lifecycle(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Counter[str]:
        """People with a seat on the last day by where they stand; all that is known is of less than a year."""
        period = period_of(span)
        states: Counter[str] = Counter()
        for member in self._seated(period.last, teams):
            weeks = set(self._ago(member, period.after))
            if not weeks:
                states["never"] += 1
            elif 0 in weeks:
                states["new" if weeks == {0} else "retained" if 1 in weeks else "reactivated"] += 1
            else:
                states["at_risk" if min(weeks) <= 3 else "lapsed"] += 1
        return states

    def seats(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Counter[str]:
        """Seats that were used in the last four weeks, idle through all of them, or too young to be."""
        period = period_of(span)
        states: Counter[str] = Counter()
        for member in self._seated(period.last, teams):
            if any(week < 4 for week in self._ago(member, period.after)):
                states["used"] += 1
            else:
                states["idle" if member.team_on(period.after - 4 * WEEK) else "recent"] += 1
        return states

    def stickiness(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Working days with use, of the working days of all active people."""
        period = period_of(span)
        working = [day for day in period.days() if is_working(day)]
        active = self.oracle.eligible(period, teams) & self.oracle.active(period)
        used = sum(len(set(working) & set(self._days_of[user])) for user in active)
        return Share(used, len(active) * len(working))

    def breadth(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """Pairs of app and use case of the active people, by these people."""
        active = self.oracle.eligible(span, teams) & self.oracle.active(span)
        pairs = {
            (call.user, call.app, call.fields["use_case"])
            for call in self.oracle.happened(span)
            if deliberate(call) and call.user in active
        }
        return Share(len(pairs), len(active))

    def active_users(self, span: Span, teams: Collection[str] = ALL_TEAMS, app: str = "") -> int:
        """Everybody who used an app (or this one): of the roster's team on the last day, else that of the last call."""
        period = period_of(span)
        on_roster = {member.address: member.team_on(period.last) for member in self.members}
        last = {
            call.user: self.oracle.team_of(call)
            for call in sorted(self.oracle.happened(period), key=lambda call: call.at)
            if deliberate(call) and app in ("", call.app)
        }
        return sum((on_roster.get(user) or team) in teams for user, team in last.items())

    def activation(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Counter[str]:
        """People whose 28th day with a seat fell in the period, by on how many of these days they used an app."""
        period = period_of(span)
        found: Counter[str] = Counter()
        for member in self.members:
            first = min(stay.joined for stay in member.stays)
            last = first + timedelta(days=27)
            if not (member.seat and period.first <= last < period.after and first >= self.heard):
                continue
            if member.team_on(last) not in teams:
                continue
            days = {day for day in self._days_of[member.address] if first <= day <= last}
            found["activated" if len(days) >= 3 else "tried" if days else "unused"] += 1
        return found

    def waited(self, period: Period) -> list[Waited]:
        """Everybody who has had a seat since anything was heard, until the period's end."""
        found = []
        for member in self.members:
            stays = [stay for stay in member.stays if member.seat and stay.joined < period.after]
            if not stays:
                continue
            last = max(stays, key=lambda stay: stay.joined)
            start = max(min(stay.joined for stay in stays), self.heard)
            until = min(last.left or period.after, period.after)
            if start < until:
                uses = tuple(day for day in self._days_of[member.address] if start <= day < until)
                found.append(Waited(last.team, start, until, uses))
        return found

    def time_to_first_use(
        self, span: Span, teams: Collection[str] = ALL_TEAMS
    ) -> tuple[int, int, int | None]:
        """How many began, of how many, and the median of days until then (Kaplan–Meier), None if half never did."""
        people = [person for person in self.waited(period_of(span)) if person.team in teams]
        began = Counter((p.first_use - p.start).days for p in people if p.first_use is not None)
        seen = [((p.first_use or p.until - timedelta(days=1)) - p.start).days for p in people]
        return sum(began.values()), len(people), halved(began, seen)

    def retention(self, span: Span, teams: Collection[str] = ALL_TEAMS) -> Share:
        """People who used an app in week 4 after their first use, of those whose week 4 is over."""
        back = over = 0
        for person in self.waited(period_of(span)):
            first = person.first_use
            if first is None or person.team not in teams or first + 5 * WEEK > person.until:
                continue
            over += 1
            back += any(first + 4 * WEEK <= day < first + 5 * WEEK for day in person.uses)
        return Share(back, over)

    def champions(self, span: Span) -> tuple[Share, Share]:
        """Adoption of all teams with a champion together, and of all without one."""
        period = period_of(span)
        championed = {member.team_on(period.last) for member in self.members if member.champion}
        sides = ([t for t in ALL_TEAMS if t in championed], [t for t in ALL_TEAMS if t not in championed])
        with_one, without = (self.oracle.adoption(period, teams) for teams in sides)
        return with_one, without


def halved(events: Counter[int], last_seen: Iterable[int]) -> int | None:
    """The first day after which half or fewer still wait; a person is at risk on every day up to the last one seen."""
    seen = list(last_seen)
    waiting = Fraction(1)
    for day in sorted(events):
        at_risk = sum(until >= day for until in seen)
        waiting *= 1 - Fraction(events[day], at_risk)
        if waiting <= Fraction(1, 2):
            return day
    return None
