"""Every KPI about people, counted person by person in plain Python. It knows nothing of the SQL."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, NamedTuple

from uptake.calendar import Period

GRACE = timedelta(days=7)
DAY = timedelta(days=1)


class Stay(NamedTuple):
    team: str
    joined: date
    left: date | None = None
    seat: bool = True
    champion: bool = False
    wave: str = ""

    def on(self, day: date) -> bool:
        return self.joined <= day and (self.left is None or day < self.left)


class Call(NamedTuple):
    at: datetime
    event_id: int
    team: str
    app: str
    use_case: str
    deliberate: bool
    day: date


Rows = dict[tuple[str, ...], Counter[str]]


@dataclass
class Model:
    """People by stays and calls, and each KPI's rows counted person by person."""

    stays: dict[str, list[Stay]]
    calls: dict[str, list[Call]]
    nameless: list[Call] = field(default_factory=list)

    def rows(self, name: str, period: Period) -> Rows:
        rows: Rows = defaultdict(Counter)
        for key, column, count in getattr(self, name)(period):
            rows[key][column] += count
        return {key: +figures for key, figures in rows.items() if +figures}

    # What everybody is asked -------------------------------------------------------------------------------------

    def stay(self, user: str, day: date) -> Stay | None:
        return next((stay for stay in self.stays.get(user, ()) if stay.on(day)), None)

    def everybody(self) -> list[str]:
        return sorted({*self.stays, *self.calls})

    def used(self, user: str, first: date, after: date) -> list[Call]:
        return [call for call in self.calls.get(user, ()) if call.deliberate and first <= call.day < after]

    def is_eligible(self, user: str, period: Period) -> bool:
        stay = self.stay(user, period.last)
        joined = min((stay.joined for stay in self.stays.get(user, ())), default=period.after)
        return stay is not None and stay.seat and joined + GRACE <= period.after

    def team(self, user: str, period: Period, calls: list[Call]) -> str:
        stay = self.stay(user, period.last)
        return stay.team if stay else max(calls, key=lambda call: (call.at, call.event_id)).team

    def without_user(self, first: date, after: date, keys: int = 0) -> Iterator[Any]:
        for call in self.nameless:
            if call.deliberate and first <= call.day < after:
                yield (call.team, *[""] * keys), "excluded_calls_without_user", 1

    def excluded(self, period: Period, first: date, *, of_users: bool) -> Iterator[Any]:
        """Who is left out, of all people or of those who used something since `first`."""
        for user in self.everybody():
            calls = self.used(user, first, period.after)
            stay = self.stay(user, period.last)
            if stay is None:
                if calls:
                    yield (self.team(user, period, calls),), "excluded_off_roster", 1
            elif calls or not of_users:
                if not stay.seat:
                    yield (stay.team,), "excluded_without_seat", 1
                elif not self.is_eligible(user, period):
                    yield (stay.team,), "excluded_in_grace", 1
        yield from self.without_user(first, period.after)

    # KPIs --------------------------------------------------------------------------------------------------------

    def stickiness(self, period: Period) -> Iterator[Any]:
        working = [day for day in period.days() if day.weekday() < 5]
        yield from self.excluded(period, period.first, of_users=True)
        for user, calls in self._active(period):
            team = (self.team(user, period, calls),)
            yield team, "numerator", len({call.day for call in calls} & set(working))
            yield team, "denominator", len(working)
            yield team, "extra_active", 1

    def breadth(self, period: Period) -> Iterator[Any]:
        yield from self.excluded(period, period.first, of_users=True)
        for user, calls in self._active(period):
            team = (self.team(user, period, calls),)
            things = {(call.app, call.use_case) for call in calls}
            yield team, "numerator", len(things)
            yield team, "denominator", 1
            yield team, "extra_three_or_more", int(len(things) >= 3)

    def champions(self, period: Period) -> Iterator[Any]:
        yield from self.excluded(period, period.first, of_users=False)
        for user in self.stays:
            if stay := self.stay(user, period.last):
                eligible = self.is_eligible(user, period)
                used = bool(self.used(user, period.first, period.after))
                yield (stay.team,), "denominator", int(eligible)
                yield (stay.team,), "numerator", int(eligible and used)
                yield (stay.team,), "part_active" if used else "part_inactive", int(eligible)
                yield (stay.team,), "extra_champions", int(stay.champion)

    def habits(self, period: Period) -> Iterator[Any]:
        yield from self._habits(period, 12, 9)

    def habits_4_weeks(self, period: Period) -> Iterator[Any]:
        yield from self._habits(period, 4, 4)

    def _habits(self, period: Period, weeks: int, habit: int) -> Iterator[Any]:
        first = period.after - timedelta(weeks=weeks)
        yield from self.excluded(period, first, of_users=False)
        for user in self.stays:
            if not self.is_eligible(user, period):
                continue
            calls = self.used(user, first, period.after)
            per_week = Counter((call.day - first).days // 7 for call in calls)
            mean = Fraction(len(calls), weeks)
            if len(per_week) >= habit:
                part = "power" if mean >= 15 else "habitual"
            else:
                part = "novice" if mean >= 1 else "low" if mean > 0 else "none"
            team = (self.team(user, period, calls),)
            yield team, f"part_{part}", 1
            yield team, "denominator", 1
            yield team, "numerator", int(part in ("power", "habitual"))
            since = max(
                min(stay.joined for stay in self.stays[user]) + GRACE,
                min(stay.joined for stay in self.stays[user] if stay.seat),
            )
            yield team, "extra_short_history", int(since > first)

    def lifecycle(self, period: Period) -> Iterator[Any]:
        a_week_ago = period.last - 7 * DAY
        for user in self.everybody():
            now, before = self.stay(user, period.last), self.stay(user, a_week_ago)
            recent = self.used(user, period.after - 7 * DAY, period.after)
            was = before is not None and before.seat
            state = self.state(user, period.after - 7 * DAY) if was else ""
            if now is None:
                team = before.team if before and before.seat else ""
                if recent:
                    team = team or self.team(user, period, recent)
                    yield (team, state), "excluded_off_roster", 1
                if was:
                    yield (team, state), "extra_gone", 1
            elif not now.seat:
                yield (now.team, state), "excluded_without_seat", 1
                yield (now.team, state), "extra_gone", int(was)
            else:
                key = now.team, state or "absent"
                is_now = self.state(user, period.after)
                yield key, "denominator", 1
                yield key, f"part_{is_now}", 1
                yield key, "numerator", int(is_now in ("new", "retained", "reactivated"))
        yield from self.without_user(period.after - 7 * DAY, period.after, 1)

    def state(self, user: str, after: date) -> str:
        """Where somebody stands at the end of the week that ends before `after`."""
        ago = [
            (after - DAY - call.day).days // 7 for call in self.used(user, after - timedelta(weeks=52), after)
        ]
        if not ago:
            return "never"
        if min(ago) == 0:
            if max(ago) == 0:
                return "new"
            return "retained" if 1 in ago else "reactivated"
        return "at_risk" if min(ago) <= 3 else "lapsed"

    def seats(self, period: Period) -> Iterator[Any]:
        first = period.after - 28 * DAY
        for user in self.everybody():
            stay, then = self.stay(user, period.last), self.stay(user, first)
            recent = self.used(user, first, period.after)
            if stay is None:
                if recent:
                    yield (self.team(user, period, recent),), "excluded_off_roster", 1
            elif not stay.seat:
                yield (stay.team,), "excluded_without_seat", 1
            else:
                part = "used" if recent else "idle" if then and then.seat else "recent"
                yield (stay.team,), "denominator", 1
                yield (stay.team,), f"part_{part}", 1
                yield (stay.team,), "numerator", int(part == "used")
                ever = self.used(user, period.after - timedelta(weeks=52), period.after)
                yield (stay.team,), "extra_never_used", int(part == "idle" and not ever)
        yield from self.without_user(first, period.after)

    def activation(self, period: Period) -> Iterator[Any]:
        origin, _ = self.origin(period, 19)
        for user, stays in self.stays.items():
            seats = [stay for stay in stays if stay.seat]
            if not seats:
                continue
            first = min(stay.joined for stay in seats)
            last = first + 27 * DAY
            if not period.first <= last < period.after:
                continue
            then = next((stay for stay in seats if stay.on(last)), None)
            if then is None:
                held = max((s for s in seats if s.joined < period.after), key=lambda s: s.joined)
                yield (held.team,), "excluded_seat_lost", 1
            elif first < origin:
                yield (then.team,), "excluded_before_data", 1
            else:
                days = {call.day for call in self.used(user, first, last + DAY)}
                yield (then.team,), "denominator", 1
                yield (then.team,), "numerator", int(len(days) >= 3)
                part = "activated" if len(days) >= 3 else "tried" if days else "unused"
                yield (then.team,), f"part_{part}", 1

    def time_to_first_use(self, period: Period) -> Iterator[Any]:
        for user, team, start, until in self.observed(period):
            if start is None:
                yield (team, ""), "excluded_not_observed", 1
                continue
            calls = self.used(user, start, until)
            if calls:
                waited = min((call.day - start).days for call in calls)
                yield (team, str(waited)), "numerator", 1
                yield (team, str(waited)), "part_used", 1
            else:
                waited = (until - DAY - start).days
                yield (team, str(waited)), "part_waiting" if until == period.after else "part_gone", 1
            yield (team, str(waited)), "denominator", 1
        yield from self._strangers(period, 1)

    def retention(self, period: Period) -> Iterator[Any]:
        for user, team, start, until in self.observed(period):
            first_seat = min((stay for stay in self.stays[user] if stay.seat), key=lambda stay: stay.joined)
            key = team, f"{first_seat.joined:%Y-%m}", first_seat.wave
            if start is None:
                yield (*key, ""), "excluded_not_observed", 1
                continue
            calls = self.used(user, start, until)
            if not calls:
                yield (*key, ""), "excluded_never_used", 1
                continue
            first = min(call.day for call in calls)
            weeks = [nth for nth in range(13) if first + (nth + 1) * 7 * DAY <= until]
            yield (*key, ""), "extra_users" if weeks else "excluded_first_week_not_over", 1
            for nth in weeks:
                begin = first + nth * 7 * DAY
                back = bool(self.used(user, begin, begin + 7 * DAY))
                yield (*key, str(nth)), "denominator", 1
                yield (*key, str(nth)), "numerator", int(back)
                if nth == 4:
                    yield (*key, str(nth)), "part_returned" if back else "part_away", 1
        yield from self._strangers(period, 3)

    def origin(self, period: Period, weeks: int) -> tuple[date, bool]:
        """Since when use can be known, and whether that is because the data are young."""
        first = min(period.after - timedelta(weeks=weeks), period.first)
        everything = [call for calls in (*self.calls.values(), self.nameless) for call in calls]
        heard = min(call.day for call in everything if first <= call.day < period.after)
        return (heard, True) if heard >= first + 7 * DAY else (first, False)

    def observed(self, period: Period) -> Iterator[tuple[str, str, date | None, date]]:
        """Everybody who has had a seat: team, from when (None: not known), until when."""
        origin, young = self.origin(period, 52)
        for user, stays in self.stays.items():
            seats = [stay for stay in stays if stay.seat and stay.joined < period.after]
            if seats:
                last = max(seats, key=lambda stay: stay.joined)
                until = min(last.left or period.after, period.after)
                start = max(min(stay.joined for stay in seats), origin)
                old = not young and min(stay.joined for stay in seats) < origin
                yield user, last.team, None if old or start >= until else start, until

    def _strangers(self, period: Period, keys: int) -> Iterator[Any]:
        first = min(period.after - timedelta(weeks=52), period.first)
        for user in self.everybody():
            calls = self.used(user, first, period.after)
            if calls and not any(s.seat and s.joined < period.after for s in self.stays.get(user, ())):
                team = max(calls, key=lambda call: (call.at, call.event_id)).team
                yield (team, *[""] * keys), "excluded_without_seat", 1
        yield from self.without_user(first, period.after, keys)

    def _active(self, period: Period) -> Iterator[tuple[str, list[Call]]]:
        for user in self.stays:
            if self.is_eligible(user, period) and (calls := self.used(user, period.first, period.after)):
                yield user, calls
