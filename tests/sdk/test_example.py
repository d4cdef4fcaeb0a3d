"""The example in the repository does what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "letters.py"
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}


def run(**environment: str) -> str:
    done = subprocess.run(
        [sys.executable, str(EXAMPLE)],
        env=CLEAN | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return sorted(event.get("kind") or event["use_case"] for event in events)


EXPECTED = sorted(["summary", "claims-letter", "decision", "thumb"] * 2)


def test_the_example_prints_what_it_would_send() -> None:
    events = [json.loads(line) for line in run().splitlines()]
    assert kinds(events) == EXPECTED
    assert len({event["user_id"] for event in events}) == 2


def test_the_example_sends_to_a_gateway(gateway: Any) -> None:
    told = run(
        UPTAKE_ENDPOINT=gateway.url, UPTAKE_API_KEY="upt_a_b", UPTAKE_PSEUDONYM_KEY="a key of sixteen or more"
    )
    assert "sent=8" in told
    assert kinds(gateway.events) == EXPECTED
    assert "example.org" not in "".join(request.body.decode() for request in gateway.requests)
