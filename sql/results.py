"""What a KPI run gives back: typed, with everything a reader needs to judge the number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from uptake.calendar import Period

Unit = Literal["share", "count", "money"]
Direction = Literal["up", "down", "none"]


@dataclass(frozen=True, slots=True)
class KpiResult:
    """One KPI of one audience in one period.

    `value` is None when it is not known (no denominator, no event heard, or suppressed): that is not 0. For `unit`
    "share" it is `numerator / denominator`, for "count" and "money" it is the numerator (money in nano units
    of `currency`). `interval` is the Wilson 95 % interval of a share. `excluded` counts what was left out, by
    name; `extras` holds further additive figures of the query (for instance decided and shown answers).
    `suppressed`: the people cell was too small to be shown; numerator, denominator, interval and extras are
    then empty.
    """

    kpi: str
    period: Period
    teams: tuple[str, ...]
    unit: Unit
    value: float | int | None
    numerator: int | None
    denominator: int | None
    interval: tuple[float, float] | None
    definition_version: int
    direction: Direction = "none"
    currency: str = ""
    excluded: Mapping[str, int] = field(default_factory=dict)
    extras: Mapping[str, int] = field(default_factory=dict)
    suppressed: bool = False
