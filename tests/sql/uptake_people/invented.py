"""Organisations of 16 weeks with everything that happens to people: moves, joiners, leavers, seats given and taken,
strangers, machines, and calls that name nobody."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from uptake.calendar import Period
from uptake_people.model import DAY, Call, Model, Stay

ZONE = "Europe/Paris"
AFTER = date(2026, 11, 16)
FIRST = AFTER - timedelta(weeks=16)
TEAMS = ["claims", "motor", "sales", "legal", "home", "life", "void"]
PERIODS = {
    "a week": Period(date(2026, 11, 9), AFTER, ZONE),
    "the week whose clock goes back": Period(date(2026, 10, 19), date(2026, 10, 26), ZONE),
    "a month": Period(date(2026, 10, 1), date(2026, 11, 1), ZONE),
    "a quarter": Period(date(2026, 8, 16), AFTER, ZONE),
}
EDGES = [
    *(period.after - nth * DAY for period in PERIODS.values() for nth in (1, 2, 7, 8, 27, 28)),
    *(period.first - nth * DAY for period in PERIODS.values() for nth in (26, 27, 28)),
]
"""Days on which a stay may begin or end so that some period just counts it, or just does not."""


def _stays(luck: random.Random) -> list[Stay]:
    """What may happen to somebody who is on the roster."""
    team, other = luck.sample(TEAMS[:6], 2)
    old = FIRST - timedelta(days=luck.choice([1, 30, 200, 280, 400, 900]))
    late = luck.choice(
        [FIRST + timedelta(days=luck.randrange(16 * 7)), luck.choice(EDGES), luck.choice(EDGES)]
    )
    later = late + timedelta(days=luck.choice([1, 5, 20, 27, 28, 40]))
    wave = luck.choice(["", "lyon", "paris"])
    champion = team in ("claims", "motor", "sales") and luck.random() < 0.6
    one = Stay(team, luck.choice([old, late]), champion=champion, wave=wave)
    return luck.choice(
        [
            [one],
            [one],
            [one],
            [one._replace(joined=old, left=late)],
            [one._replace(joined=late, left=later)],
            [one._replace(joined=old, left=late), Stay(other, late, wave="paris")],
            [one._replace(joined=late, left=later), Stay(other, later)],
            [one._replace(seat=False)],
            [one._replace(joined=old, left=late, seat=False), Stay(team, late, wave=wave)],
            [one._replace(joined=old, left=late), Stay(team, late, seat=False)],
            [one._replace(joined=old, left=late), Stay(other, later + 30 * DAY)],
        ]
    )


def _first_and_last(day: date) -> tuple[datetime, datetime]:
    """The first and the last moment of a day."""
    first, after = (
        datetime.combine(each, time(), ZoneInfo(ZONE)).astimezone(UTC) for each in (day, day + DAY)
    )
    return first, after - timedelta(milliseconds=1)


def _moment(luck: random.Random, day: date) -> datetime:
    """Some time of a day, often right at its edges."""
    first, last = _first_and_last(day)
    some = first + timedelta(minutes=luck.randrange(23 * 60))
    return luck.choice([first, last, some, some, some])


def invent(seed: int, rows: Any, *, old: bool, people: int = 60, days: int = 112) -> tuple[Model, list[Any]]:
    """The model of an organisation and its events. `old`: its data are older than every window. `days`: on how many
    days at most somebody calls."""
    luck = random.Random(seed)
    model = Model({f"p{nth}": _stays(luck) for nth in range(people)}, defaultdict(list))
    open_days = set(luck.sample(range(112), days))
    events = []

    def call(user: str, day: date, at: datetime | None = None) -> None:
        at, deliberate = at or _moment(luck, day), luck.random() < 0.8
        said = {
            "user_id": user,
            "team": luck.choice(TEAMS),
            "app": luck.choice(["helper", "letters"]),
            "use_case": luck.choice(["", "draft", "translate"]),
            "intent": "deliberate" if deliberate else "automatic",
        }
        row = rows.event("usage", at, said)
        events.append(row)
        (model.calls[user] if user else model.nameless).append(
            Call(at, row["event_id"], row["team"], row["app"], row["use_case"], deliberate, day)
        )

    for user in [*model.stays, "stranger", "guest", ""]:
        keen = luck.choice([0, 0.02, 0.1, 0.4, 0.9])
        begins, ends = sorted(luck.choices(range(16 * 7 + 1), k=2))
        for nth in range(begins, luck.choice([ends, 16 * 7])):
            if nth in open_days and luck.random() < keen:
                for _ in range(luck.choice([1, 1, 2, 30 if keen > 0.4 else 3])):
                    call(user, FIRST + nth * DAY)
        for stay in model.stays.get(user, ()):
            for nth in (-1, 0, 13, 26, 27, 28):
                day = stay.joined + nth * DAY
                if day < AFTER and (day - FIRST).days in open_days and luck.random() < 0.5:
                    call(user, day)
    if old:
        for user in luck.sample(list(model.stays), 12):
            call(user, FIRST - timedelta(weeks=luck.randrange(1, 40)))
        for weeks in (53, 52, 51, 19, 12, 4):
            for period in PERIODS.values():
                day = period.after - timedelta(weeks=weeks)
                call(luck.choice([*model.stays, ""]), day, _first_and_last(day)[0])
                call(luck.choice([*model.stays, ""]), day - DAY, _first_and_last(day - DAY)[1])
    return model, events


def organisation(rows: Any, inserted_at: datetime, *invented: Any, **options: Any) -> Model:
    """Writes an organisation, some of its events twice, and feedback from before the first call."""
    model, events = invent(*invented, rows, **options)
    written = [{**row, "inserted_at": inserted_at} for row in events]
    rows.insert("usage", [*written, *written[:20]])
    rows.feedback(_first_and_last(FIRST - 12 * DAY)[0], kind="thumb", thumb="up", inserted_at=inserted_at)
    stays = ((user, stay) for user, stays in model.stays.items() for stay in stays)
    rows.roster(
        *(
            {"user_id": user, **stay._asdict(), "joined": stay.joined, "left": stay.left}
            for user, stay in stays
        )
    )
    return model
