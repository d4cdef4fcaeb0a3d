"""The examples that kpi.yaml works by hand, with their rows written and their numbers asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from uptake.calendar import Period

PARIS = "Europe/Paris"
OLD = "2026-01-05"
OCTOBER = Period(date(2026, 10, 1), date(2026, 11, 1), PARIS)
NOVEMBER = Period(date(2026, 11, 1), date(2026, 12, 1), PARIS)
CLOSE = pytest.approx


def _used(rows: Any, user: str, *days: date, times: int = 1, **said: Any) -> None:
    """Use at ten in the morning of some days."""
    rows.insert(
        "usage",
        [
            rows.event(
                "usage",
                datetime(day.year, day.month, day.day, 10, tzinfo=ZoneInfo(PARIS)) + timedelta(seconds=nth),
                {"user_id": user, **said},
            )
            for day in days
            for nth in range(times)
        ],
    )


def _weeks_before(week: Period, *ago: int) -> list[date]:
    """The Mondays of weeks so many weeks before."""
    return [week.first - timedelta(weeks=nth) for nth in ago]


def _seats(rows: Any, users: Iterable[str], joined: str = OLD, team: str = "claims", **said: Any) -> None:
    rows.roster(*({"user_id": user, "team": team, "joined": joined, **said} for user in users))


def test_stickiness(rows: Any, week: Period) -> None:
    _seats(rows, ("five", "three", "two", "one", "saturday", "nothing"))
    monday, tuesday, wednesday, thursday, friday, saturday, _ = week.days()
    _used(rows, "five", monday, tuesday, wednesday, thursday, friday)
    _used(rows, "three", monday, tuesday, friday, times=4)
    _used(rows, "two", monday, friday)
    _used(rows, "one", thursday)
    _used(rows, "saturday", saturday)
    result = rows.counting().run("stickiness", week)
    assert (result.numerator, result.denominator, result.value) == (11, 25, 0.44)
    assert result.extras == {"active": 5}
    assert result.value * result.extras["active"] == CLOSE(2.2)
    assert result.interval is None, "days of one person are not independent"


def test_stickiness_leaves_out_the_holidays_of_the_country(rows: Any, week: Period) -> None:
    _seats(rows, [f"u{nth}" for nth in range(5)])
    for nth in range(5):
        _used(rows, f"u{nth}", week.first, date(2026, 11, 11))  # Armistice Day is a holiday in France
    assert rows.counting().run("stickiness", week).denominator == 25
    in_france = rows.counting(country="FR").run("stickiness", week)
    assert (in_france.numerator, in_france.denominator) == (5, 20)


def test_stickiness_of_a_period_without_a_working_day_is_not_known(rows: Any) -> None:
    weekend = Period(date(2026, 11, 14), date(2026, 11, 16), PARIS)
    _seats(rows, [f"u{nth}" for nth in range(5)])
    for nth in range(5):
        _used(rows, f"u{nth}", weekend.first)
    result = rows.counting().run("stickiness", weekend)
    assert (result.value, result.extras) == (None, {"active": 5})


def test_stickiness_of_few_active_people_is_not_shown_however_many_days_they_had(
    rows: Any, week: Period
) -> None:
    _seats(rows, [f"u{nth}" for nth in range(9)])
    for nth in range(4):
        _used(rows, f"u{nth}", *week.days())
    assert rows.runner().run("stickiness", week).suppressed


def test_habits(rows: Any, week: Period) -> None:
    _seats(rows, ("twenty", "nineteen", "twelve", "eleven", "firm", "never"))
    nine = _weeks_before(week, *range(9))
    _used(rows, "twenty", *nine, times=20)
    _used(rows, "nineteen", *nine, times=19)
    _used(rows, "twelve", week.first, times=12)
    _used(rows, "eleven", week.first, times=11)
    _used(rows, "firm", *_weeks_before(week, 0, 1, 2, 3, 4, 5, 6, 7, 11))
    result = rows.counting().run("habits", week)
    assert result.parts == {"power": 1, "habitual": 2, "novice": 1, "low": 1, "none": 1}
    assert (result.numerator, result.denominator, result.value) == (3, 6, 0.5)
    assert result.extras == {"short_history": 0}


def test_habits_4_weeks(rows: Any, week: Period) -> None:
    _seats(rows, ("power", "habitual", "three-weeks", "low", "never", "long-ago"))
    _used(rows, "power", *_weeks_before(week, 0, 1, 2, 3), times=15)
    _used(rows, "habitual", *_weeks_before(week, 0, 1, 2, 3))
    _used(rows, "three-weeks", *_weeks_before(week, 0, 1, 3), times=20)
    _used(rows, "low", week.last, times=3)
    _used(rows, "long-ago", *_weeks_before(week, 4, 5), times=99)
    result = rows.counting().run("habits_4_weeks", week)
    assert result.parts == {"power": 1, "habitual": 1, "novice": 1, "low": 1, "none": 2}
    assert (result.numerator, result.denominator, result.value) == (2, 6, CLOSE(1 / 3))


def test_history_is_short_until_the_grace_was_over_and_the_seat_there_for_all_the_weeks(
    rows: Any, week: Period
) -> None:
    begin = week.after - timedelta(weeks=12)
    _seats(rows, ("just-enough", "a", "b"), (begin - timedelta(days=7)).isoformat())
    _seats(rows, ("a-day-less",), (begin - timedelta(days=6)).isoformat())
    seat = (begin + timedelta(days=1)).isoformat()
    rows.roster({"user_id": "late-seat", "team": "claims", "joined": OLD, "left": seat, "seat": False})
    rows.roster({"user_id": "late-seat", "team": "claims", "joined": seat})
    _used(rows, "a", week.first)
    result = rows.counting().run("habits", week)
    assert (result.denominator, result.extras["short_history"]) == (5, 2)


def test_lifecycle(rows: Any, week: Period) -> None:
    _seats(rows, ("new", "kept-1", "kept-2", "back", "risk", "lapsed", "never-1", "never-2"))
    _used(rows, "new", week.first)
    _used(rows, "kept-1", *_weeks_before(week, 0, 1))
    _used(rows, "kept-2", week.last, week.first - timedelta(days=1))
    _used(rows, "back", *_weeks_before(week, 0, 6))
    _used(rows, "risk", *_weeks_before(week, 1))
    _used(rows, "lapsed", *_weeks_before(week, 5))
    result = rows.counting().run("lifecycle", week)
    assert result.parts == {
        "new": 1,
        "retained": 2,
        "reactivated": 1,
        "at_risk": 1,
        "lapsed": 1,
        "never": 2,
    }
    assert (result.numerator, result.denominator, result.value) == (4, 8, 0.5)


def test_seats(rows: Any) -> None:
    used = [f"used-{nth}" for nth in range(5)]
    _seats(rows, (*used, "idle", "idle-for-a-year"))
    _seats(rows, ("recent",), "2026-10-20")
    _used(rows, "idle", date(2026, 10, 3))  # the four weeks begin on 4 October
    for user in used:
        _used(rows, user, date(2026, 10, 4))
    result = rows.counting(seat_price=Decimal(30)).run("seats", OCTOBER)
    assert result.parts == {"used": 5, "idle": 2, "recent": 1}
    assert (result.numerator, result.denominator, result.value) == (5, 8, 0.625)
    assert result.extras == {"never_used": 1, "idle_priced": 2, "idle_cost_nano": 60 * 10**9}


def test_a_seat_is_idle_only_if_it_was_held_on_the_first_of_the_28_days(rows: Any) -> None:
    _seats(rows, ("idle",), "2026-10-04")
    _seats(rows, ("recent",), "2026-10-05")
    rows.roster(
        {"user_id": "again", "team": "claims", "joined": OLD, "left": "2026-10-04"},
        {"user_id": "again", "team": "claims", "joined": "2026-10-10"},
        {"user_id": "kept", "team": "claims", "joined": OLD, "left": "2026-10-05"},
        {"user_id": "kept", "team": "sales", "joined": "2026-10-05"},
    )
    _used(rows, "", OCTOBER.first)
    assert rows.counting().run("seats", OCTOBER).parts == {"used": 0, "idle": 2, "recent": 2}


def test_idle_seats_without_a_price_cost_what_is_not_known(rows: Any) -> None:
    _seats(rows, [f"u{nth}" for nth in range(6)])
    _used(rows, "u0", OCTOBER.last)
    result = rows.counting().run("seats", OCTOBER)
    assert result.parts["idle"] == 5
    assert result.extras == {"never_used": 5, "idle_priced": 0, "idle_cost_nano": 0}


def test_breadth(rows: Any) -> None:
    _seats(rows, [f"u{nth}" for nth in range(7)])
    day = OCTOBER.first
    _used(rows, "u0", day, app="letters", use_case="draft", times=9)
    _used(rows, "u0", day, app="letters", use_case="translate")
    _used(rows, "u0", day, app="helper", use_case="summarise")
    for nth in range(1, 5):
        _used(rows, f"u{nth}", day, app="letters", use_case="draft", times=2)
    result = rows.counting().run("breadth", OCTOBER)
    assert (result.numerator, result.denominator, result.value) == (7, 5, 1.4)
    assert result.extras == {"three_or_more": 1}


CHAMPIONS = {"a": 4, "b": 3, "c": 5}
OTHERS = {"d": 2, "e": 1, "f": 3}


def _teams(rows: Any, active: dict[str, int], *, champion: bool) -> None:
    for team, some in active.items():
        users = [f"{team}{nth}" for nth in range(5)]
        _seats(rows, users[1:], team=team)
        _seats(rows, users[:1], team=team, champion=champion)
        for user in users[:some]:
            _used(rows, user, OCTOBER.first)


def test_champions(rows: Any) -> None:
    _teams(rows, CHAMPIONS, champion=True)
    _teams(rows, OTHERS, champion=False)
    result = rows.counting().run("champions", OCTOBER)
    assert result.value == CLOSE(40)
    assert dict(result.details) == {
        "with_champion": CLOSE(0.8),
        "without_champion": CLOSE(0.4),
        "teams_with": 3,
        "teams_without": 3,
    }
    assert (result.numerator, result.denominator, result.extras["champions"]) == (18, 30, 3)
    low, high = result.interval
    assert -100 <= low < 40 < high <= 100
    assert rows.counting().run("champions", OCTOBER) == result, "drawn from a seed"


def test_two_teams_on_a_side_say_nothing_of_champions(rows: Any) -> None:
    _teams(rows, CHAMPIONS, champion=True)
    _teams(rows, {"d": 2, "e": 1}, champion=False)
    result = rows.counting().run("champions", OCTOBER)
    assert (result.value, result.interval, result.numerator) == (None, None, 15)
    assert dict(result.details) == {"teams_with": 3, "teams_without": 2}


def test_time_to_first_use(rows: Any) -> None:
    _used(rows, "", date(2026, 10, 1), intent="automatic")
    _seats(rows, ("at-once", "day-2", "day-10", "waiting-1", "waiting-2"), "2026-10-01")
    _seats(rows, ("left",), "2026-10-01", left="2026-10-06")
    _used(rows, "at-once", date(2026, 10, 1))
    _used(rows, "day-2", date(2026, 10, 3), date(2026, 10, 4))
    _used(rows, "day-10", date(2026, 10, 11))
    _used(rows, "left", date(2026, 10, 6))  # has no seat any more
    result = rows.counting().run("time_to_first_use", OCTOBER)
    assert (result.value, result.numerator, result.denominator) == (10, 3, 6)
    assert result.parts == {"used": 3, "waiting": 2, "gone": 1}
    assert dict(result.details) == {"by_day_7": CLOSE(1 / 3), "by_day_28": CLOSE(5 / 9)}
    assert result.interval is None, "the upper side is not reached"


def test_time_begins_when_the_data_do_and_not_with_seats_that_are_older(rows: Any) -> None:
    _seats(rows, [f"u{nth}" for nth in range(5)], "2020-01-06")
    _used(rows, "", date(2026, 10, 5), intent="automatic")
    for nth in range(5):
        _used(rows, f"u{nth}", date(2026, 10, 7 + nth))
    result = rows.counting().run("time_to_first_use", OCTOBER)
    assert (result.value, result.denominator) == (4, 5)
    _used(rows, "", OCTOBER.after - timedelta(weeks=52), intent="automatic")  # now the data are older
    result = rows.counting().run("time_to_first_use", OCTOBER)
    assert (result.value, result.denominator, result.excluded["not_observed"]) == (None, 0, 5)


@pytest.mark.parametrize("name", ["time_to_first_use", "retention"])
@pytest.mark.parametrize(("heard", "young"), [(6, False), (7, True)])
def test_data_are_younger_than_the_window_if_its_first_week_has_none(
    rows: Any, name: str, heard: int, young: bool
) -> None:
    first = OCTOBER.after - timedelta(weeks=52)
    _used(rows, "", first + timedelta(days=heard), intent="automatic")
    _seats(rows, [f"u{nth}" for nth in range(5)], "2020-01-06")
    left = (first + timedelta(days=heard)).isoformat()
    _seats(rows, ["left-that-day"], "2020-01-06", left=left)
    result = rows.counting().run(name, OCTOBER)
    assert result.excluded["not_observed"] == (1 if young else 6)


def test_retention(rows: Any) -> None:
    quarter = Period(date(2026, 10, 1), date(2027, 1, 1), PARIS)
    first = date(2026, 9, 1)
    users = [f"u{nth}" for nth in range(5)]
    _seats(rows, users, "2026-09-01", wave="lyon")
    _seats(rows, ("left",), "2026-09-01", left="2026-09-20")
    for user in (*users, "left"):
        _used(rows, user, first)
    _used(rows, "u0", date(2026, 9, 29))
    _used(rows, "u1", date(2026, 10, 5), date(2026, 10, 6))
    result = rows.counting().run("retention", quarter)
    assert (result.numerator, result.denominator, result.value) == (2, 5, 0.4)
    assert (result.extras, result.parts) == ({"users": 6}, {"returned": 2, "away": 3})
    assert (result.details["week_1"], result.details["week_4"], result.details["week_5"]) == (0, 0.4, 0.2)
    assert len(result.details) == 12
    assert rows.counting().breakdown("retention", quarter, "wave")["lyon"].value == 0.4
    assert rows.counting().breakdown("retention", quarter, "cohort")["2026-09"].value == 0.4


def test_activation(rows: Any) -> None:
    _used(rows, "", date(2026, 10, 1), intent="automatic")
    _seats(rows, ("three", "more", "three-with-pauses", "two", "never-1", "never-2"), "2026-10-05")
    _seats(rows, ("left",), "2026-10-05", left="2026-11-01")
    _seats(rows, ("a-day-earlier",), "2026-10-04")
    _used(rows, "three", date(2026, 10, 5), date(2026, 10, 6), date(2026, 11, 1))
    _used(rows, "more", *(date(2026, 10, day) for day in range(6, 20)))
    _used(rows, "three-with-pauses", date(2026, 10, 5), date(2026, 10, 20), date(2026, 10, 30))
    _used(rows, "two", date(2026, 10, 5), date(2026, 10, 6), date(2026, 11, 2), times=5)
    _used(rows, "left", date(2026, 10, 5), date(2026, 10, 6), date(2026, 10, 7))
    result = rows.counting().run("activation", NOVEMBER)
    assert (result.numerator, result.denominator, result.value) == (3, 6, 0.5)
    assert result.excluded == {"seat_lost": 1, "before_data": 0}
    assert result.parts == {"activated": 3, "tried": 1, "unused": 2}


@pytest.mark.parametrize(("idle", "shown"), [(6, True), (4, False)])
def test_what_idle_seats_cost_is_not_shown_where_it_would_give_away_a_few(
    rows: Any, idle: int, shown: bool
) -> None:
    users = [f"u{nth}" for nth in range(30)]
    _seats(rows, users)
    for user in users[idle:]:
        _used(rows, user, OCTOBER.last)
    result = rows.runner(seat_price=Decimal(30)).run("seats", OCTOBER)
    assert (result.parts["idle"] is not None) == shown
    assert set(result.extras) == ({"never_used", "idle_priced", "idle_cost_nano"} if shown else set())


def test_activation_counts_for_the_team_of_the_28th_day(rows: Any) -> None:
    _used(rows, "", date(2026, 10, 1), intent="automatic")
    rows.roster(
        {"user_id": "moved", "team": "claims", "joined": "2026-10-05", "left": "2026-11-01"},
        {"user_id": "moved", "team": "sales", "joined": "2026-11-01", "left": "2026-11-02"},
        {"user_id": "moved", "team": "legal", "joined": "2026-11-02"},
    )
    assert set(rows.counting().by_team("activation", NOVEMBER)) == {"sales"}


def test_activation_leaves_out_whoever_had_a_seat_before_anything_was_heard(rows: Any) -> None:
    _used(rows, "", date(2026, 10, 6), intent="automatic")
    _seats(rows, ("before",), "2026-10-05")
    _seats(rows, ("that-day",), "2026-10-06")
    result = rows.counting().run("activation", NOVEMBER)
    assert (result.denominator, result.excluded["before_data"]) == (1, 1)
