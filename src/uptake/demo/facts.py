"""What is planted in the demo, as data. The generator obeys it, the oracle measures it, a test compares.

Days and times are the organisation's wall clock. Nothing here is a result: what a digest must say is computed
by `uptake.demo.oracle` from the events.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from uptake.calendar import IsoWeek

TENANT = "alderline"
NAME = "Alderline Mutual"
ZONE = "Europe/Paris"
TZ = ZoneInfo(ZONE)
CURRENCY = "EUR"
FIRST_WEEK = IsoWeek(2026, 34)
LAST_WEEK = IsoWeek(2026, 46)
WEEKS = 13
DEFAULT_SEED = 2026
WATCHED_WEEKS = 2
"""Of the thirteen, the last ones in which budgets, findings and digests are looked at. Before, history is made."""
CLOSED_BEFORE = ("2026-10", "FY2026-Q3")
"""The month and the quarter whose digests are due once somebody looks; the watched weeks close no other."""
HOLIDAYS = frozenset({date(2026, 8, 15), date(2026, 11, 1), date(2026, 11, 11)})
"""Public holidays in France within the thirteen weeks. The clock goes back on Sunday 25 October (week 43)."""


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """A moment of the organisation's wall clock."""
    return datetime(year, month, day, hour, minute, second, tzinfo=TZ)


_NEW_PROMPT = local(2026, 11, 12, 8)
_SHADOW = local(2026, 11, 10, 8, 31, 7)
_BACK_ONLINE = local(2026, 11, 14, 10, 5)
_LOST_ANSWER = local(2026, 11, 13, 12)
_WRONG_CLOCK = local(2026, 11, 12, 10, 15)


@dataclass(frozen=True, slots=True)
class Climb:
    """A team in which some more people start every week, and nobody stops."""

    team: str = "Customer Care"
    first_week_active: int = 4
    last_week_active: int = 22


@dataclass(frozen=True, slots=True)
class PromptChange:
    """A prompt that speaks wrongly: from `at` on its answers are overridden far more often, and cost more."""

    app: str = "claims-letter"
    use_case: str = "settlement-letter"
    team: str = "Motor"
    before: str = "v13"
    after: str = "v14"
    at: datetime = _NEW_PROMPT
    overridden_before: float = 0.13
    overridden_after: float = 0.38
    reason: str = "wrong_tone"
    reason_share: float = 0.58
    token_factor: float = 1.6


@dataclass(frozen=True, slots=True)
class Breach:
    """A monthly budget and the days on which November's spend crosses its thresholds."""

    budget: str = "claims-letter"
    app: str = "claims-letter"
    amount: int = 400
    crossed_on: tuple[tuple[int, date], ...] = (
        (50, date(2026, 11, 6)),
        (80, date(2026, 11, 12)),
        (100, date(2026, 11, 13)),
    )


@dataclass(frozen=True, slots=True)
class Shadow:
    """An app that nobody registered."""

    app: str = "tender-bot"
    first_seen: datetime = _SHADOW
    teams: tuple[tuple[str, int], ...] = (("Brokers", 7),)
    calls: int = 420
    data_class: str = "confidential"
    model: str = "gpt-5.6-sol"

    @property
    def people(self) -> int:
        return sum(people for _, people in self.teams)


@dataclass(frozen=True, slots=True)
class Joined:
    """People who joined a team on one day. All have a seat; `users` of them start in the week with this index and use
    an app in each week from then on, the others never."""

    team: str
    day: date
    people: int
    users: int
    starts: int = WEEKS - 1


@dataclass(frozen=True, slots=True)
class Stalled:
    """A team without a champion in which eligible people never started."""

    team: str = "Recovery"
    never: int = 9


@dataclass(frozen=True, slots=True)
class Unpriced:
    """A model that no price list knows, and every how many calls of the app it answers."""

    app: str = "service-desk"
    provider: str = "in-house"
    model: str = "atlas-7b"
    every: int = 8


@dataclass(frozen=True, slots=True)
class Invoice:
    """What a provider bills for a month, of which `gap` is explained by no call: somebody has a key of their own."""

    provider: str = "openai"
    month: date = date(2026, 10, 1)
    sent_on: date = date(2026, 11, 2)
    gap: float = 0.06


@dataclass(frozen=True, slots=True)
class Untidy:
    """What goes wrong on the way, on purpose: late events, a gateway's answer that is lost (the SDK sends the same
    events again), a machine whose clock is ahead (the gateway refuses its event)."""

    late: int = 24
    late_occurred: date = date(2026, 11, 12)
    late_sent: datetime = _BACK_ONLINE
    lost_answer_app: str = "service-desk"
    lost_answer_at: datetime = _LOST_ANSWER
    rejected_at: datetime = _WRONG_CLOCK
    clock_ahead: timedelta = timedelta(days=3)


CLIMB = Climb()
PROMPT = PromptChange()
BREACH = Breach()
SHADOW = Shadow()
NEW_THIS_WEEK = (Joined("Motor", date(2026, 11, 10), 3, 2), Joined("Commercial", date(2026, 11, 12), 2, 1))
"""Within their days of grace at the end of week 46: in no denominator and in no numerator."""
STEADY = "claims"
"""In this department the same people use the apps in the last two weeks: only its roster moves its adoption."""
ELIGIBLE_SINCE_THIS_WEEK = (Joined("Property", date(2026, 11, 3), 4, 1),)
"""Eligible for the first time in week 46: the roster part of Claims' change."""
SEPTEMBER_WAVE = (Joined("Personal Lines", date(2026, 9, 14), 6, 4, starts=5),)
"""Their 28th day falls in October: whom that month's activation is about."""
STALLED = Stalled()
UNPRICED = Unpriced()
INVOICE = Invoice()
UNTIDY = Untidy()
IDLE_TEAM = "Pricing"
WITHOUT_CHAMPION = (STALLED.team, IDLE_TEAM, "Direct", "Renewals")
"""Teams in which nobody is asked to help others; fewer people use the apps there."""
IDLE_SEATS = 6
"""Seats whose people worked with the apps until the end of September and not since."""
