"""What the log gets of a batch, and what the sender is answered once it has it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from uptake.ingest.log.assemble import assemble
from uptake.schemas.batch import ClientReport, MalformedBatch, RejectionReason
from uptake.schemas.records import MAX_RECORD_BYTES, Topic


def test_good_events_go_to_the_topic_of_their_kind_as_they_were_written(
    make_batch: Any, make_event: Any
) -> None:
    usage = make_event(colour="of a newer SDK", tags={"a": "ü"})
    cost, thumb = make_event("cost"), make_event("feedback")
    made = assemble(make_batch(usage, cost, thumb, usage | {"event_id": make_event()["event_id"]}))
    by_topic = {record.topic: json.loads(record.value) for record in made.records}
    assert list(by_topic) == [Topic.USAGE, Topic.COST, Topic.FEEDBACK]
    assert by_topic[Topic.COST] == [cost]
    assert by_topic[Topic.FEEDBACK] == [thumb]
    assert by_topic[Topic.USAGE][0] == usage
    assert (made.receipt.accepted, made.receipt.duplicates) == (4, 0)
    assert made.receipt.unknown_fields == {"colour": 2}


def test_a_refused_event_becomes_a_dead_letter_and_stops_no_good_one(
    make_batch: Any, make_event: Any
) -> None:
    bad = make_event(input_tokens=-1)
    made = assemble(make_batch(make_event(), bad, {"type": "rumour"}))
    usage, letters = made.records
    assert (usage.topic, letters.topic) == (Topic.USAGE, Topic.DEAD_LETTERS)
    told = json.loads(letters.value)
    assert [letter["reason"] for letter in told] == ["invalid", "unknown_type"]
    assert json.loads(told[0]["payload"]) == bad
    assert made.receipt.accepted == 1
    assert [one.reason for one in made.receipt.rejections] == [
        RejectionReason.INVALID,
        RejectionReason.UNKNOWN_TYPE,
    ]


def test_a_body_of_which_nothing_can_be_read_is_malformed_as_without_a_log(make_batch: Any) -> None:
    with pytest.raises(MalformedBatch):
        assemble(make_batch(body=b'{"a": 1}'))


@pytest.mark.parametrize("wrap", ['{"note": [1], "events": %s}', " \n%s ", '{"events": [], "events": %s}'])
def test_the_form_of_the_body_does_not_change_the_records(
    wrap: str, make_batch: Any, make_event: Any
) -> None:
    events = [make_event(), make_event()]
    plain = assemble(make_batch(*events))
    wrapped = assemble(make_batch(body=(wrap % json.dumps(events)).encode()))
    assert [record.value for record in wrapped.records] == [record.value for record in plain.records]


def test_what_only_the_contract_reads_is_written_all_the_same(make_batch: Any, make_event: Any) -> None:
    body = json.dumps([make_event(odd=float("nan"))]).encode()
    (record,) = assemble(make_batch(body=body)).records
    assert record.value == body


def test_a_huge_body_is_cut_into_records_below_the_limit(make_batch: Any, make_event: Any) -> None:
    events = [make_event(odd="x" * 30_000) for _ in range(500)]
    made = assemble(make_batch(*events))
    assert len(made.records) > 10
    assert all(len(record.value) <= MAX_RECORD_BYTES for record in made.records)
    assert [one for record in made.records for one in json.loads(record.value)] == events
    assert made.receipt.accepted == 500


def test_the_same_batch_again_gives_the_same_records_in_the_same_partitions(
    make_batch: Any, make_event: Any
) -> None:
    batch = make_batch(make_event(), make_event(), make_event(input_tokens=-1))
    first, second = assemble(batch).records, assemble(batch).records
    assert [(record.key, record.value) for record in first] == [
        (record.key, record.value) for record in second
    ]
    assert first[0].key != assemble(make_batch(make_event())).records[0].key


def test_what_a_client_says_of_itself_travels_with_its_events(make_batch: Any, make_event: Any) -> None:
    (record,) = assemble(make_batch(make_event(), client=ClientReport("c1", 7, 2))).records
    assert dict(record.headers) | {"ce_clientid": b"c1", "ce_accepted": b"7", "ce_dropped": b"2"} == dict(
        record.headers
    )
    assert dict(record.headers)["ce_tenant"] == b"acme"


def test_a_batch_without_events_needs_no_log(make_batch: Any) -> None:
    made = assemble(make_batch(body=b"[]"))
    assert (made.records, made.receipt.accepted) == ([], 0)
