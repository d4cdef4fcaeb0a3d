"""The rows of a KPI, and what a measure makes of them. Pure.

A KPI names its measure in kpi.yaml. A measure is given all rows of an audience, each of a team and of the columns that
the KPI's `by` explains, and makes of them the value, its interval and what stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import NamedTuple

from uptake.calendar import Period


class Cell(NamedTuple):
    """A row of a KPI's query: its team, the values of the columns that `by` explains (in that order), and its figures
    by column. Figures add up."""

    team: str
    keys: tuple[str, ...]
    figures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with what it was made of. None: not known. `people` says of which people a detail is a share, and of how
    many: neither they nor the others are counted out by it."""

    value: float | None
    interval: tuple[float, float] | None = None
    numerator: int | None = None
    denominator: int | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    people: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class InputRates(NamedTuple):
    """What an input token costs, in nano units: one that no cache knew, one read from the provider's cache, one written
    to it."""

    uncached: Fraction
    read: Fraction
    write: Fraction


PriceInputs = Callable[[str, str, str, date], InputRates | None]
"""The rates of a provider, a model, a service tier and a day; None where there is no price."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a measure knows beside its rows: the period that was asked for, and prices where somebody gave them."""

    period: Period
    input_rates: PriceInputs | None = None


Measure = Callable[[Sequence[Cell], Context], Measured]
