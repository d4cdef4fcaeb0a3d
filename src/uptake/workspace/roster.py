"""The roster in the database: one generation a content, written whole, then published by one pointer row."""

from __future__ import annotations

import json
from datetime import date, timedelta
from hashlib import sha256
from importlib.resources import files

from uptake.clickhouse import Database
from uptake.clock import Clock
from uptake.workspace.models import Person, Workspace

_POINTER = files("uptake.workspace").joinpath("roster_pointer.sql").read_text("utf-8")


def generation_of(roster: tuple[Person, ...]) -> str:
    """The name of this content: the same people and stays, in whatever order, give the same name."""
    rows = sorted(person.model_dump_json() for person in roster)
    return sha256("\n".join(rows).encode()).hexdigest()[:32]


def generation_before(roster: tuple[Person, ...], day: date) -> str:
    """The name of what the roster says of the days before `day`: who joins, leaves or moves later changes nothing."""
    known = (person for person in roster if person.joined < day)
    return generation_of(
        tuple(p if p.left is None or p.left < day else p.model_copy(update={"left": None}) for p in known)
    )


def publish_roster(database: Database, workspace: Workspace, clock: Clock) -> str:
    """Make the workspace's roster the one that queries read; returns its generation.

    1. Nothing happens when that generation is the published one.
    2. Its rows are written. Stopping here leaves the old roster published and doing it again is harmless.
    3. The pointer moves. Older generations stay: they are small, and a reader may be in the middle of one.
    """
    generation = generation_of(workspace.roster)
    current = database.tenant(workspace.tenant).query(_POINTER)
    if current and current[0]["generation"] == generation:
        return generation
    database.insert_json_lines(
        "roster", b"\n".join(_row(workspace, generation, person) for person in workspace.roster)
    )
    published = clock.now()
    if current:
        # The newest pointer wins by this time, so it must be later whatever the clock says.
        published = max(published, current[0]["published_at"] + timedelta(microseconds=1))
    pointer = {
        "tenant": workspace.tenant,
        "name": "roster",
        "generation": generation,
        "published_at": published.isoformat(timespec="microseconds"),
    }
    database.insert_json_lines("generations", json.dumps(pointer).encode())
    return generation


def _row(workspace: Workspace, generation: str, person: Person) -> bytes:
    row = {"tenant": workspace.tenant, "generation": generation, **person.model_dump(mode="json")}
    return json.dumps(row).encode()
