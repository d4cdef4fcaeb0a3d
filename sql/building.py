"""A KPI's rows become its result: add them up, divide, measure, and leave out what is not to be shown. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from uptake.calendar import Period
from uptake.sql.catalogue import KpiDefinition
from uptake.sql.cells import Cell, Context, Measured, PriceInputs
from uptake.sql.measures import MEASURES
from uptake.sql.results import KpiResult, Source
from uptake.sql.suppression import BothShown, Earlier, ShownParts, shown_people
from uptake.sql.suppression.overlay import OTHER
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

_NUMERATOR, _REST, _PEOPLE, _COUNTED = "numerator", "rest", "people", "counted"
_OF_SOME_APPS: Mapping[str, tuple[str, ...]] = {_NUMERATOR: (_NUMERATOR,), _REST: (_NUMERATOR, _REST)}
"""Who uses one of some apps uses one at all."""


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
        found = {part: figures[f"part_{part}"] for part in definition.parts}
        for name, part in definition.within_part.items():
            found[name] = figures[f"extra_{name}"]
            found[part] -= found[name]
        return found
    people = figures[definition.people]
    if not _counts_people_of_people(definition):
        return {_PEOPLE: people}
    return {_NUMERATOR: figures["numerator"], _REST: people - figures["numerator"]}


def beside_of(definition: KpiDefinition, cells: Collection[Cell]) -> dict[str, Cells]:
    """Who is counted beside a KPI about people, by column, as `ShownParts` takes them: those whom it counts, and the
    others of the column that it is a part of. Those of the period itself in the order in which they are decided."""
    found: dict[str, Cells] = {}
    for name in sorted(definition.people_beside.keys() - definition.within_part.keys(), key=_place):
        column = f"extra_{name}" if name in definition.extras else f"excluded_{name}"
        whole = "" if is_of_period(definition, name) else definition.people_beside[name]
        people: Counter[tuple[str, str]] = Counter()
        for cell in cells:
            people[cell.team, _COUNTED] += cell.figures[column]
            if whole:
                people[cell.team, _REST] += cell.figures[whole] - cell.figures[column]
        found[name] = frozenset(people.items())
    return found


OF_PERIOD = ("off_roster", "in_grace", "without_seat")
"""Who uses something in a period without being eligible, in the order in which it is decided."""


def _place(name: str) -> tuple[int, str]:
    return OF_PERIOD.index(name) if name in OF_PERIOD else len(OF_PERIOD), name


def is_of_period(definition: KpiDefinition, name: str) -> bool:
    return definition.beside_of_period and name in OF_PERIOD


def within_whole(definition: KpiDefinition, name: str) -> Mapping[str, Sequence[str]]:
    """In which of a KPI's parts the people of a column beside it are, and the rest of the whole; nowhere if the whole
    is not its people."""
    whole = definition.people_beside[name]
    return dict.fromkeys((_COUNTED, _REST), definition.people_parts) if whole == definition.people else {}


def within_others(name: str, users: ShownParts) -> Mapping[str, Sequence[str]]:
    """In which pieces those of the period are: of its active users the ones that are not eligible, who have a seat if
    they are in grace, and a state of it if seats were decided before."""
    pieces = {piece for _, piece in users.divided().cells}
    others = {piece for piece in pieces if piece.endswith(f"{_PEOPLE}/") and _COUNTED not in piece}
    seated = {piece for piece in others if piece.strip("/") != _PEOPLE}
    return {_COUNTED: sorted((seated or others) if name == "in_grace" else others - seated)}


def _counts_people_of_people(definition: KpiDefinition) -> bool:
    """Only a share of people has Wilson's interval: person-days and money a person have none."""
    return definition.people == "denominator" and definition.interval == "wilson"


def decided_before(definition: KpiDefinition, period: Period, apps: Collection[str]) -> str:
    """The KPI, of the same period, that is decided before this one, "" for none: before a share of the people of some
    apps the same of all apps."""
    if definition.people_with:
        days = (period.after - period.first).days
        least, most = definition.people_with_days or (days, days)
        return definition.people_with if least <= days <= most else ""
    return definition.name if apps and _counts_people_of_people(definition) and not definition.parts else ""


def is_undivided_count(definition: KpiDefinition, first: str) -> bool:
    """Whether some apps' people are to be decided beside those of all apps as well: they are neither parts of what was
    decided `first` nor just its people."""
    within = definition.people_within.get(_PEOPLE, ())
    return bool(first) and definition.by_app and OTHER in within


def decide(
    definition: KpiDefinition,
    people: Cells,
    audiences: Iterable[Collection[str]],
    before: ShownParts | None = None,
    once: Cells = frozenset(),
    asides: Iterable[Collection[str]] = (),
) -> ShownParts | BothShown:
    """What of a KPI's people may be shown, beside what is shown of those that were decided `before`. `once`: of
    answers, the people who gave them, each in one part. `asides`: groups that are worth more than a single team."""
    unions = [definition.numerator_of] if definition.numerator_of else []
    unions += definition.unions
    unions += [_names(definition, part) for part in dict.fromkeys(definition.within_part.values())]
    earlier = None
    if before:
        within = definition.people_within or _OF_SOME_APPS
        earlier = Earlier(before, within, same=OTHER not in within.get(_PEOPLE, (OTHER,)))
    shown = ShownParts(dict(people), audiences, unions, earlier, asides)
    return BothShown(shown, ShownParts(dict(once), audiences, unions)) if once else shown


def _names(definition: KpiDefinition, part: str) -> tuple[str, ...]:
    """What a part is decided as: itself, or those of it who are counted beside the KPI and the others."""
    return (part, *(name for name, of in definition.within_part.items() if of == part))


def once_of(definition: KpiDefinition, cells: Iterable[Cell]) -> Cells:
    """The people behind answers, where one may give several."""
    found: Counter[tuple[str, str]] = Counter()
    if definition.people_once:
        for cell in cells:
            for part in definition.parts:
                found[cell.team, part] += cell.figures[f"once_{part}"]
    return frozenset(found.items())


def sides_of(definition: KpiDefinition, cells: Iterable[Cell]) -> tuple[frozenset[str], ...]:
    """The two groups of teams that a KPI compares; none of any other. A team that counts nobody is on neither."""
    if not definition.sides:
        return ()
    figures: dict[str, Counter[str]] = {}
    for cell in cells:
        figures.setdefault(cell.team, Counter()).update(cell.figures)
    counted = {team: found for team, found in figures.items() if found["denominator"]}
    first = frozenset(team for team, found in counted.items() if found[definition.sides] > 0)
    return first, frozenset(counted) - first


def sides_within(
    sides: Iterable[frozenset[str]], audiences: Iterable[Collection[str]]
) -> Iterator[frozenset[str]]:
    """The groups that are compared, of everybody and of each audience."""
    for side in sides:
        yield from (side, *(side & frozenset(audience) for audience in audiences))


def beside_all_apps(
    people: Cells, audiences: Iterable[Collection[str]], whole: ShownParts | BothShown
) -> ShownParts:
    """What of some apps' people may be shown beside what is shown of all apps' (`whole`), of whom they are some."""
    of_all = whole.one if isinstance(whole, BothShown) else whole
    return ShownParts(dict(people), audiences, earlier=Earlier(of_all.whole(_PEOPLE), {_PEOPLE: (_PEOPLE,)}))


class Breakdown:
    """What of a KPI's people may be shown for each value of a column, of the teams and of all together: decided at
    once, after the KPI itself."""

    def __init__(
        self,
        definition: KpiDefinition,
        by_key: Mapping[str, Iterable[Cell]],
        audiences: Iterable[Collection[str]],
        whole: ShownParts | BothShown,
    ) -> None:
        self._parts: dict[str, list[str]] = {}
        cells: dict[tuple[str, str], int] = {}
        within: dict[str, tuple[str, ...]] = {}
        unions = []
        for key, some in by_key.items() if whole.parts else ():
            for (team, part), people in people_of(definition, some):
                name = _of_key(key, part)
                cells[team, name] = people
                within[name] = (part,)
                self._parts.setdefault(key, [])
                if name not in self._parts[key]:
                    self._parts[key].append(name)
            unions.append(self._parts.get(key, []))
            unions.append([_of_key(key, part) for part in definition.numerator_of])
        earlier = Earlier(whole.one if isinstance(whole, BothShown) else whole, dict(sorted(within.items())))
        self._shown = ShownParts(cells, audiences, [union for union in unions if union], earlier)

    def of(self, keys: Iterable[str]) -> OfKeys:
        return OfKeys(self._shown, tuple(keys), [name for key in keys for name in self._parts.get(key, ())])


class OfKeys:
    """What may be shown of some values of the column."""

    def __init__(self, shown: ShownParts, keys: Sequence[str], names: Sequence[str]) -> None:
        self.parts = frozenset(names)
        self._shown = shown
        self._keys = keys

    def may_show(self, teams: Collection[str], *parts: str) -> bool:
        whole = self._shown.may_show(teams, *self.parts)
        return whole and (not parts or self._shown.may_show(teams, *self._names(parts)))

    def why(self, teams: Collection[str], *parts: str) -> Literal["shown", "small", "complement"]:
        if self.may_show(teams, *parts):
            return "shown"
        return self._shown.why(teams, *self._names(parts))

    def _names(self, parts: Iterable[str]) -> list[str]:
        return [_of_key(key, part) for part in parts for key in self._keys]


def _of_key(key: str, part: str) -> str:
    return f"{key}\n{part}"


Decision = ShownParts | BothShown | OfKeys


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
    shown: Decision,
    teams: Collection[str],
    beside: Mapping[str, ShownParts | None] = MappingProxyType({}),
    sides: Iterable[frozenset[str]] = (),
) -> Hidden:
    """`shown` is about the KPI's people, `beside` about those who are counted beside it, by column (None: not to be
    shown). `sides` are the groups of teams that the KPI compares."""
    if definition.people == "none" or not shown.parts:
        return Hidden()
    if not shown.may_show(teams):
        return Hidden(all=True)
    small = frozenset(
        name for name, people in beside.items() if not (people and people.may_show(teams, _COUNTED))
    )
    small |= {name for name in definition.within_part if not shown.may_show(teams, name)}
    parts = frozenset(
        part for part in definition.parts if not shown.may_show(teams, *_names(definition, part))
    )
    counted: Collection[str] = ()
    if definition.parts:
        counted = definition.numerator_of
        if not counted and parts:
            return Hidden(numerator="complement", parts=parts, beside=small, few=True)
    elif _counts_people_of_people(definition):
        counted = (_NUMERATOR,)
    why = shown.why(teams, *counted) if counted else "shown"
    for side in sides:
        compared = side & frozenset(teams) if teams else side
        if why == "shown" and compared and not shown.may_show(compared, *counted):
            why = "complement"
    return Hidden(numerator="" if why == "shown" else why, parts=parts, beside=small, few=True)


def build(subject: Subject, cells: Sequence[Cell], hidden: Hidden, *, silent: bool) -> KpiResult:
    """The result. A missing row adds nothing: teams without events have none. `silent`: nothing was heard in the
    period, so that a count of nothing is not known."""
    definition = subject.definition

    def total(column: str) -> int:
        return sum(cell.figures[column] for cell in cells)

    measured = _measured(definition, cells, Context(subject.period, subject.input_rates))
    unknown = silent and not measured.numerator
    no_value = hidden.all or unknown or bool(hidden.numerator)
    parts = {
        name: None if unknown or name in hidden.parts else total(f"part_{name}") for name in definition.parts
    }
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
