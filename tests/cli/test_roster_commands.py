"""`uptake roster`: what it says, in counts; what it refuses; and that nobody is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uptake.schemas.pseudonym import pseudonym

Run = Callable[..., Any]
KEY = "a key of the tests"
DAY = ("--as-of", "2026-09-07")
PEOPLE = [f"person{i}@example.org" for i in range(6)]


@pytest.fixture
def people(here: Path, workspace: Path, uptake: Run) -> Path:
    """A file of six people in two teams that was imported into a roster of nobody on 2026-09-01."""
    (workspace / "roster.csv").write_text("person,team,seat,champion,joined,left,wave\n")
    for name in ("budgets", "targets", "apps"):
        (workspace / f"{name}.yaml").write_text("")
    (workspace / "channels.yaml").write_text("")
    file = here / "people.csv"
    file.write_text(
        "person,team\n" + "".join(f"{p},{('Claims', 'Sales')[i % 2]}\n" for i, p in enumerate(PEOPLE))
    )
    done = uptake("roster", "import", "people.csv", "--as-of", "2026-09-01")
    assert done.returncode == 0, done.stderr
    return file


def names_nobody(*said: str) -> bool:
    return not any("person" in text.replace("person,team", "") or "@" in text for text in said)


def test_an_import_counts_by_team_and_names_nobody(uptake: Run, people: Path, workspace: Path) -> None:
    text = people.read_text().replace("person0@example.org,Claims", "person0@example.org,Sales")
    people.write_text(text.replace("person1@example.org,Sales", "person9@example.org,Sales"))
    before = (workspace / "roster.csv").read_bytes()
    dry = uptake("roster", "import", "people.csv", *DAY, "--dry-run", "--json")
    assert (workspace / "roster.csv").read_bytes() == before
    done = uptake("roster", "import", "people.csv", *DAY)
    assert done.returncode == 0, done.stderr
    assert "stays closed: 2, opened: 2" in done.stdout
    document = json.loads(dry.stdout)
    assert (document["stays_closed"], document["stays_opened"], document["written"]) == (2, 2, False)
    counts = {row.pop("team"): {k: v for k, v in row.items() if v} for row in document["teams"]}
    assert counts == {"Claims": {"moved_out": 1}, "Sales": {"joined": 1, "left": 1, "moved_in": 1}}
    assert names_nobody(dry.stdout, dry.stderr, done.stdout, done.stderr)
    again = uptake("roster", "import", "people.csv", *DAY)
    assert "nothing to do" in again.stdout


def test_half_a_file_is_refused_unless_somebody_insists(uptake: Run, people: Path, workspace: Path) -> None:
    before = (workspace / "roster.csv").read_bytes()
    people.write_text("".join(people.read_text().splitlines(keepends=True)[:4]))
    refused = uptake("roster", "import", "people.csv", *DAY)
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: people.csv was not imported: it ends 3 of 6 stays")
    assert "--yes" in refused.stderr
    assert (workspace / "roster.csv").read_bytes() == before
    assert json.loads(uptake("roster", "import", "people.csv", *DAY, "--dry-run", "--json").stdout)[
        "needs_yes"
    ]
    assert uptake("roster", "import", "people.csv", *DAY, "--yes").returncode == 0
    assert (workspace / "roster.csv").read_text().count("2026-09-07") == 3


def test_diff_says_what_an_import_would_change_and_writes_nothing(
    uptake: Run, people: Path, workspace: Path
) -> None:
    before = (workspace / "roster.csv").read_bytes()
    people.write_text(people.read_text().replace("person0@example.org,Claims", "person0@example.org,Sales"))
    plain = uptake("roster", "diff", "people.csv", *DAY)
    assert names_nobody(plain.stdout)
    found = json.loads(uptake("roster", "diff", "people.csv", *DAY, "--people", "--json").stdout)
    assert found["people"] == [
        {"user_id": pseudonym(KEY, PEOPLE[0]), "kind": "moved_out", "team": "Claims"},
        {"user_id": pseudonym(KEY, PEOPLE[0]), "kind": "moved_in", "team": "Sales"},
    ]
    assert (workspace / "roster.csv").read_bytes() == before


def test_diff_of_two_days_says_what_the_history_holds(uptake: Run, people: Path) -> None:
    people.write_text(
        "person,team,seat,champion\n" + people.read_text().split("\n", 1)[1].replace("\n", ",no,yes\n")
    )
    assert uptake("roster", "import", "people.csv", *DAY, "--yes").returncode == 0
    found = json.loads(
        uptake("roster", "diff", "--from", "2026-09-06", "--to", "2026-09-07", "--json").stdout
    )
    assert found["before"] == {"people": 6, "seats": 6, "champions": 0}
    assert found["after"] == {"people": 6, "seats": 0, "champions": 6}
    assert [(row["team"], row["seat_lost"], row["champion_gained"]) for row in found["teams"]] == [
        ("Claims", 3, 3),
        ("Sales", 3, 3),
    ]
    assert (
        json.loads(uptake("roster", "diff", "--from", "2026-09-01", "--to", "2026-09-06", "--json").stdout)[
            "teams"
        ]
        == []
    )


def test_a_list_of_an_identity_provider_is_imported(
    uptake: Run, people: Path, here: Path, workspace: Path
) -> None:
    users = [
        {
            "userName": person,
            "active": i > 0,
            "department": "Claims",
            "groups": [{"display": "LLM"}] if i > 1 else [],
        }
        for i, person in enumerate(PEOPLE)
    ]
    (here / "users.json").write_text(json.dumps({"totalResults": 6, "Resources": users}))
    (here / "map.yaml").write_text("columns:\n  seat: {column: groups, has: LLM}\n")
    done = uptake("roster", "import", "users.json", "--map", "map.yaml", *DAY, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["after"], document["inactive"]) == ({"people": 5, "seats": 4, "champions": 0}, 1)
    assert uptake("workspace", "check").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says", "hint"),
    [
        (
            ("import", "people.csv", "--as-of", "2026-08-31"),
            "roster.csv, line 2: has a change of 2026-09-01",
            "edit",
        ),
        (("import", "people.csv", "--as-of", "2199-01-01"), "has not come yet", "today is"),
        (("import", "people.csv", "--as-of", "soon"), "--as-of: 'soon' is not a day", "2026-11-09"),
        (("import", "nobody.csv"), "nobody.csv", "--help"),
        (("import", "people.csv", "--format", "scim"), "people.csv, line 1: is not JSON", ""),
        (("diff",), "name a file, or two days", "uptake roster diff"),
        (("diff", "--from", "2026-09-02"), "name a file, or two days", "uptake roster diff"),
        (("diff", "--from", "2026-09-02", "--to", "2026-09-01"), "is before", "earlier"),
        (("diff", "people.csv", "--from", "2026-09-02"), "compare with a file or between two days", ""),
    ],
)
def test_a_command_that_is_wrong_says_why(
    uptake: Run, people: Path, arguments: tuple[str, ...], says: str, hint: str
) -> None:
    done = uptake("roster", *arguments)
    assert done.returncode == 2
    assert says in done.stderr.splitlines()[0]
    assert hint in done.stderr
    assert names_nobody(done.stderr.replace("people.csv", ""))


def test_each_tenant_has_its_own_roster(uptake: Run, here: Path, people: Path, workspace: Path) -> None:
    inner = here / "several"
    for tenant in ("north", "south"):
        (inner / tenant).mkdir(parents=True)
        (inner / tenant / "organisation.yaml").write_text(f"tenant: {tenant}-co\nname: N\n")
    done = uptake("--workspace", "several", "roster", "import", "people.csv", "--tenant", "south-co", *DAY)
    assert done.returncode == 0, done.stderr
    assert not (inner / "north" / "roster.csv").exists()
    assert (inner / "south" / "roster.csv").read_text().count("2026-09-07") == 6
    assert uptake("--workspace", "several", "roster", "import", "people.csv").returncode == 2
