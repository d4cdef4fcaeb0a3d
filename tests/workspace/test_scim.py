"""People as SCIM gives them: what each attribute says, and that half a list is not taken for the whole."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from uptake.errors import UsageError
from uptake.schemas.pseudonym import pseudonym
from uptake.workspace.roster_map import RosterColumn, RosterMap
from uptake.workspace.roster_merge import Snapshot
from uptake.workspace.roster_snapshot import read_snapshot

KEY = "a key of the tests only"
DAY = date(2026, 3, 2)
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def user(name: str, team: str | None = "Claims", /, **more: Any) -> dict[str, Any]:
    extension = {ENTERPRISE: {"department": team}} if team else {}
    return {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, **extension, **more}


def listed(*users: Any, total: int | None = None) -> dict[str, Any]:
    return {
        "schemas": [LIST],
        "totalResults": len(users) if total is None else total,
        "Resources": list(users),
    }


def read(value: Any, **columns: RosterColumn) -> Snapshot:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return read_snapshot(content, "users.json", "scim", DAY, KEY, RosterMap(columns) if columns else None)


def refused(value: Any, **columns: RosterColumn) -> str:
    with pytest.raises(UsageError) as error:
        read(value, **columns)
    return f"{error.value.message} ({error.value.hint})"


def test_user_name_and_department_are_who_and_where_and_nothing_is_said_of_seats() -> None:
    snapshot = read(listed(user("Ann@example.org"), user("bob", "Sales")))
    assert [(p.user_id, p.team) for p in snapshot.people] == [
        (pseudonym(KEY, "ann@example.org"), "Claims"),
        (pseudonym(KEY, "bob"), "Sales"),
    ]
    assert snapshot.spoken == {"team"}


def test_who_is_not_active_is_not_there_however_it_is_written() -> None:
    users = [
        user("a", active=False),
        user("b", active="False"),
        user("c", active="True"),
        user("d", active=None),
    ]
    # Somebody who was switched off may lack anything.
    snapshot = read(listed(*users, {"active": False}))
    assert {p.user_id for p in snapshot.people} == {pseudonym(KEY, "c"), pseudonym(KEY, "d")}
    assert snapshot.inactive == 3


def test_groups_and_entitlements_give_seats_and_champions_by_value_or_name() -> None:
    users = [
        user("a", groups=[{"value": "17", "display": "LLM seats"}], entitlements=["champion"]),
        user("b", groups=[{"value": "LLM seats"}, {"value": "x"}], entitlements=[{"value": "llm seats"}]),
        user("c", groups=[{"value": "18", "display": "others"}]),
        user("d"),
    ]
    snapshot = read(
        listed(*users),
        seat=RosterColumn(column="groups", has=("LLM seats",)),
        champion=RosterColumn(column="entitlements", has=("champion",)),
    )
    assert [(p.seat, p.champion) for p in snapshot.people] == [
        (True, True),
        (True, False),
        (False, False),
        (False, False),
    ]
    assert snapshot.spoken == {"team", "seat", "champion"}


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("externalId", "e-1"),
        ("EXTERNALID", "e-1"),
        ("emails", "first@example.org"),
        ("name.familyName", "Smith"),
        (f"{ENTERPRISE}:employeeNumber", "7"),
        ("employeeNumber", "7"),
    ],
)
def test_a_map_names_the_attribute_that_the_apps_call_a_person(column: str, expected: str) -> None:
    emails = [{"value": "second@example.org"}, {"value": "first@example.org", "primary": True}]
    one = user("a", externalId="e-1", emails=emails, name={"familyName": "Smith"})
    one[ENTERPRISE]["employeeNumber"] = 7
    snapshot = read(listed(one), person=RosterColumn(column=column))
    assert [p.user_id for p in snapshot.people] == [pseudonym(KEY, expected)]


def test_an_accent_is_the_same_however_json_spells_it() -> None:
    composed, apart = (
        read(f'[{{"userName": "a", "department": "{t}"}}]'.encode()) for t in ("\u00c9", "E\\u0301")
    )
    assert composed == apart


def test_pages_together_are_the_whole_and_one_alone_is_refused() -> None:
    pages = [listed(user("a"), user("b"), total=3), listed(user("c"), total=3)]
    assert len(read(pages).people) == 3
    assert refused(pages[0]) == (
        "users.json: holds 2 of 3 people (totalResults): a page, not all "
        "(fetch all pages and give them as one JSON array)"
    )
    assert len(read([user("a"), user("b")]).people) == 2, "a plain array of users"
    assert read({"totalResults": 0}).people == ()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b'{"Resources": [\n  {"userName": }\n]}', "users.json, line 2: is not JSON: Expecting value"),
        (b"[" * 100_000, "users.json: is nested too deeply"),
        (b"\xff", "users.json, line 1: is not UTF-8 text"),
        ({"users": []}, "users.json: $: has no Resources"),
        ("text", "users.json: $: should be an object"),
        ({"Resources": {}}, "users.json: $.Resources: should be an array"),
        (listed(user("a"), 7), "users.json: $.Resources[1]: should be an object"),
        (listed(user("a", active="maybe")), "users.json: $.Resources[0].active: should be true or false"),
        (
            [listed(user("a")), listed(user("b"), user(""))],
            "users.json: $[1].Resources[1]: 'person' is empty",
        ),
        (
            listed(user("x", active=False), user("a"), user("b"), user("A")),
            "users.json: $.Resources[3]: the same person is here twice, first at $.Resources[1]",
        ),
        (listed(user("a"), user("b", None)), "users.json: $.Resources[1]: 'team' is missing"),
        (
            listed(user("a", None)),
            "users.json: nobody in users.json has the attribute 'department' (say in a map",
        ),
    ],
)
def test_a_fault_names_its_json_path(value: Any, says: str) -> None:
    assert refused(value).startswith(says)


def test_an_attribute_that_nobody_has_is_named_in_the_map_with_what_was_meant(tmp_path: Any) -> None:
    from uptake.workspace.roster_map import read_map

    path = tmp_path / "map.yaml"
    path.write_text("columns:\n  seat: {column: gruops, has: LLM}\n")
    content = json.dumps(listed(user("a", groups=[]))).encode()
    with pytest.raises(UsageError) as error:
        read_snapshot(content, "users.json", "scim", DAY, KEY, read_map(path, ()))
    assert error.value.message == "map.yaml, line 2: nobody in users.json has the attribute 'gruops'"
    assert error.value.hint == "did you mean groups?"


def test_no_fault_names_a_person() -> None:
    name = "ann.smith@example.org"
    for value in (
        listed(user(name), user(name)),
        listed(user(name, "A\nB")),
        listed(user(name), user("b", None)),
    ):
        assert "smith" not in refused(value)
