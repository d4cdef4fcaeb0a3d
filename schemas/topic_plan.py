"""What lies between the topics as they are and as they should be. Pure: looking and changing is `uptake.topics`'s.

A change is made only where the topic then keeps at least what it kept before. What would lose records, or promises
that somebody relies on (fewer partitions, a shorter retention, fewer in-sync replicas, another replication), is said
and left to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from uptake.schemas.records import Topic, topic_name
from uptake.schemas.topics import TopicDefinition

CREATE_HINT = "move to a new prefix (UPTAKE_TOPIC_PREFIX) when the old topics have been read to their end"
_NEVER_LOWER = {
    "retention.ms": "a shorter retention deletes records now",
    "max.message.bytes": "smaller records would refuse what is sent today",
    "min.insync.replicas": "fewer in-sync replicas make an acknowledgement worth less",
}
_NO_LIMIT = -1


class Action(StrEnum):
    """What a difference asks for."""

    CREATE = "create"
    ADD_PARTITIONS = "add-partitions"
    SET = "set"
    LEAVE = "leave"  # it is not changed by `apply`, for the reason that is given


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as the brokers describe it: `settings` are those in force, wherever they were set."""

    partitions: int
    replication: int
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing of one topic: as it is, as it should be, and what `apply` does about it."""

    topic: str
    action: Action
    what: str
    found: str
    wanted: str
    reason: str = ""


def differences(
    definitions: Mapping[Topic, TopicDefinition],
    prefix: str,
    found: Mapping[str, Found],
    replication: int,
    insist: bool = False,
) -> list[Difference]:
    """All of them, in the order of the definitions; `found` holds topics by name, those that are missing not at all.

    A topic that is made gets `replication` replicas. One that has more is left in peace, unless `insist` says that
    this number was asked for: brokers that are away for a while would otherwise look like a difference.
    """
    said: list[Difference] = []
    for topic, definition in definitions.items():
        name = topic_name(topic, prefix)
        there = found.get(name)
        if there is None:
            wanted = f"{definition.partitions} partitions, {replication} replicas"
            said.append(Difference(name, Action.CREATE, "topic", "missing", wanted))
            continue
        said += _partitions(name, definition, there)
        said += _replication(name, there, replication, insist)
        said += _settings(name, definition, there)
    return said


def _partitions(name: str, definition: TopicDefinition, there: Found) -> list[Difference]:
    if there.partitions == definition.partitions:
        return []
    fewer = definition.partitions < there.partitions
    return [
        Difference(
            name,
            Action.LEAVE if fewer else Action.ADD_PARTITIONS,
            "partitions",
            str(there.partitions),
            str(definition.partitions),
            f"Kafka cannot take partitions away; {CREATE_HINT}" if fewer else "",
        )
    ]


def _replication(name: str, there: Found, replication: int, insist: bool) -> list[Difference]:
    wanted = replication if insist else max(replication, there.replication)
    if there.replication == wanted:
        return []
    reason = "moving replicas copies all data: do it with kafka-reassign-partitions when the brokers are idle"
    return [Difference(name, Action.LEAVE, "replication", str(there.replication), str(wanted), reason)]


def _settings(name: str, definition: TopicDefinition, there: Found) -> list[Difference]:
    # The number of replicas that there are, not the one that is wished: with more in sync than there are, nothing
    # could be written at all.
    wanted = definition.configuration(there.replication)
    said = []
    for setting, value in sorted(wanted.items()):
        is_now = there.settings.get(setting, "")
        if is_now != value:
            reason = _NEVER_LOWER.get(setting, "") if _lowers(is_now, value) else ""
            if setting == "min.insync.replicas" and is_now.isdigit() and int(is_now) > there.replication:
                reason = ""  # nothing can be written to it: lowering that loses no promise
            said.append(
                Difference(name, Action.LEAVE if reason else Action.SET, setting, is_now, value, reason)
            )
    return said


def _lowers(is_now: str, value: str) -> bool:
    try:
        before, after = int(is_now), int(value)
    except ValueError:
        return False
    return after != _NO_LIMIT and (before == _NO_LIMIT or after < before)
