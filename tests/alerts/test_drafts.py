"""A digest that was composed is not composed again while all that it was made of is the same; and else it always is."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from uptake import program
from uptake.alerts import digest
from uptake.alerts.drafts import KEPT_FOR, Drafts
from uptake.alerts.message import Message
from uptake.alerts.saying import Place
from uptake.calendar import IsoWeek
from uptake.errors import UsageError
from uptake.schemas.identity import mint, unix_ms
from uptake.state.tables import drafts
from uptake.workspace.models import Person, Target
from uptake.workspace.roster import publish_roster

MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)
IN_WEEK = datetime(2026, 11, 11, 10, 0, tzinfo=UTC)
WEEK = IsoWeek(2026, 46)

pytestmark = pytest.mark.usefixtures("short_chart")


@pytest.fixture
def composed(world: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The audiences of what is composed from now on, in a world with some use."""
    world.usage(datetime(2026, 11, 2, 10, tzinfo=UTC), 5, calls=6)
    world.usage(IN_WEEK, 5, calls=6)
    told: list[str] = []
    compose = digest.compose

    def counted(inputs: Any, now: datetime) -> Message:
        told.append(inputs.audience.audience)
        return compose(inputs, now)

    monkeypatch.setattr(digest, "compose", counted)
    return told


def made(world: Any, audience: int = 1, week: IsoWeek = WEEK, now: datetime = MONDAY) -> Message:
    """What a new run says."""
    place = Place(world.engine, world.database.tenant(world.tenant), world.workspace)
    return place.drafts().message(world.workspace.channels.audiences[audience], week, now)


def inserts(world: Any, table: str, **row: Any) -> None:
    line = json.dumps({"tenant": world.tenant, **row})
    world.database.insert_json_lines(table, line.encode())


def call(world: Any, at: datetime, event_id: int = 0, **row: Any) -> None:
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    known = {
        "app": "claims-letter",
        "team": "Claims",
        "user_id": "u9",
        "status": "ok",
        "authorisation": "allowed",
    }
    event_id = event_id or mint(unix_ms(at)).int
    times = {"occurred_at": moment, "received_at": moment}
    inserts(
        world,
        "usage",
        **{"event_id": str(event_id), "ver": 1, **times, **known, "intent": "deliberate", **row},
    )


def changes(world: Any, **parts: Any) -> None:
    world.workspace = world.workspace.model_copy(update=parts)
    publish_roster(world.database, world.workspace, world.clock)


def test_what_was_composed_is_said_again_byte_for_byte_without_asking(
    world: Any, composed: list[str]
) -> None:
    first = made(world)
    again = made(world, now=MONDAY + timedelta(days=2))
    assert again.model_dump_json() == first.model_dump_json()
    assert composed == ["claims"]
    made(world, audience=0)
    made(world, week=WEEK.shift(-1))
    assert composed == ["claims", "acme", "claims"], "each audience and period has its own"


ID = mint(unix_ms(IN_WEEK)).int

CHANGES: dict[str, Callable[[Any], None]] = {
    "a late event": lambda world: call(world, IN_WEEK),
    "a correction": lambda world: call(world, IN_WEEK, ID, ver=2, cost_nano=9),
    "an event of a year ago": lambda world: call(world, IN_WEEK - timedelta(days=370)),
    "a cost of the week": lambda world: inserts(
        world,
        "cost",
        event_id=str(mint(unix_ms(MONDAY)).int),
        ver=1,
        occurred_at="2026-11-16T09:00:00.000Z",
        received_at="2026-11-16T09:00:00.000Z",
        category="licence",
        period_start="2026-11-02",
        period_end="2026-11-16",
        cost_nano=10**9,
    ),
    "what an SDK reports": lambda world: inserts(
        world,
        "sdk_reports",
        client_id="c1",
        quarter="2026-11-11 10:00:00",
        reported_at="2026-11-11T10:01:00.000Z",
        accepted=9,
        dropped=1,
    ),
    "a person": lambda world: changes(
        world,
        roster=(*world.workspace.roster, Person(user_id="v", team="Claims", joined=date(2026, 1, 1))),
    ),
    "a target": lambda world: changes(
        world, targets=(Target(kpi="adoption", target=0.9, due=date(2026, 12, 31), owner="Ada"),)
    ),
    "a budget": lambda world: changes(
        world,
        budgets=tuple(b.model_copy(update={"amount": Decimal(7)}) for b in world.workspace.budgets),
    ),
    "the registry": lambda world: changes(world, apps=()),
    "the language": lambda world: changes(
        world, organisation=world.workspace.organisation.model_copy(update={"locale": "fr"})
    ),
    "other audiences": lambda world: changes(
        world,
        channels=world.workspace.channels.model_copy(
            update={"audiences": world.workspace.channels.audiences[:2][::-1]}
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_it_is_made_of_changes_it_is_composed_anew(
    world: Any, composed: list[str], change: str
) -> None:
    call(world, IN_WEEK, ID)
    made(world)
    CHANGES[change](world)
    anew = made(world, audience=0 if change == "other audiences" else 1)
    assert composed == ["claims", "claims"]
    place = Place(world.engine, world.database.tenant(world.tenant), world.workspace)
    audience = world.workspace.channels.audiences[0 if change == "other audiences" else 1]
    assert anew == digest.compose(place.drafts().gatherer.inputs(audience, WEEK), MONDAY)


def test_another_program_composes_anew(
    world: Any, composed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made(world)
    monkeypatch.setattr("uptake.alerts.drafts.program", lambda: "another")
    made(world)
    assert composed == ["claims", "claims"]


def test_what_happens_after_the_period_changes_nothing(world: Any, composed: list[str]) -> None:
    made(world)
    call(world, MONDAY + timedelta(hours=9))
    made(world)
    assert composed == ["claims"]


def test_an_event_that_comes_while_it_is_composed_makes_it_a_draft_of_before(
    world: Any, composed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(world.engine, world.database.tenant(world.tenant), world.workspace)
    run = place.drafts()
    inputs = run.gatherer.inputs

    def meanwhile(*given: Any) -> Any:
        found = inputs(*given)
        call(world, IN_WEEK)
        return found

    monkeypatch.setattr(run.gatherer, "inputs", meanwhile)
    run.message(world.workspace.channels.audiences[1], WEEK, MONDAY)
    made(world)
    assert composed == ["claims", "claims"]


def test_an_event_that_comes_between_two_periods_of_a_run_leaves_no_draft_of_before_it(
    world: Any, composed: list[str]
) -> None:
    place = Place(world.engine, world.database.tenant(world.tenant), world.workspace)
    run, audience = place.drafts(), world.workspace.channels.audiences[1]
    run.message(audience, WEEK.shift(-1), MONDAY)
    world.usage(datetime(2026, 11, 4, 10, tzinfo=UTC), 50, calls=12)
    inserts(
        world,
        "sdk_reports",
        client_id="c1",
        quarter="2026-11-04 10:00:00",
        reported_at="2026-11-04T10:01:00.000Z",
        accepted=9,
        dropped=1,
    )
    run.message(audience, WEEK, MONDAY)  # with the figures of the week before that the run has
    assert made(world) == digest.compose(place.drafts().gatherer.inputs(audience, WEEK), MONDAY)


def test_a_period_that_is_not_over_has_no_draft(world: Any, composed: list[str]) -> None:
    made(world)
    with pytest.raises(UsageError, match="is not over"):
        made(world, now=MONDAY - timedelta(days=1))
    assert composed == ["claims"]


def test_two_that_compose_the_same_at_once_keep_one(world: Any, composed: list[str]) -> None:
    ready, told = threading.Barrier(2), []

    class Together(Drafts):
        def _keep(self, *given: Any) -> None:
            ready.wait(20)
            super()._keep(*given)

    def run() -> None:
        drafts_of_one = Place(world.engine, world.database.tenant(world.tenant), world.workspace).drafts()
        drafts_of_one.__class__ = Together
        told.append(drafts_of_one.message(world.workspace.channels.audiences[1], WEEK, MONDAY))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(told) == 2
    assert told[0] == told[1] == made(world)
    assert len(composed) == 2


def test_drafts_of_long_ago_are_deleted(world: Any, composed: list[str]) -> None:
    made(world, week=WEEK.shift(-1))
    made(world, now=MONDAY + KEPT_FOR + timedelta(seconds=1))
    with world.engine.connect() as connection:
        kept = connection.execute(select(drafts.c.identity)).scalars().all()
    assert kept == [digest.identity(world.tenant, "claims", WEEK)]


# --- the program's name ---


def test_a_program_is_named_by_its_text_and_by_what_it_stands_on(monkeypatch: pytest.MonkeyPatch) -> None:
    name = program.program.__wrapped__
    first = name()
    assert first == name()
    version = program.metadata.version
    with monkeypatch.context() as patch:
        patch.setattr(
            program.metadata,
            "version",
            lambda package: version(package) + ("+1" if package.lower() == "babel" else ""),
        )
        assert name() != first
    contents = program._contents

    def edited(*given: Any) -> Any:
        return [(path, text + b" " * path.endswith("phrases.py")) for path, text in contents(*given)]

    monkeypatch.setattr(program, "_contents", edited)
    assert name() != first
