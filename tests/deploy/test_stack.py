"""What docker-compose.yml runs, run here: its commands with its settings, a real Kafka, and the engine with the rights
of the users that it names. What stays out are the containers themselves."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from uptake.local.kafka import KafkaNode
from uptake.local.process import ChildProcess, accepts, free_port
from uptake.schemas.identity import derive

HERE = Path(__file__).resolve().parent
UPTAKE = Path(sys.executable).parent / "uptake"
VARIABLE = re.compile(r"\$\{(\w+)(:\?|:-)?([^}]*)\}")


def eventually(condition: Callable[[], Any], seconds: float = 90) -> Any:
    """What `condition` says once it is something; other processes bring it about."""
    tick = threading.Event()
    for _ in range(int(seconds / 0.2)):
        if said := condition():
            return said
        tick.wait(0.2)
    raise AssertionError(f"it did not come about in {seconds:.0f} s")


class Stack:
    """The compose file's services as processes on this machine."""

    def __init__(self, services: dict[str, Any], directory: Path, here: dict[str, str]) -> None:
        """`here` replaces what leads to other containers."""
        self.services, self.directory, self.here = services, directory, here
        self.running: dict[str, ChildProcess] = {}

    def environment(self, name: str, **more: str) -> dict[str, str]:
        """The service's settings as the compose file gives them, but for where things are."""
        given = {k: str(v) for k, v in self.services[name]["environment"].items()}
        filled = {
            k: VARIABLE.sub(lambda m: m[3] if m[2] == ":-" else "c0ffee" * 8, v) for k, v in given.items()
        }
        placed = {
            k: v for k, v in self.here.items() if k in filled or k in ("UPTAKE_DATA", "UPTAKE_WORKSPACE")
        }
        prefix = {"UPTAKE_TOPIC_PREFIX": self.here["UPTAKE_TOPIC_PREFIX"]}
        return {"PATH": os.environ["PATH"], **filled, **placed, **prefix, **more}

    def run(self, name: str, *arguments: str) -> str:
        """One command with a service's settings; the service's own without `arguments`."""
        command = [*(arguments or self.services[name]["command"])]
        done = subprocess.run(
            [str(UPTAKE), *command[1:]],
            env=self.environment(name), cwd=self.directory, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-1000:]}{done.stderr[-2000:]}"
        return done.stdout

    def start(self, name: str, port: int) -> None:
        more = {"UPTAKE_PORT" if name == "gateway" else "UPTAKE_WORKER_PORT": str(port)}
        process = ChildProcess(
            name,
            [str(UPTAKE), *self.services[name]["command"][1:]],
            self.directory / f"{name}.log",
            self.environment(name, **more),
        )
        self.running[name] = process
        process.start(lambda: accepts(port), 90)
        probe = self.services[name]["healthcheck"]["test"][-1].rpartition("/")[2]
        eventually(lambda: healthy(f"http://127.0.0.1:{port}/{probe}"))

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.stop()


def healthy(url: str) -> bool:
    script = HERE.parents[1] / "deploy" / "healthy.py"
    return (
        subprocess.run([sys.executable, "-I", str(script), url], capture_output=True, check=False).returncode
        == 0
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "organisation.yaml").write_text("tenant: acme\nname: Acme\nzone: UTC\n")
    return folder


@pytest.fixture
def stack(
    services: dict[str, Any],
    broker: KafkaNode,
    prefix: str,
    tmp_path: Path,
    workspace: Path,
    run_as: Callable[..., Any],
    opened_as: Callable[..., str],
) -> Iterator[Stack]:
    """Topics and schema made, nothing running but the log and the database."""
    engine = tmp_path / "db"
    assert run_as("uptake_schema", "program_migrate.py", None, directory=engine)
    port = free_port()
    log = tmp_path / "clickhouse.log"
    program = [sys.executable, str(HERE / "program_front.py"), opened_as(engine, "uptake_service"), str(port)]
    front = ChildProcess("ClickHouse", program, log)
    front.start(lambda: accepts(port), 90)
    (tmp_path / "data").mkdir(mode=0o700)
    url = eventually(lambda: re.search(r"^clickhouse://\S+$", log.read_text(), re.MULTILINE))[0]
    here = {
        "UPTAKE_KAFKA": broker.bootstrap,
        "UPTAKE_CLICKHOUSE_URL": url,
        "UPTAKE_TOPIC_PREFIX": prefix,
        "UPTAKE_HOST": "127.0.0.1",
        "UPTAKE_WORKER_HOST": "127.0.0.1",
        "UPTAKE_DATA": str(tmp_path / "data"),
        "UPTAKE_WORKSPACE": str(workspace),
    }
    made = Stack(services, tmp_path, here)
    made.run("topics")
    try:
        yield made
    finally:
        made.stop()
        front.stop()


def test_an_event_goes_through_what_compose_runs_with_the_rights_that_it_has(stack: Stack) -> None:
    """And the commands that an operator runs beside it have the rights that they need, too."""
    assert "nothing to do" in stack.run("migrate")
    token = stack.run("gateway", "uptake", "keys", "create", "--name", "my-app").strip()
    port = free_port()
    stack.start("gateway", port)
    stack.start("worker", free_port())
    stack.start("scheduler", free_port())

    at = datetime.now(UTC) - timedelta(days=1)  # a day that is over
    event = {
        "event_id": str(derive("stack", "1", at)), "type": "usage", "occurred_at": at.isoformat(), "app": "helper",
        "provider": "openai", "request_model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100,
    }  # fmt: skip
    post(port, token, [event, {"type": "nonsense"}])

    def letters() -> list[Any]:
        counts: list[Any] = json.loads(stack.run("scheduler", "uptake", "dead-letters", "list", "--json"))[
            "counts"
        ]
        return counts

    assert [(found["reason"], found["letters"]) for found in eventually(letters)] == [("unknown_type", 1)]
    status = json.loads(stack.run("scheduler", "uptake", "audit", "--json"))
    assert status
    for command in (
        ["activity", "refresh", "--rebuild"],
        ["activity", "verify"],
        ["kpi", "calls", "--from", f"{at:%Y-%m-%d}", "--to", f"{at:%Y-%m-%d}"],
        ["budgets"],
        ["dead-letters", "allow", "--topic", "usage", "--partition", "0", "--before", "1"],
    ):
        stack.run("scheduler", "uptake", *command)
    said = "".join(
        (stack.directory / f"{name}.log").read_text() for name in ("gateway", "worker", "scheduler")
    )
    assert "ACCESS_DENIED" not in said
    assert "Not enough privileges" not in said


def post(port: int, token: str, events: list[dict[str, Any]]) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/events",
        json.dumps(events).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status in (200, 202, 207), answer.status
