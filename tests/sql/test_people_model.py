"""The KPIs about people against a model in plain Python that knows nothing of the SQL: organisations of 16 weeks, with
moves, joiners, leavers, seats given and taken, strangers, machines and calls that name nobody."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from uptake.calendar import Period
from uptake.sql.catalogue import load_catalogue

ZONE = "Europe/Paris"
AFTER = date(2026, 11, 16)
FIRST = AFTER - timedelta(weeks=16)
GRACE = timedelta(days=7)
DAY = timedelta(days=1)
TEAMS = ["claims", "motor", "sales", "legal", "home", "life", "void"]
PERIODS = {
    "a week": Period(date(2026, 11, 9), AFTER, ZONE),
    "the week whose clock goes back": Period(date(2026, 10, 19), date(2026, 10, 26), ZONE),
    "a month": Period(date(2026, 10, 1), date(2026, 11, 1), ZONE),
    "a quarter": Period(date(2026, 8, 16), AFTER, ZONE),
}
KPIS = [
    "activation",
    "breadth",
    "champions",
    "habits",
    "habits_4_weeks",
    "lifecycle",
    "retention",
    "seats",
    "stickiness",
    "time_to_first_use",
]


class Stay(NamedTuple):
    team: str
    joined: date
    left: date | None = None
    seat: bool = True
    champion: bool = False
    wave: str = ""

    def on(self, day: date) -> bool:
        return self.joined <= day and (self.left is None or day < self.left)


class Call(NamedTuple):
    at: datetime
    event_id: int
    team: str
    app: str
    use_case: str
    deliberate: bool

    @property
    def day(self) -> date:
        return self.at.astimezone(ZoneInfo(ZONE)).date()


Rows = dict[tuple[str, ...], Counter[str]]


@dataclass
class Model:
    """People by stays and calls, and each KPI's rows counted person by person."""

    stays: dict[str, list[Stay]]
    calls: dict[str, list[Call]]
    nameless: list[Call] = field(default_factory=list)

    def rows(self, name: str, period: Period) -> Rows:
        rows: Rows = defaultdict(Counter)
        for key, column, count in getattr(self, name)(period):
            rows[key][column] += count
        return {key: +figures for key, figures in rows.items() if +figures}

    # What everybody is asked -------------------------------------------------------------------------------------

    def stay(self, user: str, day: date) -> Stay | None:
        return next((stay for stay in self.stays.get(user, ()) if stay.on(day)), None)

    def everybody(self) -> list[str]:
        return sorted({*self.stays, *self.calls})

    def used(self, user: str, first: date, after: date) -> list[Call]:
        return [call for call in self.calls.get(user, ()) if call.deliberate and first <= call.day < after]

    def is_eligible(self, user: str, period: Period) -> bool:
        stay = self.stay(user, period.last)
        joined = min((stay.joined for stay in self.stays.get(user, ())), default=period.after)
        return stay is not None and stay.seat and joined + GRACE <= period.after

    def team(self, user: str, period: Period, calls: list[Call]) -> str:
        stay = self.stay(user, period.last)
        return stay.team if stay else max(calls, key=lambda call: (call.at, call.event_id)).team

    def without_user(self, first: date, after: date, keys: int = 0) -> Iterator[Any]:
        for call in self.nameless:
            if call.deliberate and first <= call.day < after:
                yield (call.team, *[""] * keys), "excluded_calls_without_user", 1

    def excluded(self, period: Period, first: date, *, of_users: bool) -> Iterator[Any]:
        """Who is left out, of all people or of those who used something since `first`."""
        for user in self.everybody():
            calls = self.used(user, first, period.after)
            stay = self.stay(user, period.last)
            if stay is None:
                if calls:
                    yield (self.team(user, period, calls),), "excluded_off_roster", 1
            elif calls or not of_users:
                if not stay.seat:
                    yield (stay.team,), "excluded_without_seat", 1
                elif not self.is_eligible(user, period):
                    yield (stay.team,), "excluded_in_grace", 1
        yield from self.without_user(first, period.after)

    # KPIs --------------------------------------------------------------------------------------------------------

    def stickiness(self, period: Period) -> Iterator[Any]:
        working = [day for day in period.days() if day.weekday() < 5]
        yield from self.excluded(period, period.first, of_users=True)
        for user, calls in self._active(period):
            team = (self.team(user, period, calls),)
            yield team, "numerator", len({call.day for call in calls} & set(working))
            yield team, "denominator", len(working)
            yield team, "extra_active", 1

    def breadth(self, period: Period) -> Iterator[Any]:
        yield from self.excluded(period, period.first, of_users=True)
        for user, calls in self._active(period):
            team = (self.team(user, period, calls),)
            things = {(call.app, call.use_case) for call in calls}
            yield team, "numerator", len(things)
            yield team, "denominator", 1
            yield team, "extra_three_or_more", int(len(things) >= 3)

    def champions(self, period: Period) -> Iterator[Any]:
        yield from self.excluded(period, period.first, of_users=False)
        for user in self.stays:
            if stay := self.stay(user, period.last):
                eligible = self.is_eligible(user, period)
                yield (stay.team,), "denominator", int(eligible)
                used = self.used(user, period.first, period.after)
                yield (stay.team,), "numerator", int(eligible and bool(used))
                yield (stay.team,), "extra_champions", int(stay.champion)

    def habits(self, period: Period) -> Iterator[Any]:
        yield from self._habits(period, 12, 9)

    def habits_4_weeks(self, period: Period) -> Iterator[Any]:
        yield from self._habits(period, 4, 4)

    def _habits(self, period: Period, weeks: int, habit: int) -> Iterator[Any]:
        first = period.after - timedelta(weeks=weeks)
        yield from self.excluded(period, first, of_users=False)
        for user in self.stays:
            if not self.is_eligible(user, period):
                continue
            calls = self.used(user, first, period.after)
            per_week = Counter((call.day - first).days // 7 for call in calls)
            mean = Fraction(len(calls), weeks)
            if len(per_week) >= habit:
                part = "power" if mean >= 15 else "habitual"
            else:
                part = "novice" if mean >= 1 else "low" if mean > 0 else "none"
            team = (self.team(user, period, calls),)
            yield team, f"part_{part}", 1
            yield team, "denominator", 1
            yield team, "numerator", int(part in ("power", "habitual"))
            since = max(
                min(stay.joined for stay in self.stays[user]) + GRACE,
                min(stay.joined for stay in self.stays[user] if stay.seat),
            )
            yield team, "extra_short_history", int(since > first)

    def lifecycle(self, period: Period) -> Iterator[Any]:
        a_week_ago = period.last - 7 * DAY
        for user in self.everybody():
            now, before = self.stay(user, period.last), self.stay(user, a_week_ago)
            recent = self.used(user, period.after - 7 * DAY, period.after)
            was = before is not None and before.seat
            state = self.state(user, period.after - 7 * DAY) if was else ""
            if now is None:
                team = before.team if before and before.seat else ""
                if recent:
                    team = team or self.team(user, period, recent)
                    yield (team, state), "excluded_off_roster", 1
                if was:
                    yield (team, state), "extra_gone", 1
            elif not now.seat:
                yield (now.team, state), "excluded_without_seat", 1
                yield (now.team, state), "extra_gone", int(was)
            else:
                key = now.team, state or "absent"
                is_now = self.state(user, period.after)
                yield key, "denominator", 1
                yield key, f"part_{is_now}", 1
                yield key, "numerator", int(is_now in ("new", "retained", "reactivated"))
        yield from self.without_user(period.after - 7 * DAY, period.after, 1)

    def state(self, user: str, after: date) -> str:
        """Where somebody stands at the end of the week that ends before `after`."""
        ago = [
            (after - DAY - call.day).days // 7 for call in self.used(user, after - timedelta(weeks=52), after)
        ]
        if not ago:
            return "never"
        if min(ago) == 0:
            if max(ago) == 0:
                return "new"
            return "retained" if 1 in ago else "reactivated"
        return "at_risk" if min(ago) <= 3 else "lapsed"

    def seats(self, period: Period) -> Iterator[Any]:
        first = period.after - 28 * DAY
        for user in self.everybody():
            stay, then = self.stay(user, period.last), self.stay(user, first)
            recent = self.used(user, first, period.after)
            if stay is None:
                if recent:
                    yield (self.team(user, period, recent),), "excluded_off_roster", 1
            elif not stay.seat:
                yield (stay.team,), "excluded_without_seat", 1
            else:
                part = "used" if recent else "idle" if then and then.seat else "recent"
                yield (stay.team,), "denominator", 1
                yield (stay.team,), f"part_{part}", 1
                yield (stay.team,), "numerator", int(part == "used")
                ever = self.used(user, period.after - timedelta(weeks=52), period.after)
                yield (stay.team,), "extra_never_used", int(part == "idle" and not ever)
        yield from self.without_user(first, period.after)

    def activation(self, period: Period) -> Iterator[Any]:
        origin, _ = self.origin(period, 19)
        for user, stays in self.stays.items():
            seats = [stay for stay in stays if stay.seat]
            if not seats:
                continue
            first = min(stay.joined for stay in seats)
            last = first + 27 * DAY
            if not period.first <= last < period.after:
                continue
            then = next((stay for stay in seats if stay.on(last)), None)
            if then is None:
                held = max((s for s in seats if s.joined < period.after), key=lambda s: s.joined)
                yield (held.team,), "excluded_seat_lost", 1
            elif first < origin:
                yield (then.team,), "excluded_before_data", 1
            else:
                days = {call.day for call in self.used(user, first, last + DAY)}
                yield (then.team,), "denominator", 1
                yield (then.team,), "numerator", int(len(days) >= 3)
                yield (then.team,), "extra_used", int(bool(days))

    def time_to_first_use(self, period: Period) -> Iterator[Any]:
        for user, team, start, until in self.observed(period):
            if start is None:
                yield (team, ""), "excluded_not_observed", 1
                continue
            calls = self.used(user, start, until)
            if calls:
                waited = min((call.day - start).days for call in calls)
                yield (team, str(waited)), "numerator", 1
            else:
                waited = (until - DAY - start).days
                left = "still_waiting" if until == period.after else "gone_unused"
                yield (team, str(waited)), f"extra_{left}", 1
            yield (team, str(waited)), "denominator", 1
        yield from self._strangers(period, 1)

    def retention(self, period: Period) -> Iterator[Any]:
        for user, team, start, until in self.observed(period):
            first_seat = min((stay for stay in self.stays[user] if stay.seat), key=lambda stay: stay.joined)
            key = team, f"{first_seat.joined:%Y-%m}", first_seat.wave
            if start is None:
                yield (*key, ""), "excluded_not_observed", 1
                continue
            calls = self.used(user, start, until)
            if not calls:
                yield (*key, ""), "excluded_never_used", 1
                continue
            first = min(call.day for call in calls)
            weeks = [nth for nth in range(13) if first + (nth + 1) * 7 * DAY <= until]
            yield (*key, ""), "extra_users" if weeks else "excluded_first_week_not_over", 1
            for nth in weeks:
                begin = first + nth * 7 * DAY
                yield (*key, str(nth)), "denominator", 1
                yield (*key, str(nth)), "extra_observed", int(nth == 4)
                yield (*key, str(nth)), "numerator", int(bool(self.used(user, begin, begin + 7 * DAY)))
        yield from self._strangers(period, 3)

    def origin(self, period: Period, weeks: int) -> tuple[date, bool]:
        """Since when use can be known, and whether that is because the data are young."""
        first = min(period.after - timedelta(weeks=weeks), period.first)
        everything = [call for calls in (*self.calls.values(), self.nameless) for call in calls]
        heard = min(call.day for call in everything if first <= call.day < period.after)
        return (heard, True) if heard >= first + 7 * DAY else (first, False)

    def observed(self, period: Period) -> Iterator[tuple[str, str, date | None, date]]:
        """Everybody who has had a seat: team, from when (None: not known), until when."""
        origin, young = self.origin(period, 52)
        for user, stays in self.stays.items():
            seats = [stay for stay in stays if stay.seat and stay.joined < period.after]
            if seats:
                last = max(seats, key=lambda stay: stay.joined)
                until = min(last.left or period.after, period.after)
                start = max(min(stay.joined for stay in seats), origin)
                old = not young and min(stay.joined for stay in seats) < origin
                yield user, last.team, None if old or start >= until else start, until

    def _strangers(self, period: Period, keys: int) -> Iterator[Any]:
        first = min(period.after - timedelta(weeks=52), period.first)
        for user in self.everybody():
            calls = self.used(user, first, period.after)
            if calls and not any(s.seat and s.joined < period.after for s in self.stays.get(user, ())):
                team = max(calls, key=lambda call: (call.at, call.event_id)).team
                yield (team, *[""] * keys), "excluded_without_seat", 1
        yield from self.without_user(first, period.after, keys)

    def _active(self, period: Period) -> Iterator[tuple[str, list[Call]]]:
        for user in self.stays:
            if self.is_eligible(user, period) and (calls := self.used(user, period.first, period.after)):
                yield user, calls


# An organisation -----------------------------------------------------------------------------------------------------


def _stays(luck: random.Random) -> list[Stay]:
    """What may happen to somebody who is on the roster."""
    team, other = luck.sample(TEAMS[:6], 2)
    old = FIRST - timedelta(days=luck.choice([1, 30, 200, 280, 400, 900]))
    late = luck.choice([FIRST + timedelta(days=luck.randrange(16 * 7)), AFTER - 3 * DAY, date(2026, 10, 29)])
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


def _moment(luck: random.Random, day: date) -> datetime:
    """Some time of a day, often right at its edges."""
    midnight = datetime.combine(day, time(), ZoneInfo(ZONE)).astimezone(UTC)
    end = datetime.combine(day + DAY, time(), ZoneInfo(ZONE)).astimezone(UTC)
    some = midnight + timedelta(minutes=luck.randrange(23 * 60))
    return luck.choice([midnight, end - timedelta(milliseconds=1), some, some, some])


def invent(seed: int, rows: Any, *, old: bool, people: int = 60, days: int = 112) -> tuple[Model, list[Any]]:
    """The model of an organisation and its events. `old`: its data are older than every window. `days`: on how many
    days at most somebody calls."""
    luck = random.Random(seed)
    model = Model({f"p{nth}": _stays(luck) for nth in range(people)}, defaultdict(list))
    open_days = set(luck.sample(range(112), days))
    events = []

    def call(user: str, day: date) -> None:
        at, deliberate = _moment(luck, day), luck.random() < 0.8
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
            Call(at, row["event_id"], row["team"], row["app"], row["use_case"], deliberate)
        )

    for user in [*model.stays, "stranger", "guest", ""]:
        keen = luck.choice([0, 0.02, 0.1, 0.4, 0.9])
        begins, ends = sorted(luck.choices(range(16 * 7 + 1), k=2))
        for nth in range(begins, luck.choice([ends, 16 * 7])):
            if nth in open_days and luck.random() < keen:
                for _ in range(luck.choice([1, 1, 2, 30 if keen > 0.4 else 3])):
                    call(user, FIRST + nth * DAY)
    if old:
        for user in luck.sample(list(model.stays), 12):
            call(user, FIRST - timedelta(weeks=luck.randrange(1, 40)))
        for weeks in (53, 52, 51, 19, 12, 4):
            for period in PERIODS.values():
                call(luck.choice([*model.stays, ""]), period.after - timedelta(weeks=weeks))
                call(luck.choice([*model.stays, ""]), period.after - timedelta(weeks=weeks, days=1))
    return model, events


def organisation(rows: Any, inserted_at: datetime, *invented: Any, **options: Any) -> Model:
    """Writes an organisation, and some of its events twice."""
    model, events = invent(*invented, rows, **options)
    written = [{**row, "inserted_at": inserted_at} for row in events]
    rows.insert("usage", [*written, *written[:20]])
    stays = ((user, stay) for user, stays in model.stays.items() for stay in stays)
    rows.roster(
        *(
            {"user_id": user, **stay._asdict(), "joined": stay.joined, "left": stay.left}
            for user, stay in stays
        )
    )
    return model


def _found(runner: Any, tenant: Any, name: str, period: Period) -> tuple[str, Rows]:
    """The rows of a query as they are, before anything is hidden, and where they are from."""
    explained = runner.explain(name, period)
    given = {key: value for key, value in explained.parameters.items() if key != "tenant"}
    keys = ("team", *explained.definition.by)
    rows: Rows = {}
    for row in tenant.query(explained.sql, given):
        figures = +Counter({column: int(value) for column, value in row.items() if column not in keys})
        if figures:
            rows[tuple(row[key] for key in keys)] = figures
    return explained.source, rows


@pytest.mark.parametrize("old", [False, True], ids=["young data", "old data"])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_row_is_what_is_counted_person_by_person(rows: Any, cache: Any, seed: int, old: bool) -> None:
    model = organisation(rows, cache.ago(hours=1), seed, old=old)
    for period in PERIODS.values():
        for name in KPIS:
            _, found = _found(cache.from_events(), cache.tenant, name, period)
            assert found == model.rows(name, period), (name, period)


def test_activity_gives_the_same_rows(rows: Any, cache: Any) -> None:
    model = organisation(rows, cache.ago(hours=1), 3, old=True, days=30)
    cache.bring_up(datetime(2026, 11, 20, tzinfo=UTC))
    for period in PERIODS.values():
        for name in KPIS:
            source, found = _found(cache.runner(), cache.tenant, name, period)
            assert source == "activity", (name, period)
            assert found == model.rows(name, period), (name, period)


def _total(found: Rows, column: str, chosen: Callable[[tuple[str, ...]], bool] = lambda key: True) -> int:
    return sum(figures[column] for key, figures in found.items() if chosen(key))


@pytest.mark.parametrize("name", ["habits", "habits_4_weeks", "lifecycle", "seats"])
def test_parts_add_up_to_the_denominator_in_every_row(rows: Any, cache: Any, name: str) -> None:
    organisation(rows, cache.ago(hours=1), 4, old=True)
    for period in PERIODS.values():
        _, found = _found(cache.from_events(), cache.tenant, name, period)
        assert _total(found, "denominator") > 20
        for figures in found.values():
            assert figures["denominator"] == sum(n for c, n in figures.items() if c.startswith("part_"))


MOVES = {
    "new": {"retained", "at_risk"},
    "retained": {"retained", "at_risk"},
    "reactivated": {"retained", "at_risk"},
    "at_risk": {"reactivated", "at_risk", "lapsed"},
    "lapsed": {"reactivated", "lapsed", "new", "never"},
    "never": {"new", "never"},
    "absent": {"new", "retained", "reactivated", "at_risk", "lapsed", "never"},
}


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_people_move_only_along_the_edges_of_the_lifecycle_and_nobody_is_lost(
    rows: Any, cache: Any, seed: int
) -> None:
    organisation(rows, cache.ago(hours=1), seed, old=seed % 2 == 0)
    moves: Counter[tuple[str, str]] = Counter()
    for weeks in range(6, 0, -1):
        after = AFTER - timedelta(weeks=weeks - 1)
        before, now = (
            _found(cache.from_events(), cache.tenant, "lifecycle", Period(end - 7 * DAY, end, ZONE))[1]
            for end in (after - 7 * DAY, after)
        )
        for (_, came_from), figures in now.items():
            moves.update({(came_from, c): n for c, n in figures.items() if c.startswith("part_")})
        for state in MOVES.keys() - {"absent"}:
            stood = _total(before, f"part_{state}")
            stayed = _total(now, "denominator", lambda key, state=state: key[1] == state)
            gone = _total(now, "extra_gone", lambda key, state=state: key[1] == state)
            assert stood == stayed + gone, state
    assert {f"part_{to}" for to in MOVES["absent"]} == {to for _, to in moves}
    assert {move for move in moves if move[1].removeprefix("part_") not in MOVES[move[0]]} == set()


def _median(waits: Iterable[tuple[int, bool]]) -> int | None:
    """Of (days, whether it happened then): by the product limit, person by person."""
    left = Fraction(1)
    people = sorted(waits)
    for day in sorted({day for day, happened in people if happened}):
        at_risk = sum(1 for other, _ in people if other >= day)
        left *= Fraction(at_risk - people.count((day, True)), at_risk)
        if left <= Fraction(1, 2):
            return day
    return None


def test_measures_are_those_of_the_people_of_the_model(rows: Any, cache: Any) -> None:
    model = organisation(rows, cache.ago(hours=1), 8, old=False, people=120)
    runner = cache.from_events()
    for period in PERIODS.values():
        waits = [
            (int(day), happened)
            for (_, day), figures in model.rows("time_to_first_use", period).items()
            if day
            for happened in (True,) * figures["numerator"]
            + (False,) * (figures["denominator"] - figures["numerator"])
        ]
        result = runner.run("time_to_first_use", period)
        assert (result.value, result.denominator) == (_median(waits), len(waits))
        assert result.numerator == sum(happened for _, happened in waits)

        weeks = model.rows("retention", period)
        active = _total(weeks, "numerator", lambda key: key[3] == "4")
        of = _total(weeks, "denominator", lambda key: key[3] == "4")
        result = runner.run("retention", period)
        assert (result.numerator, result.denominator) == (active, of)
        assert result.value == (active / of if of else None)

        teams = model.rows("champions", period).values()
        rates = [
            Fraction(sum(team["numerator"] for team in side), sum(team["denominator"] for team in side))
            for has in (True, False)
            if (side := [t for t in teams if t["denominator"] and (t["extra_champions"] > 0) == has])
        ]
        result = runner.run("champions", period)
        assert (result.details["teams_with"], result.details["teams_without"]) == (3, 3)
        assert result.value == pytest.approx(float(100 * (rates[0] - rates[1])))


def test_the_organisations_show_every_column_of_every_kpi(rows: Any) -> None:
    shown: dict[str, set[str]] = defaultdict(set)
    for seed, old in ((1, False), (2, False), (1, True), (2, True)):
        model, _ = invent(seed, rows, old=old)
        for period in PERIODS.values():
            for name in KPIS:
                shown[name].update(c for figures in model.rows(name, period).values() for c in figures)
    for name in KPIS:
        kpi = load_catalogue()[name]
        described = {
            *(f"excluded_{column}" for column in kpi.excludes),
            *(f"extra_{column}" for column in kpi.extras if not column.startswith("idle_")),  # has no price
            *(f"part_{column}" for column in kpi.parts),
        }
        assert {"numerator", "denominator", *described} - shown[name] == set(), name
