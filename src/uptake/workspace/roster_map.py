"""A map of somebody's people: which column, or which SCIM attribute, is which field of the roster."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from uptake.document import Document, parse
from uptake.document import Path as Place
from uptake.errors import UsageError
from uptake.mapped import Column, as_error, written_short
from uptake.problems import Problem, did_you_mean
from uptake.validate import validated

FIELDS = ("person", "user_id", "team", "seat", "champion", "wave", "joined")
"""What a snapshot says of somebody."""

_FAULTS_SHOWN = 20


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class RosterColumn(Column):
    """Where a field comes from. With `has` it is yes where one of these texts is there and no elsewhere."""

    has: Annotated[tuple[str, ...], BeforeValidator(_several)] = ()

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.has and self.values:
            raise ValueError("give has or values, not both")
        return self

    def read(self, texts: Sequence[str]) -> str:
        """What the field holds where the source holds `texts`. Raises ValueError, which repeats none of them."""
        if self.has:
            return "yes" if set(self.has) & set(texts) else "no"
        if not self.values:
            return texts[0] if texts else ""
        for text in texts or ("",):
            if text in self.values:
                return self.values[text] or ""
        raise ValueError("is not among the map's `values`")


class _Written(BaseModel):
    """The file as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[
        dict[str, Annotated[RosterColumn, BeforeValidator(written_short)]], Field(min_length=1)
    ]


@dataclass(frozen=True)
class RosterMap:
    """Sources by field. `document` knows their lines; it is None where nobody wrote a map."""

    columns: Mapping[str, RosterColumn]
    document: Document | None = field(default=None, compare=False)

    def wanted(self) -> dict[str, Place]:
        """Every source that is named, with its place in the map."""
        return {each.column: ("columns", name, "column") for name, each in self.columns.items()}


def read_map(path: Path, required: Collection[str]) -> RosterMap:
    """The map at `path`, which fills all fields of `required` and one column of people.

    Raises UsageError with every fault."""
    document = parse(path.read_bytes(), path.name)
    if document.value is None and not document.problems:
        document.value = {}
    written = validated(_Written, document) if not document.problems else None
    if written is None:
        raise refusal(document.problems)
    problems = [
        document.problem(
            ("columns", name), f"a roster has no field {name!r}", did_you_mean(name, FIELDS), key=True
        )
        for name in written.columns
        if name not in FIELDS
    ]
    problems += [
        document.problem(("columns",), f"nothing fills {name!r}", "a roster needs it", key=True)
        for name in required
        if name not in written.columns
    ]
    people = [name for name in ("person", "user_id") if name in written.columns]
    if len(people) == 2 or (required and not people):
        reason = (
            "one column of people is filled: person (raw, replaced while loading) or user_id (pseudonyms)"
        )
        problems.append(document.problem(("columns",), reason, key=True))
    if problems:
        raise refusal(problems)
    return RosterMap(written.columns, document)


def refusal(problems: list[Problem]) -> UsageError:
    """One error for all faults of a snapshot or its map."""
    error = as_error(problems[:_FAULTS_SHOWN], "docs/workspace.md explains what a roster is imported from")
    if len(problems) > _FAULTS_SHOWN:
        error.hint = f"and {len(problems) - _FAULTS_SHOWN:,} more; {error.hint}"
    return error
