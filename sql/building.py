"""A KPI's rows become its result: add them up, divide, measure, and leave out what is not to be shown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from uptake.calendar import Period
from uptake.sql.catalogue import KpiDefinition
from uptake.sql.cells import Cell, Context, Measured, PriceInputs
from uptake.sql.measures import MEASURES
from uptake.sql.results import KpiResult, Source
from uptake.sql.suppression import ShownParts, shown_people
from uptake.sql.suppression.people import is_small
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
    input_rates: PriceInputs | None = None
    bare: bool = False


def cells_of(definition: KpiDefinition, rows: Iterable[Mapping[str, object]]) -> list[Cell]:
    """The rows of a query, read."""
    columns, by = {"team", *definition.by}, tuple(definition.by)
    cells = []
    for row in rows:
        figures = {name: _integer(figure) for name, figure in row.items() if name not in columns}
        cells.append(Cell(str(row["team"]), tuple(str(row[column]) for column in by), figures))
    return cells


def _integer(figure: object) -> int:
    return figure if isinstance(figure, int) else int(str(figure))


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


Cells = frozenset[tuple[tuple[str, str], int]]
"""People by team and part, as `ShownParts` takes them."""

_NUMERATOR, _REST, _COUNTED, _ALL = "numerator", "rest", "counted", ""


def people_of(definition: KpiDefinition, cells: Iterable[Cell]) -> Cells:
    """Who is counted, of a KPI about people; nobody of any other. People are divided as the KPI shows them: into its
    parts, else into those whom the numerator counts and the others, else not at all."""
    found: Counter[tuple[str, str]] = Counter()
    if definition.people != "none":
        for cell in cells:
            for part, people in _parts(definition, cell.figures).items():
                found[cell.team, part] += people
    return frozenset(found.items())


def _parts(definition: KpiDefinition, figures: Mapping[str, int]) -> dict[str, int]:
    if definition.parts:
        return {part: figures[f"part_{part}"] for part in definition.parts}
    people = figures[definition.people]
    if not _counts_people_of_people(definition):
        return {_REST: people}
    return {_NUMERATOR: figures["numerator"], _REST: people - figures["numerator"]}


def beside_of(definition: KpiDefinition, cells: Collection[Cell]) -> dict[str, Cells]:
    """Who is counted beside a KPI about people, by column, as `ShownParts` takes them: those whom it counts, and the
    others of the column that it is a part of."""
    found: dict[str, Cells] = {}
    for name, whole in definition.people_beside.items():
        column = f"extra_{name}" if name in definition.extras else f"excluded_{name}"
        people: Counter[tuple[str, str]] = Counter()
        for cell in cells:
            people[cell.team, _COUNTED] += cell.figures[column]
            if whole:
                people[cell.team, _REST] += cell.figures[whole] - cell.figures[column]
        found[name] = frozenset(people.items())
    return found


def _counts_people_of_people(definition: KpiDefinition) -> bool:
    """Only a share of people has Wilson's interval: person-days and money a person have none."""
    return definition.people == "denominator" and definition.interval == "wilson"


def decide(definition: KpiDefinition, people: Cells, audiences: Iterable[Collection[str]]) -> ShownParts:
    """What of a KPI's people may be shown."""
    unions = [definition.numerator_of] if definition.numerator_of else []
    return ShownParts(dict(people), audiences, unions)


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is not shown of one result: all of it, its numerator and why, some of its parts, and of what stands beside.
    `few`: details that would count out one to four people are not shown."""

    all: bool = False
    numerator: Literal["", "small", "complement"] = ""
    parts: frozenset[str] = frozenset()
    beside: frozenset[str] = frozenset()
    few: bool = False


def hidden_of(
    definition: KpiDefinition,
    shown: ShownParts,
    teams: Collection[str],
    beside: Mapping[str, ShownParts | None] = MappingProxyType({}),
) -> Hidden:
    """`shown` is about the KPI's people, `beside` about those who are counted beside it, by column (None: not to be
    shown)."""
    if definition.people == "none" or not shown.parts:
        return Hidden()
    if not shown.may_show(teams):
        return Hidden(all=True)
    small = frozenset(
        name for name, people in beside.items() if not (people and people.may_show(teams, _COUNTED))
    )
    parts = frozenset(part for part in definition.parts if not shown.may_show(teams, part))
    counted: Collection[str] = ()
    if definition.parts:
        counted = definition.numerator_of
        if not counted and parts:
            return Hidden(numerator="complement", parts=parts, beside=small, few=True)
    elif _counts_people_of_people(definition):
        counted = (_NUMERATOR,)
    why = shown.why(teams, *counted) if counted else "shown"
    return Hidden(numerator="" if why == "shown" else why, parts=parts, beside=small, few=True)


def given_away(
    definition: KpiDefinition, by_key: Mapping[str, Collection[Cell]], results: Mapping[str, KpiResult]
) -> frozenset[str]:
    """Keys of a breakdown that are not to be shown, because the others of the same people would give away one to four
    of those that are hidden: the smallest ones, until as many are hidden of each number as may be told."""
    people: dict[str, Counter[str]] = {}
    for key, cells in by_key.items():
        found: Counter[str] = Counter()
        for (_, part), n in people_of(definition, cells):
            found[part] += n
            found[_ALL] += n
            if part in definition.numerator_of:
                found[_NUMERATOR] += n
        people[key] = found
    figures = sorted({figure for found in people.values() for figure in found})
    hidden = {figure: {key for key, r in results.items() if not _shows(r, figure)} for figure in figures}
    keys: set[str] = set()
    while True:
        more = {
            min((people[key][figure], key) for key in left)[1]
            for figure in figures
            if is_small(sum(people[key][figure] for key in hidden[figure] | keys))
            and (left := {k for k in people if people[k][figure]} - hidden[figure] - keys)
        }
        if not more:
            return frozenset(keys)
        keys |= more


def _shows(result: KpiResult, figure: str) -> bool:
    if result.suppressed or figure == _ALL:
        return not result.suppressed
    return result.parts[figure] is not None if figure in result.parts else not result.hidden


def build(subject: Subject, cells: Sequence[Cell], hidden: Hidden, *, silent: bool) -> KpiResult:
    """The result. A missing row adds nothing: teams without events have none. `silent`: nothing was heard in the
    period, so that a count of nothing is not known."""
    definition = subject.definition

    def total(column: str) -> int:
        return sum(cell.figures[column] for cell in cells)

    measured = _measured(definition, cells, Context(subject.period, subject.input_rates))
    unknown = silent and not measured.numerator
    no_value = hidden.all or unknown or bool(hidden.numerator)
    parts = {name: None if name in hidden.parts else total(f"part_{name}") for name in definition.parts}
    part_of = definition.extras_of_part
    extras = {n: total(f"extra_{n}") for n in definition.extras if part_of.get(n) not in hidden.parts}
    excluded = {n: total(f"excluded_{n}") for n in definition.excludes}
    for name in hidden.beside:
        extras.pop(name, None)
        excluded.pop(name, None)
    return KpiResult(
        kpi=definition.name,
        period=subject.period,
        teams=subject.teams,
        unit=definition.unit,
        value=None if no_value else measured.value,
        numerator=None if hidden.all or hidden.numerator else measured.numerator,
        denominator=None if hidden.all else measured.denominator,
        interval=None if no_value else measured.interval,
        definition_version=definition.definition_version,
        direction=definition.direction,
        currency=subject.currency if definition.holds_money else "",
        excluded={} if hidden.all else excluded,
        extras={} if hidden.all or subject.bare else extras,
        parts={} if hidden.all else parts,
        details={} if no_value else _details(measured, hidden),
        suppressed=hidden.all,
        hidden=hidden.numerator,
        apps=subject.apps if definition.by_app else (),
        key=subject.key,
        source=subject.source,
    )


def _details(measured: Measured, hidden: Hidden) -> Mapping[str, float]:
    """What a measure says beside its value, without what counts out few people."""
    if not hidden.few:
        return measured.details
    counted = measured.people.items()
    small = {name for name, (some, of) in counted if None in (shown_people(some), shown_people(of - some))}
    return {name: figure for name, figure in measured.details.items() if name not in small}


def _measured(definition: KpiDefinition, cells: Sequence[Cell], context: Context) -> Measured:
    if definition.measure is not None:
        return MEASURES[definition.measure](cells, context)
    numerator = sum(cell.figures["numerator"] for cell in cells)
    if not definition.divides:
        return Measured(numerator, numerator=numerator)
    denominator = sum(cell.figures["denominator"] for cell in cells)
    interval = wilson(numerator, denominator) if definition.interval == "wilson" and denominator else None
    return Measured(numerator / denominator if denominator else None, interval, numerator, denominator)
