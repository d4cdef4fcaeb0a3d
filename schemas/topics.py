"""Topics as data: one file a topic in `schemas/topics/`, read and checked here, and used by everything else.

What makes a topic (`uptake topics`), what describes it to others (`schemas.asyncapi`) and what tests hold records to
is the same file. A setting that would break a promise is refused here, with the file and the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from uptake.schemas.batch import MAX_BATCH_EVENTS
from uptake.schemas.records import MAX_RECORD_BYTES, Topic, type_of

HEADROOM = 64 * 1024
"""What key, headers and Kafka's own framing may take beside a record's value."""

JsonSchema = Mapping[str, Any]
Words = Annotated[str, Field(min_length=1)]
Span = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,3}[hd]$")]

_HOURS = {"h": 1, "d": 24}
_SCHEMA_FILE = re.compile(r"v[0-9]+/[a-z]+\.schema\.json")


class InvalidTopic(ValueError):  # noqa: N818 - named for what it is
    """A file of `schemas/topics/` that cannot be used. The message names it and each reason, one a line."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class TopicSettings(_Said):
    """Kafka's settings of a topic, by Kafka's names. Only what keeps the promises can be written at all."""

    cleanup_policy: Literal["delete"] = Field(alias="cleanup.policy")
    """Compaction would keep one record a key, and a key names only a record's first event."""
    timestamp_type: Literal["LogAppendTime"] = Field(alias="message.timestamp.type")
    """With a sender's time, retention would delete what is old by that time right after it was accepted."""
    retention_bytes: Literal[-1] = Field(alias="retention.bytes")
    """A limit of size would delete what nobody has read yet, when most of it comes at once."""
    max_message_bytes: Annotated[int, Field(ge=MAX_RECORD_BYTES + HEADROOM)] = Field(
        alias="max.message.bytes"
    )
    compression: Literal["gzip", "uncompressed"] = Field(alias="compression.type")
    """The worker's client reads only these two without further libraries. `producer` would hand it any."""
    gzip_level: Annotated[int, Field(ge=1, le=9)] = Field(alias="compression.gzip.level")
    unclean_election: Literal[False] = Field(alias="unclean.leader.election.enable")
    """A replica that lags must not become the one that is right."""


class Example(_Said):
    """A record that could stand in the topic: its value, or the examples of events that it holds, by name."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    summary: Words
    headers: Mapping[str, str]
    events: tuple[str, ...] = ()
    value: Any = None

    @model_validator(mode="after")
    def _holds_one(self) -> Example:
        if bool(self.events) == (self.value is not None):
            raise ValueError("an example has either events or a value")
        return self


class HeaderNames(_Said):
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


class TopicDefinition(_Said):
    """One topic. `in_sync` says how many of its replicas must hold a record before it is acknowledged."""

    topic: Topic
    purpose: Words
    partitions: Annotated[int, Field(ge=1, le=1000)]
    retention: Span
    segment: Span
    in_sync: Literal["majority", "one"]
    settings: TopicSettings
    key: Words
    key_reason: Words
    headers: HeaderNames
    value: Literal["array", "object"]
    schema_: str | JsonSchema = Field(alias="schema")
    examples: Annotated[tuple[Example, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> TopicDefinition:
        known = header_schemas()
        names = (*self.headers.required, *self.headers.optional)
        if unknown := [name for name in names if name not in known]:
            raise ValueError(f"headers.yaml does not explain {', '.join(unknown)}")
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"said twice: {', '.join(repeated)}")
        if isinstance(self.schema_, str) and not _SCHEMA_FILE.fullmatch(self.schema_):
            raise ValueError("schema is an object, or a file like v1/usage.schema.json")
        if milliseconds(self.segment) > milliseconds(self.retention):
            raise ValueError("segment is longer than retention, which deletes whole segments only")
        return self

    def min_in_sync(self, replication: int) -> int:
        """How many replicas must hold a record before it is acknowledged. With a majority, whichever broker is lost
        first, one that has it is left; with two replicas that is both, so nothing is accepted while one is away."""
        return replication // 2 + 1 if self.in_sync == "majority" else 1

    def configuration(self, replication: int) -> dict[str, str]:
        """All settings that the topic is given, as Kafka writes them."""
        said = self.settings.model_dump(by_alias=True)
        return {
            **{
                name: str(value).lower() if isinstance(value, bool) else str(value)
                for name, value in said.items()
            },
            "retention.ms": str(milliseconds(self.retention)),
            "segment.ms": str(milliseconds(self.segment)),
            "min.insync.replicas": str(self.min_in_sync(replication)),
        }

    def header_schema(self) -> dict[str, Any]:
        """JSON Schema of the record's headers, taken as an object of texts."""
        known = header_schemas()
        names = (*self.headers.required, *self.headers.optional)
        properties = {name: dict(known[name]) for name in names}
        properties["ce_type"]["const"] = type_of(self.topic)
        return {"type": "object", "required": list(self.headers.required), "properties": properties}

    def value_schema(self) -> dict[str, Any]:
        """JSON Schema of the record's value; a schema of events is referred to as a file beside `asyncapi.json`."""
        item = {"$ref": self.schema_} if isinstance(self.schema_, str) else dict(self.schema_)
        if self.value == "object":
            return item
        return {"type": "array", "minItems": 1, "maxItems": MAX_BATCH_EVENTS, "items": item}


def milliseconds(span: str) -> int:
    """Of ``7d`` or ``1h``."""
    return int(span[:-1]) * _HOURS[span[-1]] * 3_600_000


def value_of(example: Example) -> Any:
    """What the example's record holds. Events are those of `schemas/examples/`."""
    folder = files("uptake.schemas") / "examples"
    read = [json.loads((folder / f"{name}.json").read_text("utf-8")) for name in example.events]
    return read or example.value


def read_definition(file: Traversable) -> TopicDefinition:
    """A topic from its file, whose name is the topic's. Raises InvalidTopic."""
    try:
        definition = TopicDefinition.model_validate(yaml.safe_load(file.read_text("utf-8")))
    except yaml.YAMLError as error:
        raise InvalidTopic(f"topics/{file.name}: {error}") from None
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines = (f"topics/{file.name}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found)
        raise InvalidTopic("\n".join(lines).replace(": : ", ": ")) from None
    if file.name != f"{definition.topic}.yaml":
        raise InvalidTopic(
            f"topics/{file.name}: holds the topic {definition.topic}, so call it {definition.topic}.yaml"
        )
    return definition


def read_definitions(folder: Traversable) -> Mapping[Topic, TopicDefinition]:
    """All topics of a folder, in the order of `Topic`. Raises InvalidTopic, also where one has no file."""
    found = {d.topic: d for d in (read_definition(f) for f in folder.iterdir() if f.name.endswith(".yaml"))}
    if missing := [topic for topic in Topic if topic not in found]:
        raise InvalidTopic(f"topics/{missing[0]}.yaml is missing: each topic has a file")
    return {topic: found[topic] for topic in Topic}


@cache
def load_topics() -> Mapping[Topic, TopicDefinition]:
    """The topics of this version of Uptake."""
    return read_definitions(files("uptake.schemas") / "topics")


@cache
def header_schemas() -> Mapping[str, JsonSchema]:
    """JSON Schema of each header that records may have, by name."""
    said: dict[str, JsonSchema] = yaml.safe_load(
        (files("uptake.schemas") / "headers.yaml").read_text("utf-8")
    )
    return said
