"""Every KPI that a digest of the demo shows, computed by a second hand in plain Python, is what the database says."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from demo_figures import Figure, Figures, ask, asked

from uptake.calendar import Closed, FiscalQuarter, Month
from uptake.demo import definitions, facts
from uptake.demo.oracle import Oracle
from uptake.demo.oracle_answers import AnswersOracle
from uptake.demo.oracle_people import PeopleOracle
from uptake.demo.organisation import DEPARTMENTS, teams_of
from uptake.demo.terms import ALL_TEAMS, Share

WEEK, BEFORE = facts.LAST_WEEK, facts.LAST_WEEK.shift(-1)
MONTH, EARLIER = Month(2026, 10), Month(2026, 9)
QUARTER = FiscalQuarter(2026, 3)
READERS = {"organisation": ALL_TEAMS, **{d.slug: teams_of(d.slug) for d in DEPARTMENTS}}
APP = facts.PROMPT.app

SHOWN: dict[Closed, tuple[str, ...]] = {
    WEEK: ("habits", "habits_4_weeks", "lifecycle", "stickiness", "breadth", "active_users", "error_rate", "latency",
           "seats", "reasons", "forecast", "cost_per_call"),
    BEFORE: ("habits", "lifecycle", "stickiness", "breadth", "active_users", "reasons"),
    MONTH: ("adoption", "override_rate", "thumbs_down", "spend", "cost_per_call", "cost_per_active_user",
            "cost_per_accepted", "wasted_spend", "seats", "cache_saving", "shadow_gap", "activation",
            "time_to_first_use", "champions", "tokens", "error_rate", "latency"),
    EARLIER: ("spend", "cost_per_accepted", "wasted_spend", "seats", "time_to_first_use", "champions"),
    QUARTER: ("nps", "thumbs_down", "override_rate", "edit_severity", "retention", "cost_per_accepted", "reasons",
              "lifecycle", "seats"),
}  # fmt: skip
PEOPLE = [(span, teams) for span in (WEEK, BEFORE) for teams in READERS.values()]


@pytest.fixture(scope="module")
def figures(demo: Any) -> Figures:
    """All that the tests below compare, asked once."""
    of_teams = [
        asked(kpi, s, teams) for s, kpis in SHOWN.items() for kpi in kpis for teams in READERS.values()
    ]
    of_app = [asked(kpi, WEEK, ALL_TEAMS, APP) for kpi in ("active_users", "error_rate", "latency")]
    return ask(demo.root, of_teams + of_app)


@pytest.fixture(scope="module")
def of_people(oracle: Oracle) -> PeopleOracle:
    return PeopleOracle(oracle)


@pytest.fixture(scope="module")
def of_answers(oracle: Oracle) -> AnswersOracle:
    return AnswersOracle(oracle)


@pytest.fixture(params=READERS)
def teams(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return READERS[request.param]


def same(found: Figure, share: Share) -> None:
    """Both counts, unless the numerator is of so few people that it is hidden."""
    assert found.denominator == share.denominator
    if not found.hidden:
        assert found.numerator == share.numerator


def same_parts(found: Figure, parts: Counter[str]) -> None:
    """Every part that is shown, and all of them together; a part of fewer than five is not shown."""
    assert found.denominator == parts.total()
    shown = {name: count for name, count in found.parts.items() if count is not None}
    assert shown == {name: parts[name] for name in shown}
    assert all(not 1 <= count <= 4 for count in shown.values())


def is_few(people: int) -> bool:
    """So few that nothing may be shown which, less what else is, leaves them."""
    return 1 <= people <= 4


# People


@pytest.mark.parametrize("week", [WEEK, BEFORE], ids=str)
def test_habits_are_counted_by_segment(
    figures: Figures, of_people: PeopleOracle, week: Closed, teams: tuple[str, ...]
) -> None:
    segments = of_people.habits(week, teams)
    found = figures("habits", week, teams)
    same_parts(found, segments)
    same(found, Share(segments["power"] + segments["habitual"], segments.total()))


def test_habits_of_four_weeks_are_counted_by_segment(
    figures: Figures, of_people: PeopleOracle, teams: tuple[str, ...]
) -> None:
    same_parts(figures("habits_4_weeks", WEEK, teams), of_people.habits(WEEK, teams, weeks=4))


@pytest.mark.parametrize("span", [WEEK, BEFORE, QUARTER], ids=str)
def test_where_people_stand_adds_up_to_the_seats(
    figures: Figures, of_people: PeopleOracle, span: Closed, teams: tuple[str, ...]
) -> None:
    same_parts(figures("lifecycle", span, teams), of_people.lifecycle(span, teams))


def test_the_organisations_lifecycle_is_shown_but_for_what_gives_newcomers_away(
    figures: Figures, of_people: PeopleOracle
) -> None:
    found, parts = figures("lifecycle", WEEK), of_people.lifecycle(WEEK)
    same_parts(found, parts)
    in_use = sum(parts[state] for state in ("new", "retained", "reactivated"))
    assert is_few(in_use - of_people.breadth(WEEK).denominator), "who is active in grace"
    assert {name for name, people in found.parts.items() if people is None} == {"new", "at_risk"}


@pytest.mark.parametrize("week", [WEEK, BEFORE], ids=str)
def test_stickiness_is_of_working_days(
    figures: Figures, of_people: PeopleOracle, week: Closed, teams: tuple[str, ...]
) -> None:
    # Week 46 has the 11th of November in it: four days are worked.
    same(figures("stickiness", week, teams), of_people.stickiness(week, teams))


@pytest.mark.parametrize("week", [WEEK, BEFORE], ids=str)
def test_breadth_and_active_users(
    figures: Figures, of_people: PeopleOracle, week: Closed, teams: tuple[str, ...]
) -> None:
    same(figures("breadth", week, teams), of_people.breadth(week, teams))
    users = of_people.active_users(week, teams)
    others = users - of_people.breadth(week, teams).denominator
    assert figures("active_users", week, teams).numerator == (None if is_few(others) else users)


@pytest.mark.parametrize("span", [WEEK, MONTH, EARLIER, QUARTER], ids=str)
def test_idle_seats_and_what_they_cost(
    figures: Figures, of_people: PeopleOracle, span: Closed, teams: tuple[str, ...]
) -> None:
    seats = of_people.seats(span, teams)
    found = figures("seats", span, teams)
    same_parts(found, seats)
    if found.parts["idle"] is not None:
        assert found.extras["idle_cost_nano"] == seats["idle"] * definitions.SEAT_PRICE * 10**9


def test_activation_is_of_the_wave_whose_28th_day_is_over(figures: Figures, of_people: PeopleOracle) -> None:
    (wave,) = facts.SEPTEMBER_WAVE
    expected = of_people.activation(MONTH)
    assert expected == {"activated": wave.users, "unused": wave.people - wave.users}
    found = figures("activation", MONTH)
    assert found.denominator == wave.people
    assert found.hidden, "the unused are two people"


@pytest.mark.parametrize("month", [MONTH, EARLIER], ids=str)
def test_time_to_first_use_is_kaplan_meiers_median(
    figures: Figures, of_people: PeopleOracle, month: Closed, teams: tuple[str, ...]
) -> None:
    began, people, median = of_people.time_to_first_use(month, teams)
    found = figures("time_to_first_use", month, teams)
    same(found, Share(began, people))
    assert found.value == median


def test_retention_is_read_in_week_four(
    figures: Figures, of_people: PeopleOracle, teams: tuple[str, ...]
) -> None:
    same(figures("retention", QUARTER, teams), of_people.retention(QUARTER, teams))


@pytest.mark.parametrize("month", [MONTH, EARLIER], ids=str)
def test_teams_with_a_champion_are_compared_with_the_others(
    figures: Figures, of_people: PeopleOracle, month: Closed
) -> None:
    with_one, without = of_people.champions(month)
    found = figures("champions", month)
    assert found.value == pytest.approx(100 * (with_one.value - without.value))
    assert found.details["teams_without"] == len(facts.WITHOUT_CHAMPION)
    assert (found.numerator, found.denominator) == (
        with_one.numerator + without.numerator,
        with_one.denominator + without.denominator,
    )


# Answers


@pytest.mark.parametrize("span", [MONTH, QUARTER], ids=str)
def test_overrides_and_thumbs_of_longer_periods(
    figures: Figures, oracle: Oracle, span: Closed, teams: tuple[str, ...]
) -> None:
    override, thumbs = oracle.override(span, teams), oracle.thumbs_down(span, teams)
    assert figures("override_rate", span, teams)[:2] == (override.rate.numerator, override.rate.denominator)
    assert figures("override_rate", span, teams).extras["decided"] == override.covered
    assert figures("thumbs_down", span, teams)[:2] == (thumbs.numerator, thumbs.denominator)


@pytest.mark.parametrize("span", [WEEK, BEFORE, QUARTER], ids=str)
def test_reasons_without_use(
    figures: Figures, of_answers: AnswersOracle, span: Closed, teams: tuple[str, ...]
) -> None:
    vague = of_answers.vague(span, teams)
    found = figures("reasons", span, teams)
    assert (found.numerator or 0, found.denominator or 0) == (vague.numerator, vague.denominator)
    assert found.extras.get("given", 0) == of_answers.reasons(span, teams).total()


def test_the_median_severity_is_an_edits(
    figures: Figures, of_answers: AnswersOracle, teams: tuple[str, ...]
) -> None:
    severities = of_answers.severities(QUARTER, teams)
    found = figures("edit_severity", QUARTER, teams)
    if not severities:
        assert found.value is None
        return
    assert found.numerator == len(severities)
    assert found.extras["substantial"] == sum(s >= definitions.SEVERITY_THRESHOLD for s in severities)
    middle = severities[(len(severities) - 1) // 2]
    assert found.value is not None
    # in hundredths, cut off; an edge of a hundredth may be a last bit below or above it
    assert middle - 0.01 <= found.value <= middle + 1e-9


def test_the_promoter_score(figures: Figures, of_answers: AnswersOracle, teams: tuple[str, ...]) -> None:
    answers = of_answers.promoters(QUARTER, teams)
    found = figures("nps", QUARTER, teams)
    assert found.denominator == answers.total()
    same_parts(found, answers)
    score = 100 * (answers["promoters"] - answers["detractors"]) / answers.total()
    if not found.hidden:
        assert found.value == pytest.approx(score)


@pytest.mark.parametrize("span", [WEEK, MONTH], ids=str)
def test_errors_and_the_bucket_of_the_median_latency(
    figures: Figures, of_answers: AnswersOracle, span: Closed, teams: tuple[str, ...]
) -> None:
    errors = of_answers.errors(span, teams)
    assert figures("error_rate", span, teams)[:2] == (errors.numerator, errors.denominator)
    durations = of_answers.durations(span, teams)
    found = figures("latency", span, teams)
    assert found.numerator == len(durations)
    assert found.details["low"] <= durations[(len(durations) - 1) // 2] < found.details["high"]


def test_an_apps_figures_are_of_its_own_calls(
    figures: Figures, oracle: Oracle, of_people: PeopleOracle
) -> None:
    calls = [call for call in oracle.said(WEEK, "usage") if call.app == APP]
    errors = sum(call.fields.get("status") == "error" for call in calls)
    assert figures("error_rate", WEEK, ALL_TEAMS, APP)[:2] == (errors, len(calls))
    assert figures("active_users", WEEK, ALL_TEAMS, APP).numerator == of_people.active_users(WEEK, app=APP)


# Money


def test_what_a_call_an_active_user_and_an_accepted_answer_cost(
    figures: Figures, of_people: PeopleOracle, of_answers: AnswersOracle, teams: tuple[str, ...]
) -> None:
    priced = of_answers.priced(MONTH, teams)
    assert figures("cost_per_call", MONTH, teams)[:2] == (priced.numerator, priced.denominator)
    active = figures("adoption", MONTH, teams).numerator
    assert figures("cost_per_active_user", MONTH, teams)[:2] == (priced.numerator, active)


@pytest.mark.parametrize("span", [MONTH, EARLIER], ids=str)
def test_what_accepted_answers_cost_and_rejected_ones_wasted(
    figures: Figures, of_answers: AnswersOracle, span: Closed, teams: tuple[str, ...]
) -> None:
    decided = of_answers.decided(span, teams)
    accepted, wasted = figures("cost_per_accepted", span, teams), figures("wasted_spend", span, teams)
    assert (accepted.numerator or 0, accepted.denominator or 0) == (decided.nano, decided.accepted)
    assert (wasted.numerator or 0, wasted.extras.get("rejected", 0)) == (
        decided.rejected_nano,
        decided.rejected,
    )
    assert wasted.extras.get("decided_nano", 0) == decided.nano


@pytest.mark.parametrize("span", [MONTH, EARLIER], ids=str)
def test_the_months_spend_leaves_the_providers_invoice_out(
    figures: Figures, oracle: Oracle, span: Closed, teams: tuple[str, ...]
) -> None:
    assert figures("spend", span, teams).numerator == oracle.spend(span, teams)


def test_what_caching_saved(figures: Figures, of_answers: AnswersOracle, teams: tuple[str, ...]) -> None:
    saved, unknown = of_answers.cache_saving(MONTH, teams)
    found = figures("cache_saving", MONTH, teams)
    assert found.value == pytest.approx(saved, rel=1e-6)
    assert found.details.get("unpriced_tokens", 0) == unknown


def test_the_providers_invoice_is_explained_but_for_the_planted_gap(
    figures: Figures, of_answers: AnswersOracle
) -> None:
    gap = of_answers.shadow_gap(MONTH)
    assert figures("shadow_gap", MONTH)[:2] == (gap.numerator, gap.denominator)
    assert gap.value == pytest.approx(facts.INVOICE.gap, abs=1e-4)


def test_the_forecast_is_the_second_hands(
    figures: Figures, of_answers: AnswersOracle, teams: tuple[str, ...]
) -> None:
    today = WEEK.period(facts.ZONE).last + timedelta(days=1)
    # Medians of two and a trend are floats on both sides: equal to a millionth of a euro.
    assert figures("forecast", WEEK, teams).value == pytest.approx(
        of_answers.forecast(today, teams), abs=1000
    )
