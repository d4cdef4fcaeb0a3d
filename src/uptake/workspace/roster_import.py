"""Bring a snapshot of today's people into roster.csv: planned and checked whole, then written whole or not at all."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from shutil import copymode
from uuid import uuid4

from uptake.errors import UptakeError, UsageError
from uptake.schemas.pseudonym import is_pseudonym
from uptake.workspace.load import ROSTER, InvalidWorkspaceError, homes, read
from uptake.workspace.models import Person
from uptake.workspace.people import read_roster
from uptake.workspace.roster_diff import RosterDiff, difference, on_day
from uptake.workspace.roster_file import EMPTY, Cells, RosterFile
from uptake.workspace.roster_merge import ATTRIBUTES, Merge, Snapshot, merge, newest_change

MOST_ENDED = 3
"""One stay in so many may end in one import; more looks like a wrong file, or half of one."""


@dataclass(frozen=True)
class RosterPlan:
    """What an import does. `before` is what the file holds now, None where there is none.

    `suspicious` says why it is not written unless somebody insists; it is empty for most imports.
    """

    path: Path
    before: bytes | None
    after: bytes | None
    diff: RosterDiff
    closed: int
    opened: int
    suspicious: str = ""

    @property
    def changes(self) -> bool:
        return self.after != self.before


def home_of(directory: Path, tenant: str, key: str | None) -> Path:
    """The directory of a tenant's workspace, among those in `directory`. The workspaces there are without errors."""
    return next(home for home in homes(directory) if (w := read(home, key)[0]) and w.tenant == tenant)


def plan_import(home: Path, snapshot: Snapshot, key: str | None) -> RosterPlan:
    """What the roster.csv of a workspace becomes. Nothing is written.

    Raises UsageError when the snapshot is older than a change that the roster knows of or its people cannot be
    written there, InvalidWorkspaceError when the workspace would have errors afterwards.
    """
    path = home / ROSTER
    before = path.read_bytes() if path.is_file() else None
    document, read_people = read_roster(EMPTY if before is None else before, ROSTER, key)
    if document.problems:
        raise InvalidWorkspaceError(document.problems)
    roster = [person for _, person in read_people]
    file = RosterFile(EMPTY if before is None else before)
    _refuse_older(roster, file, snapshot)
    _refuse_unwritable(file, snapshot)
    merged = merge(roster, snapshot)
    after = before
    if merged.changed or merged.added:
        after = file.edited(*_cells(roster, merged, file.identity))
        _check(home, after, merged.applied(roster), key)
    diff = difference(on_day(roster, snapshot.day), on_day(merged.applied(roster), snapshot.day))
    there = sum(person.left is None for person in roster)
    ended = merged.ended(roster)
    suspicious = ""
    if ended * MOST_ENDED > there:
        suspicious = f"it ends {ended:,} of {there:,} stays, more than one in {MOST_ENDED}"
    closed = sum(person is not None and person.left == snapshot.day for person in merged.changed.values())
    return RosterPlan(path, before, after, diff, closed, len(merged.added), suspicious)


def write(plan: RosterPlan) -> None:
    """Put the new content in the place of the old one at once, with its permissions; a link stays a link.

    Raises UptakeError, having written nothing, when somebody else changed the file since it was read.
    """
    if plan.after is None or not plan.changes:
        return
    path = plan.path.resolve()
    # Named so that whoever watches the workspace does not take it for one of its files.
    draft = path.with_name(f".{path.name}.{uuid4().hex}.new")
    try:
        with draft.open("xb") as file:
            if plan.before is not None:
                copymode(path, draft)
                with contextlib.suppress(PermissionError):  # only root gives files away
                    os.chown(draft, path.stat().st_uid, path.stat().st_gid)
            file.write(plan.after)
            file.flush()
            os.fsync(file.fileno())
        if (path.read_bytes() if path.is_file() else None) != plan.before:
            raise UptakeError(f"{path.name} was changed by somebody else meanwhile", "import again")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _refuse_older(roster: list[Person], file: RosterFile, snapshot: Snapshot) -> None:
    newest = newest_change(roster)
    if newest and newest[0] > snapshot.day:
        day, index = newest
        raise UsageError(
            f"{ROSTER}, line {file.line(index)}: has a change of {day}, after the day of the import ({snapshot.day})",
            "import in the order of days; to correct history on purpose, edit roster.csv",
        )


def _refuse_unwritable(file: RosterFile, snapshot: Snapshot) -> None:
    if file.identity == "person" and not all(is_pseudonym(person.user_id) for person in snapshot.people):
        raise UsageError(
            f"the people are in a column user_id and are no pseudonyms as `person` of {ROSTER} would hold them",
            "call the column person if it holds what your apps call their users",
        )


def _check(home: Path, after: bytes, expected: list[Person], key: str | None) -> None:
    """What was written must read as what was meant, and leave the workspace in order."""
    workspace, problems = read(home, key, roster=after)
    if workspace is None:
        raise InvalidWorkspaceError(problems)

    def order(person: Person) -> str:
        return person.model_dump_json()

    if sorted(workspace.roster, key=order) != sorted(expected, key=order):
        raise AssertionError("the edited roster does not read as the plan")


def _cells(
    roster: list[Person], merged: Merge, identity: str
) -> tuple[dict[int, Cells | None], list[tuple[int | None, Cells]]]:
    """The merge as texts: of a row that changes only what is otherwise."""
    changed: dict[int, Cells | None] = {}
    for i, person in merged.changed.items():
        was, now = _written(roster[i]), _written(person) if person else None
        changed[i] = {name: text for name, text in now.items() if text != was[name]} if now else None
    added: list[tuple[int | None, Cells]] = [
        (after, {identity: person.user_id, **_written(person)}) for after, person in merged.added
    ]
    return changed, added


def _written(person: Person) -> dict[str, str]:
    values = {name: getattr(person, name) for name in ATTRIBUTES}
    texts = {
        name: ("no", "yes")[value] if isinstance(value, bool) else value for name, value in values.items()
    }
    return {
        **texts,
        "joined": person.joined.isoformat(),
        "left": person.left.isoformat() if person.left else "",
    }
