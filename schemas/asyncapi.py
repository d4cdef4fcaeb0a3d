"""The log as an AsyncAPI 3 document, for whoever writes to it or reads from it without Uptake's own code.

    python -m uptake.schemas.asyncapi write     generate schemas/json/asyncapi.json from schemas/topics/
    python -m uptake.schemas.asyncapi check     say whether it is up to date

Topics have the names of an installation that sets no prefix of its own. Schemas of events are those of
`schemas/json/v1`, by reference. The figures of three brokers are given where they depend on how many there are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from uptake.schemas.events import SCHEMA_VERSION
from uptake.schemas.jsonschema import ROOT, text_of
from uptake.schemas.records import Topic, topic_name, type_of
from uptake.schemas.topics import TopicDefinition, load_topics, value_of

PREFIX = "uptake."
PATH = ROOT / "asyncapi.json"
BROKERS = 3
DIALECT = "application/schema+json;version=draft-2020-12"

_REWRITE = "run: python -m uptake.schemas.asyncapi write"
_BINDING = "0.5.0"
_SENT_BY = {
    Topic.USAGE: "the gateway, `uptake import` and SDKs that write to Kafka themselves",
    Topic.FEEDBACK: "the gateway, `uptake import` and SDKs that write to Kafka themselves",
    Topic.COST: "the gateway, `uptake import` and SDKs that write to Kafka themselves",
    Topic.DEAD_LETTERS: "the gateway, `uptake import`, the workers and the audit",
    Topic.CONTROL: "the workers",
}
_READ_BY = {
    Topic.USAGE: "the workers, `uptake replay` and the audit",
    Topic.FEEDBACK: "the workers, `uptake replay` and the audit",
    Topic.COST: "the workers, `uptake replay` and the audit",
    Topic.DEAD_LETTERS: "the workers, which keep them in the database",
    Topic.CONTROL: "the scheduler",
}


def generate(prefix: str = PREFIX) -> dict[str, Any]:
    """The document, for an installation whose topics begin with `prefix`."""
    topics = load_topics()
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:uptake:log:v{SCHEMA_VERSION}",
        "info": {
            "title": "Uptake's log",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": (
                "Events of LLM apps on their way to the database, in Kafka. A record of events is a JSON array of "
                "events of one tenant and one type; its headers are CloudEvents 1.0 in binary mode. Records may come "
                "more than once and in any order: an event's id says which event it is. When it was received is the "
                "broker's time of the record."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{brokers}",
                "protocol": "kafka",
                "protocolVersion": "4.1",
                "description": "The brokers that UPTAKE_KAFKA names",
                "variables": {"brokers": {"default": "127.0.0.1:9092", "description": "host:port"}},
            }
        },
        "channels": {topic.value: _channel(definition, prefix) for topic, definition in topics.items()},
        "operations": {name: operation for topic in topics for name, operation in _operations(topic).items()},
        "components": {"messages": {topic.value: _message(d) for topic, d in topics.items()}},
    }


def _channel(definition: TopicDefinition, prefix: str) -> dict[str, Any]:
    topic = definition.topic
    name = topic_name(topic, prefix)
    return {
        "address": name,
        "title": name,
        "description": definition.purpose,
        "messages": {topic.value: {"$ref": f"#/components/messages/{topic.value}"}},
        "bindings": {
            "kafka": {
                "topic": name,
                "partitions": definition.partitions,
                "replicas": BROKERS,
                "topicConfiguration": _configuration(definition),
                "bindingVersion": _BINDING,
            }
        },
    }


def _configuration(definition: TopicDefinition) -> dict[str, Any]:
    """Kafka's settings in JSON's types: the binding wants numbers as numbers and policies as a list."""
    said = definition.configuration(BROKERS)
    plain = {name: value if not _is_json(value) else json.loads(value) for name, value in said.items()}
    return {**plain, "cleanup.policy": said["cleanup.policy"].split(",")}


def _is_json(value: str) -> bool:
    return value in ("true", "false") or value.lstrip("-").isdigit()


def _operations(topic: Topic) -> dict[str, Any]:
    name = "".join(part.capitalize() for part in topic.value.split("-"))
    common = {
        "channel": {"$ref": f"#/channels/{topic.value}"},
        "messages": [{"$ref": f"#/channels/{topic.value}/messages/{topic.value}"}],
    }
    return {
        f"append{name}": {"action": "send", "summary": f"By {_SENT_BY[topic]}", **common},
        f"read{name}": {"action": "receive", "summary": f"By {_READ_BY[topic]}", **common},
    }


def _message(definition: TopicDefinition) -> dict[str, Any]:
    topic = definition.topic
    return {
        "name": type_of(topic),
        "title": type_of(topic),
        "summary": definition.purpose,
        "contentType": "application/json",
        "headers": {"schemaFormat": DIALECT, "schema": definition.header_schema()},
        "payload": {"schemaFormat": DIALECT, "schema": definition.value_schema()},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"{definition.key}. {definition.key_reason}"},
                "bindingVersion": _BINDING,
            }
        },
        "examples": [
            {
                "name": example.name,
                "summary": example.summary,
                "headers": dict(example.headers),
                "payload": value_of(example),
            }
            for example in definition.examples
        ],
    }


def main(arguments: Sequence[str], path: Path = PATH) -> int:
    """0 done, 1 stale, 2 not a command."""
    text = text_of(generate())
    if list(arguments) == ["write"]:
        path.write_text(text, encoding="utf-8")
        return 0
    if list(arguments) != ["check"]:
        sys.stderr.write("usage: python -m uptake.schemas.asyncapi write|check\n")
        return 2
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{path.name} is not what schemas/topics/ says; {_REWRITE}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
