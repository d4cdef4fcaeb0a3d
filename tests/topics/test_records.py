"""What is written to the log is what is read from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.schemas.batch import MAX_BATCH_EVENTS, ClientReport, LogPosition, MalformedBatch
from uptake.schemas.records import (
    EVENT_TOPICS,
    MAX_RECORD_BYTES,
    Record,
    Topic,
    Unreadable,
    batch_of,
    control_record,
    event_records,
    letter_records,
    topic_name,
    topic_of,
    type_of,
)

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
APPENDED = AT + timedelta(seconds=3)
PLACE = LogPosition("uptake.usage", 3, 41)
REPORT = ClientReport("sdk-1", 120, 2)


def event(number: int, size: int = 0) -> tuple[str, bytes]:
    event_id = str(UUID(int=number))
    return event_id, json.dumps({"event_id": event_id, "app": "ä" * size}, ensure_ascii=False).encode()


def usage(count: int, size: int = 0) -> list[tuple[str, str, bytes]]:
    return [("usage", *event(number, size)) for number in range(count)]


def headers_of(record: Record) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def test_a_record_read_back_is_the_batch_that_was_written() -> None:
    (record,) = event_records("acme", usage(3), AT, "http", REPORT)
    batch = batch_of(record.value, record.headers, PLACE, APPENDED)
    assert (batch.tenant, batch.source, batch.client) == ("acme", "http", REPORT)
    assert (batch.received_at, batch.position) == (APPENDED, PLACE)
    assert json.loads(batch.body) == [json.loads(text) for _, _, text in usage(3)]


def test_headers_are_cloudevents_in_binary_mode() -> None:
    (record,) = event_records("acme", usage(1), AT, "sdk", REPORT)
    headers = headers_of(record)
    assert len(headers.pop("ce_id")) == 32
    assert headers == {
        "content-type": "application/json",
        "ce_specversion": "1.0",
        "ce_source": "/uptake/sdk",
        "ce_type": "uptake.usage.v1",
        "ce_time": "2026-11-20T09:30:00Z",
        "ce_tenant": "acme",
        "ce_via": "sdk",
        "ce_clientid": "sdk-1",
        "ce_accepted": "120",
        "ce_dropped": "2",
    }


def test_without_a_client_report_no_header_pretends_one() -> None:
    (record,) = event_records("acme", usage(1), AT, "http")
    assert not {"ce_clientid", "ce_accepted", "ce_dropped"} & headers_of(record).keys()
    assert batch_of(record.value, record.headers, PLACE, APPENDED).client is None


def test_each_type_has_its_topic_and_keeps_its_order() -> None:
    mixed = [(kind, *event(number)) for number, kind in enumerate(["cost", "usage", "feedback", "usage"])]
    records = event_records("acme", mixed, AT, "http")
    ids = {record.topic: [item["event_id"][-1] for item in json.loads(record.value)] for record in records}
    assert ids == {Topic.COST: ["0"], Topic.USAGE: ["1", "3"], Topic.FEEDBACK: ["2"]}


def test_the_key_is_the_tenant_and_the_first_event_so_that_a_retry_finds_its_partition() -> None:
    first = event_records("acme", usage(501), AT, "http")
    again = event_records("acme", usage(501), AT + timedelta(hours=1), "http")
    assert [record.key for record in first] == [
        f"acme/{UUID(int=0)}".encode(),
        f"acme/{UUID(int=500)}".encode(),
    ]
    assert [(r.key, r.value) for r in first] == [(r.key, r.value) for r in again]
    assert [headers_of(r)["ce_id"] for r in first] == [headers_of(r)["ce_id"] for r in again]


def test_what_differs_in_content_or_tenant_has_another_ce_id() -> None:
    batches = [("acme", usage(2)), ("acme", usage(3)), ("other", usage(2))]
    ids = {headers_of(event_records(who, what, AT, "http")[0])["ce_id"] for who, what in batches}
    assert len(ids) == 3


@given(
    sizes=st.lists(st.integers(0, 20_000), min_size=1, max_size=120),
    repeated=st.integers(1, 12),
)
def test_no_record_is_too_large_and_no_event_is_lost(sizes: list[int], repeated: int) -> None:
    events = [("usage", *event(number, size)) for number, size in enumerate(sizes * repeated)]
    records = event_records("acme", events, AT, "import")
    arrays = [json.loads(record.value) for record in records]
    assert all(len(record.value) <= MAX_RECORD_BYTES for record in records)
    assert all(0 < len(array) <= MAX_BATCH_EVENTS for array in arrays)
    assert [item for array in arrays for item in array] == [json.loads(text) for _, _, text in events]


def test_records_are_filled_before_the_next_one_begins() -> None:
    exact = ["x" * (MAX_RECORD_BYTES // 2 - 4)] * 4
    texts = [json.dumps(text).encode() for text in exact]
    records = letter_records("acme", [*texts[:2], b'""', *texts[2:]], AT, "http")
    assert [len(record.value) for record in records] == [MAX_RECORD_BYTES - 1, MAX_RECORD_BYTES // 2 + 3,
                                                        MAX_RECORD_BYTES // 2]  # fmt: skip


def test_an_item_that_no_record_can_hold_is_the_callers_error() -> None:
    with pytest.raises(ValueError, match="at most"):
        letter_records("acme", [b"x" * MAX_RECORD_BYTES], AT, "http")
    with pytest.raises(ValueError, match="no type of event"):
        event_records("acme", [("control", *event(1))], AT, "http")
    with pytest.raises(ValueError, match="zone"):
        event_records("acme", usage(1), AT.replace(tzinfo=None), "http")
    with pytest.raises(ValueError, match="names no source"):
        event_records("acme", usage(1), AT, "HTTP/1.1 from people@example.org")


def test_nothing_gives_no_record() -> None:
    assert event_records("acme", [], AT, "http") == []
    assert letter_records("acme", [], AT, "http") == []


def test_letters_stand_in_their_topic_under_their_own_content() -> None:
    lines = [b'{"reason":"invalid"}', b'{"reason":"future"}']
    (record,) = letter_records("acme", lines, AT, "worker")
    assert json.loads(record.value) == [json.loads(line) for line in lines]
    assert (record.topic, headers_of(record)["ce_type"]) == (Topic.DEAD_LETTERS, "uptake.dead-letters.v1")
    assert record.key == letter_records("acme", lines, APPENDED, "http")[0].key


def test_a_notice_is_an_object_with_the_tenant_it_is_about() -> None:
    record = control_record({"kind": "written", "tenant": "acme", "usage": 3}, AT, "worker")
    assert json.loads(record.value) == {"kind": "written", "tenant": "acme", "usage": 3}
    assert (record.topic, headers_of(record)["ce_tenant"]) == (Topic.CONTROL, "acme")
    assert "ce_tenant" not in headers_of(control_record({"kind": "started"}, AT, "worker"))


GOOD = dict(event_records("acme", usage(1), AT, "http", REPORT)[0].headers)
VALUE = b'[{"a":1}]'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ce_tenant": None}, "ce_tenant"),
        ({"ce_tenant": b""}, "ce_tenant"),
        ({"ce_tenant": b"\xff"}, "ce_tenant"),
        ({"ce_tenant": b"../Acme Ltd"}, "ce_tenant"),
        ({"ce_specversion": b"2.0"}, "ce_specversion"),
        ({"ce_specversion": None}, "ce_specversion"),
        ({"ce_type": b"uptake.usage.v2"}, "ce_type"),
        ({"ce_type": b"uptake.control.v1"}, "ce_type"),
        ({"ce_type": None}, "ce_type"),
    ],
)
def test_headers_that_cannot_be_trusted_make_a_record_unreadable(
    change: dict[str, bytes | None], said: str
) -> None:
    headers = {name: value for name, value in (GOOD | change).items() if value is not None}
    with pytest.raises(Unreadable, match=said) as refused:
        batch_of(VALUE, headers.items(), PLACE, APPENDED)
    kept = refused.value.batch
    assert (kept.body, kept.position, kept.received_at) == (VALUE, PLACE, APPENDED)
    assert kept.tenant == ("" if "ce_tenant" in change else "acme")
    assert isinstance(refused.value, MalformedBatch)


def test_two_tenants_on_one_record_are_none() -> None:
    with pytest.raises(Unreadable, match="once"):
        batch_of(VALUE, [*GOOD.items(), ("ce_tenant", b"other")], PLACE, APPENDED)


def test_a_record_without_value_is_unreadable() -> None:
    with pytest.raises(Unreadable, match="no value") as refused:
        batch_of(None, GOOD.items(), PLACE, APPENDED)
    assert refused.value.batch.body == b""


def test_what_is_refused_is_never_said_aloud() -> None:
    with pytest.raises(Unreadable) as refused:
        batch_of(VALUE, (GOOD | {"ce_tenant": b"anna@example.org"}).items(), PLACE, APPENDED)
    assert "anna" not in f"{refused.value}{refused.value.batch!r}"


@pytest.mark.parametrize(
    "change",
    [{"ce_accepted": b"-1"}, {"ce_dropped": b"many"}, {"ce_clientid": b"a b"}, {"ce_clientid": b"\xff"}],
)
def test_an_unusable_client_report_costs_no_event(change: dict[str, bytes]) -> None:
    assert batch_of(VALUE, (GOOD | change).items(), PLACE, APPENDED).client is None


@pytest.mark.parametrize("via", [None, b"\xff", b"Someone Else", b"x" * 40])
def test_who_does_not_say_how_it_came_came_through_kafka(via: bytes | None) -> None:
    headers = {name: value for name, value in (GOOD | {"ce_via": via}).items() if value is not None}
    assert batch_of(VALUE, headers.items(), PLACE, APPENDED).source == "kafka"


def test_headers_of_others_are_ignored() -> None:
    foreign = [("traceparent", b"\xff\xfe"), ("ce_partitionkey", b"7")]
    assert batch_of(VALUE, [*GOOD.items(), *foreign], PLACE, APPENDED).tenant == "acme"


@pytest.mark.parametrize("topic", list(Topic))
def test_a_topics_name_leads_back_to_it(topic: Topic) -> None:
    assert topic_name(topic, "uptake.") == f"uptake.{topic}"
    assert topic_of(topic_name(topic, "staging-"), "staging-") is topic
    assert type_of(topic) == f"uptake.{topic}.v1"


@pytest.mark.parametrize("name", ["usage", "uptake.", "uptake.usages", "other.usage", "xuptake.usage"])
def test_a_name_that_is_none_of_ours_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no topic of an installation"):
        topic_of(name, "uptake.")


def test_event_topics_are_those_of_the_three_types() -> None:
    assert [topic.value for topic in EVENT_TOPICS] == ["usage", "feedback", "cost"]
