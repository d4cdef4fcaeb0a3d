"""When people work, and draws that keep their quota. Pure; every draw is given its random stream."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from uptake.demo.facts import HOLIDAYS, TZ

_WEEKDAYS = (1.05, 1.1, 1.0, 1.05, 0.8, 0.025, 0.015)
_HOLIDAY = 0.05
_HOURS = range(7, 21)
_HOUR_WEIGHTS = (0.3, 1.3, 2.4, 2.6, 2.2, 1.1, 0.9, 2.1, 2.4, 2.2, 1.5, 0.7, 0.3, 0.1)
_CUMULATIVE_HOURS = tuple(accumulate(_HOUR_WEIGHTS))
_GOLDEN = 0.6180339887498949


def day_weight(day: date) -> float:
    """How much of a working day's use falls on `day`: weekends are nearly empty, holidays are weekends."""
    return _HOLIDAY if day in HOLIDAYS and day.weekday() < 5 else _WEEKDAYS[day.weekday()]


def is_working(day: date) -> bool:
    return day.weekday() < 5 and day not in HOLIDAYS


def moment(day: date, rng: random.Random) -> datetime:
    """A moment of office hours on `day` in the organisation's zone, as UTC, to the millisecond."""
    hour = rng.choices(_HOURS, cum_weights=_CUMULATIVE_HOURS)[0]
    return at(day, hour, rng.randrange(60), rng.randrange(60), rng.randrange(1000))


def at(day: date, hour: int, minute: int = 0, second: int = 0, ms: int = 0) -> datetime:
    """A time of the wall clock as UTC; where the clock goes back, the first of the two."""
    wall = datetime(day.year, day.month, day.day, hour, minute, second, ms * 1000, tzinfo=TZ)
    return wall.astimezone(UTC)


def local_day(moment: datetime) -> date:
    """The calendar day of a moment in the organisation's zone."""
    return moment.astimezone(TZ).date()


def after(moment: datetime, rng: random.Random, seconds: tuple[int, int]) -> datetime:
    """A while after `moment`, on the same local day."""
    later = moment + timedelta(seconds=rng.randrange(*seconds))
    return later if local_day(later) == local_day(moment) else moment + timedelta(seconds=1)


class Quota:
    """Yes or no with a given share, evenly spread: of any n draws, share * n are a yes, give or take one or two.

    A golden-ratio sequence. Planted rates hold for every seed, which independent draws would not give.
    """

    def __init__(self, rng: random.Random) -> None:
        self._at = rng.random()

    def draw(self) -> float:
        """The next number of [0, 1) in the sequence."""
        self._at = (self._at + _GOLDEN) % 1.0
        return self._at

    def yes(self, share: float) -> bool:
        return self.draw() < share
