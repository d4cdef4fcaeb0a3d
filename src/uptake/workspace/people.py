"""roster.csv: people become pseudonyms while it is read, and no fault that is reported repeats a cell."""

from __future__ import annotations

from io import BytesIO

from uptake.document import Document, decode
from uptake.errors import UsageError
from uptake.problems import Problem, did_you_mean
from uptake.schemas.pseudonym import MIN_KEY_LENGTH, is_pseudonym, pseudonym
from uptake.table import Row, Table, duplicates
from uptake.validate import validated
from uptake.workspace.models import Person

COLUMNS = ("person", "user_id", "team", "seat", "champion", "joined", "left", "wave")
_NO_KEY = "set UPTAKE_PSEUDONYM_KEY to the key the apps use, or replace the column by user_id with pseudonyms"


def read_roster(content: bytes, file: str, key: str | None) -> tuple[Document, list[tuple[int, Person]]]:
    """The rows as a document (raw identities already replaced) and the valid ones with their index in it."""
    document = Document(file, value=[])
    text, undecodable = decode(content, file)
    if undecodable:
        document.problems.append(undecodable)
        return document, []
    try:
        table = Table(BytesIO(text.encode()), file)
    except UsageError as error:
        document.problems.append(Problem(file, 1, "the header cannot be read", error.hint))
        return document, []
    document.problems.extend(_header(table, file))
    if document.problems:
        return document, []
    people: list[tuple[int, Person]] = []
    for row in table:
        if row.fault:
            document.problems.append(Problem(file, row.line, row.fault))
            continue
        index = len(document.value)
        document.values.update({(index, *rest): row.line for rest in ((), *((c,) for c in table.columns))})
        document.value.append(_cells(document, table, row, key))
        person = validated(Person, document, (index,)) if document.value[index] else None
        if person is not None:
            people.append((index, person))
    return document, people


def _header(table: Table, file: str) -> list[Problem]:
    columns = table.columns
    if not any(columns):
        return [Problem(file, 1, "has no header", f"the columns are {', '.join(COLUMNS)}")]
    found = [Problem(file, 1, f"column {name!r} is there twice") for name in duplicates(columns)]
    for name in columns:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) if name else "the header has an empty cell"
            found.append(Problem(file, 1, f"unknown column {name!r}", hint))
    if ("person" in columns) == ("user_id" in columns):
        reason = "has one column of people: person (raw, replaced while loading) or user_id (pseudonyms)"
        found.append(Problem(file, 1, reason))
    found.extend(
        Problem(file, 1, f"column {name!r} is missing") for name in ("team", "joined") if name not in columns
    )
    return found


def _cells(document: Document, table: Table, row: Row, key: str | None) -> dict[str, str]:
    """The row by column, empty cells left out; empty altogether when its person cannot be made a pseudonym."""
    cells = {name: cell for name, cell in zip(table.columns, row.cells, strict=True) if cell}
    if "person" not in table.columns:
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
            document.problems.append(Problem(document.file, row.line, reason, hint))
        return {}
    return {"user_id": pseudonym(key or "", person) if key else person, **cells}
