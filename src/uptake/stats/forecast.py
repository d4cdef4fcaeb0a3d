"""What a period will have cost: the days that are over, and for each that is left what such days usually cost. Pure.

A remaining day is the median of the last four days of its weekday, scaled by the trend: the last seven days against
a mean week of the last four, never less than half and never more than twice.

The interval is a bootstrap (Efron, B. (1979), "Bootstrap methods: another look at the jackknife", Annals of Statistics
7, 1–26): each remaining day is drawn from those same days, at a level that walks from week to week by the steps that
past weeks took, up or down alike. Days drawn alone, without the walk, gave an interval that held one outcome in five
(tests/real_input/test_forecast.py), because whole weeks are high or low together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from itertools import pairwise
from random import Random
from statistics import median

from uptake.calendar import Period

ENOUGH_DAYS = 10
"""Days of history under which nothing is forecast."""
SAME_WEEKDAYS = 4
STEP_WEEKS = 12
TREND = (0.5, 2.0)
CONFIDENCE = 0.8
DRAWS = 2_000

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Nano units for the whole period, with its 80 % interval. `error` is what the same forecast of the period before,
    as many days into it, was off by: 0.04 is 4 % too high. None where it could not have been made, or nothing was
    spent."""

    nano: int
    low: int
    high: int
    error: float | None = None


def forecast(daily: Mapping[date, int], known_from: date, period: Period, today: date) -> Forecast | None:
    """The whole of `period`, of which the days before `today` are over.

    `daily` is spend by day, in nano units; a day that it lacks cost nothing, from `known_from` on, the first day of
    which anything is known. None: too little history.
    """
    made = _forecast(daily, known_from, period, today)
    if made is None:
        return None
    return Forecast(*made, error=_last_error(daily, known_from, period, today))


def _forecast(
    daily: Mapping[date, int], known_from: date, period: Period, today: date
) -> tuple[int, int, int] | None:
    if (today - known_from).days < ENOUGH_DAYS:
        return None
    so_far = sum(daily.get(day, 0) for day in period.days() if day < today)
    left = [day for day in period.days() if day >= today]
    usual = {
        weekday: _usual(daily, known_from, today, weekday) for weekday in {day.weekday() for day in left}
    }
    trend = _trend(daily, known_from, today)
    expected = so_far + round(sum(median(usual[day.weekday()]) * trend for day in left))
    weeks: dict[int, list[Sequence[int]]] = {}
    for day in left:
        weeks.setdefault((day - today).days // 7, []).append(usual[day.weekday()])
    steps = _steps(daily, known_from, today)
    low, high = _interval(list(weeks.values()), trend, steps, _seed(so_far, left, usual))
    # The interval is about sums of days, the expectation of medians: together they must not contradict each other.
    return expected, min(so_far + low, expected), max(so_far + high, expected)


def _usual(daily: Mapping[date, int], known_from: date, today: date, weekday: int) -> list[int]:
    """The last four days of a weekday before today, as far as they are known."""
    last = today - timedelta(days=(today.weekday() - weekday - 1) % 7 + 1)
    days = [last - n * _WEEK for n in range(SAME_WEEKDAYS)]
    return [daily.get(day, 0) for day in days if day >= known_from]


def _trend(daily: Mapping[date, int], known_from: date, today: date) -> float:
    """The last seven days against a mean week of those that are known of the last four."""
    weeks = min((today - known_from).days // 7, SAME_WEEKDAYS)
    by_week = [
        sum(daily.get(today - timedelta(days=7 * week + day), 0) for day in range(1, 8))
        for week in range(weeks)
    ]
    mean = sum(by_week) / len(by_week)
    return min(max(by_week[0] / mean, TREND[0]), TREND[1]) if mean > 0 else 1.0


def _steps(daily: Mapping[date, int], known_from: date, today: date) -> list[float]:
    """By what factor, as a logarithm without its sign, each of the last weeks differed from the one before."""
    weeks = min((today - known_from).days // 7, STEP_WEEKS + 1)
    sums = [
        sum(daily.get(today - timedelta(days=7 * week + day), 0) for day in range(1, 8))
        for week in range(weeks)
    ]
    limit = math.log(TREND[1])
    return [
        min(abs(math.log(now / before)), limit) if now > 0 and before > 0 else limit
        for now, before in pairwise(sums)
        if now > 0 or before > 0
    ] or [limit]


def _interval(
    weeks: Sequence[Sequence[Sequence[int]]], trend: float, steps: Sequence[float], seed: int
) -> tuple[int, int]:
    random = Random(seed)
    sums = []
    for _ in range(DRAWS):
        level, total = 0.0, 0.0
        for days in weeks:
            level += random.choice(steps) * random.choice((1, -1))
            total += math.exp(level) * sum(random.choice(like) for like in days)
        sums.append(total)
    sums.sort()
    outside = (1 - CONFIDENCE) / 2
    low, high = (sums[min(int(edge * DRAWS), DRAWS - 1)] for edge in (outside, 1 - outside))
    return round(low * trend), round(high * trend)


def _seed(so_far: int, left: Sequence[date], usual: Mapping[int, Sequence[int]]) -> int:
    """The same figures draw the same days."""
    said = repr((so_far, left, sorted(usual.items()))).encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest())


def _last_error(daily: Mapping[date, int], known_from: date, period: Period, today: date) -> float | None:
    before = _before(period)
    into = before.first + min(today - period.first, before.after - before.first)
    made = _forecast(daily, known_from, before, into) if before.first >= known_from else None
    actual = sum(daily.get(day, 0) for day in before.days())
    return made[0] / actual - 1 if made is not None and actual > 0 else None


def _before(period: Period) -> Period:
    """The period of the same kind before: a month for a month, as many days for anything else."""
    last = period.first - timedelta(days=1)
    whole_month = period.first.day == 1 and period.after.day == 1
    first = last.replace(day=1) if whole_month else period.first - (period.after - period.first)
    return Period(first, period.first, period.zone)
