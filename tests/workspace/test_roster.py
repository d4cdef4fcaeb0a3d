"""Publishing the roster: whole generations, one pointer, nothing when nothing changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.workspace.models import Organisation, Person, Workspace
from uptake.workspace.roster import generation_of, publish_roster

NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)

PUBLISHED = """
SELECT user_id, team, seat, champion, joined, left, wave
FROM roster FINAL
WHERE tenant = {tenant:String}
  AND generation = (SELECT generation FROM generations FINAL WHERE tenant = {tenant:String} AND name = 'roster')
ORDER BY user_id, joined
"""
POINTERS = "SELECT count() AS n FROM generations WHERE tenant = {tenant:String}"


def person(
    user: str, team: str = "Claims", joined: date = date(2026, 1, 1), left: date | None = None
) -> Person:
    return Person(user_id=user, team=team, joined=joined, left=left, wave="Lyon")


def workspace(tenant: str, *people: Person) -> Workspace:
    return Workspace(organisation=Organisation(tenant=tenant, name="Acme"), roster=people)


def test_what_is_published_is_what_the_workspace_says(database: Database, tenant: str) -> None:
    moved = (person("p1", left=date(2026, 3, 1)), person("p1", "Sales", date(2026, 3, 1)))
    publish_roster(database, workspace(tenant, *moved), ManualClock(NOW))
    assert database.tenant(tenant).query(PUBLISHED) == [stay.model_dump() for stay in moved]


def test_an_unchanged_roster_writes_nothing(database: Database, tenant: str) -> None:
    clock = ManualClock(NOW)
    first = publish_roster(database, workspace(tenant, person("p1"), person("p2")), clock)
    again = publish_roster(database, workspace(tenant, person("p2"), person("p1")), clock)
    assert first == again
    assert database.tenant(tenant).query(POINTERS) == [{"n": 1}]


def test_a_roster_can_go_back_to_what_it_was_even_while_the_clock_stands_still(
    database: Database, tenant: str
) -> None:
    clock = ManualClock(NOW)
    before, after = workspace(tenant, person("p1")), workspace(tenant, person("p2"))
    for each in (before, after, before):
        publish_roster(database, each, clock)
    assert [row["user_id"] for row in database.tenant(tenant).query(PUBLISHED)] == ["p1"]


def test_the_newest_roster_is_read_even_when_the_clock_went_back(database: Database, tenant: str) -> None:
    publish_roster(database, workspace(tenant, person("p1")), ManualClock(NOW))
    publish_roster(database, workspace(tenant, person("p2")), ManualClock(NOW - timedelta(hours=1)))
    assert [row["user_id"] for row in database.tenant(tenant).query(PUBLISHED)] == ["p2"]


def test_an_emptied_roster_is_published_as_empty(database: Database, tenant: str) -> None:
    publish_roster(database, workspace(tenant, person("p1")), ManualClock(NOW))
    publish_roster(database, workspace(tenant), ManualClock(NOW))
    assert database.tenant(tenant).query(PUBLISHED) == []


def test_a_generation_that_was_half_written_is_published_whole(database: Database, tenant: str) -> None:
    whole = workspace(tenant, person("p1"), person("p2"))
    generation = generation_of(whole.roster)
    row = f'{{"tenant":"{tenant}","generation":"{generation}","user_id":"p1","team":"Claims","joined":"2026-01-01"}}'
    database.insert_json_lines("roster", row.encode())
    publish_roster(database, whole, ManualClock(NOW))
    assert [row["wave"] for row in database.tenant(tenant).query(PUBLISHED)] == ["Lyon", "Lyon"]


def test_the_rosters_of_two_tenants_do_not_meet(database: Database, tenant: str) -> None:
    publish_roster(database, workspace(tenant, person("p1")), ManualClock(NOW))
    publish_roster(database, workspace(tenant + "-b", person("p9")), ManualClock(NOW))
    assert [row["user_id"] for row in database.tenant(tenant).query(PUBLISHED)] == ["p1"]
