"""The plan: the same for the same seed, plausible, and with the planted facts whatever the seed."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

from uptake.calendar import IsoWeek, Month
from uptake.demo import definitions, facts
from uptake.demo.calls import Call
from uptake.demo.events import generate
from uptake.demo.files import write_workspace
from uptake.demo.oracle import Oracle
from uptake.demo.oracle_answers import AnswersOracle
from uptake.demo.oracle_people import PeopleOracle
from uptake.demo.organisation import DEPARTMENTS, TEAMS, Organisation, organisation, teams_of
from uptake.demo.patterns import Quota, local_day
from uptake.demo.schedule import slices
from uptake.demo.terms import ALL_TEAMS
from uptake.stats import bootstrap_difference, compare_shares, drift
from uptake.workspace.load import read

OTHER_SEEDS = (1, 42)
WEEKS = [facts.FIRST_WEEK.shift(week) for week in range(facts.WEEKS)]


@pytest.fixture(scope="module", params=OTHER_SEEDS)
def other(request: pytest.FixtureRequest) -> Oracle:
    people = organisation(request.param)
    return Oracle(people, generate(people))


def test_the_same_seed_gives_the_same_people_and_calls(people: Organisation, plan: list[Call]) -> None:
    again = organisation(people.seed)
    assert again.members == people.members
    assert generate(again) == plan


def test_another_seed_gives_other_people_and_calls(people: Organisation, plan: list[Call]) -> None:
    others = organisation(people.seed + 1)
    assert {m.address for m in others.members} != {m.address for m in people.members}
    assert generate(others) != plan


def test_the_organisation_has_the_size_that_the_story_needs(people: Organisation) -> None:
    assert 240 <= len(people.members) <= 270
    assert (len(TEAMS), len(DEPARTMENTS)) == (12, 4)
    assert len({member.address for member in people.members}) == len(people.members)
    assert all(
        member.address.endswith("@example.com") and member.address.isascii() for member in people.members
    )


def test_the_plan_has_the_size_that_ninety_seconds_allow(plan: list[Call]) -> None:
    verbs = Counter(call.verb for call in plan)
    assert 45_000 <= verbs["usage"] <= 60_000
    assert 10_000 <= verbs["thumb"] + verbs["edit"] + verbs["decision"] + verbs["survey"] <= 15_000
    assert verbs["cost"] == 3 * (len(TEAMS) + 1) + 1 + 1
    assert len({call.app for call in plan}) == 6


def test_the_plan_covers_thirteen_weeks_and_not_a_day_more(plan: list[Call]) -> None:
    weeks = {IsoWeek.of(local_day(call.at)) for call in plan}
    assert weeks == set(WEEKS)


def test_people_work_on_working_days(plan: list[Call]) -> None:
    days = Counter(local_day(call.at) for call in plan if call.verb == "usage" and call.user)
    wednesday, weekday_before = days[date(2026, 11, 11)], days[date(2026, 11, 4)]
    assert wednesday < weekday_before / 5, "a public holiday is nearly empty"
    weekend = sum(count for day, count in days.items() if day.weekday() >= 5)
    assert weekend < 0.05 * sum(days.values())


def test_the_nightly_batch_runs_once_in_the_night_the_clock_goes_back(plan: list[Call]) -> None:
    nightly = Counter(local_day(call.at) for call in plan if call.fields.get("intent") == "automatic")
    assert nightly[date(2026, 10, 25)] == nightly[date(2026, 10, 24)] > 0


def test_the_workspace_is_without_a_fault(people: Organisation, tmp_path: Path) -> None:
    write_workspace(people, tmp_path)
    workspace, problems = read(tmp_path, "a key for this test only")
    assert problems == []
    assert workspace is not None
    assert len(workspace.stays) == len(people.members)
    assert facts.SHADOW.app not in workspace.registry


def test_every_call_is_sent_once_at_the_first_stop_after_it_is_due(plan: list[Call]) -> None:
    parts = list(slices(plan))
    assert [id(call) for part in parts for call in part.calls] == [id(call) for call in plan]
    assert all(call.when_sent <= part.until for part in parts for call in part.calls)
    waited = max(part.until - call.when_sent for part in parts for call in part.calls)
    assert waited <= timedelta(days=1), "the drive itself makes nothing late"


def test_a_quota_keeps_its_share(people: Organisation) -> None:
    import random

    quota = Quota(random.Random(7))
    assert abs(sum(quota.yes(0.38) for _ in range(200)) - 76) <= 2


# The planted facts, for other seeds than the one that is shown


def test_the_climbing_team_never_falls(other: Oracle) -> None:
    active = [other.adoption(week, (facts.CLIMB.team,)).numerator for week in WEEKS]
    assert active == sorted(active)
    assert (active[0], active[-1]) == (facts.CLIMB.first_week_active, facts.CLIMB.last_week_active)


def test_overrides_jump_with_the_new_prompt(other: Oracle) -> None:
    prompts = other.prompts(facts.LAST_WEEK)
    before, after = prompts[facts.PROMPT.before], prompts[facts.PROMPT.after]
    assert abs(after.value - facts.PROMPT.overridden_after) < 0.03
    change = compare_shares(before.numerator, before.denominator, after.numerator, after.denominator)
    assert change is not None
    assert change.clear
    reasons = other.reasons(facts.LAST_WEEK, facts.PROMPT.after)
    assert reasons.most_common(1)[0][0] == facts.PROMPT.reason


def test_the_budget_is_crossed_on_the_known_days(other: Oracle) -> None:
    breach = facts.BREACH
    crossed = other.crossings(breach.app, date(2026, 11, 1), breach.amount, [t for t, _ in breach.crossed_on])
    assert tuple((t, local_day(at)) for t, at in crossed.items()) == breach.crossed_on


def test_the_unregistered_app_appears_at_the_known_moment(other: Oracle) -> None:
    seen = other.sighting(facts.SHADOW.app)
    assert seen.first_seen == facts.SHADOW.first_seen
    assert (seen.calls, seen.people) == (facts.SHADOW.calls, facts.SHADOW.people)


def test_people_in_grace_count_nowhere(other: Oracle) -> None:
    week = facts.LAST_WEEK
    for joined in facts.NEW_THIS_WEEK:
        new = {m.address for m in other.organisation.members if m.stays[0].joined == joined.day}
        assert len(new) == joined.people
        assert len(new & other.active(week)) == joined.users
        assert not new & other.eligible(week, (joined.team,))


def test_the_stalled_team_has_people_who_never_started(other: Oracle) -> None:
    assert other.never_started(facts.LAST_WEEK, facts.STALLED.team) == facts.STALLED.never


def test_the_steady_department_moves_with_its_roster_alone(other: Oracle) -> None:
    change = other.adoption_change(facts.LAST_WEEK, teams_of(facts.STEADY))
    assert (change.gained, change.lost, change.usage_part) == (0, 0, 0)
    assert change.roster_part < -0.02


def test_fewer_people_use_the_apps_in_teams_without_a_champion(other: Oracle) -> None:
    with_one, without = PeopleOracle(other).champions(facts.LAST_WEEK)
    assert with_one.value - without.value > 0.15
    rates = {team: other.adoption(facts.LAST_WEEK, (team,)) for team in ALL_TEAMS}
    sides = [
        [
            (r.numerator, r.denominator)
            for team, r in rates.items()
            if (team in facts.WITHOUT_CHAMPION) == lacks
        ]
        for lacks in (False, True)
    ]
    difference = bootstrap_difference(*sides)
    assert difference is not None
    assert difference.clear


def test_half_of_the_people_have_a_habit_and_some_of_them_are_power_users(other: Oracle) -> None:
    segments = PeopleOracle(other).habits(facts.LAST_WEEK)
    assert 0.5 < (segments["power"] + segments["habitual"]) / segments.total() < 0.7
    assert segments["power"] > 50
    assert min(segments[name] for name in ("habitual", "novice", "none")) > 20


def test_the_idle_team_has_seats_that_nobody_uses_any_more(other: Oracle) -> None:
    found = PeopleOracle(other)
    assert found.seats(facts.LAST_WEEK, (facts.IDLE_TEAM,))["idle"] == facts.IDLE_SEATS
    assert found.lifecycle(facts.LAST_WEEK, (facts.IDLE_TEAM,))["lapsed"] == facts.IDLE_SEATS


def test_septembers_wave_is_activated_in_october(other: Oracle) -> None:
    (wave,) = facts.SEPTEMBER_WAVE
    found = PeopleOracle(other).activation(Month(2026, 10))
    assert found == {"activated": wave.users, "unused": wave.people - wave.users}


def test_reasons_shift_with_the_new_prompt(other: Oracle) -> None:
    answers = AnswersOracle(other)
    claims = teams_of("claims")
    shift = drift(
        answers.reasons(facts.LAST_WEEK.shift(-1), claims), answers.reasons(facts.LAST_WEEK, claims)
    )
    assert shift is not None
    assert shift.clear


def test_the_providers_invoice_has_the_planted_gap(other: Oracle) -> None:
    assert abs(AnswersOracle(other).shadow_gap(Month(2026, 10)).value - facts.INVOICE.gap) < 1e-4


def test_baselines_were_frozen_as_they_were_measured(people: Organisation, oracle: Oracle) -> None:
    measured = {"adoption": oracle.adoption, "override_rate": lambda week: oracle.override(week).rate}
    for target in definitions.TARGETS:
        baseline = target.baseline
        if baseline is not None and baseline.apps == definitions.APPS:
            value = measured[target.kpi](IsoWeek.parse(baseline.week)).value
            assert abs(value - float(baseline.value)) < 0.005


def test_what_is_untidy_is_so_in_the_known_size(other: Oracle) -> None:
    assert other.late(facts.LAST_WEEK).numerator == facts.UNTIDY.late
    complete = other.complete(facts.LAST_WEEK)
    assert complete.denominator - complete.numerator == 1
    assert 0 < other.unpriced(facts.LAST_WEEK).value < 0.05
