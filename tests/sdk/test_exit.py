"""How a process ends: what was reported is sent if it can be, and nobody waits for a gateway that is away."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

BOUND = 30.0
EXIT_TIMEOUT = 2.0
MARGIN = 1.5
"""For the interpreter's own end on a busy machine."""


def ends(program: str, *arguments: str) -> tuple[float, str, str]:
    """(seconds from the program's last line to its end, what it wrote to stdout, to stderr)."""
    last_line = "\nimport sys, time\nprint(time.time()); sys.stdout.flush()\n"
    done = subprocess.run(
        [sys.executable, "-c", program + last_line, *arguments],
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=True,
        cwd=Path(__file__).parent,
    )
    ended = time.time()
    return ended - float(done.stdout.splitlines()[-1]), done.stdout, done.stderr


REPORT = """
import sys, uptake
client = uptake.init(sys.argv[1], "upt_a_b", "letters", linger=3600)
for _ in range(1200):
    uptake.usage(request_model="gpt")
"""


def test_what_waits_is_sent_at_exit(gateway: Any) -> None:
    ends(REPORT, gateway.url)
    assert len(gateway.events) == 1200
    assert [len(request.events) for request in gateway.requests] == [500, 500, 200]


@pytest.mark.parametrize("target", ["silent", "hanging", "busy", "nobody"])
def test_exit_is_bounded_whatever_the_gateway_does(target: str, gateway: Any, silence: str) -> None:
    gateway.always = gateway.hang if target == "hanging" else gateway.say(503, Retry_After="60")
    url = {"silent": silence, "nobody": "http://127.0.0.1:1"}.get(target, gateway.url)
    seconds, _, stderr = ends(REPORT, url)
    assert seconds < EXIT_TIMEOUT + MARGIN
    assert "closed: the client was closed before they were sent" in stderr


def test_exit_without_an_event_waits_for_nothing_and_says_nothing(silence: str) -> None:
    seconds, _, stderr = ends('import sys, uptake; uptake.init(sys.argv[1], "upt_a_b", "letters")', silence)
    assert seconds < MARGIN
    assert stderr == ""


def test_an_app_that_fails_ends_with_its_own_error(gateway: Any) -> None:
    program = REPORT + "\nraise SystemExit(7)"
    done = subprocess.run(
        [sys.executable, "-c", program, gateway.url], timeout=BOUND, check=False, capture_output=True
    )
    assert done.returncode == 7
    assert len(gateway.events) == 1200


def test_events_of_other_exit_handlers_are_sent(gateway: Any) -> None:
    late = 'import atexit\natexit.register(uptake.usage, request_model="last words")\n'
    ends(REPORT + late, gateway.url)
    assert gateway.events[-1]["request_model"] == "last words"


def test_importing_the_package_is_light() -> None:
    program = (
        "import sys\nbefore = set(sys.modules)\nimport uptake\n"
        "light = sorted(m for m in set(sys.modules) - before if m.startswith('uptake'))\n"
        "uptake.init; uptake.usage\n"
        "heavy = {'pydantic', 'urllib3', 'rapidfuzz', 'asyncio', 'http.client'} & set(sys.modules)\n"
        "ours = sorted(m for m in sys.modules if m.startswith('uptake.') and 'ingest' not in m)\n"
        "print(light, heavy, ours)"
    )
    _, stdout, stderr = ends(program)
    assert stdout.splitlines()[0] == (
        "['uptake'] set() ['uptake.schemas', 'uptake.schemas.identity', "
        "'uptake.schemas.pseudonym', 'uptake.schemas.taxonomy']"
    )
    assert stderr == ""
