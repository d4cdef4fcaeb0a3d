"""A file that says who is there today, as an HR system or an identity provider gives it; people become pseudonyms
while it is read, and no fault repeats a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Literal

from uptake.document import Document
from uptake.mapped import missing_columns
from uptake.problems import Problem, did_you_mean
from uptake.table import duplicates
from uptake.workspace.models import Person
from uptake.workspace.people import open_table, take, unfit_header
from uptake.workspace.roster_map import FIELDS, RosterMap, refusal
from uptake.workspace.roster_merge import ATTRIBUTES, Snapshot
from uptake.workspace.scim import DEFAULT, Resource, read_resources

Format = Literal["csv", "scim"]


class _People:
    """Collects the people of a snapshot, each once, and what is wrong with them."""

    def __init__(
        self,
        document: Document,
        day: date,
        key: str | None,
        where: Callable[[int], str] = "in line {}".format,
    ) -> None:
        self.document = document
        self._where = where
        self.people: list[Person] = []
        self.not_yet = 0
        self._day = day
        self._key = key
        self._lines: dict[str, int] = {}

    def add(self, line: int, cells: Mapping[str, str]) -> None:
        said = {**cells, "joined": cells.get("joined") or self._day.isoformat()}
        person = take(self.document, line, said, self._key)
        if person is None:
            return
        if not person.wave.isprintable():
            self.fault(line, "wave: should be one line without control characters")
        elif person.user_id in self._lines:
            self.fault(
                line, f"the same person is here twice, first {self._where(self._lines[person.user_id])}"
            )
        elif person.joined > self._day:
            self.not_yet += 1
        else:
            self.people.append(person)
        self._lines.setdefault(person.user_id, line)

    def fault(self, line: int, reason: str) -> None:
        self.document.problems.append(Problem(self.document.file, line, reason))

    def mapped(self, line: int, sources: Mapping[str, list[str]], mapping: RosterMap) -> None:
        """Add a row of which the texts of each source are given."""
        cells: dict[str, str] = {}
        for name, column in mapping.columns.items():
            try:
                cells[name] = column.read(sources[column.column])
            except ValueError as error:
                self.fault(line, f"{name}: {error}")
                return
        self.add(line, cells)

    def snapshot(self, spoken: frozenset[str], inactive: int = 0) -> Snapshot:
        attributes = frozenset(ATTRIBUTES) & spoken
        return Snapshot(self._day, tuple(self.people), attributes, self.not_yet, inactive)


def read_snapshot(
    content: bytes, file: str, form: Format, day: date, key: str | None, mapping: RosterMap | None = None
) -> Snapshot:
    """Everybody that `file` says is there on `day`. Raises UsageError with every fault, each with line or JSON path."""
    return (_scim if form == "scim" else _csv)(content, file, day, key, mapping)


def _csv(content: bytes, file: str, day: date, key: str | None, mapping: RosterMap | None) -> Snapshot:
    document, table = open_table(content, file)
    if table is None:
        raise refusal(document.problems)
    if mapping is None:
        document.problems += _unfit(table.columns, unfit_header(table, file, FIELDS, ("team",)))
    else:
        document.problems += _unmapped(table.columns, table.header_line, file, mapping)
    if document.problems:
        raise refusal(document.problems)
    found = _People(document, day, key)
    for row in table:
        cells = dict(zip(table.columns, row.cells, strict=False))
        if row.fault:
            found.fault(row.line, row.fault)
        elif mapping is None:
            found.add(row.line, cells)
        else:
            found.mapped(row.line, {name: [cell] for name, cell in cells.items()}, mapping)
    if document.problems:
        raise refusal(document.problems)
    return found.snapshot(frozenset(table.columns if mapping is None else mapping.columns))


def _unfit(columns: tuple[str, ...], problems: list[Problem]) -> list[Problem]:
    if "left" in columns:
        reason, hint = "a snapshot holds who is there", "take the column left out, and who has left with it"
        return [Problem(each.file, each.line, reason, hint) for each in problems[:1]]
    return problems


def _unmapped(columns: tuple[str, ...], line: int, file: str, mapping: RosterMap) -> list[Problem]:
    wanted = mapping.wanted()
    if not set(columns) & set(wanted):
        # Perhaps a row of people: not repeated.
        reason = "has none of the columns that the map names: is the header missing?"
        return [Problem(file, line, reason, f"the map names {', '.join(wanted)}")]
    twice = [name for name in duplicates(columns) if name in wanted]
    found = [Problem(file, line, f"column {name!r} is there twice") for name in twice]
    document = mapping.document or Document(file)
    return found + missing_columns(document, wanted, columns, file)


def _scim(content: bytes, file: str, day: date, key: str | None, mapping: RosterMap | None) -> Snapshot:
    columns = dict(mapping.columns if mapping else {})
    for name, column in DEFAULT.items():
        if name not in columns and not (name == "person" and "user_id" in columns):
            columns[name] = column
    whole = RosterMap(columns, mapping.document if mapping else None)
    resources, problems = read_resources(content, file)
    problems = problems or _nowhere(resources, file, whole)
    if problems:
        raise refusal(problems)
    active = [each for each in resources if each.active]
    # JSON has paths, not lines: what the document calls a line is the place among those who are active.
    found = _People(Document(file, value=[]), day, key, lambda place: f"at {active[place - 1].path}")
    for place, resource in enumerate(active, 1):
        found.mapped(place, {name: resource.texts(name) for name in whole.wanted()}, whole)
    if found.document.problems:
        faults = found.document.problems
        raise refusal(
            [replace(each, line=0, reason=f"{active[each.line - 1].path}: {each.reason}") for each in faults]
        )
    return found.snapshot(frozenset(columns), len(resources) - len(active))


def _nowhere(resources: list[Resource], file: str, mapping: RosterMap) -> list[Problem]:
    """Attributes that nobody in the file has: a name that is not spelt as the provider does."""
    found = []
    for name, place in mapping.wanted().items():
        if resources and not any(resource.has(name) for resource in resources):
            reason = f"nobody in {file} has the attribute {name!r}"
            if mapping.document and mapping.document.at(place[:2]) is not None:
                known = {each for resource in resources for each in resource.names}
                found.append(mapping.document.problem(place, reason, did_you_mean(name, known)))
            else:
                found.append(Problem(file, 0, reason, f"say in a map (--map) which one is the {place[1]}"))
    return found
