"""`uptake reprice` as an operator types it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog

from uptake.cli.app import run
from uptake.home import Home

PRICE = {"provider": "openai", "model": "own", "input": "2", "output": "4", "currency": "EUR"}


@pytest.fixture
def priced(bench: Any, workspace: Any, event: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """One call whose model has no price, which then gets one; commands see the bench's database and clock."""
    bench.process([event(1, request_model="own", response_model="own"), event(2, "cost", currency="GBP")])
    bench.workspaces[bench.tenant] = workspace(prices=[PRICE])
    monkeypatch.setattr(Home, "database", bench.reader)
    monkeypatch.setattr(Home, "workspaces", bench.workspaces)
    monkeypatch.setattr("uptake.home.SystemClock", lambda: bench.clock)
    yield bench
    structlog.reset_defaults()


def test_a_dry_run_and_the_run_say_the_same_and_only_the_run_changes(priced: Any, capsys: Any) -> None:
    command = ["reprice", "--from", "2026-11-20", "--to", "2026-11-20", "--json"]
    said = []
    for arguments in ([*command, "--dry-run"], command, command):
        assert run(arguments) == 0
        said.append(json.loads(capsys.readouterr().out))
        said[-1].pop("dry_run")
    assert said[0] == said[1]
    assert said[0]["difference_nano"] == 2_400_000
    assert said[0]["usage"] == {
        "rows": 1,
        "changed": 1,
        "before": {},
        "after": {"EUR": 2_400_000},
        "unknown_before": 1,
        "unknown_after": 0,
    }
    assert said[2]["usage"]["changed"] == 0
    assert priced.row()["cost_nano"] == 2_400_000


def test_people_read_sums_and_what_is_not_known(priced: Any, capsys: Any) -> None:
    assert run(["reprice", "--from", "2026-11-20", "--to", "2026-11-20"]) == 0
    text = capsys.readouterr().out
    assert "usage: 1 of 1 rows changed" in text
    assert "0 and 1 not known before, €0.0024 and 0 not known now" in text
    assert "cost: 0 of 1 rows changed" in text


def test_days_are_those_of_the_organisation(priced: Any, capsys: Any) -> None:
    assert run(["reprice", "--from", "2026-11-21", "--to", "2026-11-22", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["usage"]["rows"] == 0


@pytest.mark.parametrize("days", [("2026-11-21", "2026-11-20"), ("20 Nov", "2026-11-20")])
def test_a_period_that_is_none_is_refused(priced: Any, capsys: Any, days: tuple[str, str]) -> None:
    assert run(["reprice", "--from", days[0], "--to", days[1]]) == 2


def test_a_store_that_fails_says_that_running_again_is_safe(
    priced: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    priced.database.broken = {"usage"}
    monkeypatch.setattr(Home, "database", priced.database)
    assert run(["reprice", "--from", "2026-11-20", "--to", "2026-11-20"]) == 4
    assert "run it again" in capsys.readouterr().err
