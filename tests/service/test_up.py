"""`uptake up` as it is really run: a process that takes events, answers questions beside it, stops and survives."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest

import uptake
from uptake.workspace.starter import init

COMMAND = [sys.executable, "-c", "from uptake.cli import main; main()"]


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A starter workspace whose days are those of UTC, as the calls below are sent."""
    init(tmp_path / "workspace")
    organisation = tmp_path / "workspace" / "organisation.yaml"
    organisation.write_text(re.sub(r"(?m)^zone:.*", "zone: UTC", organisation.read_text()))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
    return tmp_path, {**environment, "UPTAKE_PSEUDONYM_KEY": "a key of the tests", "COLUMNS": "160"}


@pytest.fixture
def ask(place: tuple[Path, dict[str, str]]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [*COMMAND, *arguments], cwd=place[0], env=place[1], capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@contextmanager
def running(place: tuple[Path, dict[str, str]]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`uptake up` on a free port, and its address."""
    process = subprocess.Popen(
        [*COMMAND, "up", "--port", "0"], cwd=place[0], env=place[1], stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        for line in process.stderr:
            found = re.search(r"is up at (http://\S+)", line)
            if found:
                yield process, found[1]
                break
        else:
            pytest.fail(f"uptake up ended with {process.wait(30)} before it was up")
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)


def send(address: str, token: str, calls: int) -> dict[str, int]:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    client = uptake.Client(endpoint=address, api_key=token, app="letters", pseudonym_key="a key of the tests")
    for n in range(calls):
        client.usage(
            user="ada@example.com",
            occurred_at=yesterday + timedelta(milliseconds=n),
            input_tokens=100,
            output_tokens=n,
        )
    assert client.flush(timeout=30)
    client.close()
    stats = client.stats()
    return {"sent": stats.sent, "dropped": sum(stats.dropped.values())}


def tokens(ask: Callable[..., str]) -> int:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    days = ("--from", str(yesterday - timedelta(days=1)), "--to", str(yesterday))
    value: int = json.loads(ask("kpi", "tokens", *days, "--json"))["value"]
    return value


def test_what_an_app_sends_can_be_asked_for_while_the_service_runs_and_after(
    place: tuple[Path, dict[str, str]], ask: Callable[..., str]
) -> None:
    token = json.loads(ask("keys", "create", "--name", "letters", "--json"))["token"]
    with running(place) as (process, address):
        assert send(address, token, 200) == {"sent": 200, "dropped": 0}
        expected = 200 * 100 + sum(range(200))
        assert tokens(ask) == expected, "a question beside the running service"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert not (place[0] / ".uptake" / "clickhouse.url").exists()
    assert tokens(ask) == expected, "after it stopped"


def test_what_was_answered_survives_a_kill(
    place: tuple[Path, dict[str, str]], ask: Callable[..., str]
) -> None:
    token = json.loads(ask("keys", "create", "--name", "letters", "--json"))["token"]
    with running(place) as (process, address):
        assert send(address, token, 50)["sent"] == 50
        process.kill()
        process.wait(30)
    assert (place[0] / ".uptake" / "clickhouse.url").exists(), "a killed process cannot clean up"
    assert tokens(ask) == 50 * 100 + sum(range(50))


def test_a_second_service_on_the_same_data_is_refused(place: tuple[Path, dict[str, str]]) -> None:
    with running(place):
        second = subprocess.run(
            [*COMMAND, "up", "--port", "0"],
            cwd=place[0],
            env=place[1],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (place[0] / ".uptake" / "clickhouse.url").exists(), "the first one is still found"
    assert second.returncode == 1
    assert "another `uptake up` runs" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_typo_in_the_workspace_leaves_the_service_ready_and_says_so(
    place: tuple[Path, dict[str, str]],
) -> None:
    with running(place) as (process, address):
        (place[0] / "workspace" / "budgets.yaml").write_text("- budget: [")
        assert process.stderr is not None
        for line in process.stderr:
            if "last good state stays in force" in line:
                break
        with urlopen(f"{address}/readyz", timeout=10) as answer:
            ready = json.load(answer)
    assert ready["status"] == "ok"
    assert ready["components"]["workspace"].startswith("ok, but")
