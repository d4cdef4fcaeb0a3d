"""Time has a zone; an error has a cause, a remedy and an exit code that means something."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from uptake.clock import ManualClock, SystemClock
from uptake.errors import UnavailableError, UptakeError, UsageError, WorkspaceError


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    clock = ManualClock(start)
    assert clock.now() == clock.now() == start
    clock.set(start + timedelta(days=7))
    assert clock.now() == start + timedelta(days=7)


def test_a_clock_tells_utc_whatever_it_was_given() -> None:
    clock = ManualClock(datetime(2026, 11, 20, 1, tzinfo=ZoneInfo("Europe/Paris")))
    assert clock.now().isoformat() == "2026-11-20T00:00:00+00:00"
    assert SystemClock().now().tzinfo is UTC


def test_a_clock_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        ManualClock(datetime(2026, 11, 20))  # noqa: DTZ001
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    with pytest.raises(ValueError, match="zone"):
        clock.set(datetime(2026, 11, 21))  # noqa: DTZ001
    assert clock.now() == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "code"), [(UptakeError, 1), (UsageError, 2), (WorkspaceError, 3), (UnavailableError, 4)]
)
def test_an_error_says_what_is_wrong_and_what_to_do(error: type[UptakeError], code: int) -> None:
    raised = error("usage.csv is empty", "export it again")
    assert (str(raised), raised.message, raised.hint) == (
        "usage.csv is empty",
        "usage.csv is empty",
        "export it again",
    )
    assert raised.exit_code == code
    assert isinstance(raised, UptakeError)
    assert error("nothing to be done").hint == ""
