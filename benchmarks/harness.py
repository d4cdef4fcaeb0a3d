"""What every benchmark shares: a row of the table that `make bench` prints, and the medians behind it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what was measured, its median and spread, and how it stands to what it is compared with.

    `value` and `spread` are texts with their unit. `ratio` is this figure over the one that `against` names, in
    the same run; `goal` is what the issue asks of the ratio or value, empty where it asks nothing.
    """

    what: str
    value: str
    spread: str = ""
    ratio: str = ""
    against: str = ""
    goal: str = ""


def repeat(work: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """(median, lowest, highest) of what `work` returns over `rounds` calls."""
    results = sorted(work() for _ in range(rounds))
    return statistics.median(results), results[0], results[-1]


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
