"""What an app's developer uses in tests of their own."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

import uptake
from uptake.clock import ManualClock
from uptake.testing import Capture


def test_events_are_collected_by_kind(capture_uptake: Capture) -> None:
    uptake.usage(request_model="gpt")
    uptake.thumb("down", reasons=["wrong_tone"])
    uptake.cost(
        category="licence",
        amount="10",
        currency="EUR",
        period_start=date(2026, 11, 1),
        period_end=date(2026, 12, 1),
    )
    assert [event["request_model"] for event in capture_uptake.usage] == ["gpt"]
    assert [event["reasons"] for event in capture_uptake.feedback] == [["wrong_tone"]]
    assert [event["amount"] for event in capture_uptake.cost] == ["10"]
    assert len(capture_uptake.events) == 3
    capture_uptake.clear()
    assert capture_uptake.events == []


def test_an_app_that_calls_init_is_captured_under_its_name() -> None:
    with Capture() as capture:
        client = uptake.init("http://127.0.0.1:1", "upt_a_b", "letters", "staging")
        client.usage()
    assert (capture.events[0]["app"], capture.events[0]["environment"]) == ("letters", "staging")


def test_a_misspelt_field_fails_the_test_that_sees_it() -> None:
    with pytest.raises(AssertionError, match="unknown_field: usage has no field input_token"), Capture():
        uptake.usage(input_token=1)  # type: ignore[call-arg]


def test_what_the_test_itself_raises_comes_first() -> None:
    def fails() -> None:
        with Capture():
            uptake.usage(input_token=1)  # type: ignore[call-arg]
            raise KeyError

    with pytest.raises(KeyError):
        fails()


def test_problems_can_be_looked_at_instead() -> None:
    with Capture(strict=False) as capture:
        uptake.usage(input_tokens="12")  # type: ignore[arg-type]
        assert capture.problems == ["invalid: usage.input_tokens must be a whole number from 0 to 1000000000"]


def test_captures_nest_and_give_back_what_was_there() -> None:
    with Capture() as outer:
        with Capture() as inner:
            uptake.usage()
        uptake.thumb("up")
    assert len(inner.events) == 1
    assert [event["type"] for event in outer.events] == ["feedback"]


def test_time_is_the_tests_own() -> None:
    noon = datetime(2026, 11, 16, 12, tzinfo=UTC)
    with Capture(clock=ManualClock(noon)) as capture:
        uptake.usage()
    assert datetime.fromisoformat(capture.events[0]["occurred_at"]) == noon


def test_no_thread_is_started() -> None:
    before = set(threading.enumerate())
    with Capture() as capture:
        uptake.usage()
        assert len(capture.events) == 1
        assert set(threading.enumerate()) == before


def test_the_fixture_works_in_somebody_elses_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["uptake.testing"]\n')
    (tmp_path / "test_app.py").write_text(
        "import uptake\n\n"
        "def test_good(capture_uptake):\n    uptake.usage()\n    assert len(capture_uptake.usage) == 1\n\n"
        "def test_bad(capture_uptake):\n    uptake.usage(tokens=1)\n"
    )
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert "2 passed, 1 error" in done.stdout
    assert "usage has no field tokens" in done.stdout
