"""The tick on the real engine: everything is said once, however often and by however many it is run."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from uptake.alerts import ledger, saying, standing
from uptake.alerts.deliver.files import FilesDeliverer
from uptake.alerts.deliver.slack import SlackDeliverer
from uptake.alerts.digest_inputs import Gatherer
from uptake.alerts.outbox import Outbox
from uptake.alerts.scheduler import Scheduler, job_options
from uptake.alerts.tick import RETRY_AFTER, Tick
from uptake.calendar import IsoWeek
from uptake.clickhouse import Database
from uptake.clock import ManualClock
from uptake.errors import UnavailableError
from uptake.schemas.identity import mint, unix_ms
from uptake.state.store import open_state
from uptake.state.tables import facts
from uptake.workspace.models import App, Audience, Budget, Channels, Organisation, Person, Scope, Workspace
from uptake.workspace.roster import publish_roster

NANO = 10**9
ZONE = "Europe/Paris"
MONDAY = datetime(2026, 11, 16, 7, 0, tzinfo=UTC)  # 08:00 in Paris
PEOPLE = 10


class World:
    """A tenant with a workspace, a state store, files as channel, and rows put in directly."""

    def __init__(
        self, database: Database, tenant: str, state_url: str, directory: Path, now: datetime
    ) -> None:
        self.database = database
        self.tenant = tenant
        self.state_url = state_url
        self.engine = open_state(state_url)
        self.clock = ManualClock(now)
        self.stream = io.StringIO()
        self.files = FilesDeliverer(directory, self.clock, self.stream)
        self.workspace = Workspace(
            organisation=Organisation(tenant=tenant, name="Acme", zone=ZONE),
            roster=tuple(
                Person(user_id=f"u{n}", team="Claims", joined=date(2026, 1, 1)) for n in range(PEOPLE)
            ),
            apps=(App(app="claims-letter", owner="IT"),),
            budgets=(
                Budget(budget="claims", name="Claims", scope=Scope(team="Claims"), amount=Decimal(100)),
                Budget(budget="all", name="All", amount=Decimal(1000)),
            ),
            channels=Channels(
                audiences=(
                    Audience(audience="acme", name="Acme", channel="#ai"),
                    Audience(audience="claims", name="Claims", teams=("Claims",), channel="#ai-claims"),
                ),
                budgets="#ai-ops",
                findings="#ai-ops",
            ),
        )
        publish_roster(database, self.workspace, self.clock)

    def tick(self, engine: Engine | None = None, deliverer: Any = None, **options: Any) -> Tick:
        state = engine or self.engine
        outbox = Outbox(state, self.clock)
        return Tick(
            state,
            self.database,
            lambda: {self.tenant: self.workspace},
            deliverer or self.files,
            outbox,
            **options,
        )

    def usage(self, at: datetime, units: float, calls: int = 1, **given: Any) -> None:
        """`calls` calls that cost `units` together, by one person after another."""
        moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = []
        for n in range(calls):
            row = {
                "tenant": self.tenant,
                "event_id": str(mint(unix_ms(at)).int),
                "ver": 1,
                "occurred_at": moment,
                "received_at": moment,
                "app": "claims-letter",
                "team": "Claims",
                "user_id": f"u{n % PEOPLE}",
                "model": "gpt",
                "status": "ok",
                "intent": "deliberate",
                "input_uncached_tokens": 10,
                "output_visible_tokens": 10,
                "cost_nano": int(units * NANO) // calls,
                "cost_upper_nano": int(units * NANO) // calls,
                "authorisation": "allowed",
                **given,
            }
            lines.append(json.dumps(row))
        self.database.insert_json_lines("usage", "\n".join(lines).encode())

    def said(self, kind: str) -> list[str]:
        query = select(facts.c.identity).where(facts.c.tenant == self.tenant, facts.c.kind == kind)
        with self.engine.connect() as connection:
            return list(connection.execute(query.order_by(facts.c.at, facts.c.identity)).scalars())

    def sent(self, prefix: str) -> list[str]:
        return sorted(
            x.channel
            for x in Outbox(self.engine, self.clock).letters("sent")
            if x.identity.startswith(prefix)
        )


@pytest.fixture
def world(database: Database, tenant: str, state_url: str, tmp_path: Path) -> Any:
    made = World(
        database, tenant, state_url, tmp_path / "messages", datetime(2026, 11, 18, 10, 0, tzinfo=UTC)
    )
    yield made
    made.engine.dispose()


def _budget(world: World, threshold: int, start: str = "2026-11-01", amount: int = 100) -> str:
    return f"budget/{world.tenant}/claims/{start}/{amount}/{threshold}"


def _change(world: World, **changes: Any) -> None:
    """Edit the budget of Claims."""
    claims, *others = world.workspace.budgets
    changed = (claims.model_copy(update=changes), *others)
    world.workspace = world.workspace.model_copy(update={"budgets": changed})


# --- budgets ---


def test_each_threshold_is_said_when_it_is_crossed(world: World) -> None:
    tick = world.tick()
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)]
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)], "said once"
    world.usage(world.clock.now(), 30)
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == {_budget(world, 50), _budget(world, 80)}, "not swallowed by the first"
    assert world.sent("budget/") == ["#ai-ops", "#ai-ops"]


def test_a_jump_over_several_thresholds_is_one_message(world: World) -> None:
    world.usage(world.clock.now() - timedelta(hours=1), 120)
    report = world.tick().run(world.clock.now())
    assert set(world.said("budget")) == {_budget(world, t) for t in (50, 80, 100)}
    assert report.said["budget"] == 1
    assert "over budget" in world.stream.getvalue()
    assert world.stream.getvalue().count("Crossed at once: 50%, 80% and 100%.") == 1


def test_a_budget_alerts_once_whatever_the_number_of_people_behind_it(world: World) -> None:
    world.usage(world.clock.now() - timedelta(hours=1), 55, calls=40)
    world.tick().run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)]


def test_a_new_period_starts_anew(world: World) -> None:
    tick = world.tick()
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    tick.run(world.clock.now())
    world.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50), _budget(world, 50, "2026-12-01")]


def test_the_last_moments_of_a_period_count(world: World) -> None:
    """Midnight falls between two ticks: what was spent before it is still judged in its own month."""
    tick = world.tick()
    world.clock.set(datetime(2026, 11, 30, 22, 59, 0, tzinfo=UTC))
    tick.run(world.clock.now())
    world.usage(datetime(2026, 11, 30, 22, 59, 30, tzinfo=UTC), 55)
    world.clock.set(datetime(2026, 11, 30, 23, 1, 0, tzinfo=UTC))
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)]
    world.clock.set(datetime(2026, 12, 4, 23, 1, 0, tzinfo=UTC))
    world.usage(datetime(2026, 11, 30, 22, 59, 30, tzinfo=UTC), 500)
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)], "later than three days it is history"


def test_a_budget_that_was_raised_after_its_breach_alerts_again_by_its_new_amount(world: World) -> None:
    tick = world.tick()
    world.usage(world.clock.now() - timedelta(hours=1), 120)
    tick.run(world.clock.now())
    old = {_budget(world, t) for t in (50, 80, 100)}
    assert set(world.said("budget")) == old
    _change(world, amount=Decimal(300))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == old, "40% of the new amount"
    world.usage(world.clock.now(), 40)
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == old | {_budget(world, 50, amount=300)}
    _change(world, amount=Decimal("100.00"))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == old | {_budget(world, 50, amount=300)}, "said for this amount before"


def test_a_budget_that_was_not_there_in_a_period_is_not_judged_by_it(world: World) -> None:
    world.usage(datetime(2026, 11, 18, 10, 0, tzinfo=UTC), 500)
    world.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    tick = world.tick()
    for minutes in (0, 1, 2):
        tick.run(world.clock.now() + timedelta(minutes=minutes))
    assert world.said("budget") == []


def test_a_period_that_is_over_is_not_judged_by_an_amount_that_came_later(world: World) -> None:
    world.usage(datetime(2026, 11, 18, 9, 0, tzinfo=UTC), 40)
    tick = world.tick()
    tick.run(world.clock.now())
    world.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    tick.run(world.clock.now())
    _change(world, amount=Decimal(10))
    tick.run(world.clock.now())
    assert world.said("budget") == []
    _change(world, amount=Decimal(100))
    world.usage(datetime(2026, 11, 30, 9, 0, tzinfo=UTC), 20)
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)], "by its own amount it still is"


def test_every_budget_shows_when_it_was_evaluated_on_what_and_why_it_did_not_fire(world: World) -> None:
    world.usage(world.clock.now() - timedelta(hours=1), 10)
    world.tick().run(world.clock.now())
    kept = standing.load_budgets(world.engine, world.tenant)
    assert set(kept) == {"claims", "all"}
    assert kept["claims"].evaluated_at == world.clock.now()
    assert kept["claims"].detail["upper_nano"] == 10 * NANO
    assert kept["claims"].detail["why"] == "below"
    assert kept["claims"].detail["next_threshold"] == 50


# --- findings ---


def test_a_finding_is_said_once_and_kept_up_to_date(world: World) -> None:
    tick = world.tick()
    stray = {"app": "tender-bot", "team": "Sales", "authorisation": "unregistered_app"}
    world.usage(world.clock.now() - timedelta(hours=1), 5, calls=7, **stray)
    tick.run(world.clock.now())
    name = f"finding/{world.tenant}/unregistered_app/tender-bot/"
    assert world.said("finding") == [name]
    assert (
        "7 calls, 7 people in Sales, €5.00 (100% of what Sales spent in the same days)"
        in world.stream.getvalue()
    )
    world.usage(world.clock.now(), 5, calls=3, **stray)
    world.clock.set(world.clock.now() + timedelta(hours=2))
    tick.run(world.clock.now())
    assert world.said("finding") == [name]
    (finding,) = standing.load_findings(world.engine, world.tenant)
    assert finding.detail["calls"] == 10
    assert finding.status == "open"


def test_a_finding_older_than_the_short_window_is_found_within_the_hour(world: World) -> None:
    tick = world.tick()
    tick.run(world.clock.now())
    stray = {"app": "tender-bot", "authorisation": "unregistered_app"}
    world.usage(world.clock.now() - timedelta(days=20), 5, **stray)
    world.clock.set(world.clock.now() + timedelta(minutes=59))
    tick.run(world.clock.now())
    assert world.said("finding") == []
    world.clock.set(world.clock.now() + timedelta(minutes=2))
    tick.run(world.clock.now())
    assert len(world.said("finding")) == 1


def test_a_known_finding_does_not_shrink_to_what_the_short_window_sees(world: World) -> None:
    tick = world.tick()
    stray = {"app": "tender-bot", "authorisation": "unregistered_app"}
    world.usage(world.clock.now() - timedelta(days=20), 5, calls=5, **stray)
    tick.run(world.clock.now())
    world.usage(world.clock.now(), 1, **stray)
    for minutes, calls in ((1, 5), (61, 6)):
        world.clock.set(world.clock.now() + timedelta(minutes=minutes))
        tick.run(world.clock.now())
        (finding,) = standing.load_findings(world.engine, world.tenant)
        assert finding.detail["calls"] == calls


def _register(world: World, *names: str) -> None:
    apps = tuple(App(app=name, owner="IT") for name in ("claims-letter", *names))
    # a copy would keep the registry of the old one
    old = world.workspace
    fields = {name: getattr(old, name) for name in Workspace.model_fields}
    world.workspace = Workspace(**{**fields, "apps": apps})


def _look(world: World, tick: Tick, **later: float) -> dict[str, str]:
    """Let time pass and look far; what is on record, by status."""
    world.clock.set(world.clock.now() + timedelta(**later))
    tick.run(world.clock.now())
    return {f.identity: f.status for f in standing.load_findings(world.engine, world.tenant)}


def test_a_finding_is_resolved_when_the_registry_allows_it_and_said_again_when_it_comes_back(
    world: World,
) -> None:
    tick, stray = world.tick(), {"app": "tender-bot", "authorisation": "unregistered_app"}
    first = f"finding/{world.tenant}/unregistered_app/tender-bot/"
    world.usage(world.clock.now() - timedelta(hours=1), 5, calls=7, **stray)
    assert _look(world, tick) == {first: "open"}
    _register(world, "tender-bot")
    assert _look(world, tick, hours=2) == {first: "resolved"}
    assert _look(world, tick, hours=2) == {first: "resolved"}
    _register(world)
    assert _look(world, tick, hours=2) == {first: "resolved"}, (
        "what was used before it was registered is over"
    )
    again = f"{first}/2026-11-18"
    world.clock.set(world.clock.now() + timedelta(hours=30))
    world.usage(world.clock.now(), 5, calls=2, **stray)
    for _ in range(2):
        assert _look(world, tick, hours=2) == {first: "resolved", again: "open"}
    assert world.said("finding") == [first, again]
    counted = {f.identity: f.detail["calls"] for f in standing.load_findings(world.engine, world.tenant)}
    assert counted == {first: 7, again: 2}, "an episode counts nothing from before"
    assert "2 calls, fewer than 5 people" in world.stream.getvalue()


def test_a_clock_that_runs_ahead_reopens_nothing_that_the_registry_allows(world: World) -> None:
    tick, stray = world.tick(), {"app": "tender-bot", "authorisation": "unregistered_app"}
    world.usage(world.clock.now() - timedelta(hours=1), 5, **stray)
    _look(world, tick)
    _register(world, "tender-bot")
    _look(world, tick, hours=2)
    world.usage(world.clock.now() + timedelta(hours=1), 5, **stray)
    assert list(_look(world, tick, hours=2).values()) == ["resolved"]


def test_a_flood_of_findings_is_one_message_and_each_is_on_record(world: World) -> None:
    tick = world.tick()
    rule = {"authorisation": "use_case_not_allowed"}
    for n in range(11):
        world.usage(world.clock.now() - timedelta(hours=1), 1, use_case=f"case-{n}", **rule)
    assert len(_look(world, tick)) == 11
    assert world.sent("finding/") == ["#ai-ops"]
    assert len(world.said("finding")) == 11
    world.usage(world.clock.now(), 1, use_case="one more", **rule)
    assert len(_look(world, tick, hours=2)) == 12
    assert world.sent("finding/") == ["#ai-ops"] * 2


def test_a_flood_of_which_a_part_was_said_before_loses_none(world: World, a_message: Any) -> None:
    rule = {"authorisation": "use_case_not_allowed"}
    for n in range(12):
        world.usage(world.clock.now() - timedelta(hours=1), 1, use_case=f"case-{n}", **rule)
    early = f"finding/{world.tenant}/use_case_not_allowed/claims-letter/case-3"
    ledger.say(world.engine, early, "finding", world.tenant, a_message(early), ["#ai-ops"], world.clock.now())
    assert len(_look(world, world.tick())) == 12
    assert len(world.said("finding")) == 12


# --- digests ---


def test_a_digest_is_said_after_monday_eight_to_each_audience_once(world: World) -> None:
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6)
    world.clock.set(MONDAY - timedelta(seconds=1))
    tick = world.tick()
    tick.run(world.clock.now())
    assert world.said("digest") == []
    world.clock.set(MONDAY)
    for _ in range(3):
        tick.run(MONDAY)
    assert set(world.said("digest")) == {f"digest/{world.tenant}/{a}/2026-W46/v1" for a in ("acme", "claims")}
    assert world.sent("digest/") == ["#ai", "#ai-claims"]
    assert "60% (6 of 10)" in world.stream.getvalue()


def test_after_a_down_time_only_the_last_closed_week_is_said(world: World) -> None:
    for day in (4, 11, 18):
        world.usage(datetime(2026, 11, day, 10, 0, tzinfo=UTC), 1, calls=6)
    world.clock.set(datetime(2026, 11, 26, 15, 0, tzinfo=UTC))
    world.tick().run(world.clock.now())
    assert {name.split("/")[3] for name in world.said("digest")} == {"2026-W47"}


def test_a_department_reads_about_budgets_of_its_teams_its_apps_and_its_channel(world: World) -> None:
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


def test_weeks_before_the_first_event_are_unknown_and_accuse_nobody(world: World) -> None:
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=4)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    first = gatherer.inputs(world.workspace.channels.audiences[0], IsoWeek(2026, 46))
    assert [result.value for result in first.history["adoption"]] == [None] * 11 + [0.4]
    assert first.before["adoption"].value is first.before["spend"].value is None
    assert first.idle == [], "one week says nothing about who never started"
    for weeks in (1, 2, 3):
        world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC) + timedelta(weeks=weeks), 5, calls=4)
    gatherer = Gatherer(world.database.tenant(world.tenant), world.workspace)
    fourth = gatherer.inputs(world.workspace.channels.audiences[0], IsoWeek(2026, 49))
    assert [(idle.people, idle.eligible, idle.weeks) for idle in fourth.idle] == [(6, 10, 4)]


def test_a_tenant_that_is_being_set_up_is_told_nothing(world: World) -> None:
    report = world.tick().run(MONDAY)
    assert world.said("digest") == []
    assert not report.failed


def test_many_schedulers_are_one_digest(world: World) -> None:
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


def test_a_digest_reaches_slack_through_the_real_client(world: World, fake_slack: Any) -> None:
    fake_slack.channels.update({"ai": "C000000AI"})
    world.usage(datetime(2026, 11, 11, 10, 0, tzinfo=UTC), 5, calls=6)
    world.clock.set(MONDAY)
    tick = world.tick(deliverer=SlackDeliverer("xoxb-test", fake_slack.base_url, timeout=5))
    assert tick.run(MONDAY).delivered == {"sent": 2}
    post = fake_slack.posts[0]
    kinds = [block["type"] for block in post["blocks"]]
    assert kinds[0] == "header"
    assert "data_table" in kinds
    assert post["metadata"]["event_payload"]["identity"] == f"digest/{world.tenant}/acme/2026-W46/v1"


def test_what_had_no_channel_is_delivered_once_one_is_named_and_it_is_retried(
    world: World, fake_slack: Any
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


def test_a_budget_has_its_own_channel_before_that_of_all(world: World) -> None:
    _change(world, channel="#claims")
    for budget, channel in (("claims", "#claims"), ("all", "#ai-ops"), ("gone", "#ai-ops")):
        assert saying.channel_of(world.workspace, f"budget/acme/{budget}/2026-11-01/1/50") == channel
    assert saying.channel_of(world.workspace, "digest/acme/gone/2026-W46/v1") == ""


# --- the tick itself ---


def test_steps_of_what_is_gone_do_not_fail_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
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
    world: World, monkeypatch: pytest.MonkeyPatch
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


def test_a_step_that_fails_is_shown_and_does_not_stop_the_others(
    world: World, monkeypatch: pytest.MonkeyPatch
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
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("user@example.org")

    tick = world.tick()
    monkeypatch.setattr("uptake.alerts.saying.say_findings", broken)
    (step,) = [s for s in tick.run(world.clock.now()).failed if s.name == "findings"]
    assert step.error == "RuntimeError"


def test_a_workspace_that_cannot_be_read_does_not_stop_deliveries(
    world: World, a_message: Callable[..., Any]
) -> None:
    def unreadable() -> Any:
        raise UnavailableError("the workspace cannot be read")

    ledger.say(world.engine, "f1", "digest", world.tenant, a_message("f1"), ["#a"], world.clock.now())
    tick = Tick(world.engine, world.database, unreadable, world.files, Outbox(world.engine, world.clock))
    report = tick.run(world.clock.now())
    assert report.delivered == {"sent": 1}
    assert [step.name for step in report.failed] == ["workspaces"]


def test_with_an_idle_time_a_budget_is_judged_when_something_was_written(world: World) -> None:
    tick = world.tick(idle=timedelta(minutes=1))
    tick.run(world.clock.now())
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    world.clock.set(world.clock.now() + timedelta(seconds=2))
    tick.run(world.clock.now())
    assert world.said("budget") == []
    tick.notice(world.tenant)
    tick.run(world.clock.now())
    assert world.said("budget") == [_budget(world, 50)]
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
