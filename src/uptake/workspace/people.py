"""roster.csv: people become pseudonyms while it is read, and no fault that is reported repeats a cell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO

from uptake.document import Document, decode
from uptake.errors import UsageError
from uptake.problems import Problem, did_you_mean, nearest
from uptake.schemas.pseudonym import MIN_KEY_LENGTH, is_pseudonym, pseudonym
from uptake.table import Table, duplicates
from uptake.validate import validated
from uptake.workspace.models import Person

COLUMNS = ("person", "user_id", "team", "seat", "champion", "joined", "left", "wave")
_NO_KEY = "set UPTAKE_PSEUDONYM_KEY to the key the apps use, or replace the column by user_id with pseudonyms"
_COMMENT = re.compile(r"^#(?:[ \t].*)?\r?$", re.MULTILINE)
"""A line of its own that begins with a hash and a space: `#7,Claims` is somebody."""


def read_roster(content: bytes, file: str, key: str | None) -> tuple[Document, list[tuple[int, Person]]]:
    """The rows as a document (raw identities already replaced) and the valid ones with their index in it."""
    document, table = open_table(content, file)
    if table is None:
        return document, []
    document.problems.extend(unfit_header(table, file, COLUMNS, ("team", "joined")))
    if document.problems:
        return document, []
    people: list[tuple[int, Person]] = []
    for row in table:
        if row.fault:
            document.problems.append(Problem(file, row.line, row.fault))
            continue
        person = take(document, row.line, dict(zip(table.columns, row.cells, strict=True)), key)
        if person is not None:
            people.append((len(document.value) - 1, person))
    return document, people


def open_table(content: bytes, file: str) -> tuple[Document, Table | None]:
    """An empty document and the table without its comments; no table where the document says why."""
    document = Document(file, value=[])
    text, undecodable = decode(content, file)
    if undecodable:
        document.problems.append(undecodable)
        return document, None
    try:
        # Emptied, not taken out: lines keep their numbers.
        return document, Table(BytesIO(_COMMENT.sub("", text).encode()), file)
    except UsageError as error:
        document.problems.append(Problem(file, 1, "the header cannot be read", error.hint))
        return document, None


def unfit_header(table: Table, file: str, known: Sequence[str], required: Sequence[str]) -> list[Problem]:
    """What is wrong with the columns. A first line without any that is known is a row of people, and not repeated."""
    columns, line = table.columns, table.header_line
    if not any(columns):
        return [Problem(file, line, "has no header", f"the columns are {', '.join(known)}")]
    if not set(columns) & set(known):
        reason = "has none of the columns that are known: is the header missing?"
        return [Problem(file, line, reason, f"the columns are {', '.join(known)}")]
    found = [Problem(file, line, f"column {name!r} is there twice") for name in duplicates(columns)]
    misspelt = set()
    for name in columns:
        if name not in known:
            misspelt.add(nearest(name, known))
            hint = did_you_mean(name, known) if name else "the header has an empty cell"
            found.append(Problem(file, line, f"unknown column {name!r}", hint))
    people = [name for name in ("person", "user_id") if name in columns]
    if len(people) == 2 or not (people or misspelt & {"person", "user_id"}):
        reason = "has one column of people: person (raw, replaced while loading) or user_id (pseudonyms)"
        found.append(Problem(file, line, reason))
    missing = [name for name in required if name not in columns and name not in misspelt]
    return [*found, *(Problem(file, line, f"column {name!r} is missing") for name in missing)]


def take(document: Document, line: int, cells: Mapping[str, str], key: str | None) -> Person | None:
    """Add a row (every cell by column) to the document, with a pseudonym for a raw identity, and read it.

    None when it is not a person; then the document says why."""
    index = len(document.value)
    document.values.update({(index, *rest): line for rest in ((), *((column,) for column in cells))})
    document.value.append(_identified(document, line, cells, key))
    return validated(Person, document, (index,)) if document.value[index] else None


def _identified(document: Document, line: int, row: Mapping[str, str], key: str | None) -> dict[str, str]:
    """The row without empty cells; empty altogether when its person cannot be made a pseudonym."""
    cells = {name: cell for name, cell in row.items() if cell}
    if "person" not in row:
        return cells
    person = cells.pop("person", "")
    reason, hint = "", ""
    if not person:
        reason = "'person' is empty"
    elif key is None and not is_pseudonym(person):
        reason, hint = "holds a person's identity and there is no pseudonym key", _NO_KEY
    elif key is not None and len(key) < MIN_KEY_LENGTH:
        reason, hint = f"the pseudonym key has fewer than {MIN_KEY_LENGTH} characters", _NO_KEY
    if reason:
        # A missing key is one fault, not one a row.
        if not any(problem.hint and problem.hint == hint for problem in document.problems):
            document.problems.append(Problem(document.file, line, reason, hint))
        return {}
    return {"user_id": pseudonym(key or "", person) if key else person, **cells}
