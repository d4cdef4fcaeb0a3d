"""The AsyncAPI document is generated from the topics, is valid, and everything that it says can be followed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from uptake.schemas import asyncapi
from uptake.schemas.jsonschema import ROOT
from uptake.schemas.records import EVENT_TOPICS, Topic, topic_name

META = json.loads((Path(__file__).parent / "asyncapi" / "3.0.0.json").read_text("utf-8"))
DOCUMENT = asyncapi.generate()
BASE = asyncapi.PATH.as_uri()


def retrieve(uri: str) -> Resource[Any]:
    path = Path(uri.removeprefix("file://"))
    assert path.is_relative_to(ROOT), "only what is published beside the document"
    return Resource(json.loads(path.read_text("utf-8")), DRAFT202012)


REGISTRY: Registry[Any] = Registry(retrieve=retrieve).with_resource(BASE, Resource(DOCUMENT, DRAFT202012))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """With the document's own place as base, so that references are followed as a reader would."""
    return Draft202012Validator({"$id": BASE + "-part", **schema}, registry=REGISTRY)


def test_the_checked_in_document_is_what_the_topics_say() -> None:
    assert asyncapi.main(["check"]) == 0


def test_the_document_is_valid_asyncapi_3() -> None:
    Draft7Validator.check_schema(META)
    assert [f"{list(e.path)}: {e.message[:200]}" for e in Draft7Validator(META).iter_errors(DOCUMENT)] == []


@pytest.mark.parametrize(
    "broken",
    [
        {"asyncapi": "2.6.0"},
        {"channels": {"usage": {"address": 7}}},
        {"operations": {"readUsage": {"action": "take", "channel": {"$ref": "#/channels/usage"}}}},
        {"info": {"title": "no version"}},
    ],
)
def test_the_meta_schema_refuses_what_is_not_asyncapi(broken: dict[str, Any]) -> None:
    assert not Draft7Validator(META).is_valid(DOCUMENT | broken)


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert "v1/usage.schema.json" in found
    assert len(found) > 10
    resolver = REGISTRY.resolver(BASE)
    for reference in found:
        assert resolver.lookup(reference).contents


def test_each_topic_is_a_channel_with_its_name_settings_and_message() -> None:
    assert list(DOCUMENT["channels"]) == [topic.value for topic in Topic]
    for topic in Topic:
        channel = DOCUMENT["channels"][topic.value]
        kafka = channel["bindings"]["kafka"]
        assert channel["address"] == kafka["topic"] == topic_name(topic, "uptake.")
        assert kafka["topicConfiguration"]["message.timestamp.type"] == "LogAppendTime"
        assert kafka["topicConfiguration"]["unclean.leader.election.enable"] is False
        assert kafka["topicConfiguration"]["cleanup.policy"] == ["delete"]
        assert isinstance(kafka["topicConfiguration"]["retention.ms"], int)


def test_another_prefix_changes_the_addresses_and_nothing_else() -> None:
    other = asyncapi.generate("staging.")
    text = json.dumps(other).replace('"staging.', '"uptake.')
    assert json.loads(text) == DOCUMENT
    assert other["channels"]["usage"]["address"] == "staging.usage"


def test_each_topic_is_written_by_somebody_and_read_by_somebody() -> None:
    actions = {(o["channel"]["$ref"], o["action"]) for o in DOCUMENT["operations"].values()}
    assert actions == {(f"#/channels/{topic}", action) for topic in Topic for action in ("send", "receive")}


@pytest.mark.parametrize("topic", list(Topic))
def test_examples_are_what_their_schemas_say(topic: Topic) -> None:
    message = DOCUMENT["components"]["messages"][topic.value]
    assert message["examples"]
    for example in message["examples"]:
        validator(message["headers"]["schema"]).validate(example["headers"])
        validator(message["payload"]["schema"]).validate(example["payload"])


@pytest.mark.parametrize("topic", EVENT_TOPICS)
def test_an_event_of_another_type_is_not_what_the_schema_says(topic: Topic) -> None:
    payload = validator(DOCUMENT["components"]["messages"][topic.value]["payload"]["schema"])
    for other in EVENT_TOPICS:
        (example,) = DOCUMENT["components"]["messages"][other.value]["examples"]
        assert payload.is_valid(example["payload"]) == (other is topic)
    assert not payload.is_valid([])


@pytest.mark.parametrize("topic", list(Topic))
def test_the_version_of_another_meaning_is_not_what_the_schema_says(topic: Topic) -> None:
    message = DOCUMENT["components"]["messages"][topic.value]
    headers = message["examples"][0]["headers"]
    assert not validator(message["headers"]["schema"]).is_valid(headers | {"ce_type": f"uptake.{topic}.v2"})


def test_check_tells_a_stale_document_and_write_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "asyncapi.json"
    assert asyncapi.main(["check"], path) == 1
    assert "python -m uptake.schemas.asyncapi write" in capsys.readouterr().err
    assert asyncapi.main(["write"], path) == 0
    assert asyncapi.main(["check"], path) == 0
    path.write_text("{}", encoding="utf-8")
    assert asyncapi.main(["check"], path) == 1
    assert asyncapi.main(["release"], path) == 2
