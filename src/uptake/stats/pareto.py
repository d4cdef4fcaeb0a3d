"""Which few reasons make up most of a total."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Bar(NamedTuple):
    """One code of a Pareto chart: how often it occurs, its share of all, and the share of it and all larger ones."""

    code: str
    n: int
    share: float
    cumulative: float


def pareto(counts: Mapping[str, int]) -> list[Bar]:
    """The codes that occur, most frequent first and equal ones by name; the last cumulative share is exactly 1."""
    if any(count < 0 for count in counts.values()):
        raise ValueError("counts are not negative")
    total, running, bars = sum(counts.values()), 0, []
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count:
            running += count
            bars.append(Bar(code, count, count / total, running / total))
    return bars
