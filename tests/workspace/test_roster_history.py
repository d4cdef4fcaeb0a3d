"""The roster's history under any sequence of imports: each day stays what the snapshot of that day said."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.schemas.pseudonym import pseudonym
from uptake.workspace.load import load_workspace
from uptake.workspace.roster_diff import on_day
from uptake.workspace.roster_import import plan_import, write
from uptake.workspace.roster_map import RosterColumn, RosterMap
from uptake.workspace.roster_merge import Snapshot
from uptake.workspace.roster_snapshot import read_snapshot

KEY = "a key of the tests only"
START = date(2026, 1, 5)
TEAMS = ["Claims", 'Sales, "north"', "# ops; east", "Équipe", "محاسبة 🙂"]
HEADERS = [
    b"user_id,team,seat,champion,joined,left,wave\n",
    b"person;joined;team",
    b"\xef\xbb\xbf# who is here\r\nteam;person;left;wave;joined\r\n\r\n",
    b'team\tuser_id\tjoined\tchampion\n# moves, "joiners\n',
]

Said = tuple[str, bool, bool, str]
People = dict[str, Said]

said = st.tuples(
    st.sampled_from(TEAMS), st.booleans(), st.booleans(), st.sampled_from(["", "Lyon", "2, late"])
)
people = st.dictionaries(st.sampled_from([f"u{i}@example.org" for i in range(5)]), said)
histories = st.lists(st.tuples(st.integers(1, 40), people), min_size=1, max_size=6)


def as_csv(snapshot: People) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("wave", "person", "team", "champion", "seat"))
    for person, (team, seat, champion, wave) in snapshot.items():
        writer.writerow((wave, person.upper(), team, "yes" if champion else "", "yes" if seat else "no"))
    return text.getvalue().encode()


def as_scim(snapshot: People) -> bytes:
    users = [
        {
            "userName": person,
            "active": True,
            "groups": [{"value": "g7", "display": "seats"}] if seat else [],
            "entitlements": [{"value": "champion"}] if champion else [],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "department": team,
                "division": wave,
            },
        }
        for person, (team, seat, champion, wave) in snapshot.items()
    ]
    return json.dumps({"totalResults": len(users), "Resources": users}).encode()


SCIM = RosterMap(
    {
        "seat": RosterColumn(column="groups", has=("seats",)),
        "champion": RosterColumn(column="entitlements", has=("champion",)),
        "wave": RosterColumn(column="division"),
    }
)


def read(snapshot: People, day: date, form: str) -> Snapshot:
    if form == "scim":
        return read_snapshot(as_scim(snapshot), "people.json", "scim", day, KEY, SCIM)
    return read_snapshot(as_csv(snapshot), "people.csv", "csv", day, KEY)


class Home:
    """A workspace with a roster of one header, and what the roster of a day is."""

    def __init__(self, directory: Path, header: bytes) -> None:
        self.directory = directory
        self.file = directory / "roster.csv"
        (directory / "organisation.yaml").write_text("tenant: acme\nname: Acme\ncurrency: USD\n")
        self.file.write_bytes(header)

    def take(self, snapshot: People, day: date, form: str = "csv") -> None:
        write(plan_import(self.directory, read(snapshot, day, form), KEY))

    def on(self, days: list[date]) -> list[People]:
        """Who is there on each day. Loading refuses overlapping stays."""
        roster = load_workspace(self.directory, KEY).roster
        return [
            {user: (p.team, p.seat, p.champion, p.wave) for user, p in on_day(roster, day).items()}
            for day in days
        ]


@contextmanager
def home_with(header: bytes) -> Iterator[Home]:
    with tempfile.TemporaryDirectory() as directory:
        yield Home(Path(directory), header)


def known(snapshot: People) -> People:
    return {pseudonym(KEY, person): said for person, said in snapshot.items()}


def days_of(history: list[tuple[int, People]]) -> list[tuple[date, People]]:
    days, day = [], START
    for gap, snapshot in history:
        day += timedelta(days=gap)
        days.append((day, snapshot))
    return days


@given(history=histories, header=st.sampled_from(HEADERS), form=st.sampled_from(["csv", "scim"]))
def test_each_day_stays_what_its_snapshot_said_whatever_is_imported_later(
    history: list[tuple[int, People]], header: bytes, form: str
) -> None:
    looked_at: list[date] = [START]
    expected: list[People] = [{}]
    with home_with(header) as home:
        for day, snapshot in days_of(history):
            # The last day before a snapshot is one of the snapshot before it.
            looked_at += [day - timedelta(days=1), day]
            expected += [expected[-1], known(snapshot)]
            home.take(snapshot, day, form)
            assert home.on(looked_at) == expected


@given(history=histories, header=st.sampled_from(HEADERS))
def test_the_same_import_twice_changes_no_byte(history: list[tuple[int, People]], header: bytes) -> None:
    with home_with(header) as home:
        for day, snapshot in days_of(history):
            home.take(snapshot, day)
            once = home.file.read_bytes()
            home.take(dict(reversed(snapshot.items())), day)
            home.take(snapshot, day + timedelta(days=1))
            assert home.file.read_bytes() == once


@given(history=histories, wrong=people, header=st.sampled_from(HEADERS))
def test_the_second_import_of_a_day_takes_the_place_of_the_first(
    history: list[tuple[int, People]], wrong: People, header: bytes
) -> None:
    *before, (day, snapshot) = days_of(history)
    with home_with(header) as corrected, home_with(header) as straight:
        for home in (corrected, straight):
            for earlier, there in before:
                home.take(there, earlier)
        corrected.take(wrong, day)
        corrected.take(snapshot, day)
        straight.take(snapshot, day)
        stays = [sorted(load_workspace(h.directory, KEY).roster, key=str) for h in (corrected, straight)]
        assert stays[0] == stays[1]


@given(first=people, second=people)
def test_who_is_unchanged_keeps_the_row_byte_for_byte_and_in_its_place(first: People, second: People) -> None:
    with home_with(HEADERS[0]) as home:
        home.take(first, START)
        # As a person would write it: quotes, spaces, other words for yes, a comment, no end of the last line.
        rows = home.file.read_bytes().replace(b",yes,", b", TRUE ,").replace(b",no,", b',"0",')
        content = rows.removesuffix(b"\n").replace(b"\n", b'\n# kept, "as is\n\n', 1)
        home.file.write_bytes(content)
        home.take(second, START + timedelta(days=7))
        same = {pseudonym(KEY, person).encode() for person in first if second.get(person) == first[person]}
        touched = {pseudonym(KEY, person).encode() for person in first} - same
        after = home.file.read_bytes()
        kept = [line for line in content.split(b"\n") if not any(user in line for user in touched)]
        there = iter(after.split(b"\n"))
        assert all(line in there for line in kept), "in this order"


@pytest.mark.parametrize("form", ["csv", "scim"])
def test_both_forms_of_a_file_say_the_same(form: str) -> None:
    snapshot: Any = {"Ann@example.org": ("Claims", True, False, "Lyon"), "bob": ("Sales", False, True, "")}
    taken = read(snapshot, START, form)
    assert {p.user_id: (p.team, p.seat, p.champion, p.wave) for p in taken.people} == known(snapshot)
