"""Measures of how people begin, come back, and differ between teams. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from uptake.sql.cells import Cell, Context, Measured
from uptake.sql.suppression import shown_people
from uptake.stats import bootstrap_difference, kaplan_meier, wilson

READ_AT_WEEK = 4
"""The week since the first use at which retention is read: the fifth, four weeks after."""
SHOWN_DAYS = (7, 28)


def wait(cells: Sequence[Cell], context: Context) -> Measured:
    """The median number of days until something happened, of people counted by the days (the first key) until it did or
    until they were last seen without it: Kaplan–Meier, with its interval where both sides are reached.

    Beside it `by_day_7` and `by_day_28`, the shares to whom it had happened on that day, where so much was seen.
    """
    days: dict[int, tuple[int, int]] = {}
    for cell in cells:
        if people := cell.figures["denominator"]:
            day, happened = int(cell.keys[0]), cell.figures["numerator"]
            events, waiting = days.get(day, (0, 0))
            days[day] = events + happened, waiting + people - happened
    curve = kaplan_meier(days)
    if curve is None:
        return Measured(None, numerator=0, denominator=0)
    low, high = curve.median_interval
    still = {day: curve.at(day) for day in SHOWN_DAYS}
    happened_by = {day: sum(events for at, (events, _) in days.items() if at <= day) for day in SHOWN_DAYS}
    return Measured(
        curve.median,
        None if low is None or high is None else (low, high),
        curve.events,
        curve.people,
        {f"by_day_{day}": 1 - share for day, share in still.items() if share is not None},
        {f"by_day_{day}": (people, curve.people) for day, people in happened_by.items()},
    )


def returning(cells: Sequence[Cell], context: Context) -> Measured:
    """The share of people who came back in week READ_AT_WEEK, and the whole curve (`week_1`, …) beside it, where it
    is of enough people to be shown. The last key of a row is the number of weeks since the first use."""
    weeks: dict[int, tuple[int, int]] = {}
    for cell in cells:
        if people := cell.figures["denominator"]:
            week = int(cell.keys[-1])
            active, of = weeks.get(week, (0, 0))
            weeks[week] = active + cell.figures["numerator"], of + people
    active, of = weeks.get(READ_AT_WEEK, (0, 0))
    curve = {week: counts for week, counts in sorted(weeks.items()) if week and shown_people(counts[1])}
    return Measured(
        active / of if of else None,
        wilson(active, of) if of else None,
        active,
        of,
        {f"week_{week}": back / seen for week, (back, seen) in curve.items()},
        {f"week_{week}": counts for week, counts in curve.items()},
    )


def with_and_without_champion(cells: Sequence[Cell], context: Context) -> Measured:
    """By how many points the pooled rate of teams with a champion is above that of teams without one; the interval is
    from resampling teams. Not known with fewer than three teams on a side. A difference, not a proven cause."""
    teams: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for cell in cells:
        rate = cell.figures["numerator"], cell.figures["denominator"]
        if rate[1]:
            teams[cell.figures["extra_champions"] > 0].append(rate)
    beside: dict[str, float] = {"teams_with": len(teams[True]), "teams_without": len(teams[False])}
    active, eligible = (sum(rate[place] for side in teams.values() for rate in side) for place in (0, 1))
    found = bootstrap_difference(teams[True], teams[False])
    if found is None:
        return Measured(None, numerator=active, denominator=eligible, details=beside)
    low, high = found.interval
    beside |= {"with_champion": found.first, "without_champion": found.second}
    return Measured(100 * found.difference, (100 * low, 100 * high), active, eligible, beside)
