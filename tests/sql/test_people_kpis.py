"""Adoption and active users: who is in the denominator, who counts as active, which small groups stay hidden."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import IsoWeek, Period
from uptake.sql import runner as runner_module
from uptake.sql.building import Cells, decide
from uptake.sql.catalogue import KpiDefinition
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import Person

OLD = "2026-01-05"


def _team(rows: Any, team: str, people: int) -> list[str]:
    users = [f"{team}-{i}" for i in range(people)]
    rows.roster(*[(user, team, OLD) for user in users])
    return users


def test_people_without_any_event_are_in_the_denominator(rows: Any, week: Period, monday: datetime) -> None:
    users = _team(rows, "claims", 8)
    for user in users[:3]:
        rows.usage(monday, user_id=user)
    result = rows.counting().run("adoption", week)
    assert (result.numerator, result.denominator, result.value) == (3, 8, 0.375)
    low, high = result.interval
    assert (round(low, 4), round(high, 4)) == (0.1368, 0.6943)  # Wilson for 3 of 8


def test_zero_adoption_is_known_only_where_something_was_heard(
    rows: Any, week: Period, monday: datetime
) -> None:
    assert rows.runner().run("adoption", week).value is None, "no roster"
    _team(rows, "claims", 5)
    silent = rows.runner().run("adoption", week)
    assert (silent.value, silent.interval, silent.denominator) == (None, None, 5), "no data is not no usage"
    rows.usage(monday, intent="automatic")
    heard = rows.runner().run("adoption", week)
    assert (heard.value, heard.numerator) == (0.0, 0)
    assert rows.runner().by_team("adoption", week)["claims"].value == 0.0


def test_automatic_use_is_not_adoption(rows: Any, week: Period, monday: datetime) -> None:
    users = _team(rows, "claims", 6)
    rows.usage(monday, user_id=users[0], intent="automatic")
    rows.usage(monday, user_id=users[1])
    assert rows.counting().run("adoption", week).numerator == 1


def test_deliberate_use_that_ends_in_an_error_is_use(rows: Any, week: Period, monday: datetime) -> None:
    users = _team(rows, "claims", 6)
    rows.usage(monday, user_id=users[0], status="error")
    assert rows.counting().run("adoption", week).numerator == 1


def test_many_calls_of_a_person_are_one_person(rows: Any, week: Period, monday: datetime) -> None:
    users = _team(rows, "claims", 6)
    for hour in range(4):
        rows.usage(monday + timedelta(hours=hour), user_id=users[0], app=f"app-{hour}")
    assert rows.counting().run("adoption", week).numerator == 1


def test_grace_counts_from_the_first_stay_to_the_end_of_the_period(
    rows: Any, week: Period, monday: datetime
) -> None:
    users = _team(rows, "claims", 5)
    rows.roster(
        ("on-the-edge", "claims", "2026-11-09"),  # Monday 00:00 is seven days before the end
        ("a-day-later", "claims", "2026-11-10"),
        {"user_id": "moved", "team": "sales", "joined": OLD, "left": "2026-11-12"},
        {"user_id": "moved", "team": "claims", "joined": "2026-11-12"},
    )
    for user in ("on-the-edge", "a-day-later", "moved"):
        rows.usage(monday, user_id=user, team="sales")
    result = rows.counting().run("adoption", week)
    assert (result.numerator, result.denominator) == (2, len(users) + 2)
    assert result.excluded["in_grace"] == 1
    assert result.extras["seats"] == 8


def test_a_seat_on_the_last_day_makes_eligible_and_the_team_is_the_one_of_that_day(
    rows: Any, week: Period, monday: datetime
) -> None:
    _team(rows, "claims", 5)
    rows.roster(
        {"user_id": "left-on-sunday", "team": "claims", "joined": OLD, "left": "2026-11-15"},
        {"user_id": "leaves-next-monday", "team": "claims", "joined": OLD, "left": "2026-11-16"},
        {"user_id": "no-seat", "team": "claims", "joined": OLD, "seat": False},
        {"user_id": "joins-next-week", "team": "claims", "joined": "2026-11-16"},
        {"user_id": "moved", "team": "claims", "joined": OLD, "left": "2026-11-15"},
        {"user_id": "moved", "team": "sales", "joined": "2026-11-15"},
    )
    for user in ("left-on-sunday", "leaves-next-monday", "no-seat", "moved", "stranger"):
        rows.usage(monday, user_id=user)
    rows.usage(monday)
    result = rows.counting(("claims",)).run("adoption", week)
    assert (result.numerator, result.denominator) == (2, 7)  # five of the team, one leaving later, one moved
    assert result.excluded == {
        "in_grace": 0,
        "without_seat": 1,
        "off_roster": 2,  # who left on Sunday, and the stranger
        "calls_without_user": 1,
    }


def test_only_the_published_generation_of_the_roster_counts(rows: Any, week: Period) -> None:
    rows.roster(*[(f"old-{i}", "claims", OLD) for i in range(9)], generation="before")
    rows.roster(*[(f"new-{i}", "claims", OLD) for i in range(6)], generation="after")
    assert rows.runner().run("adoption", week).denominator == 6


@pytest.mark.parametrize(
    ("zone", "week", "inside", "outside"),
    [
        # UTC+1 in November: the week runs from Sunday 23:00 to Sunday 23:00 UTC.
        ("Europe/Paris", "2026-W46", "2026-11-08T23:00:00.000", "2026-11-08T22:59:59.999"),
        ("Europe/Paris", "2026-W46", "2026-11-15T22:59:59.999", "2026-11-15T23:00:00.000"),
        # The week of 25 October 2026 ends an hour later than it began: 169 hours.
        ("Europe/Paris", "2026-W43", "2026-10-18T22:00:00.000", "2026-10-18T21:59:59.999"),
        ("Europe/Paris", "2026-W43", "2026-10-25T22:59:59.999", "2026-10-25T23:00:00.000"),
        # The week of 29 March 2026 has 167 hours.
        ("Europe/Paris", "2026-W13", "2026-03-29T21:59:59.999", "2026-03-29T22:00:00.000"),
        ("America/New_York", "2026-W46", "2026-11-16T04:59:59.999", "2026-11-16T05:00:00.000"),
        # The ISO year begins in the calendar year before, and 2026 has a week 53.
        ("UTC", "2026-W01", "2025-12-29T00:00:00.000", "2025-12-28T23:59:59.999"),
        ("UTC", "2026-W53", "2027-01-03T23:59:59.999", "2027-01-04T00:00:00.000"),
    ],
)
def test_a_week_is_half_open_in_the_zone_of_the_tenant(
    rows: Any, zone: str, week: str, inside: str, outside: str
) -> None:
    for user, at in (("in", inside), ("out", outside)):
        for i in range(5):
            rows.usage(datetime.fromisoformat(at).replace(tzinfo=UTC), user_id=f"{user}-{i}")
    period = IsoWeek.parse(week).period(zone)
    result = rows.runner(zone=zone).run("active_users", period)
    assert result.numerator == 5
    assert rows.runner(zone=zone).run("calls", period).numerator == 5


def test_an_event_that_arrives_late_belongs_to_the_week_it_happened_in(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.usage(monday, received_at=monday + timedelta(days=20))
    assert rows.runner().run("calls", week).numerator == 1


def test_active_users_count_strangers_and_those_in_grace_once(
    rows: Any, week: Period, monday: datetime
) -> None:
    users = _team(rows, "claims", 5)
    rows.roster(("new", "claims", "2026-11-12"))
    for user in (*users, "new", "stranger"):
        rows.usage(monday, user_id=user, team="other")
        rows.usage(monday + timedelta(hours=1), user_id=user, team="other")
    rows.usage(monday, intent="deliberate")
    result = rows.counting().run("active_users", week)
    assert (result.numerator, result.denominator, result.unit) == (7, None, "count")
    assert result.extras == {"off_roster": 1, "calls": 14}
    assert result.excluded == {"calls_without_user": 1}


def test_a_group_under_five_is_not_shown_nor_what_would_reveal_it(rows: Any, week: Period) -> None:
    for team, people in (("small", 3), ("middle", 6), ("large", 9)):
        _team(rows, team, people)
    runner = rows.runner()
    teams = runner.by_team("adoption", week)
    assert {team for team, result in teams.items() if result.suppressed} == {"small", "middle"}
    hidden = teams["small"]
    assert (hidden.value, hidden.numerator, hidden.denominator, hidden.interval) == (None, None, None, None)
    assert (dict(hidden.excluded), dict(hidden.extras)) == ({}, {})
    assert runner.run("adoption", week, ["small"]).suppressed
    assert runner.run("adoption", week, ["middle"]).suppressed
    assert runner.run("adoption", week, ["large"]).denominator == 9
    assert runner.run("adoption", week, ["large", "middle"]).suppressed  # the rest is the small one
    assert runner.run("adoption", week).denominator == 18


def test_a_small_active_group_is_not_counted_out(rows: Any, week: Period, monday: datetime) -> None:
    for user in range(4):
        rows.usage(monday, user_id=f"u{user}")
    assert rows.runner().run("active_users", week).suppressed
    rows.usage(monday, user_id="u4")
    assert rows.runner().run("active_users", week).value == 5


def test_what_is_small_is_decided_once_for_all_audiences_and_weeks_with_the_same_people(
    rows: Any, week: Period, monday: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided: list[dict[tuple[str, str], int]] = []

    def counted(definition: KpiDefinition, people: Cells, audiences: Any, *more: Any) -> Any:
        if definition.name == "adoption":  # others are decided for who is counted beside it
            decided.append({cell: n for cell, n in people if n})
        return decide(definition, people, audiences, *more)

    monkeypatch.setattr(runner_module, "decide", counted)
    users = [*_team(rows, "claims", 8), *_team(rows, "sales", 6)]
    before = IsoWeek.of(week.first - timedelta(days=7)).period("Europe/Paris")
    for user in users:
        rows.usage(monday, user_id=user)
        rows.usage(monday - timedelta(days=7), user_id=user)
    runner = rows.runner(("claims",), ("sales",))
    for period in (before, week):
        for teams in ((), ("claims",), ("sales",)):
            runner.run("adoption", period, teams)
    runner.by_team("adoption", week)
    assert decided == [{("claims", "numerator"): 8, ("sales", "numerator"): 6}]


@pytest.mark.parametrize(
    ("active", "hidden"), [(4, "small"), (22, "complement"), (0, ""), (5, ""), (21, ""), (26, "")]
)
def test_how_many_of_a_group_is_hidden_where_it_or_the_rest_is_fewer_than_five(
    rows: Any, week: Period, monday: datetime, active: int, hidden: str
) -> None:
    users = _team(rows, "claims", 26)
    rows.usage(monday, user_id="somebody-else")
    for user in users[:active]:
        rows.usage(monday, user_id=user)
    result = rows.runner().run("adoption", week)
    assert (result.hidden, result.denominator, result.suppressed) == (hidden, 26, False)
    assert result.numerator == (None if hidden else active)
    assert (result.value is None) == (result.interval is None) == bool(hidden)


def test_no_part_of_fewer_than_five_is_shown_nor_the_one_that_would_give_it_away(
    rows: Any, week: Period, monday: datetime
) -> None:
    for n, score in enumerate([10] * 12 + [8] * 6 + [1] * 2):
        rows.feedback(monday, kind="survey", score=score, user_id=f"u{n}", team="claims")
    result = rows.runner().run("nps", week)
    assert result.parts == {"promoters": 12, "passives": None, "detractors": None}
    assert (result.value, result.hidden, result.denominator) == (None, "complement", 20)


def test_who_is_counted_beside_a_kpi_is_no_group_of_fewer_than_five_either(
    rows: Any, week: Period, monday: datetime
) -> None:
    for user in _team(rows, "claims", 20):
        rows.usage(monday, user_id=user)
    for user in _team(rows, "sales", 20):
        rows.usage(monday, user_id=user, team="sales")
    for n in range(3):
        rows.usage(monday, user_id=f"stranger-{n}", team="claims")
    for n in range(6):
        rows.usage(monday, user_id=f"guest-{n}", team="sales")
    shown = rows.runner().by_team("adoption", week)
    assert "off_roster" not in shown["claims"].excluded
    assert "off_roster" not in shown["sales"].excluded, "nine in all, less six"
    assert rows.runner().run("adoption", week).excluded["off_roster"] == 9
    assert rows.counting().by_team("adoption", week)["claims"].excluded["off_roster"] == 3
    # nobody is no group, and what counts no people stays
    assert rows.runner().by_team("habits", week)["claims"].excluded["calls_without_user"] == 0


def test_a_part_of_the_people_is_not_told_beside_them_where_the_rest_is_small(
    rows: Any, week: Period, monday: datetime
) -> None:
    users = _team(rows, "claims", 20)
    for n, user in enumerate(users):
        for case in ("draft", "search", "translate")[: 3 if n < 17 else 1]:
            rows.usage(monday, user_id=user, use_case=case)
    assert rows.counting().run("breadth", week).extras == {"three_or_more": 17}
    assert rows.runner().run("breadth", week).extras == {}


def test_the_points_of_a_curve_count_nobody_out(rows: Any, monday: datetime) -> None:
    rows.roster(*[(f"u{n}", "claims", "2026-09-01") for n in range(20)])
    first = datetime(2026, 9, 1, 9, tzinfo=UTC)
    rows.usage(first, intent="automatic")  # from then on use would have been heard of
    for n in range(20):
        rows.usage(first + timedelta(days=3 if n < 2 else 10), user_id=f"u{n}")
        # two come back in the second week, ten in the third
        rows.usage(first + timedelta(days=11 if n < 2 else 24 if n < 12 else 10), user_id=f"u{n}")
    quarter = Period(date(2026, 9, 1), date(2026, 12, 1), "Europe/Paris")
    waited = rows.runner().run("time_to_first_use", quarter)
    assert waited.details.keys() == {"by_day_28"}, "by day 7 two of twenty had begun"
    curve = rows.runner().run("retention", quarter).details
    assert "week_2" in curve
    assert "week_1" not in curve


def test_no_row_of_a_breakdown_is_what_the_others_leave_of_the_whole(
    rows: Any, week: Period, monday: datetime
) -> None:
    def ask(app: str, people: int, score: int) -> None:
        for n in range(people):
            rows.feedback(monday, kind="survey", score=score, user_id=f"{app}-{n}", app=app, team="claims")

    ask("letters", 3, 10)
    ask("search", 6, 10)
    ask("summary", 12, 10)
    assert rows.runner().run("nps", week).denominator == 21
    by_app = rows.runner().breakdown("nps", week, "app")
    assert {app: r.suppressed for app, r in by_app.items()} == {
        "letters": True,
        "search": True,
        "summary": False,
    }
    for app in by_app:
        of_app = rows.runner().breakdown("nps", week, "app", apps=[app])
        assert {app: r.suppressed for app, r in of_app.items()} == {app: by_app[app].suppressed}
        assert rows.runner().run("nps", week, apps=[app]).suppressed == by_app[app].suppressed
    assert not rows.runner().run("nps", week, apps=["letters", "search"]).suppressed, "the whole less summary"


def test_a_row_of_a_breakdown_of_one_team_is_not_what_the_others_leave_of_the_organisation(
    rows: Any, week: Period, monday: datetime
) -> None:
    def ask(team: str, app: str, people: int) -> None:
        for n in range(people):
            user = f"{team}-{app}-{n}"
            rows.feedback(monday, kind="survey", score=10, user_id=user, app=app, team=team)

    for team, letters in (("claims", 2), ("sales", 8), ("legal", 9)):
        ask(team, "letters", letters)
        ask(team, "search", 30)
    runner = rows.runner(remember=True)
    shown = {
        team: not runner.breakdown("nps", week, "app", teams)["letters"].suppressed
        for team, teams in (("", []), *((team, [team]) for team in ("claims", "sales", "legal")))
    }
    assert shown == {"": True, "claims": False, "sales": False, "legal": True}, "19 in all, less 17"


def test_a_person_who_answers_about_two_apps_is_one_person(rows: Any, week: Period, monday: datetime) -> None:
    for app in ("letters", "search"):
        for n in range(4):
            rows.feedback(monday, kind="survey", score=10, user_id=f"u{n}", app=app, team="claims")
    assert rows.counting().run("nps", week).denominator == 8
    assert rows.runner().run("nps", week).suppressed, "eight answers of four people"
    rows.feedback(monday, kind="survey", score=10, user_id="another", app="search", team="claims")
    result = rows.runner().run("nps", week)
    assert (result.value, result.denominator) == (100, 9)


def test_no_part_of_a_row_of_a_breakdown_is_what_the_others_leave(
    rows: Any, week: Period, monday: datetime
) -> None:
    def ask(app: str, *scores: int) -> None:
        for n, score in enumerate(scores):
            rows.feedback(monday, kind="survey", score=score, user_id=f"{app}-{n}", app=app, team="claims")

    ask("letters", *[10] * 8, *[1] * 2)
    ask("search", *[10] * 8, *[1] * 9)
    ask("summary", *[10] * 9, *[1] * 8)
    by_app = rows.runner().breakdown("nps", week, "app")
    assert by_app["letters"].parts["detractors"] is None
    assert by_app["summary"].parts["detractors"] is None, "its detractors would leave two of nineteen"
    assert by_app["search"].parts["detractors"] == 9


def test_what_adoption_hides_no_other_kpi_of_the_week_tells(
    rows: Any, week: Period, monday: datetime
) -> None:
    for user in _team(rows, "claims", 20)[:17]:
        rows.usage(monday, user_id=user, cost_nano=10)
    for user in _team(rows, "sales", 20):
        rows.usage(monday, user_id=user, cost_nano=10, team="sales")
    runner = rows.runner(remember=True)
    assert runner.run("adoption", week, ["claims"]).hidden == "complement"
    for kpi in ("active_users", "stickiness", "breadth", "cost_per_active_user"):
        assert runner.run(kpi, week, ["claims"]).suppressed, kpi
        assert not rows.counting().run(kpi, week, ["claims"]).suppressed, kpi


def test_active_people_are_not_told_where_less_the_eligible_they_are_few_strangers(
    rows: Any, week: Period, monday: datetime
) -> None:
    users = _team(rows, "claims", 20)
    for user in [*users[:12], "guest", "stranger"]:
        rows.usage(monday, user_id=user)
    assert rows.runner().run("adoption", week).numerator == 12
    assert rows.runner().run("active_users", week).suppressed, "14 less 12"
    for n in range(3):
        rows.usage(monday, user_id=f"visitor-{n}")
    assert rows.runner().run("active_users", week).value == 17


def test_of_some_apps_no_more_is_told_than_leaves_five_to_the_others(
    rows: Any, week: Period, monday: datetime
) -> None:
    for nth, user in enumerate(_team(rows, "claims", 30)[:20]):
        rows.usage(monday, user_id=user, app="letters" if nth < 17 else "search")
    assert rows.runner().run("adoption", week).numerator == 20
    assert rows.runner().run("adoption", week, apps=["letters"]).hidden == "complement"
    assert rows.counting().run("adoption", week, apps=["letters"]).numerator == 17


def test_teams_with_and_without_a_champion_are_groups_of_people(
    rows: Any, week: Period, monday: datetime
) -> None:
    def team(name: str, people: int, active: int, *, champion: bool) -> list[dict[str, Any]]:
        users = [f"{name}-{nth}" for nth in range(people)]
        for user in users[:active]:
            rows.usage(monday, user_id=user, team=name)
        return [
            {"user_id": user, "team": name, "joined": date(2026, 1, 5), "champion": champion and not nth}
            for nth, user in enumerate(users)
        ]

    with_one = [team(name, 10, 5, champion=True) for name in "abc"]
    without = [team(name, 4, 1, champion=False) for name in "def"]
    rows.roster(*(stay for stays in (*with_one, *without) for stay in stays))
    assert rows.counting().run("champions", week).details["without_champion"] == 0.25
    result = rows.runner().run("champions", week)
    assert rows.runner().run("adoption", week).numerator == 18
    assert (result.value, result.interval, result.hidden) == (None, None, "complement"), "three of twelve"
    assert not {"with_champion", "without_champion"} & result.details.keys()
    for name in "def":
        rows.usage(monday, user_id=f"{name}-1", team=name)
    assert rows.runner().run("champions", week).value == 0


def test_what_champions_are_compared_by_is_shown_rather_than_a_single_team(
    rows: Any, week: Period, monday: datetime
) -> None:
    stays = []
    for name, people, active, champion in (
        ("a", 20, 17, True), ("b", 24, 16, True), ("c", 20, 14, True),
        ("d", 20, 10, False), ("e", 20, 9, False), ("f", 20, 8, False),
    ):  # fmt: skip
        users = [f"{name}-{nth}" for nth in range(people)]
        for user in users[:active]:
            rows.usage(monday, user_id=user, team=name)
        stays += [
            {"user_id": user, "team": name, "joined": date(2026, 1, 5), "champion": champion and not nth}
            for nth, user in enumerate(users)
        ]
    rows.roster(*stays)
    database, workspace = rows.database.tenant(rows.tenant), rows.workspace()
    people = tuple(Person.model_validate(stay) for stay in stays)
    unaware = rows.runner(remember=True)
    aware = KpiRunner(database, workspace.model_copy(update={"roster": people}), remember=True)
    assert unaware.run("champions", week).hidden == "complement", "three of a are what b and c leave"
    result = aware.run("champions", week)
    assert result.value is not None
    assert aware.run("adoption", week, ["a"]).hidden == "complement"
    by_team = aware.by_team("adoption", week)
    assert [name for name in "abc" if by_team[name].hidden] == ["a", "c"]
    assert not any(by_team[name].hidden for name in "def")


def test_in_a_week_in_which_nothing_was_heard_no_part_is_known(rows: Any, week: Period) -> None:
    _team(rows, "claims", 20)
    result = rows.runner().run("lifecycle", week)
    assert (result.value, result.denominator) == (None, 20)
    assert set(result.parts.values()) == {None}


def test_who_uses_other_apps_alone_is_not_computed_from_who_uses_some_and_who_uses_any(
    rows: Any, week: Period, monday: datetime
) -> None:
    rows.roster(*[(f"u{n}", "claims", OLD) for n in range(40)])
    for n in range(20):
        rows.usage(monday, user_id=f"u{n}", team="claims", app="letters" if n < 18 else "search")
    for n in range(6):
        rows.usage(monday, user_id=f"stranger{n}", team="claims", app="letters")
    runner = rows.runner(("claims",), remember=True)
    assert runner.run("active_users", week).value == 26
    for teams in ((), ("claims",)):
        some = runner.run("active_users", week, teams, ("letters",))
        assert some.suppressed, "26 less 24 are the two who use nothing but search"
    for n in range(20, 23):
        rows.usage(monday, user_id=f"u{n}", team="claims", app="search")
    runner = rows.runner(("claims",), remember=True)
    assert runner.run("active_users", week).value == 29
    assert runner.run("active_users", week, (), ("letters",)).value == 24


def test_nobody_uses_some_apps_in_a_week_without_events(rows: Any, week: Period) -> None:
    rows.roster(*[(f"u{n}", "claims", OLD) for n in range(20)])
    result = rows.runner(("claims",), remember=True).run("active_users", week, (), ("letters",))
    assert (result.value, result.suppressed) == (None, False)
