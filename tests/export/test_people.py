"""Nobody is in an export, and neither the order nor the repetition of events changes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.export import Format

MINUTE = timedelta(minutes=1)
PERSON, REVIEWER, SESSION, TAG = "p_person", "p_reviewer", "a-session", "a-tag"


def teams(desk: Any, **selection: Any) -> set[str | None]:
    return {row.team for row in desk.rows(**selection)}


def of_people(desk: Any, team: str, people: int, at: datetime, **fields: Any) -> list[dict[str, Any]]:
    """A decision of each of so many people of a team."""
    return [
        desk.decision(f"{team}{n}", at=at, team=team, user_id=f"{team}-{n}", **fields) for n in range(people)
    ]


@pytest.mark.parametrize("format", Format)
def test_nobody_nor_what_leads_to_somebody_is_in_a_file(desk: Any, monday: datetime, format: Format) -> None:
    about = {"user_id": PERSON, "session_id": SESSION, "tags": {TAG: TAG}}
    desk.send(
        desk.event(1, "usage", monday, response_id="r1", **about),
        desk.decision(2, at=monday, response_id="r1", reviewer_id=REVIEWER, **about),
    )
    written = desk.export(format)
    assert b"r1" in written, "otherwise this looks at nothing"
    for of_somebody in (PERSON, REVIEWER, SESSION, TAG):
        assert of_somebody.encode() not in written


def test_a_team_is_named_from_five_people_on(desk: Any, monday: datetime) -> None:
    desk.send(*of_people(desk, "five", 5, monday), *of_people(desk, "six", 6, monday))
    assert teams(desk) == {"five", "six"}


def test_a_smaller_team_is_not_named_nor_another_that_would_tell_it(desk: Any, monday: datetime) -> None:
    desk.send(*of_people(desk, "four", 4, monday), *of_people(desk, "five", 5, monday))
    desk.send(*of_people(desk, "six", 6, monday))
    assert teams(desk) == {None, "six"}
    assert (desk.report.rows, desk.report.unnamed) == (15, 9)


def test_many_rows_of_one_person_are_one_person(desk: Any, monday: datetime) -> None:
    rows = [desk.decision(n, at=monday, team="busy", user_id="one") for n in range(9)]
    desk.send(*rows, *of_people(desk, "six", 6, monday), *of_people(desk, "seven", 7, monday))
    assert teams(desk) == {None, "seven"}


def test_people_count_only_where_a_row_of_theirs_is_exported(desk: Any, monday: datetime) -> None:
    later = [desk.decision("later", at=monday + MINUTE, team="team", user_id="one", response_id="r1")]
    desk.send(*of_people(desk, "team", 4, monday), *of_people(desk, "six", 6, monday), *later)
    assert teams(desk) == {"team", "six"}
    replaced = desk.decision("replaced", at=monday, team="team", user_id="two", response_id="r1")
    desk.send(
        replaced, desk.event("t", "feedback", monday, kind="thumb", thumb="up", user_id="x", team="small")
    )
    assert teams(desk) == {"team", "six"}
    assert teams(desk, kinds=("decision", "edit", "thumb")) == {None, "six"}
    assert teams(desk, kinds=("thumb",)) == {None}


def test_people_of_a_lower_severity_do_not_count(desk: Any, monday: datetime) -> None:
    edited = {"said": "edited", "severity": 0.5}
    desk.send(*of_people(desk, "team", 4, monday, **edited))
    desk.send(desk.decision("light", "edited", monday, severity=0.1, team="team", user_id="fifth"))
    assert teams(desk) == {"team"}
    assert teams(desk, min_severity=0.2) == {None}


def test_a_team_of_which_nobody_is_known_is_not_named(desk: Any, monday: datetime) -> None:
    desk.send(*(desk.decision(n, at=monday, team="nobody") for n in range(9)))
    assert teams(desk) == {None}


def _week(desk: Any, monday: datetime) -> list[dict[str, Any]]:
    """Answers that were decided twice and at one moment, with and without a call, of teams large and small."""
    decisions = [
        desk.decision(
            n,
            ("accepted", "rejected", "escalated")[n % 3],
            monday + MINUTE * (n % 4),
            team=("claims", "sales")[n % 5 == 0],
            user_id=f"{PERSON}{n % 7}",
            reviewer_id=REVIEWER,
            session_id=SESSION,
            tags={TAG: TAG},
            reasons=["other"] * (n % 2),
            **({"response_id": f"r{n % 5}"} if n % 6 else {}),
        )
        for n in range(18)
    ]
    calls = [
        desk.event(f"call{n}", "usage", monday, response_id=f"r{n % 3}", provider=f"p{n}", user_id=PERSON)
        for n in range(4)
    ]
    return [*decisions, *calls]


@settings(max_examples=12)
@given(data=st.data())
def test_order_batches_and_repetition_of_events_change_no_byte_and_name_nobody(
    desk_of: Callable[..., Any], data: st.DataObject
) -> None:
    from_one_batch, shuffled = desk_of(), desk_of()
    events = _week(from_one_batch, datetime.fromisoformat("2026-11-09T09:00Z"))
    from_one_batch.send(*events)
    sent = data.draw(st.permutations(events))
    again = data.draw(st.lists(st.sampled_from(events), max_size=8))
    cut = data.draw(st.integers(1, len(sent) - 1))
    for batch in (sent[:cut], again, sent[cut:], again):
        if batch:
            shuffled.send(*batch)
    page_rows = data.draw(st.integers(1, 20))
    expected = from_one_batch.export()
    assert expected.count(b"\n") > 5
    assert shuffled.export(page_rows=page_rows) == expected
    assert shuffled.report == from_one_batch.report
    for of_somebody in (PERSON, REVIEWER, SESSION, TAG):
        assert of_somebody.encode() not in expected
