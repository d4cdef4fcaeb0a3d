"""The catalogue of KPIs: `sql/kpis/<name>/` holds `query.sql` and `kpi.yaml`; the path is the identity.

``python -m uptake.sql.catalogue docs`` writes the catalogue as Markdown to standard output (docs/kpis.md).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from uptake.errors import UsageError
from uptake.sql.results import Cadence, Direction, Unit

_COLUMN = re.compile(r"\bAS\s+(excluded|extra|part)_(\w+)", re.IGNORECASE)
_APPS = re.compile(r"\{\s*apps\s*:")
_WHOLE = re.compile(r"\{\s*whole\s*:")
_NAME = re.compile(r"[a-z][a-z0-9_]*")

Words = Annotated[str, Field(min_length=1)]


class Title(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    en: Words
    fr: Words


class KpiDefinition(BaseModel):
    """What kpi.yaml says, with the query beside it.

    `cadence` is the digest in which the KPI is read first.
    `people` names the column that counts people, if one does: fewer than five are not shown, nor what reveals them.
    It may be an `extra_<name>` where neither numerator nor denominator counts each person once.
    `numerator_of` names the parts that the numerator adds up; parts of people are decided with it.
    `extras_of_part`: extras that would give the part away which they are of, and are not shown where it is not.
    `people_beside`: extras and exclusions that count people by what they did, each with the column that it is a part
    of ("" is none): one to four are not shown, nor what reveals them.
    `beside_of_period`: who is counted beside it used something in the period itself, so the columns of all such KPIs
    are decided as one.
    `people_with` names the KPI that is decided before this one because it counts some of the same people, so that both
    together give away no more than each (docs/adr/0019-people-are-decided-across-kpis.md). `people_within` says of each
    part (`numerator` and `rest` of a share without parts, `people` of what is not divided) in which parts of that KPI
    its people are, `other` being those whom that one does not count. `people_with_days`: so in periods of so many days,
    at least and at most (None: in all).
    `unions`: further parts added up, which a KPI that is decided after this one shows: decided before single parts.
    `people_once`: parts count answers; the columns `once_<part>` count each person in one of them.
    `sides` names the column that tells the two groups of teams apart which the value compares.
    `interval` is "wilson" for shares of independent answers or people; money and tokens have none.
    `counts_money`: a share whose numerator and denominator are amounts in nano units.
    `per_team` is false where the data knows no team: such a KPI is always the organisation's.
    `activity_sql` asks the same of activity (docs/adr/0009-activity.md), None where only the events can answer.
    `excludes`, `extras` and `parts` explain the columns `excluded_<name>`, `extra_<name>` and `part_<name>` of the
    query, all of them. Parts divide the denominator and add up to it.
    `by` explains the further columns that a row is about, beside its team: finer rows, which add up all the same.
    `measure` names the function of `sql.measures` that makes the value of rows whose sum says nothing (a median).
    `look_back_weeks`: the query reads so many weeks, of which the period's end is the last: parameters `window_…`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    sql: str = Field(repr=False)
    activity_sql: str | None = Field(None, repr=False)
    title: Title
    unit: Unit
    direction: Direction
    cadence: Cadence
    formula: Words
    excludes: Mapping[str, Words] = {}
    extras: Mapping[str, Words] = {}
    parts: Mapping[str, Words] = {}
    numerator_of: tuple[str, ...] = ()
    extras_of_part: Mapping[str, str] = {}
    people_beside: Mapping[str, str] = {}
    beside_of_period: bool = False
    people_with: str = ""
    people_within: Mapping[str, tuple[str, ...]] = {}
    people_with_days: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    unions: tuple[tuple[str, ...], ...] = ()
    people_once: bool = False
    sides: str = ""
    by: Mapping[str, Words] = {}
    measure: str | None = None
    look_back_weeks: Annotated[int, Field(ge=0, le=104)] = 0
    definition_version: Annotated[int, Field(ge=1)]
    interval: Literal["wilson", "none"] = "none"
    people: Literal["numerator", "denominator", "none"] | Annotated[str, Field(pattern=r"^extra_\w+$")] = (
        "none"
    )
    per_team: bool = True
    counts_money: bool = False
    example: Words

    @property
    def people_parts(self) -> tuple[str, ...]:
        """The names of the parts that its people are divided into where it is decided what may be shown of them."""
        if self.people == "none" or self.parts:
            return (*self.parts, *self.within_part)
        shares = self.people == "denominator" and self.interval == "wilson"
        return ("numerator", "rest") if shares else ("people",)

    @property
    def within_part(self) -> Mapping[str, str]:
        """Columns beside it that count people of one of its parts, with the part."""
        parts = {f"part_{part}": part for part in self.parts}
        return {name: parts[whole] for name, whole in self.people_beside.items() if whole in parts}

    @property
    def divides(self) -> bool:
        """Whether the value is a numerator by a denominator."""
        return self.unit in ("share", "ratio", "unit_money")

    @property
    def denominated(self) -> bool:
        """Whether it has a denominator, by its unit or by its measure."""
        return self.divides or self.unit in ("points", "days")

    @property
    def holds_money(self) -> bool:
        """Whether any of its figures is an amount."""
        figures = (*self.excludes, *self.extras)
        return (
            self.unit in ("money", "unit_money")
            or self.counts_money
            or any(n.endswith("_nano") for n in figures)
        )

    @property
    def by_app(self) -> bool:
        """Whether it can be had for some apps alone: its rows are of an app each, or its query takes `apps`."""
        return "app" in self.by or _APPS.search(self.sql) is not None

    @property
    def has_bare_form(self) -> bool:
        """Whether its query takes `whole`: without it the extras are not counted, which is quicker."""
        return _WHOLE.search(self.sql) is not None


def read_definition(folder: Traversable) -> KpiDefinition:
    """A KPI from its folder. Raises UsageError naming the file and what is wrong with it."""
    where = f"sql/kpis/{folder.name}/kpi.yaml"
    try:
        said = yaml.safe_load((folder / "kpi.yaml").read_text("utf-8"))
        sql = (folder / "query.sql").read_text("utf-8")
        cached = folder / "activity.sql"
        texts = {"sql": sql, "activity_sql": cached.read_text("utf-8") if cached.is_file() else None}
        definition = KpiDefinition.model_validate({**said, "name": folder.name, **texts})
    except (OSError, TypeError, yaml.YAMLError, ValidationError) as error:
        raise UsageError(f"{where}: {error}", "a KPI is a folder with query.sql and kpi.yaml") from error
    columns = set(_COLUMN.findall(sql))
    if (
        definition.people.startswith("extra_")
        and definition.people.removeprefix("extra_") not in definition.extras
    ):
        raise UsageError(f"{where}: it has no {definition.people}", "`people` is one of the query's columns")
    explained = {"excluded": definition.excludes, "extra": definition.extras, "part": definition.parts}
    declared = {(kind, name) for kind, names in explained.items() for name in names}
    given_away = definition.extras_of_part
    added = {part for union in definition.unions for part in union}
    unknown = {*definition.numerator_of, *given_away.values(), *added} - set(definition.parts)
    unknown |= given_away.keys() - set(definition.extras)
    unknown |= {definition.sides.removeprefix("extra_")} - {"", *definition.extras}
    unknown |= definition.people_beside.keys() - {*definition.extras, *definition.excludes}
    parts = {f"part_{name}" for name in definition.parts}
    unknown |= set(definition.people_beside.values()) - {"", "numerator", "denominator", *parts}
    if unknown:
        raise UsageError(
            f"{where}: there is no {', '.join(sorted(unknown))}",
            "numerator_of, unions, extras_of_part, sides and people_beside name its parts, extras and exclusions",
        )
    if columns != declared:
        differing = ", ".join(sorted(f"{kind}_{name}" for kind, name in columns ^ declared))
        raise UsageError(
            f"{where}: the query and its description differ in {differing}",
            "explain each excluded_, extra_ and part_ column under excludes, extras and parts",
        )
    if definition.activity_sql is not None and set(_COLUMN.findall(definition.activity_sql)) != columns:
        raise UsageError(
            f"sql/kpis/{folder.name}/activity.sql: its columns are not those of query.sql",
            "both answer the same question with the same columns",
        )
    return definition


@cache
def load_catalogue() -> Mapping[str, KpiDefinition]:
    """All KPIs by name, in order of name. Raises UsageError naming the file that is wrong."""
    folders = (entry for entry in (files("uptake.sql") / "kpis").iterdir() if entry.is_dir())
    definitions = (read_definition(folder) for folder in folders if _NAME.fullmatch(folder.name))
    catalogue = {definition.name: definition for definition in sorted(definitions, key=lambda d: d.name)}
    for definition in catalogue.values():
        check_people_with(definition, catalogue)
    return catalogue


def check_people_with(definition: KpiDefinition, catalogue: Mapping[str, KpiDefinition]) -> None:
    """Raises UsageError where `people_with` and `people_within` do not name what there is."""
    where = f"sql/kpis/{definition.name}/kpi.yaml"
    if not definition.people_with:
        if definition.people_within or definition.people_with_days:
            raise UsageError(f"{where}: people_within without people_with", "name the KPI in people_with")
        return
    chain = [definition.name]
    while (name := catalogue[chain[-1]].people_with) and name in catalogue and name not in chain:
        chain.append(name)
    if name and name not in catalogue:
        raise UsageError(f"{where}: people_with: there is no KPI {name!r}", f"one of: {', '.join(catalogue)}")
    if name:
        raise UsageError(
            f"{where}: people_with: {' -> '.join([*chain, name])} goes round in a circle",
            "what is decided first names no other",
        )
    first = catalogue[definition.people_with]
    for one in (definition, first):
        if one.people == "none":
            raise UsageError(
                f"{where}: people_with: {one.name} counts no people",
                "both KPIs say in `people` who is counted",
            )
    if set(definition.people_within) != set(definition.people_parts):
        raise UsageError(
            f"{where}: people_within names {', '.join(definition.people_within) or 'nothing'}",
            f"it says where the people of each of these are: {', '.join(definition.people_parts)}",
        )
    known = (*first.people_parts, "other")
    unknown = {part for parts in definition.people_within.values() for part in parts} - set(known)
    if unknown or not all(definition.people_within.values()):
        raise UsageError(
            f"{where}: people_within: {first.name} has no part {', '.join(sorted(unknown)) or 'given'}",
            f"one or more of: {', '.join(known)}",
        )


@cache
def load_query(name: str) -> str:
    """The text of `sql/queries/<name>.sql`."""
    return (files("uptake.sql") / "queries" / f"{name}.sql").read_text("utf-8")


UNITS: Mapping[Unit, str] = {
    "share": "share",
    "count": "count",
    "money": "money",
    "ratio": "ratio",
    "unit_money": "money an item",
    "days": "days",
    "milliseconds": "ms",
    "points": "points",
}


def to_markdown(catalogue: Mapping[str, KpiDefinition]) -> str:
    """The catalogue for people: one section a KPI, with its query."""
    lines = [
        "# KPIs",
        "",
        "Generated from `sql/kpis/` by `python -m uptake.sql.catalogue docs`: edit there.",
        "",
        "A week is `[Monday 00:00, next Monday 00:00)` in the organisation's zone. A share always comes with its",
        "numerator, denominator and what it leaves out; without a denominator it is not known, which is not 0. Nor is",
        "a zero known in a period in which no event happened at all: no data is not no usage.",
        "Money is counted in nano units (10⁻⁹) of the organisation's currency. A group of fewer than five people is",
        "not shown, nor is what would reveal it by subtraction.",
        "",
        "| KPI | unit | cadence | better | per team | per app | version |",
        "|---|---|---|---|---|---|---|",
    ]
    for kpi in catalogue.values():
        better = {"up": "higher", "down": "lower", "none": "neither"}[kpi.direction]
        per_team, per_app = ("yes" if known else "no" for known in (kpi.per_team, kpi.by_app))
        lines.append(
            f"| [`{kpi.name}`](#{kpi.name}) | {UNITS[kpi.unit]} | {kpi.cadence} | {better} | {per_team} | {per_app} "
            f"| {kpi.definition_version} |"
        )
    for kpi in catalogue.values():
        lines += ["", f"## {kpi.name}", "", f"**{kpi.title.en}** · *{kpi.title.fr}*", "", kpi.formula.strip()]
        described = {
            "Parts, which add up to the denominator": kpi.parts,
            "Left out, and counted": kpi.excludes,
            "Beside it": kpi.extras,
            "A row is of a team and": kpi.by,
        }
        for heading, words in described.items():
            if words:
                lines += ["", f"{heading}:", ""]
                lines += [f"- `{name}`: {meaning.strip()}" for name, meaning in words.items()]
        lines += ["", f"Example: {kpi.example.strip()}"]
        if kpi.interval == "wilson":
            lines += ["", "Interval: Wilson, 95 %."]
        if kpi.people != "none":
            lines += ["", "A KPI about people: not shown for fewer than five."]
        if kpi.people_with:
            days = ""
            if kpi.people_with_days:
                least, most = kpi.people_with_days
                days = (
                    f" in periods of {least} days"
                    if least == most
                    else f" in periods of {least} to {most} days"
                )
            lines += [
                "",
                f"Decided after [`{kpi.people_with}`](#{kpi.people_with}){days}: not shown where both together would "
                "give away fewer than five.",
            ]
        if kpi.people_beside:
            named = ", ".join(f"`{name}`" for name in kpi.people_beside)
            lines += ["", f"Beside it, fewer than five people are not shown either: {named}."]
        lines += [
            "",
            "<details><summary>query.sql</summary>",
            "",
            "```sql",
            kpi.sql.strip(),
            "```",
            "",
            "</details>",
        ]
        if kpi.activity_sql is not None:
            lines += [
                "",
                "Also answered by activity, the cache by day, where it is exact and quicker (`activity.sql`).",
            ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    if sys.argv[1:] != ["docs"]:
        raise SystemExit("usage: python -m uptake.sql.catalogue docs")
    sys.stdout.write(to_markdown(load_catalogue()))
