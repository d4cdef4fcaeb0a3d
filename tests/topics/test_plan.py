"""What `apply` would do, and what it never does: decided from two descriptions, without a broker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.schemas.records import Topic
from uptake.schemas.topic_plan import Action, Difference, Found, differences
from uptake.schemas.topics import load_topics

TOPICS = load_topics()
USAGE = TOPICS[Topic.USAGE]
ONLY_USAGE = {Topic.USAGE: USAGE}


def as_wanted(replication: int = 3) -> Found:
    return Found(USAGE.partitions, replication, USAGE.configuration(replication) | {"segment.bytes": "1"})


def plan(found: Found, replication: int = 3, insist: bool = False) -> list[Difference]:
    return differences(ONLY_USAGE, "uptake.", {"uptake.usage": found}, replication, insist)


def with_setting(name: str, value: str, replication: int = 3) -> Found:
    found = as_wanted(replication)
    return replace(found, settings={**found.settings, name: value})


def test_nothing_there_means_everything_is_made() -> None:
    made = differences(TOPICS, "x.", {}, 2)
    assert [(d.topic, d.action) for d in made] == [(f"x.{topic}", Action.CREATE) for topic in Topic]
    assert made[0].wanted == "12 partitions, 2 replicas"


def test_what_is_as_wanted_differs_in_nothing() -> None:
    assert plan(as_wanted()) == []


def test_missing_partitions_are_added() -> None:
    (difference,) = plan(replace(as_wanted(), partitions=4))
    assert (difference.action, difference.found, difference.wanted) == (Action.ADD_PARTITIONS, "4", "12")


def test_partitions_are_never_taken_away() -> None:
    (difference,) = plan(replace(as_wanted(), partitions=24))
    assert (difference.action, difference.what) == (Action.LEAVE, "partitions")
    assert "cannot take partitions away" in difference.reason


@pytest.mark.parametrize(
    ("setting", "is_now", "action"),
    [
        ("retention.ms", "3600000", Action.SET),
        ("retention.ms", str(30 * 86_400_000), Action.LEAVE),
        ("retention.ms", "-1", Action.LEAVE),
        ("retention.bytes", "1000000", Action.SET),
        ("max.message.bytes", "1000", Action.SET),
        ("max.message.bytes", "10000000", Action.LEAVE),
        ("min.insync.replicas", "1", Action.SET),
        ("min.insync.replicas", "3", Action.LEAVE),
        ("message.timestamp.type", "CreateTime", Action.SET),
        ("cleanup.policy", "compact", Action.SET),
        ("compression.type", "producer", Action.SET),
        ("unclean.leader.election.enable", "true", Action.SET),
        ("segment.ms", "1", Action.SET),
        ("segment.ms", "604800000", Action.SET),
    ],
)
def test_a_setting_is_changed_where_the_topic_then_keeps_no_less(
    setting: str, is_now: str, action: Action
) -> None:
    (difference,) = plan(with_setting(setting, is_now))
    assert (difference.action, difference.what, difference.found) == (action, setting, is_now)
    assert bool(difference.reason) == (action is Action.LEAVE)


def test_more_in_sync_than_there_are_replicas_lets_nobody_write_and_is_mended() -> None:
    (difference,) = plan(with_setting("min.insync.replicas", "2", replication=1), replication=1)
    assert (difference.action, difference.wanted) == (Action.SET, "1")


def test_in_sync_follows_the_replicas_that_there_are() -> None:
    told = plan(replace(with_setting("min.insync.replicas", "1", replication=1)), replication=3)
    assert [(d.what, d.action, d.found, d.wanted) for d in told] == [("replication", Action.LEAVE, "1", "3")]


def test_more_replicas_than_usual_are_a_difference_only_when_another_number_was_asked_for() -> None:
    assert plan(as_wanted(3), replication=2) == []
    (difference,) = plan(as_wanted(3), replication=2, insist=True)
    assert (difference.what, difference.action) == ("replication", Action.LEAVE)


def test_a_setting_that_the_brokers_do_not_know_is_set_and_refused_by_them() -> None:
    found = as_wanted()
    settings: dict[str, Any] = dict(found.settings)
    del settings["compression.gzip.level"]
    (difference,) = plan(replace(found, settings=settings))
    assert (difference.action, difference.found) == (Action.SET, "")


@given(
    partitions=st.integers(1, 40),
    replication=st.integers(1, 5),
    settings=st.fixed_dictionaries(
        {},
        optional={
            "retention.ms": st.integers(-1, 10**10).map(str),
            "max.message.bytes": st.integers(0, 10**7).map(str),
            "min.insync.replicas": st.integers(1, 5).map(str),
            "segment.ms": st.integers(1, 10**10).map(str),
            "cleanup.policy": st.sampled_from(["delete", "compact", "compact,delete"]),
        },
    ),
    wanted=st.integers(1, 5),
)
def test_after_what_may_be_done_is_done_only_what_must_be_left_remains(
    partitions: int, replication: int, settings: dict[str, str], wanted: int
) -> None:
    before = Found(partitions, replication, {**as_wanted(replication).settings, **settings})
    after = before
    for difference in plan(before, wanted):
        if difference.action is Action.ADD_PARTITIONS:
            after = replace(after, partitions=int(difference.wanted))
        elif difference.action is Action.SET:
            after = replace(after, settings={**after.settings, difference.what: difference.wanted})
    assert {d.action for d in plan(after, wanted)} <= {Action.LEAVE}
    assert after.partitions >= before.partitions
    kept_before, kept_after = (int(found.settings["retention.ms"]) for found in (before, after))
    assert kept_after == -1 or (kept_before != -1 and kept_after >= kept_before)
    assert int(after.settings["min.insync.replicas"]) <= max(
        after.replication, USAGE.min_in_sync(after.replication)
    )
