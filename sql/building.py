"""A KPI's rows become its result: add them up, divide, measure, and leave out what is not to be shown. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from uptake.calendar import Period
from uptake.sql.catalogue import KpiDefinition
from uptake.sql.cells import Cell, Context, Measured
from uptake.sql.measures import MEASURES
from uptake.sql.results import KpiResult, Source
from uptake.stats import wilson


@dataclass(frozen=True, slots=True)
class Subject:
    """What a result is about: a KPI in a period, of some teams and apps (none: all), counted from `source`."""

    definition: KpiDefinition
    period: Period
    currency: str
    source: Source
    teams: tuple[str, ...] = ()
    apps: tuple[str, ...] = ()
    key: str = ""


def cells_of(definition: KpiDefinition, rows: Iterable[Mapping[str, object]]) -> list[Cell]:
    """The rows of a query, read."""
    cells = []
    for row in rows:
        figures = dict(row)
        team = str(figures.pop("team"))
        keys = tuple(str(figures.pop(column)) for column in definition.by)
        cells.append(Cell(team, keys, {name: int(str(figure)) for name, figure in figures.items()}))
    return cells


def chosen(
    definition: KpiDefinition, cells: Iterable[Cell], teams: Collection[str], apps: Collection[str]
) -> list[Cell]:
    """The rows of some teams and apps (none: all). Rows that are of no app are of all: their query has chosen."""
    place = list(definition.by).index("app") if "app" in definition.by else None
    return [
        cell
        for cell in cells
        if (not teams or cell.team in teams) and (not apps or place is None or cell.keys[place] in apps)
    ]


def sizes(definition: KpiDefinition, cells: Iterable[Cell]) -> dict[str, int]:
    """People by team, of a KPI about people; empty for any other."""
    found: dict[str, int] = {}
    if definition.people != "none":
        for cell in cells:
            found[cell.team] = found.get(cell.team, 0) + cell.figures[definition.people]
    return found


def build(subject: Subject, cells: Sequence[Cell], *, suppressed: bool, silent: bool) -> KpiResult:
    """The result. A missing row adds nothing: teams without events have none. `silent`: nothing was heard in the
    period, so that a count of nothing is not known."""
    definition = subject.definition

    def total(column: str) -> int:
        return sum(cell.figures[column] for cell in cells)

    measured = _measured(definition, cells, Context(subject.period))
    unknown = silent and not measured.numerator
    hidden = suppressed or unknown
    return KpiResult(
        kpi=definition.name,
        period=subject.period,
        teams=subject.teams,
        unit=definition.unit,
        value=None if hidden else measured.value,
        numerator=None if suppressed else measured.numerator,
        denominator=None if suppressed else measured.denominator,
        interval=None if hidden else measured.interval,
        definition_version=definition.definition_version,
        direction=definition.direction,
        currency=subject.currency if definition.unit in ("money", "unit_money") else "",
        excluded={} if suppressed else {n: total(f"excluded_{n}") for n in definition.excludes},
        extras={} if suppressed else {n: total(f"extra_{n}") for n in definition.extras},
        parts={} if suppressed else {n: total(f"part_{n}") for n in definition.parts},
        details={} if hidden else measured.details,
        suppressed=suppressed,
        apps=subject.apps if definition.by_app else (),
        key=subject.key,
        source=subject.source,
    )


def _measured(definition: KpiDefinition, cells: Sequence[Cell], context: Context) -> Measured:
    if definition.measure is not None:
        return MEASURES[definition.measure](cells, context)
    numerator = sum(cell.figures["numerator"] for cell in cells)
    if not definition.divides:
        return Measured(numerator, numerator=numerator)
    denominator = sum(cell.figures["denominator"] for cell in cells)
    interval = wilson(numerator, denominator) if definition.interval == "wilson" and denominator else None
    return Measured(numerator / denominator if denominator else None, interval, numerator, denominator)
