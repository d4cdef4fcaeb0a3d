"""Budgets and findings on the real engine: what is said of them, once, and what is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from uptake.alerts import ledger, standing
from uptake.alerts.tick import Tick

NANO = 10**9

# --- budgets ---


def test_each_threshold_is_said_when_it_is_crossed(world: Any) -> None:
    tick = world.tick()
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)]
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)], "said once"
    world.usage(world.clock.now(), 30)
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == {world.budget_fact(50), world.budget_fact(80)}, (
        "not swallowed by the first"
    )
    assert world.sent("budget/") == ["#ai-ops", "#ai-ops"]


def test_a_jump_over_several_thresholds_is_one_message(world: Any) -> None:
    world.usage(world.clock.now() - timedelta(hours=1), 120)
    report = world.tick().run(world.clock.now())
    assert set(world.said("budget")) == {world.budget_fact(t) for t in (50, 80, 100)}
    assert report.said["budget"] == 1
    assert "over budget" in world.stream.getvalue()
    assert world.stream.getvalue().count("Crossed at once: 50%, 80% and 100%.") == 1


def test_a_budget_alerts_once_whatever_the_number_of_people_behind_it(world: Any) -> None:
    world.usage(world.clock.now() - timedelta(hours=1), 55, calls=40)
    world.tick().run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)]


def test_a_new_period_starts_anew(world: Any) -> None:
    tick = world.tick()
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    tick.run(world.clock.now())
    world.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    world.usage(world.clock.now() - timedelta(hours=1), 55)
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50), world.budget_fact(50, "2026-12-01")]


def test_the_last_moments_of_a_period_count(world: Any) -> None:
    """Midnight falls between two ticks: what was spent before it is still judged in its own month."""
    tick = world.tick()
    world.clock.set(datetime(2026, 11, 30, 22, 59, 0, tzinfo=UTC))
    tick.run(world.clock.now())
    world.usage(datetime(2026, 11, 30, 22, 59, 30, tzinfo=UTC), 55)
    world.clock.set(datetime(2026, 11, 30, 23, 1, 0, tzinfo=UTC))
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)]
    world.clock.set(datetime(2026, 12, 4, 23, 1, 0, tzinfo=UTC))
    world.usage(datetime(2026, 11, 30, 22, 59, 30, tzinfo=UTC), 500)
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)], "later than three days it is history"


def test_a_budget_that_was_raised_after_its_breach_alerts_again_by_its_new_amount(world: Any) -> None:
    tick = world.tick()
    world.usage(world.clock.now() - timedelta(hours=1), 120)
    tick.run(world.clock.now())
    old = {world.budget_fact(t) for t in (50, 80, 100)}
    assert set(world.said("budget")) == old
    world.change_budget(amount=Decimal(300))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == old, "40% of the new amount"
    world.usage(world.clock.now(), 40)
    world.clock.set(world.clock.now() + timedelta(minutes=1))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == old | {world.budget_fact(50, amount=300)}
    world.change_budget(amount=Decimal("100.00"))
    tick.run(world.clock.now())
    assert set(world.said("budget")) == old | {world.budget_fact(50, amount=300)}, (
        "said for this amount before"
    )


def test_a_budget_that_was_not_there_in_a_period_is_not_judged_by_it(world: Any) -> None:
    world.usage(datetime(2026, 11, 18, 10, 0, tzinfo=UTC), 500)
    world.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    tick = world.tick()
    for minutes in (0, 1, 2):
        tick.run(world.clock.now() + timedelta(minutes=minutes))
    assert world.said("budget") == []


def test_a_period_that_is_over_is_not_judged_by_an_amount_that_came_later(world: Any) -> None:
    world.usage(datetime(2026, 11, 18, 9, 0, tzinfo=UTC), 40)
    tick = world.tick()
    tick.run(world.clock.now())
    world.clock.set(datetime(2026, 12, 2, 10, 0, tzinfo=UTC))
    tick.run(world.clock.now())
    world.change_budget(amount=Decimal(10))
    tick.run(world.clock.now())
    assert world.said("budget") == []
    world.change_budget(amount=Decimal(100))
    world.usage(datetime(2026, 11, 30, 9, 0, tzinfo=UTC), 20)
    tick.run(world.clock.now())
    assert world.said("budget") == [world.budget_fact(50)], "by its own amount it still is"


def test_every_budget_shows_when_it_was_evaluated_on_what_and_why_it_did_not_fire(world: Any) -> None:
    world.usage(world.clock.now() - timedelta(hours=1), 10)
    world.tick().run(world.clock.now())
    kept = standing.load_budgets(world.engine, world.tenant)
    assert set(kept) == {"claims", "all"}
    assert kept["claims"].evaluated_at == world.clock.now()
    assert kept["claims"].detail["upper_nano"] == 10 * NANO
    assert kept["claims"].detail["why"] == "below"
    assert kept["claims"].detail["next_threshold"] == 50


# --- findings ---


def test_a_finding_is_said_once_and_kept_up_to_date(world: Any) -> None:
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


def test_a_finding_older_than_the_short_window_is_found_within_the_hour(world: Any) -> None:
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


def test_a_known_finding_does_not_shrink_to_what_the_short_window_sees(world: Any) -> None:
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


def _look(world: Any, tick: Tick, **later: float) -> dict[str, str]:
    """Let time pass and look far; what is on record, by status."""
    world.clock.set(world.clock.now() + timedelta(**later))
    tick.run(world.clock.now())
    return {f.identity: f.status for f in standing.load_findings(world.engine, world.tenant)}


def test_a_finding_is_resolved_when_the_registry_allows_it_and_said_again_when_it_comes_back(
    world: Any,
) -> None:
    tick, stray = world.tick(), {"app": "tender-bot", "authorisation": "unregistered_app"}
    first = f"finding/{world.tenant}/unregistered_app/tender-bot/"
    world.usage(world.clock.now() - timedelta(hours=1), 5, calls=7, **stray)
    assert _look(world, tick) == {first: "open"}
    world.register("tender-bot")
    assert _look(world, tick, hours=2) == {first: "resolved"}
    assert _look(world, tick, hours=2) == {first: "resolved"}
    world.register()
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


def test_a_clock_that_runs_ahead_reopens_nothing_that_the_registry_allows(world: Any) -> None:
    tick, stray = world.tick(), {"app": "tender-bot", "authorisation": "unregistered_app"}
    world.usage(world.clock.now() - timedelta(hours=1), 5, **stray)
    _look(world, tick)
    world.register("tender-bot")
    _look(world, tick, hours=2)
    world.usage(world.clock.now() + timedelta(hours=1), 5, **stray)
    assert list(_look(world, tick, hours=2).values()) == ["resolved"]


def test_a_flood_of_findings_is_one_message_and_each_is_on_record(world: Any) -> None:
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


def test_a_flood_of_which_a_part_was_said_before_loses_none(world: Any, a_message: Any) -> None:
    rule = {"authorisation": "use_case_not_allowed"}
    for n in range(12):
        world.usage(world.clock.now() - timedelta(hours=1), 1, use_case=f"case-{n}", **rule)
    early = f"finding/{world.tenant}/use_case_not_allowed/claims-letter/case-3"
    ledger.say(world.engine, early, "finding", world.tenant, a_message(early), ["#ai-ops"], world.clock.now())
    assert len(_look(world, world.tick())) == 12
    assert len(world.said("finding")) == 12


def test_a_use_that_comes_back_twice_on_a_day_is_said_once_and_open_again(world: Any) -> None:
    tick, stray = world.tick(), {"app": "tender-bot", "authorisation": "unregistered_app"}
    statuses = []
    for _ in range(3):
        world.register()
        world.usage(world.clock.now() + timedelta(minutes=5), 5, **stray)
        statuses.append(sorted(_look(world, tick, hours=1).values()))
        world.register("tender-bot")
        statuses.append(sorted(_look(world, tick, hours=1).values()))
    again = [["open", "resolved"], ["resolved", "resolved"]]
    assert statuses == [["open"], ["resolved"], *again, *again]
    assert len(world.said("finding")) == 2
