"""Records of the log: batches of events, dead letters and notices as Kafka carries them.

Standard library only: the SDK writes records from inside somebody's app. A record of events holds a JSON array of
events of one tenant and one kind. What a reader must know before it looks inside stands in the headers, which are
CloudEvents 1.0 in binary mode (`ce_…`) with three extensions: `ce_tenant`, `ce_via` (what brought the batch in) and,
where a client said something of itself, `ce_clientid`, `ce_accepted` and `ce_dropped`. The topics themselves are in
`schemas/topics/`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

from uptake.schemas.batch import (
    MAX_BATCH_EVENTS,
    Batch,
    ClientReport,
    LogPosition,
    MalformedBatch,
    UnreadableRecord,
)

MAX_RECORD_BYTES = 900 * 1024
"""Most bytes of a record's value. With key and headers it stays under Kafka's usual mebibyte."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Topic(StrEnum):
    """The kinds of topics; their names have the installation's prefix before it."""

    USAGE = "usage"
    FEEDBACK = "feedback"
    COST = "cost"
    DEAD_LETTERS = "dead-letters"
    CONTROL = "control"


EVENT_TOPICS = (Topic.USAGE, Topic.FEEDBACK, Topic.COST)

CONTENT_TYPE = b"application/json"
SPEC_VERSION = b"1.0"

_VIA_UNKNOWN = "kafka"
_VIA = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_TENANT = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_COUNT = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Record:
    """What is appended to a topic. `key` decides the partition."""

    topic: Topic
    key: bytes
    value: bytes = field(repr=False)
    headers: tuple[tuple[str, bytes], ...]


class Unreadable(MalformedBatch):
    """The record cannot be read as a batch of events. `batch` is what is known of it, for the dead letters: its
    tenant is '' where the record does not say a usable one."""

    def __init__(self, message: str, batch: Batch) -> None:
        super().__init__(message)
        self.batch = UnreadableRecord.of(batch, message)


def topic_name(topic: Topic, prefix: str) -> str:
    return f"{prefix}{topic.value}"


def topic_of(name: str, prefix: str) -> Topic:
    """The kind of the topic called `name`. Raises ValueError where it is none of ours."""
    if name.startswith(prefix):
        try:
            return Topic(name[len(prefix) :])
        except ValueError:
            pass
    raise ValueError(f"{name!r} is no topic of an installation whose topics begin with {prefix!r}")


def type_of(topic: Topic) -> str:
    """The CloudEvents type of the topic's records. A change of meaning is a new version."""
    return f"uptake.{topic.value}.v1"


def event_records(
    tenant: str,
    events: Iterable[tuple[str, str, bytes]],
    at: datetime,
    source: str,
    client: ClientReport | None = None,
) -> list[Record]:
    """Events, each as (type, event id, its JSON), as records: by type, in their order, cut where 500 events or
    MAX_RECORD_BYTES are reached. The same events give the same records, so what is sent again lands in the same
    partitions. `at` is zone-aware, `source` says what brought them in. Raises ValueError for a type that is none,
    and for one event that alone is too large: whoever calls has judged the events before.
    """
    by_type: dict[Topic, list[tuple[str, bytes]]] = {}
    for kind, event_id, text in events:
        by_type.setdefault(_event_topic(kind), []).append((event_id, text))
    records = []
    for topic, own in by_type.items():
        for ids, value in _arrays(own):
            headers = _headers(topic, tenant, value, at, source) + _report_headers(client)
            records.append(Record(topic, f"{tenant}/{ids}".encode(), value, headers))
    return records


def letter_records(tenant: str, lines: Sequence[bytes], at: datetime, source: str) -> list[Record]:
    """Dead letters, each one JSON object as bytes (of schemas.letters), as records of JSON arrays. Raises
    ValueError for a letter that alone is too large."""
    topic = Topic.DEAD_LETTERS
    return [
        Record(topic, f"{tenant}/{name}".encode(), value, _headers(topic, tenant, value, at, source))
        for name, value in _arrays([(_digest(line), line) for line in lines])
    ]


def control_record(notice: Mapping[str, object], at: datetime, source: str) -> Record:
    """A notice of a process to the others: a JSON object with its `kind`, and where it is about one, its `tenant`."""
    topic = Topic.CONTROL
    tenant = str(notice.get("tenant", ""))
    value = json.dumps(notice, separators=(",", ":"), ensure_ascii=False).encode()
    key = f"{tenant}/{notice['kind']}".encode()
    return Record(topic, key, value, _headers(topic, tenant, value, at, source))


def batch_of(
    value: bytes | None, headers: Iterable[tuple[str, bytes]], position: LogPosition, appended_at: datetime
) -> Batch:
    """A record of an event topic as the batch that it is. `appended_at` is the broker's own time of the record
    (zone-aware): the same at each re-read, and no producer's to choose.

    Raises Unreadable: no value, or headers that are missing, damaged or of a version that this server does not know.
    An unusable client report is no reason to lose a good batch: it is left out, as the gateway does.
    """
    said = list(headers)
    named = {name: _text(raw) for name, raw in said if name.startswith("ce_")}
    tenant = named.get("ce_tenant") or ""
    usable = _TENANT.fullmatch(tenant) is not None
    via = named.get("ce_via") or ""
    batch = Batch(
        tenant if usable else "",
        value or b"",
        appended_at,
        via if _VIA.fullmatch(via) else _VIA_UNKNOWN,
        _client_report(named),
        position,
    )
    if problem := _problem(value, named, usable, sum(name == "ce_tenant" for name, _ in said)):
        raise Unreadable(problem, batch)
    return batch


def _problem(value: bytes | None, named: Mapping[str, str | None], tenant_usable: bool, tenants: int) -> str:
    if value is None:
        return "the record has no value"
    if tenants != 1 or not tenant_usable:
        return "the header ce_tenant must name one tenant, once"
    if named.get("ce_specversion") != SPEC_VERSION.decode():
        return "the header ce_specversion must be 1.0"
    known = [type_of(topic) for topic in EVENT_TOPICS]
    if named.get("ce_type") not in known:
        return f"the header ce_type must be one of {', '.join(known)}"
    return ""


def _event_topic(kind: str) -> Topic:
    topic = Topic(kind)
    if topic not in EVENT_TOPICS:
        raise ValueError(f"{kind!r} is no type of event")
    return topic


def _arrays(items: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """(id of the first item, JSON array) of as many items as fit, again and again."""
    first, texts, size = "", list[bytes](), 2
    for name, text in items:
        if len(text) + 2 > MAX_RECORD_BYTES:
            raise ValueError(
                f"one item of a record has at most {MAX_RECORD_BYTES - 2} bytes, not {len(text)}"
            )
        if texts and (len(texts) == MAX_BATCH_EVENTS or size + 1 + len(text) > MAX_RECORD_BYTES):
            yield first, b"[" + b",".join(texts) + b"]"
            texts, size = [], 2
        first = first if texts else name
        size += len(text) + (1 if texts else 0)
        texts.append(text)
    if texts:
        yield first, b"[" + b",".join(texts) + b"]"


def _headers(
    topic: Topic, tenant: str, value: bytes, at: datetime, source: str
) -> tuple[tuple[str, bytes], ...]:
    if at.tzinfo is None:
        raise ValueError("the time of a record has a zone")
    if not _VIA.fullmatch(source):
        raise ValueError(f"{source!r} names no source: write it in small letters, at most 32")
    about = (("ce_tenant", tenant.encode()),) if tenant else ()
    return (
        ("content-type", CONTENT_TYPE),
        ("ce_specversion", SPEC_VERSION),
        # By CloudEvents, source and id together name one content: said again it is a repetition.
        ("ce_id", _digest(topic.encode(), tenant.encode(), value).encode()),
        ("ce_source", f"/uptake/{source}".encode()),
        ("ce_type", type_of(topic).encode()),
        ("ce_time", at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        *about,
        ("ce_via", source.encode()),
    )


def _report_headers(client: ClientReport | None) -> tuple[tuple[str, bytes], ...]:
    if client is None:
        return ()
    return (
        ("ce_clientid", client.client_id.encode()),
        ("ce_accepted", str(client.accepted).encode()),
        ("ce_dropped", str(client.dropped).encode()),
    )


def _client_report(named: Mapping[str, str | None]) -> ClientReport | None:
    client_id, accepted, dropped = (
        named.get(f"ce_{name}") or "" for name in ("clientid", "accepted", "dropped")
    )
    if _CLIENT_ID.fullmatch(client_id) and _COUNT.fullmatch(accepted) and _COUNT.fullmatch(dropped):
        return ClientReport(client_id, int(accepted), int(dropped))
    return None


def _text(raw: bytes | None) -> str | None:
    try:
        return raw.decode() if raw is not None else None
    except UnicodeDecodeError:
        return None


def _digest(*parts: bytes) -> str:
    return blake2b(b"\x1f".join(parts), digest_size=16).hexdigest()


def read_record(
    value: bytes | None, headers: Iterable[tuple[str, bytes]], position: LogPosition, appended_ms: int
) -> Batch:
    """As `batch_of`, with the broker's time in Unix milliseconds; a record that is no batch is an UnreadableRecord."""
    try:
        return batch_of(value, headers, position, _EPOCH + timedelta(milliseconds=appended_ms))
    except Unreadable as unreadable:
        return unreadable.batch
