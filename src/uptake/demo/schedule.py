"""When the drive stops to send and to look: once a day at first, every hour in the last two weeks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.patterns import at

_HOURLY_WEEKS = 2
_DAILY = 19
"""Hour at which a day's calls are sent while days are enough."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Calls that are sent together at `until`, none of which is later."""

    until: datetime
    calls: list[Call]


def stops() -> list[datetime]:
    """Moments at which calls are sent, in order. A day without a stop in the night hands its late calls on."""
    moments: list[datetime] = []
    first, days = facts.FIRST_WEEK.monday(), 7 * facts.WEEKS
    for offset in range(days):
        day = first + timedelta(days=offset)
        if offset >= days - 7 * _HOURLY_WEEKS:
            moments += [at(day, hour) for hour in range(7, 22)]
        elif offset < days - 7 * _HOURLY_WEEKS - 1:
            moments.append(at(day, _DAILY))
            continue
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
        if ready or (stop.weekday() == 6 and stop.hour == 23):
            yield Slice(stop, ready)
    if following is not None:
        raise ValueError("a call is planned after the last stop")


def _end(day: date) -> datetime:
    return at(day, 23, 59, 59)
