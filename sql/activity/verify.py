"""Compares activity with FINAL, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from uptake.clickhouse import TenantDatabase
from uptake.sql.activity.days import Day
from uptake.sql.activity.refresh import TenantActivity

Verdict = Literal["same", "different", "not compared"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure of a cell that FINAL and activity give differently; None where one of them has no such cell.

    The cell's person is not told. Money is in nano units; `last_at` is in Unix milliseconds.
    """

    app: str
    use_case: str
    model: str
    team: str
    figure: str
    final: int | None
    activity: int | None


@dataclass(frozen=True, slots=True)
class DayVerdict:
    """What became of one day. Only a day that is exact is compared: a changed one is known to differ."""

    tenant: str
    day: date
    standing: str
    verdict: Verdict
    differences: tuple[Difference, ...] = ()


def verify(
    database: TenantDatabase, zone: str, first: date | None = None, after: date | None = None
) -> Iterator[DayVerdict]:
    """Compare the days in [first, after) of which there are events, one after the other.

    A day that changes while it is compared is not judged.
    """
    work = TenantActivity(database, zone)
    work.look()
    for day in work.days(first, after):
        yield _judged(work, database.name, day)


def _judged(work: TenantActivity, tenant: str, day: Day) -> DayVerdict:
    if day.standing != "published":
        return DayVerdict(tenant, day.day, day.standing, "not compared")
    found = tuple(each for row in work.differences(day) for each in _of(row))
    if not found:
        return DayVerdict(tenant, day.day, day.standing, "same")
    # What came since the day was looked at makes a difference that is none.
    work.look()
    [again] = work.days(day.day, date.fromordinal(day.day.toordinal() + 1)) or [day]
    if again.standing != "published" or again.build != day.build:
        return DayVerdict(tenant, day.day, again.standing, "not compared")
    return DayVerdict(tenant, day.day, day.standing, "different", found)


def _of(row: dict[str, Any]) -> Iterator[Difference]:
    final, activity = (dict(zip(*row[side], strict=True)) for side in ("counted", "kept"))
    cell = {name: row[name] for name in ("app", "use_case", "model", "team")}
    for figure in {**final, **activity}:
        if final.get(figure) != activity.get(figure):
            yield Difference(**cell, figure=figure, final=final.get(figure), activity=activity.get(figure))
