"""How long until something happens, where some are still waiting: Kaplan–Meier.

- Kaplan, E. L. and Meier, P. (1958), "Nonparametric estimation from incomplete observations", JASA 53, 457–481: the
  curve, and Greenwood's variance of it.
- Kalbfleisch, J. D. and Prentice, R. L. (1980), The Statistical Analysis of Failure Time Data, Wiley: the interval on
  the scale of log(−log S), which stays between 0 and 1.
- Brookmeyer, R. and Crowley, J. (1982), "A confidence interval for the median survival time", Biometrics 38, 29–41: the
  days at which one half is inside the interval of the curve; here of the log-log interval, as in Klein, J. P. and
  Moeschberger, M. L. (2003), Survival Analysis, 2nd edition, Springer, section 4.5.

scipy has the curve (`scipy.stats.ecdf`) but no median, and whether a curve stands at exactly one half is a question for
whole numbers. So both are computed from these here, and a test compares the curve with scipy's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

from uptake.stats.shares import ALPHA


@dataclass(frozen=True, slots=True)
class Step:
    """A day with events. `share` are those without the event after it, `error` is Greenwood's standard error.

    `at_risk` had neither had the event nor been lost before that day. Error and interval are None once nobody is left.
    """

    day: int
    at_risk: int
    events: int
    share: float
    error: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Survival:
    """A Kaplan–Meier curve. `median` is the first day on which half or fewer are without the event, None where the
    curve never comes so low; a side of `median_interval` is None where it is not reached."""

    people: int
    events: int
    curve: tuple[Step, ...]
    last_day: int
    median: int | None
    median_interval: tuple[int | None, int | None]

    def at(self, day: int) -> float | None:
        """The share without the event on the evening of `day`. None once nobody is observed any more, unless all
        had the event by then."""
        step = self._step(day)
        if day > self.last_day and not (step and step.share == 0):
            return None
        return step.share if step else 1.0

    def interval(self, day: int) -> tuple[float, float] | None:
        """The interval of `at(day)`. None where that is not known, and before the first event and after the last
        person's, where the method gives none."""
        step = self._step(day)
        return step.interval if step and day <= self.last_day else None

    def _step(self, day: int) -> Step | None:
        return next((step for step in reversed(self.curve) if step.day <= day), None)


def kaplan_meier(days: Mapping[int, tuple[int, int]], confidence: float = 1 - ALPHA) -> Survival | None:
    """The curve of people by the days they were observed: day → (had the event then, last seen then without it).

    Who is last seen on a day is at risk of that day's events. Nobody: None.
    """
    if any(events < 0 or censored < 0 for events, censored in days.values()):
        raise ValueError("counts of people are not negative")
    people = sum(events + censored for events, censored in days.values())
    if people == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    at_risk, left, of, greenwood, curve = people, 1, 1, 0.0, []
    halved: int | None = None
    for day in sorted(days):
        events, censored = days[day]
        if events:
            left, of = left * (at_risk - events), of * at_risk
            if halved is None and 2 * left <= of:
                halved = day
            if left:
                greenwood += events / (at_risk * (at_risk - events))
                curve.append(_step(day, at_risk, events, left / of, math.sqrt(greenwood), z))
            else:
                curve.append(Step(day, at_risk, events, 0.0, None, None))
        at_risk -= events + censored
    return Survival(
        people=people,
        events=sum(events for events, _ in days.values()),
        curve=tuple(curve),
        last_day=max(day for day, counts in days.items() if any(counts)),
        median=halved,
        median_interval=(_half(curve, 0), _half(curve, 1)),
    )


def _step(day: int, at_risk: int, events: int, share: float, relative_error: float, z: float) -> Step:
    spread = math.exp(z * relative_error / -math.log(share))
    return Step(day, at_risk, events, share, share * relative_error, (share**spread, share ** (1 / spread)))


def _half(curve: list[Step], side: int) -> int | None:
    return next((step.day for step in curve if step.interval and step.interval[side] <= 0.5), None)
