"""MAP.yaml: which column is which field. Every fault names file and line, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from uptake.document import Document, parse
from uptake.document import Path as Place
from uptake.errors import UsageError
from uptake.ingest.importer.times import NoZone, moment
from uptake.ingest.importer.values import read_value
from uptake.mapped import AnyColumn, as_error, missing_columns
from uptake.problems import Problem, did_you_mean
from uptake.schemas.events import BaseEvent, CostEvent, FeedbackEvent, UsageEvent
from uptake.validate import validated
from uptake.workspace.models import Zone

EVENTS: dict[str, type[BaseEvent]] = {"usage": UsageEvent, "feedback": FeedbackEvent, "cost": CostEvent}
RAW = {"user": "user_id", "reviewer": "reviewer_id"}
"""Columns of raw identities and the pseudonym that each becomes."""

TEXTS = ("draft", "final")
"""Columns of texts that are compared while reading, and of which only severity and sizes are sent."""

CARRIES = {"thumb": "thumb", "edit": "severity", "decision": "decision", "survey": "score"}
"""Feedback by kind: the field without which it says nothing."""

_DERIVED = frozenset(("event_id", "type", "schema_version", "tags"))


class Mapping(BaseModel):
    """The file as written. `zone` is that of times which name none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[dict[str, AnyColumn], Field(min_length=1)]
    constants: dict[str, str] = {}
    tags: Annotated[dict[str, str], Field(max_length=16)] = {}
    zone: Zone | None = None
    id: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    source: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    format: Literal["csv", "ndjson", "parquet"] | None = None
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"

    @property
    def tz(self) -> ZoneInfo | None:
        return ZoneInfo(self.zone) if self.zone else None


@dataclass(frozen=True)
class Plan:
    """A map that fits a kind of event. `constants` are typed values, `occurred_at` among them as ISO text."""

    kind: str
    mapping: Mapping
    constants: dict[str, object]
    document: Document

    @property
    def source(self) -> str:
        """The identity of where the rows come from. It is part of each event's id, so it is not the file's
        name: a renamed file is the same file."""
        return f"import/{self.kind}/{self.mapping.source or ''}"

    def column_of(self, path: str) -> str:
        """The column behind a path of the contract, or nothing."""
        name = path.partition(".")[0].partition("[")[0]
        columns = self.mapping.columns
        raw = next((raw for raw, pseudonym in RAW.items() if pseudonym == name), "")
        source = columns.get(name) or columns.get(raw)
        return source.column if source else ""

    def wanted(self) -> dict[str, Place]:
        """Every column that the map names, with its place in the map."""
        mapping = self.mapping
        found: dict[str, Place] = {name: ("id", i) for i, name in enumerate(mapping.id or ())}
        found |= {name: ("tags", tag) for tag, name in mapping.tags.items()}
        return found | {each.column: ("columns", field, "column") for field, each in mapping.columns.items()}


def read_plan(path: Path, kind: str) -> Plan:
    """The map at `path` for events of `kind`. Raises UsageError with every fault."""
    try:
        document = parse(path.read_bytes(), path.name)
    except OSError as error:
        raise UsageError(
            f"{path.name} cannot be read: {error.strerror}", "name a map: docs/import.md"
        ) from error
    if document.value is None and not document.problems:
        document.value = {}
    mapping = validated(Mapping, document) if not document.problems else None
    if mapping is None:
        raise faults(document.problems)
    constants = _constants(document, mapping, kind)
    document.problems.extend(_fields(document, mapping, kind))
    if document.problems:
        raise faults(document.problems)
    return Plan(kind, mapping, constants, document)


def check_columns(plan: Plan, columns: Iterable[str], file: str) -> None:
    """Raises UsageError naming every mapped column that the file does not have."""
    if problems := missing_columns(plan.document, plan.wanted(), columns, file):
        raise faults(problems)


def faults(problems: list[Problem]) -> UsageError:
    """One error for all of them, which says where maps are explained."""
    return as_error(problems, "docs/import.md explains the map")


def fields_of(kind: str) -> list[str]:
    """What a map for `kind` may fill."""
    own = [name for name in EVENTS[kind].model_fields if name not in _DERIVED]
    return own + list(RAW if kind == "feedback" else ("user",)) + list(TEXTS if kind == "feedback" else ())


def _fields(document: Document, mapping: Mapping, kind: str) -> list[Problem]:
    problems = []
    allowed = fields_of(kind)
    for part in ("columns", "constants"):
        for name in getattr(mapping, part):
            if name not in allowed:
                reason = f"{kind} has no field {name!r}"
                problems.append(document.problem((part, name), reason, did_you_mean(name, allowed), key=True))
            elif part == "constants" and name in mapping.columns:
                reason = f"{name!r} is both a column and a constant"
                problems.append(document.problem((part, name), reason, "remove one of them", key=True))
    filled = {*mapping.columns, *mapping.constants}
    needed = [name for name in EVENTS[kind].model_fields if EVENTS[kind].model_fields[name].is_required()]
    for name in needed:
        if name not in filled | _DERIVED | {"kind"}:
            problems.append(
                document.problem(("columns",), f"nothing fills {name!r}", f"{kind} needs it", key=True)
            )
    if kind == "feedback":
        problems += _feedback(document, filled)
    for name in (*RAW, *TEXTS):
        if name in mapping.constants:
            problems.append(document.problem(("constants", name), f"{name!r} comes from a column"))
    for raw, pseudonym in RAW.items():
        if raw in filled and pseudonym in filled:
            problems.append(
                document.problem(("columns", raw), f"{raw!r} and {pseudonym!r} are the same field")
            )
    return problems


def _feedback(document: Document, filled: set[str]) -> list[Problem]:
    if len(filled.intersection(TEXTS)) == 1:
        return [document.problem(("columns",), "an edit has both columns, draft and final", key=True)]
    if "kind" in filled or kind_of(filled):
        return []
    hint = f"map one of {', '.join(CARRIES.values())}, or draft and final, or say `kind` in constants"
    return [
        document.problem(("columns",), "it is not clear which kind of feedback the rows are", hint, key=True)
    ]


def kind_of(filled: Iterable[str]) -> str:
    """The kind of feedback that the filled fields make, or nothing if that is not clear. A decision may have the
    severity of its edit beside it."""
    names = set(filled)
    if names.issuperset(TEXTS):
        names.add("severity")
    kinds = [kind for kind, field in CARRIES.items() if field in names]
    if "decision" in kinds:
        kinds = [kind for kind in kinds if kind != "edit"]
    return kinds[0] if len(kinds) == 1 else ""


def _constants(document: Document, mapping: Mapping, kind: str) -> dict[str, object]:
    typed: dict[str, object] = {}
    for name, text in mapping.constants.items():
        if name not in fields_of(kind) or name in RAW or name in TEXTS:
            continue
        try:
            typed[name] = moment(text, mapping.tz) if name == "occurred_at" else read_value(name, text)
        except NoZone:
            hint = "add `zone: UTC`, or the zone whose wall clock it is"
            document.problems.append(document.problem(("constants", name), "occurred_at has no zone", hint))
        except ValueError as error:
            document.problems.append(document.problem(("constants", name), f"{name} {error}"))
    return typed
