"""The workspace: departments, teams, people who join, move and leave, apps, budgets, targets and who reads what."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

from uptake.calendar import IsoWeek
from uptake.workspace.models import (
    App,
    Audience,
    Budget,
    Channels,
    Kpi,
    Organisation,
    Person,
    Scope,
    Target,
    Workspace,
)

TENANT = "large"
ZONE = "Europe/Paris"
WEEKS = 13
FIRST = IsoWeek(2026, 27)
WEEK = FIRST.shift(WEEKS - 1)
DEPARTMENTS = 200
TEAMS = 600
PEOPLE = 12_000
APPS = 6


def team_name(number: int) -> str:
    return f"team-{number:03}"


def teams_of(department: int) -> tuple[str, ...]:
    each = TEAMS // DEPARTMENTS
    return tuple(team_name(department * each + n) for n in range(each))


def workspace() -> Workspace:
    return Workspace(
        organisation=Organisation(
            tenant=TENANT,
            name="Large",
            zone=ZONE,
            country="FR",
            fiscal_year_starts=1,
            seat_price=Decimal(20),
        ),
        roster=tuple(_roster()),
        apps=tuple(App(app=f"app-{n}", owner=f"owner-{n}") for n in range(APPS)),
        budgets=tuple(_budgets()),
        targets=(
            Target(kpi=Kpi.ADOPTION, target=0.7, owner="somebody", due=date(2026, 12, 31)),
            Target(kpi=Kpi.OVERRIDE_RATE, target=0.15, owner="somebody", due=date(2026, 12, 31)),
        ),
        channels=Channels(audiences=audiences()),
    )


def audiences() -> tuple[Audience, ...]:
    """Every department, every other one in French, and the organisation."""
    departments = (
        Audience(
            audience=f"department-{n:03}",
            name=f"Department {n}",
            teams=teams_of(n),
            locale="fr" if n % 2 else "en",
        )
        for n in range(DEPARTMENTS)
    )
    return (*departments, Audience(audience="organisation", name="Large"))


def _roster() -> list[Person]:
    """Teams of unequal size, from a few people to fifty. Of a hundred people five join while it runs, three leave, four
    move to another team and eight have no seat."""
    chance = random.Random(7)
    monday = FIRST.monday()
    weights = [chance.uniform(0.1, 2.0) for _ in range(TEAMS)]
    rows = []
    for number in range(PEOPLE):
        [first, second] = chance.choices(range(TEAMS), weights, k=2)
        someday = monday + timedelta(days=chance.randrange(WEEKS * 7))
        what = chance.random()
        joined = someday if what < 0.05 else monday - timedelta(days=chance.randrange(60, 600))
        ends = someday if 0.05 <= what < 0.12 else None
        fields = {
            "user_id": f"p_{number:032x}",
            "seat": chance.random() < 0.92,
            "champion": chance.random() < 0.02,
            "wave": f"wave-{number % 5}",
        }
        rows.append(Person(team=team_name(first), joined=joined, left=ends, **fields))
        if ends is not None and what < 0.09:
            rows.append(Person(team=team_name(second), joined=ends, **fields))
    return rows


def _budgets() -> list[Budget]:
    """One of each department, of each app, and of all."""
    departments = [
        Budget(
            budget=f"department-{n:03}",
            name=f"Department {n}",
            scope=Scope(teams=teams_of(n)),
            amount=Decimal(900),
        )
        for n in range(DEPARTMENTS)
    ]
    apps = [
        Budget(budget=f"app-{n}", name=f"App {n}", scope=Scope(app=f"app-{n}"), amount=Decimal(9000))
        for n in range(APPS)
    ]
    return [*departments, *apps, Budget(budget="all", name="All AI use", amount=Decimal(100_000))]
