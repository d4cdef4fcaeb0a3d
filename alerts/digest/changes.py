"""What changed against the period before, and whether that is clear. Pure.

People are compared with themselves where they can be told apart, answers by two independent shares, whatever has an
interval by its interval. What none of these fits gets no verdict.
"""

from __future__ import annotations

from uptake.alerts.digest.inputs import DigestInputs
from uptake.sql.results import KpiResult
from uptake.stats import ALPHA, Change, compare_intervals, compare_shares, mcnemar_exact

OF_ANSWERS = ("override_rate", "thumbs_down", "error_rate", "reasons")
"""Shares of answers and calls: others each period."""

OF_PEOPLE = ("habits", "habits_4_weeks", "seats")
"""Shares of people who are mostly the same in both periods, of whom nobody counts who changed."""

BY_INTERVAL = ("nps",)

ROSTER_MOVED = 0.1
"""A share of people that moves so far while few people did was moved by the roster: that is no "no clear change"."""


def compare(inputs: DigestInputs) -> dict[str, Change]:
    """The tested change of each KPI where both periods are known, by KPI."""
    changes: dict[str, Change] = {}
    for name, now in inputs.this.items():
        then = inputs.before.get(name)
        if then is None or now.value is None or then.value is None:
            continue
        change = _change(name, then, now, inputs)
        if change is not None:
            changes[name] = change
    return changes


def _change(name: str, then: KpiResult, now: KpiResult, inputs: DigestInputs) -> Change | None:
    if name == "adoption":
        return inputs.pairs.change if inputs.pairs is not None else None
    if name in OF_ANSWERS and then.denominator and now.denominator:
        return compare_shares(then.numerator or 0, then.denominator, now.numerator or 0, now.denominator)
    if name in OF_PEOPLE:
        return _of_people(then, now)
    if name in BY_INTERVAL and then.interval and now.interval:
        # in points, as its value is
        return compare_intervals(float(then.value or 0), then.interval, float(now.value or 0), now.interval)
    return None


def _of_people(then: KpiResult, now: KpiResult) -> Change | None:
    """Not clear where it could not be even if all who changed had gone one way; else nobody can say."""
    if not (then.denominator and now.denominator):
        return None
    moved = abs((now.numerator or 0) - (then.numerator or 0))
    difference = float(now.value or 0) - float(then.value or 0)
    if mcnemar_exact(moved, 0) < ALPHA or abs(difference) >= ROSTER_MOVED:
        return None
    return Change(difference, clear=False)
