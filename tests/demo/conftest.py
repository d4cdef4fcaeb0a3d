"""The demo's plan and oracle in this process, and one whole run of the demo in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # for demo_figures

from uptake.alerts.message import Message
from uptake.calendar import Closed
from uptake.demo import facts
from uptake.demo.calls import Call
from uptake.demo.events import generate
from uptake.demo.oracle import Oracle
from uptake.demo.organisation import Organisation, organisation
from uptake.demo.show import Spoken


@dataclass(frozen=True, slots=True)
class DemoOutput:
    """What a run left behind."""

    root: Path
    spoken: list[Spoken]
    stdout: str
    stderr: str
    seconds: float

    def kind(self, kind: str) -> list[Spoken]:
        return [each for each in self.spoken if each.message.kind == kind]

    def digest(self, channel: str, week: Closed = facts.LAST_WEEK) -> Message:
        said = [each.message for each in self.kind("digest") if each.channel == channel]
        (found,) = [message for message in said if f"/{week}/" in message.identity]
        return found


@pytest.fixture(scope="session")
def people() -> Organisation:
    return organisation()


@pytest.fixture(scope="session")
def plan(people: Organisation) -> list[Call]:
    return generate(people)


@pytest.fixture(scope="session")
def oracle(people: Organisation, plan: list[Call]) -> Oracle:
    return Oracle(people, plan)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoOutput:
    """One run of `python -m uptake.demo`. A process of its own, because chDB allows one engine path in each; and
    with a Slack token in its environment, which must not be used."""
    root = tmp_path_factory.mktemp("demo") / "here"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}
    environment |= {
        "UPTAKE_SLACK_TOKEN": "xoxb-not-the-demos",
        "UPTAKE_SLACK_BASE_URL": "http://127.0.0.1:9/",
    }
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "uptake.demo", str(root)],
        capture_output=True,
        text=True,
        timeout=600,
        env=environment,
        cwd=root.parent,
        check=False,
    )
    seconds = time.monotonic() - started
    assert done.returncode == 0, done.stderr
    print(f"\nuptake demo: {seconds:.1f} s of wall time")
    content = json.loads((root / "messages.json").read_text(encoding="utf-8"))
    spoken = [
        Spoken(datetime.fromisoformat(each["at"]), each["channel"], Message.model_validate(each["message"]))
        for each in content
    ]
    return DemoOutput(root, spoken, done.stdout, done.stderr, seconds)
