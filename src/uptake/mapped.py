"""What maps of files share: where a field comes from, a column that is not there, and one error for all faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from uptake.document import Document, Path
from uptake.errors import UsageError
from uptake.problems import Problem, nearest


def written_short(value: object) -> object:
    """A column that is only named, as the map of its parts that a model reads."""
    return {"column": value} if isinstance(value, str) else value


class Column(BaseModel):
    """Where a field comes from; `values` translates cells (what is not among them is refused)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, Field(min_length=1)]
    values: dict[str, str | None] = {}


AnyColumn = Annotated[Column, BeforeValidator(written_short)]


def missing_columns(
    document: Document, wanted: Mapping[str, Path], columns: Iterable[str], file: str
) -> list[Problem]:
    """A fault for each wanted column that `file` does not have, at its place in the map (`document`)."""
    have = list(columns)
    problems = []
    for name, place in wanted.items():
        if name in have:
            continue
        shown = ", ".join(have[:12]) + (f" and {len(have) - 12} more" if len(have) > 12 else "")
        match = nearest(name, have)
        hint = f"did you mean {match}?" if match else ""
        if match and match.casefold() == name.casefold():
            hint = f"names are case-sensitive; {hint}"
        reason = f'column "{name}" is not in {file} (columns: {shown})'
        problems.append(document.problem(place, reason, hint))
    return problems


def as_error(problems: list[Problem], hint: str) -> UsageError:
    """One error for all of them: cause and remedy apart when there is one, a line each (and `hint`) when there are
    more."""
    places = [f"{each.file}, line {each.line}" if each.line else each.file for each in problems]
    if len(problems) == 1:
        return UsageError(f"{places[0]}: {problems[0].reason}", problems[0].hint)
    lines = [
        f"{place}: {each.reason}" + (f" ({each.hint})" if each.hint else "")
        for place, each in zip(places, problems, strict=True)
    ]
    return UsageError("\n".join(lines), hint)
