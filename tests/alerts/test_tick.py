"""The tick on the real engine: everything is said once, however often and by however many it is run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine

from uptake.alerts import digest, ledger, saying, standing
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.digest.knowing import only_known
from uptake.alerts.gather import Gatherer
from uptake.alerts.outbox import Outbox
from uptake.alerts.scheduler import Scheduler, job_options
from uptake.alerts.tick import RETRY_AFTER, Tick
from uptake.calendar import IsoWeek, Month
from uptake.clock import ManualClock
from uptake.errors import UnavailableError
from uptake.state.store import open_state
from uptake.workspace.models import App, Audience, Budget, Channels, Scope

NANO = 10**9
ZONE = "Europe/Paris"
MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)  # 08:00 in Paris


# --- digests ---


def test_a_digest_is_said_after_monday_eight_to_each_audience_once(world: Any) -> None:
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6)
    world.clock.set(MONDAY - timedelta(seconds=1))
    tick = world.tick()
    tick.run(world.clock.now())
    assert world.said("digest") == []
    world.clock.set(MONDAY)
    for _ in range(3):
        tick.run(MONDAY)
    week = IsoWeek(2026, 46)
    assert set(world.said("digest")) == {digest.identity(world.tenant, a, week) for a in ("acme", "claims")}
    assert world.sent("digest/") == ["#ai", "#ai-claims"]
    assert "30% (6 of 20)" in world.stream.getvalue()


def test_after_a_down_time_only_the_last_closed_week_is_said(world: Any) -> None:
    for day in (4, 11, 18):
        world.usage(datetime(2026, 11, day, 10, 0, tzinfo=UTC), 1, calls=6)
    world.clock.set(datetime(2026, 11, 26, 15, 0, tzinfo=UTC))
    world.tick().run(world.clock.now())
    assert {name.split("/")[3] for name in world.said("digest")} == {"2026-W47"}


def test_a_department_reads_about_budgets_of_its_teams_its_apps_and_its_channel(world: Any) -> None:
    def budget(name: str, channel: str = "", **scope: Any) -> Budget:
        return Budget(budget=name, name=name, scope=Scope(**scope), amount=Decimal(1000), channel=channel)

    world.workspace = world.workspace.model_copy(
        update={
            "apps": (
                App(app="letters", owner="IT", teams=("Claims",)),
                App(app="shared", owner="IT", teams=("Claims", "Sales")),
            ),
            "budgets": (
                budget("team", team="Claims"),
                budget("teams", teams=("Claims", "Sales")),
                budget("own-app", app="letters"),
                budget("shared-app", app="shared"),
                budget("in-channel", "#ai-claims", app="shared", use_case="summary"),
                budget("whole"),
            ),
        }
    )
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6)
    organisation, claims = world.workspace.channels.audiences
    week = IsoWeek(2026, 46)
    assert [e.budget.name for e in gatherer.inputs(claims, week).budgets] == ["team", "own-app", "in-channel"]
    assert [e.budget.name for e in gatherer.inputs(organisation, week).budgets] == ["whole"]


def test_weeks_before_the_first_event_are_unknown_and_accuse_nobody(world: Any) -> None:
    world.usage(datetime(2026, 11, 9, 10, 0, tzinfo=UTC), 5, calls=8)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    first = gatherer.inputs(world.workspace.channels.audiences[0], IsoWeek(2026, 46))
    assert [result.value for result in first.history["adoption"]] == [None] * 11 + [0.4]
    assert first.before["adoption"].value is first.before["spend"].value is None
    assert first.idle == [], "one week says nothing about who never started"
    for weeks in (1, 2, 3):
        world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC) + timedelta(weeks=weeks), 5, calls=8)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    fourth = gatherer.inputs(world.workspace.channels.audiences[0], IsoWeek(2026, 49))
    assert [(idle.people, idle.eligible, idle.weeks) for idle in fourth.idle] == [(12, 20, 4)]


def test_a_period_that_is_known_in_part_is_drawn_nowhere_and_compared_with_nothing(world: Any) -> None:
    for weeks in range(3):  # from a Wednesday on
        world.usage(datetime(2026, 10, 28, 10, 0, tzinfo=UTC) + timedelta(weeks=weeks), 5, calls=8)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    organisation = world.workspace.channels.audiences[0]
    second = gatherer.inputs(organisation, IsoWeek(2026, 45))
    assert (second.known_from, second.known_in_part) == (date(2026, 10, 28), False)
    assert (second.before, second.pairs, second.since) == ({}, None, None)
    assert [result.value for result in second.history["adoption"]] == [None] * 11 + [0.4]
    third = gatherer.inputs(organisation, IsoWeek(2026, 46))
    assert third.before["adoption"].value == 0.4
    assert [result.value for result in third.history["adoption"]] == [None] * 10 + [0.4] * 2
    november = gatherer.inputs(organisation, Month(2026, 11))
    assert "spend" not in november.before
    assert [result.value for result in november.history["spend"]][:-1] == [None] * 5


def test_nobody_is_idle_for_weeks_of_which_too_few_are_known(world: Any) -> None:
    for weeks in range(4):
        world.usage(datetime(2026, 10, 26, 10, 0, tzinfo=UTC) + timedelta(weeks=weeks), 5, calls=8)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    organisation = world.workspace.channels.audiences[0]
    third = only_known(gatherer.inputs(organisation, IsoWeek(2026, 46)))
    assert "adoption" in third.this
    assert {"seats", "habits", "habits_4_weeks"}.isdisjoint(third.this)
    fourth = only_known(gatherer.inputs(organisation, IsoWeek(2026, 47)))
    assert (fourth.this["seats"].value, fourth.this["seats"].parts["idle"]) == (0.4, 12)
    assert fourth.this["habits_4_weeks"].value == 0.4
    assert "seats" not in fourth.before


def test_a_tenant_that_is_being_set_up_is_told_nothing(world: Any) -> None:
    report = world.tick().run(MONDAY)
    assert world.said("digest") == []
    assert not report.failed


@pytest.mark.both_stores
def test_many_schedulers_are_one_digest(world: Any) -> None:
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6)
    world.clock.set(MONDAY)
    engines = [open_state(world.state_url) for _ in range(3)]
    ready = threading.Barrier(len(engines))
    told: list[int] = []

    def process(engine: Engine) -> None:
        tick = world.tick(engine)
        ready.wait(10)
        told.append(tick.run(MONDAY).said["digest"])

    threads = [threading.Thread(target=process, args=(engine,)) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    world.tick().run(MONDAY)
    assert sum(told) == 2, "one for each of two audiences"
    assert world.sent("digest/") == ["#ai", "#ai-claims"]
    assert world.stream.getvalue().count("week 2026-W46") == 2
    for engine in engines:
        engine.dispose()


def test_nobody_is_told_about_a_week_while_its_events_still_come_in(world: Any) -> None:
    late = MONDAY + timedelta(hours=30)
    received = (late - timedelta(seconds=90)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6, received_at=received)
    world.clock.set(late)
    tick = world.tick()
    tick.run(late)
    assert world.said("digest") == []
    world.clock.set(late + timedelta(seconds=30))
    tick.run(world.clock.now())
    assert len(world.said("digest")) == 2


def test_a_digest_reaches_slack_through_the_real_client(world: Any, fake_slack: Any) -> None:
    fake_slack.channels.update({"ai": "C000000AI"})
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6)
    world.clock.set(MONDAY)
    tick = world.tick(deliverer=SlackDeliverer("xoxb-test", fake_slack.base_url, timeout=5))
    assert tick.run(MONDAY).delivered == {"sent": 2}
    post = fake_slack.posts[0]
    kinds = [block["type"] for block in post["blocks"]]
    assert kinds[0] == "header"
    assert "data_table" in kinds
    assert post["metadata"]["event_payload"]["identity"] == digest.identity(
        world.tenant, "acme", IsoWeek(2026, 46)
    )


@pytest.mark.both_stores
def test_what_had_no_channel_is_delivered_once_one_is_named_and_it_is_retried(
    world: Any, fake_slack: Any
) -> None:
    acme = Audience(audience="acme", name="Acme", channel="#ai")
    channels = Channels(audiences=(acme,), budgets="#ai-ops", findings="#ai-ops")
    silent = Channels(audiences=(acme.model_copy(update={"channel": ""}),))
    named = world.workspace.model_copy(update={"channels": channels})
    world.workspace = named.model_copy(update={"channels": silent})
    stray = {"app": "tender-bot", "authorisation": "unregistered_app"}
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 55, calls=6, **stray)
    world.clock.set(MONDAY)
    fake_slack.channels.update({"ai": "C000000AI"})
    tick = world.tick(deliverer=SlackDeliverer("xoxb-test", fake_slack.base_url, timeout=5))
    assert tick.run(MONDAY).delivered == {"failed": 3}
    world.workspace = named
    assert tick.run(MONDAY).delivered == {}
    Outbox(world.engine, world.clock).retry(world.tenant)
    assert tick.run(MONDAY).delivered == {"sent": 3}
    assert world.sent("digest/") == ["#ai"]
    assert world.sent("finding/") == world.sent("budget/") == ["#ai-ops"]


def test_a_budget_has_its_own_channel_before_that_of_all(world: Any) -> None:
    world.change_budget(channel="#claims")
    for budget, channel in (("claims", "#claims"), ("all", "#ai-ops"), ("gone", "#ai-ops")):
        assert saying.channel_of(world.workspace, f"budget/acme/{budget}/2026-11-01/1/50") == channel
    assert saying.channel_of(world.workspace, "digest/acme/gone/2026-W46/v1") == ""


# --- the tick itself ---


def test_steps_of_what_is_gone_do_not_fail_for_ever(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise UnavailableError("the database does not answer")

    tick = world.tick()
    monkeypatch.setattr("uptake.alerts.saying.say_budget", broken)
    tick.run(world.clock.now())
    assert [step["step"] for step in tick.status()["failing"]] == ["budget:claims", "budget:all"]
    only = world.workspace.budgets[1:]
    world.workspace = world.workspace.model_copy(update={"budgets": only})
    tick.run(world.clock.now())
    assert [step["step"] for step in tick.status()["failing"]] == ["budget:all"]
    monkeypatch.setattr(tick, "_workspaces", dict)
    tick.run(world.clock.now())
    assert {step["tenant"] for step in tick.status()["steps"]} == {""}


def test_a_workspace_that_cannot_be_read_forgets_no_failure(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise UnavailableError("it does not answer")

    tick = world.tick()
    monkeypatch.setattr("uptake.alerts.saying.say_budget", broken)
    tick.run(world.clock.now())
    monkeypatch.setattr(tick, "_workspaces", broken)
    tick.run(world.clock.now())
    names = {step["step"] for step in tick.status()["failing"]}
    assert names == {"workspaces", "budget:claims", "budget:all"}


@pytest.mark.both_stores
def test_a_step_that_fails_is_shown_and_does_not_stop_the_others(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from uptake.sql import queries

    def broken(*_: Any) -> Any:
        raise UnavailableError("the database does not answer")

    world.usage(world.clock.now() - timedelta(hours=1), 5, app="tender-bot", authorisation="unregistered_app")
    tick = world.tick()
    with monkeypatch.context() as patch:
        patch.setattr(queries, "budget_spend", broken)
        report = tick.run(world.clock.now())
    assert {step.name for step in report.failed} >= {"budget:claims", "budget:all"}
    assert len(world.said("finding")) == 1
    failing = tick.status()["failing"]
    assert {"step": "budget:all", "error": "the database does not answer"}.items() <= failing[1].items()
    mark = standing.load_mark(world.engine, "tick")
    assert mark is not None
    assert mark[0]["failing"] == failing, "other processes can see it"
    world.clock.set(world.clock.now() + RETRY_AFTER)
    assert tick.run(world.clock.now()).failed == []
    assert tick.status()["failing"] == []


def test_a_failure_says_no_more_than_its_kind_when_it_was_not_expected(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("user@example.org")

    tick = world.tick()
    monkeypatch.setattr("uptake.alerts.saying.say_findings", broken)
    (step,) = [s for s in tick.run(world.clock.now()).failed if s.name == "findings"]
    assert step.error == "RuntimeError"


def test_a_workspace_that_cannot_be_read_does_not_stop_deliveries(
    world: Any, a_message: Callable[..., Any]
) -> None:
    def unreadable() -> Any:
        raise UnavailableError("the workspace cannot be read")

    ledger.say(world.engine, "f1", "digest", world.tenant, a_message("f1"), ["#a"], world.clock.now())
    tick = Tick(world.engine, world.database, unreadable, world.files, Outbox(world.engine, world.clock))
    report = tick.run(world.clock.now())
    assert report.delivered == {"sent": 1}
    assert [step.name for step in report.failed] == ["workspaces"]


def test_with_an_idle_time_a_budget_is_judged_when_something_was_written(world: Any) -> None:
    tick = world.tick(idle=timedelta(minutes=1))
    tick.run(world.clock.now())
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    world.clock.set(world.clock.now() + timedelta(seconds=2))
    tick.run(world.clock.now())
    assert world.said("budget") == []
    tick.notice(world.tenant)
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)]
    world.usage(world.clock.now(), 30)
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    tick.run(world.clock.now())
    assert len(world.said("budget")) == 2, "also without a notice, after the idle time"


# --- the scheduler ---


class _Counting:
    """A tick that only counts, and says when it ran."""

    def __init__(self) -> None:
        self.times: list[datetime] = []
        self.twice = threading.Event()
        self.fails = False

    def run(self, now: datetime) -> None:
        self.times.append(now)
        if len(self.times) > 1:
            self.twice.set()
        if self.fails:
            raise RuntimeError("the tick has a bug")


def test_the_scheduler_ticks_with_the_clock_it_is_given(clock: ManualClock) -> None:
    tick = _Counting()
    scheduler = Scheduler(tick, clock, seconds=0.01)  # type: ignore[arg-type]
    scheduler.start()
    scheduler.start()
    assert tick.twice.wait(10)
    assert scheduler.running
    scheduler.stop()
    assert not scheduler.running
    assert set(tick.times) == {clock.now()}


def test_the_scheduler_goes_on_after_a_tick_with_a_bug(clock: ManualClock) -> None:
    tick = _Counting()
    tick.fails = True
    scheduler = Scheduler(tick, clock, seconds=0.01)  # type: ignore[arg-type]
    scheduler.start()
    assert tick.twice.wait(10)
    scheduler.stop()


def test_a_late_run_is_not_skipped_and_missed_ones_are_one() -> None:
    options = job_options(2.0)
    assert options["misfire_grace_time"] is None, "APScheduler skips what is a second late by default"
    assert options["coalesce"] is True
    assert options["max_instances"] == 1


def test_a_period_of_which_nothing_is_known_is_asked_about_now_and_then_and_not_on_every_tick(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    has_data = Gatherer.has_data

    def counted(gatherer: Gatherer, span: Any) -> bool:
        asked.append(span)
        return has_data(gatherer, span)

    monkeypatch.setattr(Gatherer, "has_data", counted)
    monday = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)
    tick = world.tick()
    for seconds in (0, 2, 4):
        tick.run(monday + timedelta(seconds=seconds))
    assert len(asked) == len(set(asked)) == 3  # the week, the month and the quarter
    tick.notice(world.tenant)
    tick.run(monday + timedelta(seconds=6))
    assert len(asked) == 6
