"""Reading the log again changes nothing that was right, and brings back what was not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from uptake.distributed.audit_log import Log, Place
from uptake.distributed.feed import Feeder
from uptake.distributed.replay import plan, preview, replay, topic_named
from uptake.distributed.reread import Reader
from uptake.errors import UnavailableError, UsageError
from uptake.processors.audit import Span
from uptake.schemas.batch import StoreUnavailable

HOUR = timedelta(hours=1)


def again(
    world: Any, tenant: str | None = None, start: Any = None, end: Any = None, dry: bool = False
) -> Any:
    with closing(Log(world.settings)) as log, Reader(world.settings) as reader:
        planned = plan(log, [world.usage], start or world.now - HOUR, end or world.now + HOUR)
        if dry:
            return preview(planned, reader, tenant, ours=world.workspaces.__contains__)
        return replay(
            planned, reader, Feeder(world.pipeline(), 10), tenant, ours=world.workspaces.__contains__
        )


def test_what_is_stored_stays_as_it_is(world: Any) -> None:
    for number in range(4):
        world.append(world.events(5, f"r{number}-"), partition=number % 2)
    world.work(0, 2)
    world.work(0, 2, partition=1)
    before = sorted(world.rows(), key=lambda row: row["event_id"])
    report = again(world)
    assert (report.records, report.events, report.written, report.duplicates) == (4, 20, 0, 20)
    assert sorted(world.rows(), key=lambda row: row["event_id"]) == before
    assert world.audit.look(world.now).ok


def test_what_is_missing_is_written_as_it_was_the_first_time(world: Any) -> None:
    world.append(world.events(6))
    world.work(0, 1)
    before = {row["event_id"]: row["ver"] for row in world.rows()}
    world.delete_events(0, 4)
    report = again(world)
    assert (report.written, report.duplicates) == (4, 2)
    assert {row["event_id"]: row["ver"] for row in world.rows()} == before


def test_a_dry_run_counts_and_writes_nothing(world: Any) -> None:
    world.append(world.events(6))
    report = again(world, dry=True)
    assert (report.records, report.events, report.written) == (1, 6, 0)
    assert world.rows() == []


def test_only_the_tenant_that_was_asked_for_is_read(make_world: Callable[[str], Any], tenant: str) -> None:
    ours, theirs = make_world(tenant), make_world(f"{tenant}-2")
    ours.append(ours.events(2))
    theirs.append(theirs.events(3))
    ours.append_raw(b"nobody's")
    report = again(ours, tenant=ours.tenant)
    assert (report.records, report.passed, report.written, report.missing) == (1, 2, 2, 0)
    assert theirs.rows() == []


def test_events_of_a_tenant_that_has_no_workspace_here_are_no_dead_letters(world: Any) -> None:
    stranger = f"{world.tenant}-gone"
    world.append(world.events(3), tenant=stranger)
    world.append(world.events(2))
    world.append_raw(b"nobody's")
    for dry in (True, False):
        report = again(world, dry=dry)
        assert (report.records, report.strangers, report.missing) == (2, 1, 0)
    letters = "SELECT count() AS letters FROM dead_letters WHERE tenant = {stranger:String}"
    assert world.database.query(letters, {"stranger": stranger}) == [{"letters": 0}]


def test_only_what_was_taken_between_the_two_moments_is_read(world: Any) -> None:
    for number in range(3):
        world.append(world.events(1, f"r{number}-"))
        world.producer.flush()
    times = [batch.received_at for batch in world.read(0, 3)]
    middle = [at for at in times if at == times[1]]
    report = again(world, start=times[1], end=times[1] + timedelta(milliseconds=1))
    assert report.records == len(middle)
    assert again(world, start=world.now + HOUR, end=world.now + 2 * HOUR).records == 0
    assert again(world, start=world.now - 2 * HOUR, end=world.now - HOUR).records == 0


def test_what_comes_in_after_the_start_is_left_to_the_workers(world: Any) -> None:
    world.append(world.events(1))
    with closing(Log(world.settings)) as log, Reader(world.settings) as reader:
        planned = plan(log, [world.usage], world.now - HOUR, world.now + HOUR)
        world.append(world.events(1, "late"))
        assert replay(planned, reader, Feeder(world.pipeline(), 10)).records == 1


def test_offsets_that_retention_deleted_meanwhile_are_counted_as_missing(world: Any) -> None:
    for number in range(4):
        world.append(world.events(1, f"r{number}-"))
    with closing(Log(world.settings)) as log, Reader(world.settings) as reader:
        planned = plan(log, [world.usage], world.now - HOUR, world.now + HOUR)
        world.forget_below(3)
        report = replay(planned, reader, Feeder(world.pipeline(), 10))
    assert (report.records, report.missing) == (1, 3)


def test_bad_records_are_dead_letters_again_and_no_second_time(world: Any) -> None:
    world.append([world.event("bad", input_tokens=-1), world.event("good")])
    world.append_raw(b"{")
    for _ in range(2):
        report = again(world)
    assert (report.rejected, report.malformed, report.written, report.duplicates) == (1, 1, 0, 1)
    assert len(world.rows("dead_letters")) == 1


def test_a_database_that_does_not_answer_ends_it_with_a_hint_after_some_patience() -> None:
    class Away:
        def process(self, batches: Any) -> Any:
            raise StoreUnavailable("reading known events failed (OperationalError)")

    waited: list[float] = []
    feeder = Feeder(Away(), 10, (1.0, 2.0), waited.append)  # type: ignore[arg-type]
    [batch] = [type("B", (), {"body": b""})()]
    with pytest.raises(UnavailableError, match="does not take events") as ended:
        list(feeder.feed([batch]))
    assert waited == [1.0, 2.0]
    assert ended.value.hint


def test_a_topic_is_called_by_its_kind_or_its_name(world: Any) -> None:
    assert topic_named("usage", world.settings) == world.usage
    assert topic_named(world.usage, world.settings) == world.usage
    for wrong in ("dead-letters", "uptake", "control", "usages", f"{world.settings.topic_prefix}control"):
        with pytest.raises(UsageError):
            topic_named(wrong, world.settings)


def test_a_log_that_sends_nothing_is_not_waited_for_for_ever(world: Any) -> None:
    world.append(world.events(1))
    with Reader(world.settings, patience=2) as reader:
        reader._consumer.pause = lambda *_: None
        reader._consumer.poll = lambda timeout_ms: {}
        with pytest.raises(UnavailableError, match="has not sent offset 0"):
            list(reader.read(Place(world.usage, 0), [Span(0, 1)]))
