"""KPIs of what people made of answers, each with the example that its kpi.yaml computes by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import Period


def _surveys(rows: Any, monday: datetime, scores: list[int], **given: Any) -> None:
    for n, score in enumerate(scores):
        at = monday + timedelta(minutes=n)
        rows.feedback(at, **{"kind": "survey", "score": score, "user_id": f"u{n}", **given})


def _overrides(rows: Any, monday: datetime, reasons: list[list[str]]) -> None:
    for n, codes in enumerate(reasons):
        rows.decision(monday + timedelta(minutes=n), "rejected", response_id=f"r{n}", reasons=codes)


def test_the_example_of_nps(rows: Any, week: Period, monday: datetime) -> None:
    _surveys(rows, monday, [9, 10] * 10 + [7, 8] * 6 + [0, 6] * 4)
    result = rows.runner().run("nps", week)
    assert (result.numerator, result.denominator) == (12, 40)
    assert result.value == pytest.approx(30)
    assert result.parts == {"promoters": 20, "passives": 12, "detractors": 8}
    assert result.interval is not None
    assert result.interval[0] < 30 < result.interval[1]


def test_the_last_answer_of_a_person_about_an_app_counts(rows: Any, week: Period, monday: datetime) -> None:
    _surveys(rows, monday, [10] * 6)
    rows.feedback(monday + timedelta(days=1), kind="survey", score=0, user_id="u0")
    rows.feedback(monday + timedelta(days=1), kind="survey", score=0, user_id="u1", app="another")
    result = rows.counting().run("nps", week)
    assert result.parts == {"promoters": 5, "passives": 0, "detractors": 2}


def test_a_score_of_fewer_than_five_people_is_not_shown(rows: Any, week: Period, monday: datetime) -> None:
    _surveys(rows, monday, [10] * 4)
    result = rows.runner().run("nps", week)
    assert result.suppressed
    assert result.value is None
    assert result.interval is None


def test_the_example_of_edit_severity(rows: Any, week: Period, monday: datetime) -> None:
    for n, severity in enumerate((0.0, 0.05, 0.12, 0.31, 0.80)):
        rows.feedback(monday + timedelta(minutes=n), kind="edit", severity=severity, response_id=f"r{n}")
    result = rows.runner().run("edit_severity", week)
    assert result.value == pytest.approx(0.12)
    assert result.extras == {"substantial": 2, "untouched": 1}
    assert result.details["p90"] == pytest.approx(0.80)
    assert result.numerator == 5


def test_an_answer_that_was_edited_twice_has_its_last_severity(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.feedback(monday, kind="edit", severity=0.9, response_id="r")
    rows.decision(monday + timedelta(hours=1), "edited", severity=0.1, response_id="r")
    rows.decision(monday + timedelta(hours=2), "accepted", response_id="s")
    result = rows.runner().run("edit_severity", week)
    assert (result.value, result.numerator) == (pytest.approx(0.1), 1)


def test_the_example_of_reasons(rows: Any, week: Period, monday: datetime) -> None:
    _overrides(rows, monday, [["wrong_tone"]] * 29 + [["incomplete"]] * 12 + [["other"]] * 4 + [[]] * 5)
    rows.decision(monday + timedelta(days=1), "edited", severity=0.1, response_id="light", reasons=["other"])
    runner = rows.runner()
    result = runner.run("reasons", week)
    assert (result.numerator, result.denominator) == (9, 50)
    given = {code: r.extras["given"] for code, r in runner.breakdown("reasons", week, "reason").items()}
    assert given == {"": 0, "wrong_tone": 29, "incomplete": 12, "other": 4}


def test_an_override_with_two_reasons_counts_once_and_under_both(
    rows: Any, week: Period, monday: datetime
) -> None:
    _overrides(rows, monday, [["wrong_tone", "other", "wrong_tone"]])
    result = rows.runner().run("reasons", week)
    assert (result.numerator, result.denominator, result.extras["given"]) == (0, 1, 2)


def test_the_example_of_latency(rows: Any, week: Period, monday: datetime) -> None:
    for n, milliseconds in enumerate((800, 1000, 4000)):
        rows.usage(monday + timedelta(minutes=n), duration_ms=milliseconds)
    rows.usage(monday, duration_ms=None)
    rows.usage(monday, duration_ms=9, status="error")
    rows.usage(monday, duration_ms=9, cache_hit=True)
    result = rows.runner().run("latency", week)
    assert result.value == pytest.approx(1002.1, abs=0.1)
    assert (result.details["low"], result.details["high"]) == (
        pytest.approx(980.6, abs=0.1),
        pytest.approx(1024, abs=0.1),
    )
    assert result.excluded == {"without_duration": 1, "failed": 1, "from_cache": 1}
    assert result.numerator == 3


@pytest.mark.parametrize("milliseconds", [0, 1, 2, 3, 7, 8, 1023, 1024, 1025, 86_400_000])
def test_a_duration_is_known_within_the_width_of_its_bucket(
    rows: Any, week: Period, monday: datetime, milliseconds: int
) -> None:
    rows.usage(monday, duration_ms=milliseconds)
    result = rows.runner().run("latency", week)
    low, high = result.details["low"], result.details["high"]
    assert low <= max(milliseconds, 1) * (1 + 1e-9)
    assert max(milliseconds, 1) < high * (1 + 1e-9)
    assert high / low == pytest.approx(2 ** (1 / 16))
