"""What is planted is found, said, and healed; what is right stays as it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from uptake import kafka as clients
from uptake.distributed.audit_log import Place
from uptake.distributed.audit_mark import remembered
from uptake.distributed.audit_report import AuditReport, Cause
from uptake.distributed.audit_store import AuditStore, oldest
from uptake.errors import UnavailableError
from uptake.local.kafka import KafkaNode
from uptake.processors.audit import Span
from uptake.schemas.records import event_records


def found(report: AuditReport) -> list[tuple[Cause, int, int, bool]]:
    return [(hole.cause, hole.first, hole.after, hole.healed) for hole in report.holes]


def test_what_was_processed_and_committed_is_no_hole(world: Any) -> None:
    for number in range(3):
        world.append(world.events(4, f"r{number}-"))
    world.work(0, 3)
    report = world.audit.look(world.now)
    assert (report.ok, report.checked, report.compared) == (True, 3, 3)
    assert report.lag == {world.usage: 0, f"{world.settings.topic_prefix}feedback": 0,
                          f"{world.settings.topic_prefix}cost": 0}  # fmt: skip


def test_what_is_processed_and_not_yet_committed_is_in_flight_and_no_hole(world: Any) -> None:
    world.append(world.events(2))
    world.append(world.events(2, "later"))
    world.work(0, 1)
    world.pipeline().process(world.read(1, 2))
    world.append(world.events(2, "unread"))
    report = world.audit.look(world.now)
    assert report.ok
    assert report.checked == 1
    assert report.lag[world.usage] == 2


def test_a_commit_past_a_record_that_nobody_processed_is_found_and_healed(world: Any) -> None:
    for number in range(4):
        world.append(world.events(5, f"r{number}-"))
    world.work(0, 1)
    world.pipeline().process(world.read(3, 4))
    world.commit(4)
    report = world.audit.look(world.now)
    assert found(report) == [(Cause.UNPROCESSED, 1, 3, True)]
    assert report.restored == 10
    assert len(world.rows()) == 20
    assert [world.records()[offset]["settled"] for offset in range(4)] == [0, 0, 0, 0]
    assert world.audit.look(world.now).ok


def test_rows_of_log_records_that_are_gone_are_written_again_and_no_event_is_doubled(world: Any) -> None:
    world.append(world.events(5))
    world.work(0, 1)
    world.delete_record_row(0)
    report = world.audit.look(world.now)
    assert found(report) == [(Cause.UNPROCESSED, 0, 1, True)]
    assert report.restored == 0
    assert len(world.rows()) == 5
    assert [world.records()[0][count] for count in ("accepted", "duplicates")] == [5, 0], "they are its own"


def test_events_are_compared_also_where_the_first_attempt_was_cut_before_it_was_noted(world: Any) -> None:
    world.append(world.events(5))
    world.work(0, 1)
    world.delete_record_row(0)
    world.work(0, 1)
    world.delete_events(0, 2)
    report = world.audit.look(world.now)
    assert found(report) == [(Cause.SHORT, 0, 1, True)]
    assert report.restored == 2
    assert len(world.rows()) == 5


def test_events_that_the_store_lost_are_found_and_restored_as_they_were(world: Any) -> None:
    world.append(world.events(5))
    world.append(world.events(3, "more"))
    world.work(0, 2)
    before = {row["event_id"]: row for row in world.rows()}
    world.delete_events(0, 2)
    assert len(world.rows()) == 6
    report = world.audit.look(world.now)
    assert found(report) == [(Cause.SHORT, 0, 1, True)]
    assert (report.restored, report.quarantined) == (2, 0)
    after = {row["event_id"]: row for row in world.rows()}
    ignored = {"inserted_at"}
    assert {k: {n: v for n, v in row.items() if n not in ignored} for k, row in after.items()} == {
        k: {n: v for n, v in row.items() if n not in ignored} for k, row in before.items()
    }
    assert world.audit.look(world.now).ok


def test_what_was_restored_once_is_compared_again_and_restored_again(world: Any) -> None:
    world.append(world.events(5))
    world.work(0, 1)
    for _ in range(2):
        world.delete_events(0, 2)
        assert len(world.rows()) == 3
        assert world.audit.look(world.now).restored == 2
        assert len(world.rows()) == 5
    assert world.audit.look(world.now).ok


def test_lost_events_of_a_tenant_without_a_workspace_here_stay_holes_and_become_no_letters(
    world: Any,
) -> None:
    world.append(world.events(3))
    world.work(0, 1)
    world.delete_events(0, 2)
    here = dict(world.workspaces)
    world.workspaces.clear()
    report = world.audit.look(world.now)
    assert found(report) == [(Cause.SHORT, 0, 1, False)]
    assert (report.strangers, report.settled, report.document()["strangers"]) == (1, 0, 1)
    assert world.rows("dead_letters") == []
    world.workspaces.update(here)
    assert found(world.audit.look(world.now)) == [(Cause.SHORT, 0, 1, True)]


def test_the_same_new_event_written_by_two_workers_at_once_counts_once_and_is_no_hole(world: Any) -> None:
    same = world.events(3)
    world.append(same)
    world.append(same, partition=1)
    race(world)
    report = world.audit.look(world.now)
    assert report.ok
    assert report.settled == 1
    assert len(world.rows()) == 3
    assert world.rows("dead_letters") == []
    again = world.audit.look(world.now)
    assert (again.ok, again.settled) == (True, 0)


def test_other_content_under_the_same_new_id_written_at_once_is_quarantined(world: Any) -> None:
    world.append([world.event("same", output_tokens=100), world.event("a")])
    world.append([world.event("same", output_tokens=999), world.event("b")], partition=1)
    race(world)
    report = world.audit.look(world.now)
    [hole] = report.holes
    assert (hole.cause, hole.healed, hole.restored, hole.quarantined) == (Cause.SHORT, True, 0, 1)
    assert len(world.rows()) == 3
    [letter] = world.rows("dead_letters")
    assert letter["reason"] == "conflict"
    # Both contents are kept: one counts, the other is the letter.
    [counts] = [row for row in world.rows() if str(UUID(int=row["event_id"])) == letter["event_id"]]
    quarantined = json.loads(letter["payload"])["output_tokens"]
    assert {counts["output_visible_tokens"], quarantined} == {100, 999}
    assert {counts["log_partition"], letter["log_partition"]} == {0, 1}
    assert world.audit.look(world.now).ok


@pytest.mark.usefixtures("apart")
def test_of_two_contents_with_the_same_version_the_one_that_counts_keeps_counting(world: Any) -> None:
    """Two records that the broker took in the same millisecond: nothing but chance decides, but only once."""
    world.append([world.event("same", output_tokens=100)])
    world.append([world.event("same", output_tokens=999)], partition=1)
    race(world, same_time=True)
    [before] = world.rows()
    report = world.audit.look(world.now)
    assert report.quarantined == 1
    [after] = world.rows()
    assert after["output_visible_tokens"] == before["output_visible_tokens"]
    assert after["ver"] == before["ver"] + 1
    [letter] = world.rows("dead_letters")
    assert json.loads(letter["payload"])["output_tokens"] != after["output_visible_tokens"]


def test_a_tie_that_a_merge_has_decided_stays_as_it_is(world: Any) -> None:
    world.append([world.event("same", output_tokens=100)])
    world.append([world.event("same", output_tokens=999)], partition=1)
    race(world, same_time=True)
    world.database.command("OPTIMIZE TABLE usage FINAL")
    before = world.rows()
    assert world.audit.look(world.now).quarantined == 1
    assert world.rows() == before
    [letter] = world.rows("dead_letters")
    assert json.loads(letter["payload"])["output_tokens"] != before[0]["output_visible_tokens"]


@pytest.mark.usefixtures("apart")
def test_a_tie_is_looked_for_among_rows_that_are_not_older_than_their_record(world: Any) -> None:
    world.append([world.event("same", output_tokens=100)])
    world.append([world.event("same", output_tokens=999)], partition=1)
    race(world, same_time=True)
    [before] = world.rows()
    place, store = Place(world.usage, 0), AuditStore(world.database)
    store.break_ties(place, [0], before["inserted_at"] + timedelta(hours=1))
    assert world.rows() == [before]
    store.break_ties(place, [0], oldest(store.expected(place, Span(0, 1)).values()))
    assert [row["ver"] for row in world.rows()] == [before["ver"] + 1]


def test_a_race_is_found_among_what_is_new_too(world: Any) -> None:
    """The every-minute look, which first compares what was inserted of late and then looks closer."""
    assert world.audit.look(world.now).ok
    world.append([world.event("same", output_tokens=100), world.event("a")])
    world.append([world.event("same", output_tokens=999), world.event("b")], partition=1)
    race(world)
    report = world.audit.look(world.now + timedelta(seconds=45))
    assert (report.checked, report.compared, report.quarantined) == (2, 2, 1)


def test_a_write_over_what_was_verified_minutes_ago_is_found(world: Any) -> None:
    """A worker that asked what is known, stood still for minutes, and then wrote."""
    world.append([world.event("same", output_tokens=100)])
    world.append([world.event("same", output_tokens=999)], partition=1)
    slow = world.pipeline()
    taken = slow.prepare(world.read(0, 1, partition=1))
    slow._identify(taken.jobs)
    world.work(0, 1)
    assert world.audit.look(world.now).ok
    later = world.now + timedelta(minutes=9)
    assert world.audit.look(later).ok
    slow._write(taken, [])
    world.commit(1, partition=1)
    assert world.audit.look(later + timedelta(seconds=45)).quarantined == 1


def race(world: Any, same_time: bool = False) -> None:
    """Two workers, each of which asked what is known before the other wrote."""
    first, second = world.pipeline(), world.pipeline()
    [ours], [theirs] = world.read(0, 1), world.read(0, 1, partition=1)
    if same_time:
        theirs = replace(theirs, received_at=ours.received_at)
    one, two = first.prepare([ours]), second.prepare([theirs])
    first._identify(one.jobs)
    second._identify(two.jobs)
    first._write(one, [])
    second._write(two, [])
    world.commit(1)
    world.commit(1, partition=1)


def test_without_healing_a_hole_is_said_and_stays(world: Any) -> None:
    world.append(world.events(2))
    world.append(world.events(3, "more"))
    world.work(1, 2)
    world.delete_events(1, 1)
    for _ in range(2):
        report = world.audit.look(world.now, heal=False)
        assert found(report) == [(Cause.UNPROCESSED, 0, 1, False), (Cause.SHORT, 1, 2, False)]
    assert len(world.rows()) == 2
    assert world.audit.look(world.now).unhealed == 0
    assert len(world.rows()) == 5


def test_records_that_retention_deleted_before_anybody_read_them_are_lost_and_said_once(world: Any) -> None:
    for number in range(5):
        world.append(world.events(1, f"r{number}-"))
    world.work(0, 1)
    assert world.audit.look(world.now).ok
    world.forget_below(3)
    report = world.audit.look(world.now)
    assert found(report) == [(Cause.LOST, 1, 3, False)]
    assert (report.lost, report.unhealed) == (2, 0)
    world.work(3, 5)
    assert world.audit.look(world.now + timedelta(seconds=45)).ok
    memory, _ = remembered(world.state)
    assert (memory.lost, memory.lost_at) == (2, world.now)


def test_a_malformed_record_is_processed_and_no_hole(world: Any) -> None:
    world.append_raw(b"\xff\xff no batch")
    world.append(world.events(1))
    world.work(0, 2)
    assert world.audit.look(world.now).ok
    assert world.records()[0]["malformed"] == 1


def test_a_malformed_record_that_nobody_processed_is_healed_by_a_dead_letter(world: Any) -> None:
    world.append_raw(b"\xff\xff no batch")
    world.commit(1)
    assert found(world.audit.look(world.now)) == [(Cause.UNPROCESSED, 0, 1, True)]
    assert world.records()[0]["malformed"] == 1


def test_what_was_verified_is_not_asked_again(world: Any) -> None:
    world.append(world.events(2))
    world.work(0, 1)
    assert world.audit.look(world.now).checked == 1
    assert world.audit.look(world.now + timedelta(seconds=45)).checked == 0
    later = world.audit.look(world.now + timedelta(minutes=30))
    assert (later.checked, later.compared) == (0, 0)


def test_rows_that_are_lost_after_they_were_verified_are_found_while_content_is_compared(world: Any) -> None:
    world.append(world.events(4))
    world.work(0, 1)
    assert world.audit.look(world.now).ok
    world.delete_events(0, 1)
    report = world.audit.look(world.now + timedelta(minutes=5))
    assert found(report) == [(Cause.SHORT, 0, 1, True)]
    assert report.restored == 1


def test_after_the_database_was_started_again_the_last_hour_is_looked_at_once_more(world: Any) -> None:
    world.append(world.events(4))
    world.work(0, 1)
    assert world.audit.look(world.now).ok
    soon = world.now + timedelta(minutes=40)
    world.delete_record_row(0)
    world.delete_events(0, 3)
    assert world.audit.look(soon).ok  # nobody looks that far back every minute
    memory, at = remembered(world.state)
    memory.server_started_at -= timedelta(hours=1)
    memory.save(world.state, at)
    report = world.audit.look(soon + timedelta(minutes=1))
    assert report.restarted
    assert found(report) == [(Cause.UNPROCESSED, 0, 1, True)]
    assert len(world.rows()) == 4
    assert not world.audit.look(soon + timedelta(minutes=2)).restarted


def test_everything_looks_as_far_back_as_the_log_reaches(world: Any) -> None:
    world.append(world.events(4))
    world.work(0, 1)
    assert world.audit.look(world.now).ok
    world.delete_events(0, 2)
    later = world.now + timedelta(minutes=30)
    assert world.audit.look(later).ok
    assert found(world.audit.look(later, everything=True)) == [(Cause.SHORT, 0, 1, True)]


def test_a_hole_is_said_even_when_it_cannot_be_healed_and_is_healed_later(world: Any) -> None:
    def away() -> Any:
        raise UnavailableError("Kafka does not answer")

    world.append(world.events(2))
    world.commit(1)
    report = world.an_audit(reader=away).look(world.now)
    assert found(report) == [(Cause.UNPROCESSED, 0, 1, False)]
    assert report.trouble == "Kafka does not answer"
    assert found(world.audit.look(world.now)) == [(Cause.UNPROCESSED, 0, 1, True)]


def test_while_kafka_is_away_nothing_is_concluded_and_afterwards_all_is_well(
    world: Any, broker: KafkaNode
) -> None:
    world.append(world.events(2))
    world.work(0, 1)
    assert world.audit.look(world.now).ok
    broker.kill()
    try:
        with pytest.raises(UnavailableError, match="Kafka does not answer"):
            world.audit.look(world.now)
    finally:
        broker.start()
    assert world.audit.look(world.now).ok


def test_offsets_that_hold_no_record_are_no_hole(world: Any) -> None:
    """Kafka's own marks take offsets too: here the end of a transaction."""
    producer = clients.producer(world.settings, transactional_id=f"{world.tenant}-transaction")
    try:
        producer.init_transactions()
        producer.begin_transaction()
        [record] = event_records(world.tenant, [texts(world.event("a"))], world.now, "http")
        producer.send(world.usage, record.value, record.key, list(record.headers), partition=0)
        producer.commit_transaction()
    finally:
        producer.close(timeout=5)
    place = Place(world.usage, 0)
    # The mark is written some time after the commit was answered.
    assert any(world.log.states([place])[place].end == 2 for _ in range(1_000))
    assert world.append(world.events(1, "after")) == 2
    world.pipeline().process(world.read(0, 3))
    world.commit(3)
    report = world.audit.look(world.now)
    assert (report.checked, found(report)) == (3, [])
    assert world.audit.look(world.now).checked == 0


def texts(event: dict[str, Any]) -> tuple[str, str, bytes]:
    return event["type"], event["event_id"], json.dumps(event).encode()


def test_one_look_heals_no_more_than_it_may_and_the_next_ones_go_on(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("uptake.distributed.audit.HEALED_AT_ONCE", 2)
    for number in range(5):
        world.append(world.events(1, f"r{number}-"))
    world.commit(5)
    looks = [found(world.audit.look(world.now)) for _ in range(4)]
    assert looks == [
        [(Cause.UNPROCESSED, 0, 2, True), (Cause.UNPROCESSED, 2, 5, False)],
        [(Cause.UNPROCESSED, 2, 4, True), (Cause.UNPROCESSED, 4, 5, False)],
        [(Cause.UNPROCESSED, 4, 5, True)],
        [],
    ]
    assert len(world.rows()) == 5


def test_a_log_that_ends_before_what_was_verified_is_said_and_looked_at_anew(world: Any) -> None:
    for number in range(3):
        world.append(world.events(1, f"r{number}-"))
    world.work(0, 3)
    assert world.audit.look(world.now).ok
    memory, at = remembered(world.state)
    place = Place(world.usage, 0)
    memory.partitions[place] = memory.partitions[place].moved(9, at, timedelta(0), timedelta(hours=1))
    memory.save(world.state, at)
    report = world.audit.look(world.now)
    assert [(hole.cause, hole.first, hole.after) for hole in report.holes] == [(Cause.REWOUND, 3, 9)]
    assert world.audit.look(world.now).ok
