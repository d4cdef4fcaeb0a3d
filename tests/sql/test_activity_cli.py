"""`uptake activity` as it is typed, over the tests' own database."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.cli.app import run
from uptake.clock import ManualClock

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(cache: Any, week: Period, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> Command:
    """Runs `uptake activity …` a day after the week, with one tenant."""
    home = SimpleNamespace(
        database=cache.database,
        workspaces={cache.tenant.name: cache.workspace},
        workspace={cache.tenant.name: cache.workspace}.__getitem__,
        clock=ManualClock(week.end + timedelta(days=1)),
    )
    monkeypatch.setattr("uptake.cli.activity.open_home", lambda _context: home)

    def typed(*arguments: str) -> tuple[int, str, str]:
        code = run(["activity", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


@pytest.fixture
def three_days(rows: Any, cache: Any, monday: datetime) -> None:
    for day in range(3):
        rows.usage(monday + timedelta(days=day), user_id="jane", inserted_at=cache.ago(minutes=40))


def test_refresh_builds_what_changed_and_rebuild_builds_what_did_not(
    three_days: None, command: Command
) -> None:
    code, out, _ = command("refresh", "--json")
    report = json.loads(out)
    assert (code, report["left"], report["removed"]) == (0, 0, 0)
    assert [(b["day"], b["calls"], b["published"]) for b in report["built"]] == [
        (f"2026-11-{day:02d}", 1, True) for day in (11, 10, 9)
    ]
    assert command("refresh")[:2] == (0, "0 days built (0 calls), 0 old builds removed\n")
    code, out, _ = command("refresh", "--rebuild", "--from", "2026-11-10", "--to", "2026-11-10", "--json")
    assert [built["day"] for built in json.loads(out)["built"]] == ["2026-11-10"]


def test_status_says_of_each_day_whether_it_is_exact(
    three_days: None, command: Command, rows: Any, monday: datetime
) -> None:
    command("refresh", "--json")
    rows.usage(monday)  # noticed with the next refresh, which leaves it because it may not be all
    rows.usage(monday + timedelta(days=7, hours=23))
    command("refresh", "--json")
    code, out, _ = command("status", "--json")
    [tenant] = json.loads(out)
    assert (code, tenant["published"], tenant["dirty"], tenant["open"], tenant["calls"]) == (0, 2, 1, 1, 3)
    assert [day["standing"] for day in tenant["days"]] == ["dirty", "published", "published", "open"]
    assert "2026-11-09: dirty" in command("status")[1]
    one_day = json.loads(command("status", "--from", "2026-11-10", "--to", "2026-11-10", "--json")[1])
    assert [day["day"] for day in one_day[0]["days"]] == ["2026-11-10"]


def test_verify_ends_with_one_where_a_cell_differs_and_names_nobody(
    three_days: None, command: Command, rows: Any, cache: Any
) -> None:
    command("refresh", "--json")
    code, out, _ = command("verify")
    assert (code, out) == (
        0,
        "3 days are the same, 0 differ, 0 were not compared: not built, or changed since\n",
    )
    [cell] = cache.tenant.query(
        "SELECT * FROM activity FINAL WHERE tenant = {tenant:String} AND day = '2026-11-10'"
    )
    rows.insert("activity", [{**cell, "calls": 7}])
    code, out, _ = command("verify", "--json")
    wrong = [day for day in json.loads(out)["days"] if day["verdict"] == "different"]
    assert (code, [day["day"] for day in wrong]) == (1, ["2026-11-10"])
    assert [(d["figure"], d["final"], d["activity"]) for d in wrong[0]["differences"]] == [("calls", 1, 7)]
    code, out, _ = command("verify", "--from", "2026-11-10", "--to", "2026-11-10")
    assert code == 1
    assert "0 days are the same, 1 differ" in out
    assert "jane" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("status", "--from", "monday"), "--from: 'monday' is not a day"),
        (("verify", "--from", "2026-11-10", "--to", "2026-11-09"), "--to 2026-11-09 is before"),
        (("refresh", "--from", "2026-11-10"), "--from and --to belong to --rebuild"),
    ],
)
def test_what_is_typed_wrong_is_said(command: Command, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = command(*arguments)
    assert code == 2
    assert said in err
