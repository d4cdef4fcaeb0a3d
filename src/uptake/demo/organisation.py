"""Who works at the synthetic insurer, with which apps: drawn from one seed, invented throughout."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from uptake.demo import facts

Addresses = Iterator[tuple[int, str]]
Habit = Literal["habitual", "regular", "occasional", "never", "lapsed", "climber", "starter"]

_FIRST_NAMES = (
    "Adèle Ambre Anouk Aurèle Bastien Camille Célia Cyprien Damien Elias Elodie Emeric Fanny Florian Gaspard Ines "
    "Jade Jonas Karim Lena Lilian Louison Maël Margaux Marius Nadia Nils Noémie Octave Oriane Perrine Quentin "
    "Rania Rémi Salomé Samir Solène Tessa Tristan Valère Victoire Yanis Yara Zélie"
)
_SURNAMES = (
    "Abrecourt Aldemaire Balvignac Beaurevel Brasselin Cazorelle Chantefleur Corvigny Delmarsac Dunelande "
    "Estrevaux Faubrenay Garrigolle Grandlieux Hautecombre Jolivarez Kermadoux Lacombrelle Larzillac Maronvert "
    "Mirecastel Montvairac Noirefontane Orbessan Peyrelune Pontavray Quercigny Rocheverny Sainturel Tavernoy "
    "Trémolance Valserine Vaudremont Vertamond Virevalle Ysolande"
)


@dataclass(frozen=True, slots=True)
class Team:
    """A team at the start: who has a seat and how they take to it. `habits` counts seats by habit."""

    name: str
    department: str
    champions: int
    habits: tuple[tuple[Habit, int], ...]
    seatless: int = 2


@dataclass(frozen=True, slots=True)
class Department:
    """An audience: its teams share a channel, a digest and a mix of apps (weights)."""

    slug: str
    name: str
    channel: str
    calls_a_week: float
    apps: tuple[tuple[str, float], ...]
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Stay:
    """A row of roster.csv."""

    team: str
    joined: date
    left: date | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One person. `address` is the raw identity, `pace` multiplies the department's calls a week, `starts` is the
    index of the first week in which a climber or a starter uses an app."""

    number: int
    address: str
    stays: tuple[Stay, ...]
    seat: bool
    champion: bool
    habit: Habit
    pace: float
    wave: str = "1"
    starts: int = 0

    def team_on(self, day: date) -> str | None:
        """The team on a day, or None where the person is not there."""
        for stay in self.stays:
            if stay.joined <= day and (stay.left is None or day < stay.left):
                return stay.team
        return None


DEPARTMENTS = (
    Department("claims", "Claims", "#claims-ai", 34.0,
               (("claims-letter", 0.62), ("case-summary", 0.28), ("service-desk", 0.10))),
    Department("underwriting", "Underwriting", "#underwriting-ai", 21.0,
               (("underwriting-assistant", 0.8), ("service-desk", 0.2))),
    Department("sales", "Sales", "#sales-ai", 22.0, (("broker-mail", 0.8), ("service-desk", 0.2))),
    Department("service", "Service", "#service-ia", 24.0, (("service-desk", 0.6), ("case-summary", 0.4)), "fr"),
)  # fmt: skip

TEAMS = (
    Team("Motor", "claims", 2, (("habitual", 17), ("regular", 6), ("occasional", 3), ("never", 2))),
    Team("Property", "claims", 1, (("habitual", 11), ("regular", 5), ("occasional", 3), ("never", 2))),
    Team("Recovery", "claims", 0, (("habitual", 5), ("regular", 2), ("occasional", 1),
                                   ("never", facts.STALLED.never)), 1),
    Team("Intake", "claims", 1, (("habitual", 8), ("regular", 5), ("occasional", 2), ("never", 3))),
    Team("Commercial", "underwriting", 1, (("habitual", 9), ("regular", 6), ("occasional", 3), ("never", 3))),
    Team("Personal Lines", "underwriting", 1, (("habitual", 8), ("regular", 5), ("occasional", 3), ("never", 2))),
    Team(facts.IDLE_TEAM, "underwriting", 0, (("habitual", 4), ("regular", 2), ("lapsed", facts.IDLE_SEATS))),
    Team("Brokers", "sales", 1, (("habitual", 10), ("regular", 6), ("occasional", 3), ("never", 3))),
    Team("Direct", "sales", 0, (("habitual", 5), ("regular", 3), ("occasional", 5), ("never", 3))),
    Team("Renewals", "sales", 0, (("habitual", 4), ("regular", 2), ("occasional", 4), ("never", 3))),
    Team(facts.CLIMB.team, "service", 2, (("climber", 22), ("never", 4)), 3),
    Team("Correspondence", "service", 1, (("habitual", 5), ("regular", 4), ("occasional", 2), ("never", 1))),
)  # fmt: skip

LEAVERS = (
    ("Intake", "regular", date(2026, 9, 30)),
    ("Direct", "habitual", date(2026, 10, 16)),
    ("Commercial", "regular", date(2026, 10, 31)),
    ("Property", "habitual", date(2026, 11, 12)),
)
"""The last one leaves within week 46: used the apps in it, and is in neither part of its adoption."""
MOVER = ("Renewals", "Brokers", date(2026, 10, 5))


@dataclass(frozen=True)
class Organisation:
    """The people; teams and departments are the same for every seed."""

    seed: int
    members: tuple[Member, ...]

    @cached_property
    def department_of(self) -> dict[str, Department]:
        """Departments by team."""
        by_slug = {department.slug: department for department in DEPARTMENTS}
        return {team.name: by_slug[team.department] for team in TEAMS}

    def in_team(self, team: str, day: date) -> list[Member]:
        return [member for member in self.members if member.team_on(day) == team]


def teams_of(department: str) -> tuple[str, ...]:
    """Names of a department's teams, by its slug."""
    return tuple(team.name for team in TEAMS if team.department == department)


def organisation(seed: int = facts.DEFAULT_SEED) -> Organisation:
    """The organisation of a seed: the same people for the same seed, the same planted facts for every seed."""
    rng = random.Random(f"{seed}:people")
    addresses = _addresses(rng)
    members: list[Member] = []
    for team in TEAMS:
        members += _team(team, addresses, rng)
    for team_name, habit, day in LEAVERS:
        members.append(_member(addresses, rng, (Stay(team_name, _start(rng), day),), habit))  # type: ignore[arg-type]
    origin, goal, day = MOVER
    stays = (Stay(origin, _start(rng), day), Stay(goal, day))
    members.append(_member(addresses, rng, stays, "habitual"))
    for joined in (*facts.NEW_THIS_WEEK, *facts.ELIGIBLE_SINCE_THIS_WEEK, *facts.SEPTEMBER_WAVE):
        for i in range(joined.people):
            habit = "starter" if i < joined.users else "never"
            newcomer = _member(addresses, rng, (Stay(joined.team, joined.day),), habit)  # type: ignore[arg-type]
            members.append(replace(newcomer, wave="2", starts=joined.starts))
    return Organisation(seed, tuple(members))


def _team(team: Team, addresses: Addresses, rng: random.Random) -> list[Member]:
    members = []
    champions = team.champions
    climbers = 0
    for habit, count in team.habits:
        for _ in range(count):
            member = _member(addresses, rng, (Stay(team.name, _start(rng)),), habit)
            if habit == "climber":
                member = replace(member, starts=_climb_start(climbers))
                climbers += 1
            if champions and habit in ("habitual", "climber"):
                member = replace(member, champion=True)
                champions -= 1
            members.append(member)
    for i in range(team.seatless):
        # Some use a colleague's: people without a seat are in no denominator, whatever they do.
        habit = "never" if i else "occasional"
        members.append(replace(_member(addresses, rng, (Stay(team.name, _start(rng)),), habit), seat=False))
    return members


def _climb_start(ordinal: int) -> int:
    """The week in which the climbing team's `ordinal`-th person starts, so that the team rises evenly."""
    climb = facts.CLIMB
    steps = climb.last_week_active - climb.first_week_active
    if ordinal < climb.first_week_active:
        return 0
    return -(-(ordinal - climb.first_week_active + 1) * (facts.WEEKS - 1) // steps)


def _member(addresses: Addresses, rng: random.Random, stays: tuple[Stay, ...], habit: Habit) -> Member:
    # Log-normal with mean 1: a few people ask ten times what the median does.
    pace = min(6.0, rng.lognormvariate(-0.245, 0.7))
    return Member(*next(addresses), stays, True, False, habit, pace)


def _start(rng: random.Random) -> date:
    return date(2024, 1, 8) + timedelta(days=rng.randrange(900))


def _addresses(rng: random.Random) -> Addresses:
    pairs = [(first, last) for first in _FIRST_NAMES.split() for last in _SURNAMES.split()]
    rng.shuffle(pairs)
    for number, (first, last) in enumerate(pairs):
        plain = unicodedata.normalize("NFKD", f"{first}.{last}").encode("ascii", "ignore").decode()
        yield number, f"{plain.lower()}@example.com"
