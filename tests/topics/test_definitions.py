"""Each topic is one file, and a file that would break a promise is refused with its name and the reason."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from uptake.schemas import topics
from uptake.schemas.batch import MAX_EVENT_BYTES, Batch, ClientReport, LogPosition, Rejection, RejectionReason
from uptake.schemas.letters import MAX_LINE_BYTES, letter_lines
from uptake.schemas.records import (
    EVENT_TOPICS,
    MAX_RECORD_BYTES,
    Topic,
    batch_of,
    control_record,
    event_records,
    letter_records,
)

FOLDER = Path(topics.__file__).parent / "topics"
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
REPORT = ClientReport("sdk-1", 3, 0)


def said(topic: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / f"{topic}.yaml").read_text("utf-8"))
    return document


def written(tmp_path: Path, document: Any, name: str = "usage.yaml") -> Path:
    path = tmp_path / name
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document), encoding="utf-8")
    return path


def test_every_topic_has_one_file_and_every_file_is_a_topic() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {f"{topic}.yaml" for topic in Topic}
    assert list(topics.load_topics()) == list(Topic)


@pytest.mark.parametrize("topic", list(Topic))
def test_no_topic_loses_records_by_its_settings(topic: Topic) -> None:
    configuration = topics.load_topics()[topic].configuration(3)
    assert configuration["message.timestamp.type"] == "LogAppendTime"
    assert configuration["cleanup.policy"] == "delete"
    assert configuration["retention.bytes"] == "-1"
    assert configuration["unclean.leader.election.enable"] == "false"
    assert int(configuration["max.message.bytes"]) > MAX_RECORD_BYTES
    assert int(configuration["segment.ms"]) <= int(configuration["retention.ms"])


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_events_are_kept_for_a_week(topic: Topic) -> None:
    assert topics.load_topics()[topic].configuration(1)["retention.ms"] == str(7 * 86_400_000)


@pytest.mark.parametrize(("replication", "in_sync"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_an_acknowledged_event_is_on_most_replicas(replication: int, in_sync: int) -> None:
    for topic in (*EVENT_TOPICS, Topic.DEAD_LETTERS):
        assert topics.load_topics()[topic].min_in_sync(replication) == in_sync
    assert topics.load_topics()[Topic.CONTROL].min_in_sync(replication) == 1


def test_the_largest_event_and_letter_fit_into_a_record() -> None:
    assert 2 * MAX_EVENT_BYTES < MAX_RECORD_BYTES
    assert MAX_LINE_BYTES < MAX_RECORD_BYTES


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("settings", "message.timestamp.type"), "CreateTime", "LogAppendTime"),
        (("settings", "cleanup.policy"), "compact", "delete"),
        (("settings", "retention.bytes"), 10**9, "-1"),
        (("settings", "unclean.leader.election.enable"), True, "False"),
        (("settings", "max.message.bytes"), 1000, "greater than or equal"),
        (("settings", "compression.type"), "zstd", "gzip"),
        (("settings", "compression.type"), "producer", "gzip"),
        (("settings", "flush.ms"), 1, "not permitted"),
        (("partitions",), 0, "greater than or equal to 1"),
        (("retention",), "a week", "match pattern"),
        (("segment",), "8d", "longer than retention"),
        (("in_sync",), "some", "majority"),
        (("headers", "required"), ["ce_nonsense"], "does not explain ce_nonsense"),
        (("headers", "optional"), ["ce_tenant"], "said twice: ce_tenant"),
        (("schema",), "../events.json", "v1/usage.schema.json"),
        (("examples",), [], "at least 1"),
        (("purpose",), "", "at least 1"),
        (("owner",), "me", "not permitted"),
    ],
)
def test_what_would_break_a_promise_is_refused_with_file_field_and_reason(
    tmp_path: Path, place: tuple[str, ...], value: Any, reason: str
) -> None:
    document = copy.deepcopy(said("usage"))
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    with pytest.raises(topics.InvalidTopic) as refused:
        topics.read_definition(written(tmp_path, document))
    assert str(refused.value).startswith("topics/usage.yaml: ")
    assert reason in str(refused.value)


def test_every_reason_is_told_at_once(tmp_path: Path) -> None:
    document = said("usage") | {"partitions": 0, "retention": "never"}
    with pytest.raises(topics.InvalidTopic) as refused:
        topics.read_definition(written(tmp_path, document))
    assert [line.split(": ")[1] for line in str(refused.value).splitlines()] == ["partitions", "retention"]


@pytest.mark.parametrize("text", ["", "[]", "topic: [usage", "topic: nonsense"])
def test_what_is_no_definition_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(topics.InvalidTopic, match=r"topics/usage\.yaml"):
        topics.read_definition(written(tmp_path, text))


def test_a_file_has_the_name_of_its_topic(tmp_path: Path) -> None:
    with pytest.raises(topics.InvalidTopic, match=r"call it usage\.yaml"):
        topics.read_definition(written(tmp_path, said("usage"), "cost.yaml"))


def test_a_topic_without_a_file_is_missed(tmp_path: Path) -> None:
    for topic in Topic:
        if topic is not Topic.CONTROL:
            written(tmp_path, said(topic.value), f"{topic}.yaml")
    with pytest.raises(topics.InvalidTopic, match=r"topics/control\.yaml is missing"):
        topics.read_definitions(tmp_path)


def test_an_example_has_events_or_a_value_and_never_both(tmp_path: Path) -> None:
    for change in ({"value": [1]}, {"events": []}):
        document = said("usage")
        document["examples"][0].update(change)
        with pytest.raises(topics.InvalidTopic, match="either events or a value"):
            topics.read_definition(written(tmp_path, document))


@pytest.mark.parametrize(
    ("span", "expected"), [("1h", 3_600_000), ("7d", 604_800_000), ("30d", 2_592_000_000)]
)
def test_spans_are_read_in_milliseconds(span: str, expected: int) -> None:
    assert topics.milliseconds(span) == expected


def records() -> list[Any]:
    position = LogPosition("uptake.usage", 2, 7)
    batch = Batch("acme", b"[]", AT, "http", None, position)
    refused = [
        Rejection(n, reason, f"[{n}]", "is required", "", b'{"a":1}')
        for n, reason in enumerate(RejectionReason)
    ]
    nobody = Batch("", b"", AT, "kafka", None, position)
    lost = letter_lines(nobody, [Rejection(0, RejectionReason.UNREADABLE, "", "no tenant", "", b"\xff")], 1)
    return [
        *event_records(
            "acme", [(kind, "x", b'{"a":1}') for kind in ("usage", "feedback", "cost")], AT, "sdk", REPORT
        ),
        *letter_records("acme", letter_lines(batch, refused, 1), AT, "http"),
        *letter_records("", lost, AT, "worker"),
        control_record({"kind": "written", "tenant": "acme"}, AT, "worker"),
    ]


@pytest.mark.parametrize("record", records(), ids=lambda record: record.topic)
def test_what_is_really_written_has_the_headers_that_the_file_promises(record: Any) -> None:
    definition = topics.load_topics()[record.topic]
    headers = {name: value.decode() for name, value in record.headers}
    Draft202012Validator(definition.header_schema()).validate(headers)
    assert headers.keys() <= {*definition.headers.required, *definition.headers.optional}


@pytest.mark.parametrize(
    "record", [r for r in records() if r.topic not in EVENT_TOPICS], ids=lambda r: r.topic
)
def test_letters_and_notices_that_are_really_written_are_what_the_file_says(record: Any) -> None:
    definition = topics.load_topics()[record.topic]
    Draft202012Validator(definition.value_schema()).validate(json.loads(record.value))


def test_the_file_of_dead_letters_knows_every_reason_and_column() -> None:
    schema = said("dead-letters")["schema"]
    assert set(schema["properties"]["reason"]["enum"]) == {reason.value for reason in RejectionReason}
    assert set(schema["required"]) == set(schema["properties"])


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_the_headers_of_an_example_can_be_read_as_a_batch(topic: Topic) -> None:
    for example in topics.load_topics()[topic].examples:
        headers = [(name, value.encode()) for name, value in example.headers.items()]
        batch = batch_of(b"[]", headers, LogPosition(f"uptake.{topic}", 0, 0), AT)
        assert batch.tenant == "acme"
