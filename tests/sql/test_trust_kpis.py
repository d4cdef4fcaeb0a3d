"""Override rate and thumbs: rates over what was decided or rated, beside how much that is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import Period

MINUTE = timedelta(minutes=1)


def test_overrides_are_rejected_and_heavily_edited_of_all_decided(
    rows: Any, week: Period, monday: datetime
) -> None:
    for _ in range(6):
        rows.decision(monday, "accepted")
    rows.decision(monday, "edited", severity=0.29)
    rows.decision(monday, "edited", severity=0.3)  # the threshold itself is an override
    rows.decision(monday, "edited", severity=0.9)
    rows.decision(monday, "rejected")
    rows.decision(monday, "escalated")
    result = rows.runner().run("override_rate", week)
    assert (result.numerator, result.denominator, result.value) == (3, 10, 0.3)
    assert result.excluded == {"escalated": 1}
    assert (result.extras["accepted"], result.extras["edited"], result.extras["rejected"]) == (6, 3, 1)


def test_the_threshold_is_the_organisations(rows: Any, week: Period, monday: datetime) -> None:
    rows.decision(monday, "edited", severity=0.4)
    rows.decision(monday, "accepted")
    assert rows.runner(severity_threshold=0.5).run("override_rate", week).numerator == 0
    assert rows.runner(severity_threshold=0.4).run("override_rate", week).numerator == 1


def test_the_last_decision_on_an_answer_counts_whole(rows: Any, week: Period, monday: datetime) -> None:
    # The older edit has a severity and the newer acceptance has none: none of the older row may shine through.
    rows.decision(monday, "edited", severity=0.9, response_id="r1")
    rows.decision(monday + MINUTE, "accepted", response_id="r1")
    rows.decision(monday + MINUTE, "rejected", response_id="r2")
    rows.decision(monday, "accepted", response_id="r2")
    rows.decision(monday, "accepted", response_id="r2", app="another")  # the same name in another app
    result = rows.runner().run("override_rate", week)
    assert (result.numerator, result.denominator) == (1, 3)


def test_of_decisions_at_one_moment_the_higher_id_is_the_last(
    rows: Any, week: Period, monday: datetime
) -> None:
    low = rows.decision(monday, "accepted", response_id="r1", event_id=(monday_id(monday) << 80) + 1)
    rows.decision(monday, "rejected", response_id="r1", event_id=low["event_id"] + 1)
    assert rows.runner().run("override_rate", week).numerator == 1


def monday_id(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def test_a_decision_that_names_no_answer_counts_by_itself(rows: Any, week: Period, monday: datetime) -> None:
    rows.decision(monday, "accepted")
    rows.decision(monday + MINUTE, "rejected")
    assert rows.runner().run("override_rate", week).denominator == 2


def test_edits_without_a_decision_are_no_decisions(rows: Any, week: Period, monday: datetime) -> None:
    rows.feedback(monday, kind="edit", severity=0.8)
    assert rows.runner().run("override_rate", week).value is None


def test_coverage_is_decided_answers_of_those_shown(rows: Any, week: Period, monday: datetime) -> None:
    for i in range(5):
        rows.usage(monday, response_id=f"r{i}")
    rows.usage(monday + MINUTE, response_id="r0")  # a second call for the same answer
    rows.usage(monday, response_id="failed", status="error")
    rows.usage(monday)  # shown, but without a name nothing can be said of it
    rows.decision(monday, "accepted", response_id="r0")
    rows.decision(monday, "rejected", response_id="r1")
    rows.decision(monday, "escalated", response_id="r2")
    rows.decision(monday, "accepted", response_id="never-seen")
    rows.decision(monday, "accepted", response_id="failed")
    result = rows.runner().run("override_rate", week)
    assert (result.extras["decided"], result.extras["shown"]) == (2, 5)
    assert result.denominator == 4


def test_decisions_of_the_week_before_are_not_of_this_week(rows: Any, week: Period, monday: datetime) -> None:
    rows.usage(monday, response_id="r1")
    rows.decision(monday - timedelta(days=7), "rejected", response_id="r1")
    result = rows.runner().run("override_rate", week)
    assert (result.denominator, result.extras["decided"]) == (0, 0)


def test_thumbs_are_rated_over_rated_answers_only(rows: Any, week: Period, monday: datetime) -> None:
    for i in range(10):
        rows.usage(monday, response_id=f"r{i}")
    for i, thumb in enumerate(("up", "up", "up", "down")):
        rows.feedback(monday, kind="thumb", thumb=thumb, response_id=f"r{i}")
    result = rows.runner().run("thumbs_down", week)
    assert (result.numerator, result.denominator, result.value) == (1, 4, 0.25)
    assert dict(result.extras) == {"rated": 4, "shown": 10}


def test_a_person_who_changes_a_thumb_rated_once(rows: Any, week: Period, monday: datetime) -> None:
    rows.feedback(monday, kind="thumb", thumb="down", response_id="r1")
    rows.feedback(monday + MINUTE, kind="thumb", thumb="up", response_id="r1")
    result = rows.runner().run("thumbs_down", week)
    assert (result.numerator, result.denominator) == (0, 1)


@pytest.mark.parametrize("kpi", ["override_rate", "thumbs_down", "error_rate"])
def test_no_denominator_is_not_known_rather_than_zero(rows: Any, week: Period, kpi: str) -> None:
    result = rows.runner().run(kpi, week)
    assert (result.value, result.interval, result.denominator) == (None, None, 0)


def test_error_rate_is_errors_of_all_calls(rows: Any, week: Period, monday: datetime) -> None:
    for status in ("ok", "ok", "ok", "error"):
        rows.usage(monday, status=status)
    assert rows.runner().run("error_rate", week).value == 0.25
