"""`uptake topics` against a real Kafka: what is applied is really so, and applying it again changes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kafka.admin import ConfigResource

from uptake import kafka
from uptake.cli.app import run
from uptake.errors import UptakeError
from uptake.schemas.records import Topic, topic_name
from uptake.schemas.topic_plan import Action
from uptake.schemas.topics import load_topics
from uptake.settings import Settings
from uptake.topics import Looked, Topics, topics


def apply(settings: Settings, replication: int | None = None) -> Looked:
    with topics(settings, replication) as installed:
        return installed.apply()


def diff(settings: Settings, replication: int | None = None) -> Looked:
    with topics(settings, replication) as installed:
        return installed.diff()


def in_force(settings: Settings, name: str) -> dict[str, str]:
    with kafka.admin(settings) as admin:
        said = admin.describe_configs([ConfigResource("TOPIC", name)], config_filter="all")["topic"][name]
    return {setting: value["value"] for setting, value in said.items()}


def change(settings: Settings, name: str, **values: str) -> None:
    named = {key.replace("_", "."): value for key, value in values.items()}
    with kafka.admin(settings) as admin:
        assert admin.alter_configs([ConfigResource("TOPIC", name, named)])["topic"][name] == "OK"


def test_the_first_apply_makes_every_topic_as_its_file_says(installed: Settings) -> None:
    before = diff(installed)
    assert [d.action for d in before.differences] == [Action.CREATE] * len(Topic)
    looked = apply(installed)
    assert (looked.differences, looked.replication, looked.brokers) == ((), 1, 1)
    with kafka.admin(installed) as admin:
        for topic, definition in load_topics().items():
            name = topic_name(topic, installed.topic_prefix)
            (described,) = admin.describe_topics([name])
            assert len(described["partitions"]) == definition.partitions
            assert definition.configuration(1).items() <= in_force(installed, name).items()


def test_applying_it_again_changes_nothing(installed: Settings) -> None:
    assert len(apply(installed).done) == len(Topic)
    again = apply(installed)
    assert (again.done, again.differences) == ((), ())
    assert diff(installed).differences == ()


def test_what_was_changed_by_hand_is_set_right_where_nothing_is_lost(installed: Settings) -> None:
    apply(installed)
    name = topic_name(Topic.USAGE, installed.topic_prefix)
    change(
        installed, name, retention_ms="3600000", message_timestamp_type="CreateTime", cleanup_policy="compact"
    )
    assert {d.what for d in diff(installed).differences} == {
        "retention.ms",
        "message.timestamp.type",
        "cleanup.policy",
    }
    assert len(apply(installed).done) == 3
    assert diff(installed).differences == ()
    assert in_force(installed, name)["retention.ms"] == "604800000"


def test_a_longer_retention_is_left_and_said(installed: Settings) -> None:
    apply(installed)
    name = topic_name(Topic.COST, installed.topic_prefix)
    change(installed, name, retention_ms="9000000000")
    looked = apply(installed)
    assert looked.done == ()
    assert [(d.topic, d.what, d.action) for d in looked.differences] == [(name, "retention.ms", Action.LEAVE)]
    assert in_force(installed, name)["retention.ms"] == "9000000000"


def test_partitions_are_added_and_never_taken_away(installed: Settings) -> None:
    fewer, more = (topic_name(topic, installed.topic_prefix) for topic in (Topic.USAGE, Topic.CONTROL))
    with kafka.admin(installed) as admin:
        admin.create_topics({name: {"num_partitions": 3, "replication_factor": 1} for name in (fewer, more)})
        admin.wait_for_topics([fewer, more])
    looked = apply(installed)
    assert [(d.topic, d.what) for d in looked.differences if d.what == "partitions"] == [(more, "partitions")]
    with kafka.admin(installed) as admin:
        counts = {t["name"]: len(t["partitions"]) for t in admin.describe_topics([fewer, more])}
    assert counts == {fewer: 12, more: 3}


def test_two_that_apply_at_the_same_moment_both_succeed(installed: Settings) -> None:
    """The second one finds a topic that was missing when it looked."""
    with kafka.admin(installed) as admin:

        class Late(Topics):
            def _make(self, difference: Any, replication: int) -> None:
                if difference.action is Action.CREATE and difference.topic.endswith("usage"):
                    super()._make(difference, replication)  # the other one, a moment earlier
                super()._make(difference, replication)

        assert Late(admin, installed.topic_prefix).apply().differences == ()


def test_more_replicas_than_brokers_are_refused_with_the_remedy(installed: Settings) -> None:
    with pytest.raises(UptakeError) as refused:
        apply(installed, replication=3)
    assert "only 1 broker" in refused.value.message
    assert "--replication" in refused.value.hint


def test_three_brokers_keep_everything_three_times(cluster: Any, prefix: str) -> None:
    settings = Settings(_env_file=None, kafka=cluster.bootstrap, topic_prefix=prefix)  # type: ignore[call-arg]
    looked = apply(settings)
    assert (looked.replication, looked.brokers, looked.differences) == (3, 3, ())
    assert in_force(settings, f"{prefix}usage")["min.insync.replicas"] == "2"
    assert in_force(settings, f"{prefix}control")["min.insync.replicas"] == "1"
    two = diff(settings, replication=2)
    assert {(d.what, d.action) for d in two.differences} == {("replication", Action.LEAVE)}
    assert diff(settings).differences == ()


def test_the_commands_say_what_they_did_and_exit_so(
    environment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    usage = topic_name(Topic.USAGE, environment.topic_prefix)
    assert run(["topics", "diff"]) == 1
    assert usage in capsys.readouterr().out
    assert run(["topics", "apply"]) == 0
    said = capsys.readouterr()
    assert "5 topics created or changed" in said.out
    assert f"{usage}: created with 12 partitions, 1 replicas" in said.err
    assert run(["topics", "apply"]) == 0
    assert "nothing to change" in capsys.readouterr().out
    assert run(["topics", "diff"]) == 0
    assert "as they should be" in capsys.readouterr().out


def test_the_commands_say_it_to_programs(environment: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["topics", "diff", "--json"]) == 1
    before = json.loads(capsys.readouterr().out)
    assert (before["brokers"], before["replication"], before["done"]) == (1, 1, [])
    assert {row["action"] for row in before["differences"]} == {"create"}
    assert run(["topics", "apply", "--json"]) == 0
    after = json.loads(capsys.readouterr().out)
    assert (len(after["done"]), after["differences"]) == (5, [])
    change(environment, topic_name(Topic.USAGE, environment.topic_prefix), retention_ms="9000000000")
    assert run(["topics", "diff", "--json"]) == 1
    (row,) = json.loads(capsys.readouterr().out)["differences"]
    assert (row["action"], row["found"], row["wanted"]) == ("leave", "9000000000", "604800000")


def test_what_is_left_is_said_with_the_reason(
    environment: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    apply(environment)
    change(environment, topic_name(Topic.USAGE, environment.topic_prefix), retention_ms="9000000000")
    assert run(["topics", "apply"]) == 0
    assert "a shorter retention deletes records now" in capsys.readouterr().err


def test_without_a_broker_it_is_said_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kafka, "BOOTSTRAP_MS", 300)
    monkeypatch.setenv("UPTAKE_KAFKA", "127.0.0.1:1")
    assert run(["topics", "apply"]) == 4
    said = capsys.readouterr().err
    assert "Kafka does not answer at 127.0.0.1:1" in said
    assert "UPTAKE_KAFKA" in said
    monkeypatch.delenv("UPTAKE_KAFKA")
    assert run(["topics", "diff"]) == 2
    assert "set UPTAKE_KAFKA" in capsys.readouterr().err
