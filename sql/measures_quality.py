"""Measures of what people made of answers, and of how long they waited. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from uptake.sql.cells import Cell, Context, Measured
from uptake.stats import nps, quantile_of_buckets, quantile_of_counts

BEYOND = {"p25": 0.25, "p75": 0.75, "p90": 0.9}
SLOW = {"p90": 0.9, "p95": 0.95}


def net_promoter(cells: Sequence[Cell], context: Context) -> Measured:
    """The net promoter score in points, with its interval."""
    parts = ("part_promoters", "part_passives", "part_detractors")
    counts = [sum(cell.figures[part] for cell in cells) for part in parts]
    difference, answers = counts[0] - counts[2], sum(counts)
    score = nps(*counts)
    if score is None:
        return Measured(None, numerator=0, denominator=0)
    low, high = score.interval
    return Measured(100 * score.score, (100 * low, 100 * high), difference, answers)


def severity(cells: Sequence[Cell], context: Context) -> Measured:
    """The median of severities counted by hundredths (the first key after the app), other quartiles beside it."""
    counts = _by_last_key(cells)
    edited = sum(counts.values())
    middle = quantile_of_counts(counts, 0.5)
    if middle is None:
        return Measured(None, numerator=0)
    beside = {name: (quantile_of_counts(counts, q) or 0) / 100 for name, q in BEYOND.items()}
    return Measured(middle / 100, numerator=edited, details=beside)


def duration(cells: Sequence[Cell], context: Context) -> Measured:
    """The median in milliseconds of durations counted by exponential buckets: the geometric middle of the bucket, whose
    edges are `low` and `high`."""
    counts = _by_last_key(cells)
    bounds = quantile_of_buckets(counts, 0.5)
    if bounds is None:
        return Measured(None, numerator=0)
    beside = {"low": bounds[0], "high": bounds[1]}
    for name, q in SLOW.items():
        found = quantile_of_buckets(counts, q)
        if found is not None:
            beside[name] = _middle(found)
    return Measured(_middle(bounds), numerator=sum(counts.values()), details=beside)


def _middle(bounds: tuple[float, float]) -> float:
    return float((bounds[0] * bounds[1]) ** 0.5)


def _by_last_key(cells: Sequence[Cell]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for cell in cells:
        if cell.figures["numerator"]:
            counts[int(cell.keys[-1])] += cell.figures["numerator"]
    return counts
