"""Where a target stands: reached, on track, behind, and when nothing can be said. Pure.

The way from the baseline to the target is a straight line in time; whoever is on or beyond it is on track, and a value
whose interval holds the line is not told to be behind. A baseline that was taken by another definition, or with other
apps, is not compared with: the difference would be of the ruler, not of the people.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Literal

from uptake.calendar import IsoWeek, Period
from uptake.sql.results import KpiResult
from uptake.workspace.models import Kpi, Target

State = Literal["unknown", "reached", "on_track", "unclear", "behind", "missed", "open"]
Closed = Literal["", "no_baseline", "undated", "definition", "apps", "partial"]

OF_A_WEEK = (Kpi.ADOPTION, Kpi.STICKINESS)
"""More people use an app in a month than in a week: a longer period is another ruler than the week of the baseline."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`state`: "open" says that there is time left and no baseline to judge the way by; `closed` says why ("partial":
    only a part of the period is known).
    `progress` is the part of the way from the baseline that is done (may be negative, or above 1), `expected` where the
    line stands; both None where the comparison is closed or the value is not known. `short` is what is missing to the
    target, as a share; None where it is reached or not known."""

    target: Target
    state: State
    closed: Closed = ""
    progress: float | None = None
    expected: float | None = None
    short: float | None = None


def judged_over(kpi: Kpi, period: Period) -> Period:
    """The part of a closed period that a target is judged on: all of it, or its last whole week."""
    week = IsoWeek.of(period.after).shift(-1).period(period.zone)
    return week if kpi in OF_A_WEEK and week.first >= period.first else period


def stand(target: Target, result: KpiResult, apps: Collection[str], zone: str) -> Standing:
    """A target against its KPI in a closed period, whose last day it is judged on; `apps` are those registered then."""
    closed = _closed(target, result, apps)
    if result.value is None:
        return Standing(target, "unknown", closed)
    value, day = float(result.value), result.period.last
    progress, expected = (None, None) if closed else _way(target, value, day, zone)
    if _at_least(value, target.target, result):
        return Standing(target, "reached", closed, progress, expected)
    state = _on_the_way(value, day, target, expected, result)
    return Standing(target, state, closed, progress, expected, abs(target.target - value))


def _on_the_way(value: float, day: date, target: Target, expected: float | None, result: KpiResult) -> State:
    if day >= target.due:
        return "missed"
    if expected is None:
        return "open"
    if _at_least(value, expected, result):
        return "on_track"
    low, high = result.interval or (value, value)
    return "unclear" if low <= expected <= high else "behind"


def _closed(target: Target, result: KpiResult, apps: Collection[str]) -> Closed:
    baseline = target.baseline
    if baseline is None:
        return "no_baseline"
    if baseline.week is None or baseline.definition_version is None or baseline.apps is None:
        return "undated"
    if baseline.definition_version != result.definition_version:
        return "definition"
    return "apps" if set(baseline.apps) != set(apps) else ""


def _way(target: Target, value: float, day: date, zone: str) -> tuple[float | None, float | None]:
    baseline = target.baseline
    assert baseline is not None
    assert baseline.week is not None
    start = IsoWeek.parse(baseline.week).period(zone).last
    length, gone = (target.due - start).days, (day - start).days
    whole = target.target - baseline.value
    expected = baseline.value + whole * min(max(gone / length, 0.0), 1.0) if length > 0 else target.target
    return ((value - baseline.value) / whole if whole else None), expected


def _at_least(value: float, wanted: float, result: KpiResult) -> bool:
    return value <= wanted if result.direction == "down" else value >= wanted
