"""Importing a snapshot: what it refuses, what it leaves alone, and that the file is whole at any moment."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from uptake.errors import UptakeError, UsageError, WorkspaceError
from uptake.schemas.pseudonym import pseudonym
from uptake.watch import WatchedWorkspaces
from uptake.workspace.load import load_workspaces
from uptake.workspace.roster_import import RosterPlan, plan_import, write
from uptake.workspace.roster_map import RosterMap, read_map
from uptake.workspace.roster_snapshot import read_snapshot

KEY = "a key of the tests only"
ANN, BOB = "ann.smith@example.org", "bob.jones@example.org"
P_ANN, P_BOB = pseudonym(KEY, ANN), pseudonym(KEY, BOB)
MONDAY, LATER = date(2026, 3, 2), date(2026, 4, 6)


def plan(files: Any, content: str, day: date = MONDAY, mapping: RosterMap | None = None) -> RosterPlan:
    return plan_import(
        files.directory, read_snapshot(content.encode(), "people.csv", "csv", day, KEY, mapping), KEY
    )


def imported(files: Any, content: str, day: date = MONDAY, mapping: RosterMap | None = None) -> list[str]:
    """The lines of roster.csv after an import."""
    write(plan(files, content, day, mapping))
    return roster(files).read_text().splitlines()


def roster(files: Any) -> Path:
    path: Path = files.directory / "roster.csv"
    return path


def test_who_is_missing_is_closed_who_moves_has_two_stays_and_who_is_new_comes_last(files: Any) -> None:
    files.write(
        "roster.csv", "user_id,team,joined,left,wave\np1,Claims,2026-01-01,,\np2,Sales,2026-01-01,,Lyon\n"
    )
    lines = imported(files, "user_id,team,wave\np3,Claims,\np2,Claims,Lyon\n")
    assert lines[1:] == [
        "p1,Claims,2026-01-01,2026-03-02,",
        "p2,Sales,2026-01-01,2026-03-02,Lyon",
        "p2,Claims,2026-03-02,,Lyon",
        "p3,Claims,2026-03-02,,",
    ]


def test_who_comes_back_has_a_new_stay(files: Any) -> None:
    files.write("roster.csv", "user_id,team,joined,left\np1,Claims,2026-01-01,2026-02-01\n")
    assert imported(files, "user_id,team\np1,Claims\n")[1:] == [
        "p1,Claims,2026-01-01,2026-02-01",
        "p1,Claims,2026-03-02,",
    ]


def test_what_a_file_does_not_speak_of_stays_as_it_is(files: Any) -> None:
    files.write("roster.csv", "user_id,team,seat,champion,joined,wave\np1,Claims,no,yes,2026-01-01,Lyon\n")
    assert not plan(files, "user_id,team\np1,Claims\n").changes
    assert imported(files, "user_id,team\np1,Sales\n")[2] == "p1,Sales,no,yes,2026-03-02,Lyon,"


def test_an_empty_cell_of_a_column_that_is_there_says_what_it_says_in_the_roster(files: Any) -> None:
    files.write("roster.csv", "user_id,team,seat,joined,wave,left\np1,Claims,no,2026-01-01,Lyon,\n")
    assert imported(files, "user_id,team,seat,wave\np1,Claims,,\n")[2] == "p1,Claims,yes,2026-03-02,,"


def test_columns_that_are_needed_are_appended_and_others_are_not(files: Any) -> None:
    files.write(
        "roster.csv", b"# ours\r\nteam;user_id;joined\r\nClaims;p1;2026-01-01\r\nClaims;p2;2026-01-01\r\n"
    )
    imported(files, "user_id,team,seat\np1,Claims,yes\np2,Claims,no\n")
    assert roster(files).read_bytes() == (
        b"# ours\r\nteam;user_id;joined;seat;left\r\nClaims;p1;2026-01-01;;\r\n"
        b"Claims;p2;2026-01-01;;2026-03-02\r\nClaims;p2;2026-03-02;no;\r\n"
    )


def test_days_of_joining_are_taken_over_into_an_empty_roster_only(files: Any) -> None:
    roster(files).unlink()
    first = imported(files, "person,team,joined\n" + f"{ANN},Claims,2025-06-01\n")
    assert first == ["user_id,team,seat,champion,joined,left,wave", f"{P_ANN},Claims,yes,no,2025-06-01,,"]
    both = f"person,team,joined\n{ANN},Claims,2025-06-01\n{BOB},Claims,2026-03-20\n"
    assert imported(files, both, LATER)[2] == f"{P_BOB},Claims,yes,no,2026-04-06,,"


def test_who_joins_after_the_day_is_not_there_yet(files: Any) -> None:
    snapshot = read_snapshot(
        b"user_id,team,joined\np1,A,2026-03-03\np2,A,2026-03-02\n", "f", "csv", MONDAY, None
    )
    assert ([p.user_id for p in snapshot.people], snapshot.not_yet) == (["p2"], 1)


def test_raw_identities_that_are_in_the_file_stay_and_new_ones_do_not_come_in(files: Any) -> None:
    files.write("roster.csv", f"person,team,joined,left\n{ANN},Claims,2026-01-01,\n")
    assert imported(files, f"person,team\n{BOB},Claims\n{ANN.upper()},Sales\n")[1:] == [
        f"{ANN},Claims,2026-01-01,2026-03-02",
        f"{ANN},Sales,2026-03-02,",
        f"{P_BOB},Claims,2026-03-02,",
    ]
    assert {person.user_id for person in files.load().roster} == {P_ANN, P_BOB}


def test_pseudonyms_of_ones_own_are_not_written_where_they_would_be_taken_for_identities(files: Any) -> None:
    files.write("roster.csv", f"person,team,joined,left\n{ANN},Claims,2026-01-01,\n")
    with pytest.raises(UsageError, match="column user_id"):
        plan(files, "user_id,team\np1,Claims\n")


@pytest.mark.parametrize("row", ["p2,Claims,2026-03-03,", "p2,Claims,2026-01-01,2026-03-03"])
def test_history_is_not_rewritten_by_an_older_snapshot(files: Any, row: str) -> None:
    files.write("roster.csv", f"user_id,team,joined,left\np1,Claims,2026-01-01,\n{row}\n")
    with pytest.raises(
        UsageError, match=r"^roster.csv, line 3: has a change of 2026-03-03, after .*2026-03-02"
    ) as error:
        plan(files, "user_id,team\np1,Claims\n")
    assert "edit roster.csv" in error.value.hint
    assert plan(files, "user_id,team\np1,Claims\n", date(2026, 3, 3)).path == roster(files)


@pytest.mark.parametrize(("missing", "suspicious"), [(2, False), (3, True)])
def test_more_than_a_third_of_all_stays_ending_is_suspicious(
    files: Any, missing: int, suspicious: bool
) -> None:
    stays = [f"p{i},Claims,2026-01-01,\n" for i in range(6)] + ["gone,Claims,2026-01-01,2026-02-01\n"]
    files.write("roster.csv", "user_id,team,joined,left\n" + "".join(stays))
    there = "".join(f"p{i},Claims\n" for i in range(missing, 6))
    found = plan(files, "user_id,team\n" + there)
    assert (found.closed, bool(found.suspicious)) == (missing, suspicious)


def test_an_import_that_would_break_the_workspace_is_refused(files: Any) -> None:
    roster(files).unlink()
    files.write("targets.yaml", "- {kpi: adoption, team: Claims, target: 0.7, owner: Ann, due: 2026-12-31}\n")
    assert files.check() == [p for p in files.check() if p.severity == "warning"], "without a roster any team"
    with pytest.raises(WorkspaceError, match=r"targets\.yaml:1: team 'Claims' does not exist"):
        plan(files, "user_id,team\np1,Clams\n")
    assert not roster(files).exists()


def test_permissions_and_links_stay_and_nothing_else_is_left_behind(files: Any) -> None:
    elsewhere = files.directory.parent / "elsewhere.csv"
    roster(files).rename(elsewhere)
    roster(files).symlink_to(elsewhere)
    elsewhere.chmod(0o640)
    imported(files, "user_id,team\np1,Sales\np2,Sales\n")
    assert roster(files).is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o640
    assert "2026-03-02" in elsewhere.read_text()
    assert {path.name for path in files.directory.iterdir()} == {"organisation.yaml", "roster.csv"}
    assert [path.name for path in elsewhere.parent.glob("*.new")] == []


def test_a_file_that_somebody_else_changed_meanwhile_is_not_overwritten(files: Any) -> None:
    planned = plan(files, "user_id,team\np1,Claims\n")
    theirs = roster(files).read_text() + "p7,Sales,2026-01-01\n"
    files.write("roster.csv", theirs)
    with pytest.raises(UptakeError, match="changed by somebody else"):
        write(planned)
    assert roster(files).read_text() == theirs


def test_what_changes_nothing_does_not_touch_the_file(files: Any) -> None:
    os.utime(roster(files), (1, 1))
    imported(files, "user_id,team\np2,Sales\np1,Claims\n")
    assert roster(files).stat().st_mtime == 1


def test_whoever_serves_takes_an_import_over_at_the_next_look(files: Any) -> None:
    told: list[Any] = []
    watched = WatchedWorkspaces(files.directory, lambda: load_workspaces(files.directory, KEY), told.append)
    imported(files, "user_id,team\np1,Sales\np2,Sales\n")
    [workspace] = watched.refresh().values()
    assert [stay.team for stay in workspace.stays["p1"]] == ["Claims", "Sales"]
    assert (watched.problem, len(told)) == ("", 2)


@pytest.mark.parametrize(
    ("content", "says", "hint"),
    [
        ("", "line 1: has no header", "the columns are person"),
        ("user_id,taem\np1,A\n", "line 1: unknown column 'taem'", "did you mean team?"),
        ("usr_id,team\np1,A\n", "line 1: unknown column 'usr_id'", "did you mean user_id?"),
        ("user_id,seat\np1,yes\n", "line 1: column 'team' is missing", ""),
        (
            "user_id,team,left\np1,A,\n",
            "line 1: a snapshot holds who is there",
            "leave|take the column left out",
        ),
        ("user_id,team\np1,A\np2,\n", "line 3: 'team' is missing", ""),
        ("user_id,team\np1,A\np2\n", "line 3: has 1 cells where the header has 2", ""),
        ("user_id,team,seat\np1,A,perhaps\n", "line 2: seat: should be yes or no", ""),
        ('user_id,team,wave\np1,A,"x\ny"\n', "line 2: wave: should be one line", ""),
        ("user_id,team\np1,A\np2,A\np1,B\n", "line 4: the same person is here twice, first in line 2", ""),
    ],
)
def test_a_faulty_snapshot_names_the_line(content: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        read_snapshot(content.encode(), "people.csv", "csv", MONDAY, KEY)
    assert error.value.message.startswith(f"people.csv, {says}"), error.value.message
    assert any(part in error.value.hint for part in hint.split("|")), error.value.hint


@pytest.mark.parametrize(
    "content",
    [
        f"{ANN},Claims\n{BOB},Sales\n",
        f"person,team\n{ANN},\n",
        f"person,team\n{ANN},A\n{ANN},B\n",
        f"user_id,team\n{ANN},A\n",
        f"person,team,seat\n{ANN},A,{ANN}\n",
        f"person,team,joined\n{ANN},A,{ANN}\n",
        f'person,team\n"{ANN},A\n',
    ],
)
def test_no_fault_of_a_snapshot_names_a_person(content: str) -> None:
    with pytest.raises(UsageError) as error:
        read_snapshot(content.encode(), "people.csv", "csv", MONDAY, KEY)
    assert "smith" not in f"{error.value.message} {error.value.hint}".casefold()


def test_many_faults_are_shown_in_part_and_counted() -> None:
    content = "user_id,team\n" + "".join(f"p{i},\n" for i in range(30))
    with pytest.raises(UsageError) as error:
        read_snapshot(content.encode(), "people.csv", "csv", MONDAY, KEY)
    assert len(error.value.message.splitlines()) == 20
    assert error.value.hint.startswith("and 10 more")


def written_map(files: Any, text: str) -> RosterMap:
    path = files.directory.parent / "map.yaml"
    path.write_text(text)
    return read_map(path, ("team",))


def test_a_map_says_which_column_is_which_field(files: Any) -> None:
    mapping = written_map(
        files,
        "columns:\n  person: E-mail\n  team: {column: Cost centre, values: {'4711': Claims, '': Nowhere}}\n"
        "  seat: {column: Licences, has: [E5, E7]}\n",
    )
    content = f"Name;E-mail;Cost centre;Licences\nAnn;{ANN};4711;E5\nBob;{BOB};;none\n"
    assert imported(files, content, mapping=mapping)[-2:] == [
        f"{P_ANN},Claims,2026-03-02,yes,",
        f"{P_BOB},Nowhere,2026-03-02,no,",
    ]


@pytest.mark.parametrize(
    ("text", "says", "hint"),
    [
        (
            "columns:\n  person: E\n  taem: T\n  team: T\n",
            "map.yaml, line 3: a roster has no field 'taem'",
            "team?",
        ),
        ("columns:\n  person: E\n", "map.yaml, line 1: nothing fills 'team'", "needs it"),
        ("columns: {team: T}\n", "map.yaml, line 1: one column of people", ""),
        (
            "columns:\n  person: E\n  team: T\n  seat: {column: S, has: a, values: {b: c}}\n",
            "map.yaml, line 4",
            "",
        ),
        ("colums: {team: T}\n", "map.yaml, line 1", "did you mean columns?"),
    ],
)
def test_a_faulty_map_names_the_line(files: Any, text: str, says: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        written_map(files, text)
    assert says in error.value.message
    assert hint in f"{error.value.message} {error.value.hint}"


def test_a_mapped_column_that_is_not_there_is_named_with_what_was_meant(files: Any) -> None:
    mapping = written_map(files, "columns:\n  person: E-mail\n  team: department\n")
    with pytest.raises(UsageError) as error:
        plan(files, f"E-mail,Department\n{ANN},A\n", mapping=mapping)
    assert error.value.message == (
        'map.yaml, line 3: column "department" is not in people.csv (columns: E-mail, Department)'
    )
    assert error.value.hint == "names are case-sensitive; did you mean Department?"


def test_a_mapped_file_without_a_header_names_nobody(files: Any) -> None:
    mapping = written_map(files, "columns:\n  person: E-mail\n  team: department\n")
    with pytest.raises(UsageError, match="line 1: has none of the columns that the map names") as error:
        plan(files, f"{ANN},A\n", mapping=mapping)
    assert "smith" not in error.value.message


def test_a_value_that_the_map_does_not_translate_is_refused_and_not_repeated(files: Any) -> None:
    mapping = written_map(files, "columns:\n  person: E\n  team: {column: T, values: {a: A}}\n")
    with pytest.raises(UsageError, match=r"line 2: team: is not among the map's `values`$"):
        plan(files, f"E,T\n{ANN},secret\n", mapping=mapping)
