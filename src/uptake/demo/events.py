"""Thirteen weeks of SDK calls: the same list for the same seed, the planted facts for every seed."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta

from uptake.demo import bills, facts, feedback, untidy
from uptake.demo.apps import PROFILES, SHADOW, Streams, call, pick
from uptake.demo.calls import Call
from uptake.demo.organisation import Member, Organisation
from uptake.demo.patterns import at, day_weight, is_working, local_day, moment

LETTER_TOKENS_A_DAY = 16_300_000
"""Input tokens of the letter app on a working day of November, with the old prompt: what makes the days on
which its budget is crossed known."""
_NIGHTLY_CALLS = 45
_SURVEYED_WEEKS = (1, 5, 10)
_SLOW = {0: 0.14, 1: 0.12, 9: 0.09, 10: 0.07}
"""Weeks in which many are away, by index, and how many."""


def generate(organisation: Organisation) -> list[Call]:
    """All calls, in the order in which they are sent."""
    streams = {app: Streams.of(organisation.seed, app) for app in (*PROFILES, SHADOW.app)}
    usage = [*_people(organisation, streams), *_nightly(streams), *_shadow(organisation, streams)]
    usage.sort(key=lambda planned: planned.at)
    for number, planned in enumerate(usage):
        if planned.user:  # the nightly batch shows its answers to nobody
            planned.fields["response_id"] = f"r-{number:06d}"
    _plan_letter_tokens(usage)
    calls = list(usage)
    for planned in usage:
        if planned.app in PROFILES and planned.user:
            calls += feedback.of(planned, PROFILES[planned.app], streams[planned.app])
    calls += _surveys(usage, organisation.seed)
    calls += bills.costs(organisation, usage)
    untidy.disturb(calls, organisation)
    calls.sort(key=lambda planned: planned.when_sent)
    return calls


def _people(organisation: Organisation, streams: dict[str, Streams]) -> list[Call]:
    rng = random.Random(f"{organisation.seed}:weeks")
    calls: list[Call] = []
    for week in range(facts.WEEKS):
        days = facts.FIRST_WEEK.shift(week).period(facts.ZONE).days()
        for member in organisation.members:
            present = [day for day in days if member.team_on(day)]
            if not any(map(is_working, present)):
                continue
            department = organisation.department_of[member.team_on(present[-1]) or ""]
            if not _uses(member, week, organisation.seed, steady=department.slug == facts.STEADY):
                continue
            weights = [day_weight(day) for day in present]
            mean = department.calls_a_week * member.pace * (0.88 + 0.012 * week) * sum(weights) / 5.0
            count = max(1, round(mean * rng.uniform(0.75, 1.25)))
            # The first falls on a working day: who is active this week is not left to a weekend's dice.
            first = rng.choice([day for day in present if is_working(day)])
            for day in [first, *rng.choices(present, weights, k=count - 1)]:
                app = pick(department.apps, rng.random())
                calls.append(_one(app, member, day, streams, rng))
    return calls


def _uses(member: Member, week: int, seed: int, *, steady: bool) -> bool:
    """Whether a person is active in a week, by habit. August and the autumn holidays are slow; where it is `steady` the
    last week is drawn like the one before."""
    drawn = min(week, facts.WEEKS - 2) if steady else week
    at = random.Random(f"{seed}:{member.number}:{drawn}").random() + _SLOW.get(week, 0.0)
    match member.habit:
        case "habitual":
            return at < 0.96
        case "regular":
            return at < 0.62 + 0.02 * week
        case "occasional":
            return at < 0.3
        case "lapsed":
            return week < 6 and at < 0.7
        case "climber" | "starter":
            return week >= member.starts
        case "never":
            return False


def _one(app: str, member: Member, day: date, streams: dict[str, Streams], rng: random.Random) -> Call:
    profile = PROFILES[app]
    use_case = pick(profile.use_cases, rng.random())
    if app == facts.PROMPT.app and member.team_on(day) == "Intake":
        use_case = "information-request"
    when = moment(day, rng)
    fields = call(profile, streams[app], when, use_case)
    fields["session_id"] = f"{app}-{member.number:03d}-{day:%m%d}"
    return Call(when, app, "usage", fields, member.address)


def _nightly(streams: dict[str, Streams]) -> list[Call]:
    """The batch that summarises open files at ten past two, on the night the clock goes back as well."""
    profile = PROFILES["case-summary"]
    calls = []
    first = facts.FIRST_WEEK.monday()
    for offset in range(7 * facts.WEEKS):
        day = first + timedelta(days=offset)
        for number in range(_NIGHTLY_CALLS):
            when = at(day, 2, 10 + number // 2, 30 * (number % 2))
            fields = call(profile, streams[profile.app], when, "nightly-summary")
            fields |= {"intent": "automatic", "team": "Intake", "session_id": f"nightly-{day:%m%d}"}
            calls.append(Call(when, profile.app, "usage", fields))
    return calls


def _shadow(organisation: Organisation, streams: dict[str, Streams]) -> list[Call]:
    """The app that nobody registered: its first call at the planted moment, and each of its people at least once."""
    planted, stream = facts.SHADOW, streams[SHADOW.app]
    first_day = planted.first_seen.date()
    people = [
        member.address
        for team, count in planted.teams
        for member in [m for m in organisation.in_team(team, first_day) if m.habit == "habitual"][:count]
    ]
    days = [day for day in facts.LAST_WEEK.period(facts.ZONE).days() if day >= first_day and is_working(day)]
    calls = []
    for number in range(planted.calls):
        if number == 0:
            when = at(first_day, 8, planted.first_seen.minute, planted.first_seen.second)
        else:
            when = moment(stream.rng.choice(days), stream.rng)
            while when <= planted.first_seen:
                when = moment(stream.rng.choice(days), stream.rng)
        fields = call(SHADOW, stream, when, "tender-answer")
        fields["session_id"] = f"{planted.app}-{number % len(people)}-{local_day(when):%m%d}"
        calls.append(Call(when, planted.app, "usage", fields, people[number % len(people)]))
    return calls


def _plan_letter_tokens(usage: list[Call]) -> None:
    """Scale the letter app's tokens so that each working day comes to its planned total: November's budget is
    crossed on the planted days, for every seed. The new prompt sends more of the file along."""
    change = facts.PROMPT
    by_day: dict[date, list[Call]] = defaultdict(list)
    for planned in usage:
        if planned.app == change.app and planned.fields["input_tokens"]:
            by_day[local_day(planned.at)].append(planned)
    for day, calls in by_day.items():
        week = (day - facts.FIRST_WEEK.monday()).days // 7
        plan = (
            LETTER_TOKENS_A_DAY * min(1.0, 0.75 + 0.25 * week / 11) * day_weight(day) ** (not is_working(day))
        )
        for whole, part in (
            ("input_tokens", "cache_read_input_tokens"),
            ("output_tokens", "reasoning_output_tokens"),
        ):
            # Answers are as long as the app's answers are, relative to what they are made from.
            planned_sum = plan * getattr(PROFILES[change.app], whole) / PROFILES[change.app].input_tokens
            scale = planned_sum / sum(planned.fields[whole] for planned in calls)
            for planned in calls:
                longer = change.token_factor if planned.fields["prompt_version"] == change.after else 1.0
                planned.fields[whole] = int(planned.fields[whole] * scale * longer)
                planned.fields[part] = int(planned.fields[part] * scale * longer)


def _surveys(usage: list[Call], seed: int) -> list[Call]:
    """A third of the people active in three of the weeks answer how likely they are to recommend the app."""
    rng = random.Random(f"{seed}:surveys")
    calls = []
    for week in _SURVEYED_WEEKS:
        period = facts.FIRST_WEEK.shift(week).period(facts.ZONE)
        active = {(c.user, c.app) for c in usage if period.start <= c.at < period.end and c.app in PROFILES}
        for user, app in sorted(pair for pair in active if pair[0]):
            if rng.random() < 0.3:
                score = min(10, max(0, round(rng.gauss(7.4, 1.8))))
                when = moment(period.first + timedelta(days=3), rng)
                calls.append(Call(when, app, "survey", {"score": score, "use_case": ""}, user))
    return calls
