"""roster.csv: spreadsheets as they are, people as pseudonyms, and nobody in a message."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from uptake.errors import WorkspaceError
from uptake.schemas.pseudonym import pseudonym

KEY = "a key of the tests only"
ANN = "ann.smith@example.org"


def test_a_person_becomes_the_pseudonym_that_the_apps_send(files: Any) -> None:
    files.write("roster.csv", f"person,team,joined\n{ANN},Claims,2026-01-01\n")
    (person,) = files.load().roster
    assert person.user_id == pseudonym(KEY, "Ann.Smith@Example.org ")


def test_raw_people_without_a_key_are_one_fault_with_a_remedy(files: Any) -> None:
    (fault,) = files.faults(
        "roster.csv", f"person,team,joined\n{ANN},Claims,2026-01-01\nbob,Claims,2026-01-01\n", None
    )
    assert fault.startswith(
        "roster.csv:2: holds a person's identity and there is no pseudonym key (set UPTAKE_PSEUD"
    )


def test_a_short_key_is_a_fault(files: Any) -> None:
    (fault,) = files.faults("roster.csv", f"person,team,joined\n{ANN},Claims,2026-01-01\n", "short")
    assert "fewer than 16" in fault


def test_pseudonyms_need_no_key(files: Any) -> None:
    own = pseudonym(KEY, ANN)
    assert files.faults("roster.csv", f"person,team,joined\n{own},Claims,2026-01-01\n", None) == []


@pytest.mark.parametrize(
    "content",
    [
        f"person,team,joined\n{ANN},,2026-01-01\n",
        f"{ANN},Claims,2026-01-01\n",
        f"person,team,joined\n{ANN},Claims,{ANN}\n",
        f"person,team,joined,seat\n{ANN},Claims,2026-01-01,{ANN}\n",
        f"user_id,team,joined\n{ANN},Claims,2026-01-01\n",
        f"person,team,joined\n{ANN},Claims,2026-01-01,{ANN}\n",
        f"person,team,joined\n{ANN},Claims,2026-01-01\n{ANN},Claims,2026-02-01\n",
        f'person,team,joined\n"{ANN},Claims,2026-01-01\n',
        f"person,team,joined,left\n{ANN},Claims,2026-01-01,2026-01-01\n",
    ],
)
def test_no_fault_names_a_person(files: Any, content: str) -> None:
    faults = files.faults("roster.csv", content)
    assert faults
    assert "smith" not in " ".join(faults).casefold()
    with pytest.raises(WorkspaceError) as error:
        files.load()
    assert error.value.__cause__ is None
    assert "smith" not in f"{error.value!r} {error.value.problems}".casefold()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "content",
    [
        "user_id,team,seat,champion,joined,left,wave\np1,Claims,yes,no,2026-01-01,,Lyon\n",
        "\ufeffuser_id;team;seat;champion;joined;left;wave\r\np1;Claims;TRUE;0;2026-01-01;;Lyon\r\n;;;;;;\r\n",
        "wave\tjoined\tteam\tuser_id\n\nLyon\t2026-01-01\tClaims\tp1",
        '# ours, "the roster\n#\nuser_id,team,joined,wave\n# more;\np1,Claims,2026-01-01,Lyon\n# end',
    ],
)
def test_a_roster_is_read_as_spreadsheets_write_it(files: Any, content: str) -> None:
    files.write("roster.csv", content)
    (person,) = files.load().roster
    assert (person.user_id, person.team, person.seat, person.champion) == ("p1", "Claims", True, False)
    assert (person.joined, person.left, person.wave) == (date(2026, 1, 1), None, "Lyon")


def test_a_hash_without_a_space_begins_somebody_and_a_comment_moves_no_line(files: Any) -> None:
    content = "user_id,team,joined\n# a comment\n#7,Claims,2026-01-01\np1,Claims,soon\n"
    (fault,) = files.faults("roster.csv", content)
    assert fault.startswith("roster.csv:4: joined")
    files.write("roster.csv", content.replace("soon", "2026-01-01"))
    assert [person.user_id for person in files.load().roster] == ["#7", "p1"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "roster.csv:1: has no header"),
        ("user_id,team,joined,taem\n", "roster.csv:1: unknown column 'taem' (did you mean team?)"),
        ("user_id,team,joined,team\n", "roster.csv:1: column 'team' is there twice"),
        ("team,joined\n", "roster.csv:1: has one column of people"),
        ("person,user_id,team,joined\n", "roster.csv:1: has one column of people"),
        ("user_id,team\n", "roster.csv:1: column 'joined' is missing"),
        ("user_id,team,joined\np1,Claims\n", "roster.csv:2: has 2 cells where the header has 3"),
        ("user_id,team,joined\np1,Claims,20260101\n", "roster.csv:2: joined: should be a day written like"),
        ("user_id,team,joined\np1,Claims,2026-02-30\n", "roster.csv:2: joined: should be a valid date"),
        ('user_id,team,joined\np1,"Cla\nims",2026-01-01\n', "roster.csv:2: team: should be one line"),
        (
            "user_id,team,joined,left\np1,A,2026-01-01,2025-01-01\n",
            "roster.csv:2: left is the first day away",
        ),
        ('user_id,team,joined\n"p1\n",A,2026-01-01\np2,B,x\n', "roster.csv:4: joined: should be a day"),
    ],
)
def test_a_faulty_roster_names_the_line(files: Any, content: str, says: str) -> None:
    assert any(fault.startswith(says) for fault in files.faults("roster.csv", content)), files.check()


def test_the_two_rows_of_a_move_follow_each_other(files: Any) -> None:
    moved = "user_id,team,joined,left\np1,Claims,2026-01-01,2026-03-01\np1,Sales,2026-03-01,\n"
    assert files.faults("roster.csv", moved) == []
    assert [stay.team for stay in files.load().stays["p1"]] == ["Claims", "Sales"]


@pytest.mark.parametrize("left", ["", "2026-03-02"])
def test_nobody_is_in_two_rows_on_one_day(files: Any, left: str) -> None:
    both = f"user_id,team,joined,left\np1,Sales,2026-03-01,\np1,Claims,2026-01-01,{left}\n"
    (fault,) = files.faults("roster.csv", both)
    assert fault.startswith("roster.csv:2: overlaps line 3: the same person is in two rows at once")


def test_a_champion_without_a_seat_is_a_warning(files: Any) -> None:
    (warning,) = files.faults("roster.csv", "user_id,team,joined,seat,champion\np1,A,2026-01-01,no,yes\n")
    assert warning.startswith("roster.csv:2: warning: is a champion without a seat")
    assert files.load().roster
