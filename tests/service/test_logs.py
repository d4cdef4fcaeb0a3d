"""Logs never end what they tell of, and never show what they must not."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator

import pytest
import structlog

from uptake.logs import configure


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_that_cannot_be_written_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    configure("INFO", as_json=True)
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    structlog.get_logger().error("nobody reads this")


def test_a_service_logs_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", as_json=True)
    structlog.get_logger().warning("two\nlines", tenant="acme")
    structlog.get_logger().debug("below the level")
    [line] = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["event"], said["tenant"], said["level"]) == ("two\nlines", "acme", "warning")


@pytest.mark.parametrize("as_json", [True, False])
def test_a_trace_shows_no_local_variable(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    configure("INFO", as_json=as_json)
    person = "ada@example.com"
    try:
        raise RuntimeError(f"about nobody ({len(person)})")
    except RuntimeError:
        structlog.get_logger().exception("it failed")
    shown = capsys.readouterr().err
    assert "RuntimeError" in shown
    assert "ada@" not in shown
