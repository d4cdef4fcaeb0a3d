"""When the drive stops to send and to look: once a day at first, every two hours in the last week. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.patterns import at, is_working

_DAILY = (19,)
_MIDNIGHT = time(23, 59, 59)
"""The last stop of a day closes it; nobody looks then."""
_LAST_BUT_ONE = (9, 12, 15, 18)
_LAST = (9, 11, 13, 15, 17, 19)


@dataclass(frozen=True, slots=True)
class Slice:
    """Calls that are sent together at `until`, none of which is later. `watched`: budgets, findings and digests are
    looked at afterwards."""

    until: datetime
    calls: list[Call]

    @property
    def watched(self) -> bool:
        start = facts.LAST_WEEK.shift(1 - facts.WATCHED_WEEKS).period(facts.ZONE).start
        return self.until >= start and self.until.hour != _MIDNIGHT.hour


def stops() -> list[datetime]:
    """Moments at which calls are sent, in order. A stop costs real time, so only the days that are looked at closely
    have many; a day without one at midnight hands its late calls on to the next."""
    moments: list[datetime] = []
    for week in range(facts.WEEKS):
        closely = week >= facts.WEEKS - facts.WATCHED_WEEKS
        for day in facts.FIRST_WEEK.shift(week).period(facts.ZONE).days():
            hours = _LAST if week == facts.WEEKS - 1 else _LAST_BUT_ONE
            moments += [at(day, hour) for hour in (hours if closely and is_working(day) else _DAILY)]
            if closely or day.weekday() == 6:
                moments.append(_end(day))
    # On-call hears of an app that nobody registered within seconds: a stop right after its first call.
    moments.append(facts.SHADOW.first_seen + timedelta(seconds=2))
    return sorted(moment.astimezone(facts.TZ) for moment in moments)


def slices(calls: Iterable[Call]) -> Iterator[Slice]:
    """The calls, in the order in which they are sent, cut at the stops. Stops without calls are left out, but the
    last one of a week is always there."""
    waiting = iter(calls)
    following = next(waiting, None)
    for stop in stops():
        ready: list[Call] = []
        while following is not None and following.when_sent <= stop:
            ready.append(following)
            following = next(waiting, None)
        if ready or (stop.weekday() == 6 and stop.hour == _MIDNIGHT.hour):
            yield Slice(stop, ready)
    if following is not None:
        raise ValueError("a call is planned after the last stop")


def _end(day: date) -> datetime:
    return at(day, _MIDNIGHT.hour, _MIDNIGHT.minute, _MIDNIGHT.second)
