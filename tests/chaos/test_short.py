"""The short form of `make chaos`: real processes, one after the other killed, cut off, filled up, poisoned.

All scenarios share one stack, so after a failure those that follow it fail with it.
"""

from __future__ import annotations

import os

import pytest
from uptake_chaos.arena import SCENARIOS, SHORT, Arena, faults_of
from uptake_chaos.disks import RECOVERS_SECONDS, CannotMount
from uptake_chaos.trial import Result


def run(arena: Arena, name: str) -> Result:
    """Nothing is lost and nothing doubled, whatever the scenario is."""
    print(f"seed {arena.trial.seed}")
    try:
        result = SCENARIOS[name](arena, SHORT)
    except Exception:
        print(arena.trial.stack.last_words())
        raise
    print(result, result.figures)
    assert faults_of(result) == [], f"seed {arena.trial.seed}"
    assert result.events > 0
    assert result.difference.compared > 100
    return result


def test_the_dead_letters_are_exactly_the_poison_and_the_good_events_do_not_wait_for_it(arena: Arena) -> None:
    result = run(arena, "poison")
    assert result.figures["letters"] == result.figures["letters_in_topic"] > 0


def test_workers_that_join_and_leave_lose_and_double_nothing(arena: Arena) -> None:
    turns = run(arena, "joins").figures["turns"]
    assert turns["joined"] >= 2


def test_after_kills_of_everything_and_two_re_pricings_no_count_and_no_sum_differs(arena: Arena) -> None:
    result = run(arena, "kills")
    assert sum(result.kills.values()) == SHORT.kills
    assert [one["revision"] for one in result.figures["repricings"]] == [1, 2]
    assert result.figures["sent"]["doubled_events"] > 0
    assert result.figures["sent"]["late_events"] > 0


def test_broken_networks_between_all_pairs_lose_and_double_nothing(arena: Arena) -> None:
    injected = run(arena, "network").figures["injected"]
    assert all(sum(faults.values()) > 0 for faults in injected.values())


@pytest.mark.parametrize("of", ["log", "database"])
def test_a_full_disk_is_never_acknowledged_over_and_gets_over_itself(arena: Arena, of: str) -> None:
    try:
        arena.disk(of)
    except CannotMount as why:
        if os.environ.get("UPTAKE_REQUIRE_MOUNTS"):
            pytest.fail(f"{why}, and UPTAKE_REQUIRE_MOUNTS is set")
        pytest.skip(str(why))
    figures = run(arena, f"{of}-full").figures
    assert figures["recovered_seconds"] <= RECOVERS_SECONDS
    if of == "log":
        assert figures["broker_ended"] > 0, "the disk was not full"
    else:
        assert figures["became_visible_while_full"] == 0, "the disk was not full"
