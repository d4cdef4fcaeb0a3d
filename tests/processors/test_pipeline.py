"""What the pipeline acknowledges, refuses, tells and counts; and what a failing store may never do."""

from __future__ import annotations

import gc
import json
import weakref
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from uptake.calendar import IsoWeek
from uptake.clickhouse import Database
from uptake.processors import collector
from uptake.processors.collector import collector_paused
from uptake.processors.pipeline import Written
from uptake.schemas.batch import Batch, ClientReport, MalformedBatch, RejectionReason, StoreUnavailable
from uptake.sql.runner import KpiRunner


class Holder:
    """Something that only the cycle collector can free once it holds itself."""

    itself: object = None


def test_a_bad_event_never_stops_a_good_one(bench: Any, event: Any) -> None:
    (receipt,) = bench.process(
        [event(1), event(2, input_tokens=-1), event(3, type="usage", app=""), event(4)]
    )
    assert receipt.accepted == 2
    assert [(r.index, r.path) for r in receipt.rejections] == [(1, "[1].input_tokens"), (2, "[2].app")]
    assert len(bench.rows("usage")) == 2


def test_a_malformed_batch_affects_itself_only(bench: Any, event: Any) -> None:
    good, malformed, also_good = bench.process([event(1)], b"{not json", [event(2)])
    assert isinstance(malformed, MalformedBatch)
    assert (good.accepted, also_good.accepted) == (1, 1)
    assert bench.pipeline.counters["malformed"] == 1


def test_accepted_duplicates_and_rejections_add_up_to_what_was_sent(bench: Any, event: Any) -> None:
    bench.process([event(1)])
    (receipt,) = bench.process([event(1), event(1, app="other"), event(2), event(2), event(3, app="")])
    assert (receipt.accepted, receipt.duplicates, len(receipt.rejections)) == (1, 2, 2)


def test_rejections_come_in_the_order_of_their_events(bench: Any, event: Any) -> None:
    bench.process([event(1)])
    (receipt,) = bench.process([event(1, app="other"), event(2, app=""), event(1, app="third")])
    assert [r.index for r in receipt.rejections] == [0, 1, 2]


def test_a_refused_event_becomes_a_letter_with_what_is_needed_to_mend_it(bench: Any, event: Any) -> None:
    bench.process([event(1, output_tokens=-5)])
    letter = bench.row("dead_letters")
    assert (letter["reason"], letter["path"]) == (RejectionReason.INVALID, "[0].output_tokens")
    assert letter["detail"] == "must be at least 0"
    assert letter["source"] == "http"
    assert json.loads(letter["payload"]) == event(1, output_tokens=-5)


def test_unknown_fields_are_counted_and_cost_nothing(bench: Any, event: Any) -> None:
    (receipt,) = bench.process([event(1, colour="red"), event(2, colour="blue")])
    assert (receipt.accepted, dict(receipt.unknown_fields)) == (2, {"colour": 2})


def test_a_tenant_without_a_workspace_is_refused_for_now_by_name_and_alone(bench: Any, event: Any) -> None:
    refused, accepted = bench.process(bench.batch([event(1)], tenant="mistyped"), [event(1)])
    assert isinstance(refused, StoreUnavailable), "sending again must be possible once the workspace is there"
    assert "'mistyped' has no workspace" in str(refused)
    assert accepted.accepted == 1
    assert bench.rows("usage", tenant="mistyped") == []


def test_an_empty_call_and_an_empty_batch_are_nothing(bench: Any) -> None:
    assert bench.process() == []
    (receipt,) = bench.process([])
    assert (receipt.accepted, receipt.rejections) == (0, ())
    assert bench.database.inserts == []


def test_events_from_three_hundred_months_fit_into_one_call(bench: Any, event: Any) -> None:
    months = [datetime(2000 + key // 12, key % 12 + 1, 5, tzinfo=UTC) for key in range(120)]
    (receipt,) = bench.process([event(key, at=month) for key, month in enumerate(months)])
    assert receipt.accepted == 120


def test_the_furthest_days_and_amounts_of_the_contract_can_be_stored(bench: Any, event: Any) -> None:
    far = event(1, "cost", period_start="2000-01-01", period_end="2199-12-31", amount="999999999.999999999")
    (receipt,) = bench.process(
        [far, event(2, input_tokens=10**9, output_tokens=10**9, duration_ms=86_400_000)]
    )
    assert receipt.accepted == 2
    assert bench.row("cost")["billed_nano"] == 999_999_999_999_999_999


def test_each_row_says_which_client_sent_it_and_when_it_was_received(bench: Any, event: Any) -> None:
    bench.process(bench.batch([event(1)], client=ClientReport("client-7", 5, 0)))
    row = bench.row()
    assert (row["client_id"], row["received_at"]) == ("client-7", bench.clock.now())


def test_of_the_sdks_counters_the_last_of_each_quarter_of_an_hour_is_kept(bench: Any) -> None:
    for accepted in (10, 30, 20):
        bench.process(*(bench.batch([], client=ClientReport("c", accepted + k, k)) for k in (0, 1)))
    bench.later(minutes=14, seconds=59)
    bench.process(bench.batch([], client=ClientReport("c", 35, 1)))
    bench.later(seconds=1)
    bench.process(bench.batch([], client=ClientReport("c", 40, 2)))
    reports = [
        (f"{r['quarter']:%H:%M} {r['reported_at']:%H:%M:%S}", r["accepted"], r["dropped"])
        for r in bench.rows("sdk_reports")
    ]
    assert reports == [("12:00 12:14:59", 35, 1), ("12:15 12:15:00", 40, 2)]


@pytest.mark.parametrize(
    "zone", ["Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Australia/Darwin", "Australia/Eucla", "UTC"]
)
def test_a_burst_around_the_end_of_a_week_is_complete_on_both_sides_in_every_zone(
    bench: Any, database: Database, workspace: Any, event: Any, tenant: str, zone: str
) -> None:
    weeks = [IsoWeek.parse(name).period(zone) for name in ("2026-W46", "2026-W47")]
    for nth, minutes in enumerate((-120, -29, -14, -1, 0, 1, 14, 29)):
        bench.clock.set(weeks[0].end + timedelta(minutes=minutes))
        sent = [event((nth, key), at=bench.clock.now()) for key in range(5)]
        bench.process(bench.batch(sent, client=ClientReport("c", 5 * (nth + 1), 0)))
    runner = KpiRunner(database.tenant(tenant), workspace({"zone": zone}))
    shares = [(r.numerator, r.denominator) for r in runner.series("completeness", weeks)]
    assert shares == [(20, 20), (20, 20)]


@pytest.mark.parametrize("broken", ["usage", "feedback", "cost", "dead_letters", "sdk_reports"])
def test_a_failing_insert_acknowledges_nothing_and_a_retry_is_exact(
    bench: Any, event: Any, broken: str
) -> None:
    batch = bench.batch(
        [event(1), event(2, "feedback"), event(3, "cost"), event(4, app="")], client=ClientReport("c", 4, 0)
    )
    bench.database.broken = {broken}
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"writing {broken} failed"):
            bench.process(batch)
    bench.database.broken = set()
    (receipt,) = bench.process(batch)
    assert receipt.accepted + receipt.duplicates == 3
    assert len(receipt.rejections) == 1
    for table in ("usage", "feedback", "cost", "dead_letters", "sdk_reports"):
        assert len(bench.rows(table)) == 1, table


def test_when_nothing_was_written_before_the_failure_a_retry_is_accepted_as_new(
    bench: Any, event: Any
) -> None:
    bench.database.broken = {"usage"}
    with pytest.raises(StoreUnavailable):
        bench.process([event(1)])
    assert bench.rows("usage") == []
    bench.database.broken = set()
    assert bench.process([event(1)])[0].accepted == 1


def test_a_store_that_cannot_be_read_acknowledges_nothing(bench: Any, event: Any) -> None:
    bench.database.unreadable = True
    with pytest.raises(StoreUnavailable, match="reading known events failed"):
        bench.process([event(1)])
    assert bench.database.inserts == []
    assert bench.pipeline.counters["store_failures"] == 1


def test_a_failure_says_what_failed_and_nothing_of_the_data(bench: Any, event: Any, secret: str) -> None:
    bench.database.broken = {"usage"}
    with capture_logs() as logs, pytest.raises(StoreUnavailable) as failure:
        bench.process([event(1)])
    assert "DatabaseError 241 MEMORY_LIMIT_EXCEEDED" in str(failure.value)
    assert secret not in str(failure.value) + repr(failure.value.__cause__) + repr(logs)
    assert failure.value.__suppress_context__


def test_who_needs_to_know_is_told_after_the_write(bench: Any, event: Any) -> None:
    seen: list[int] = []
    bench.pipeline._told = lambda news: seen.append(len(bench.rows("usage", tenant=news.tenant)))
    bench.process([event(1), event(2)])
    assert seen == [2]


def test_what_is_told_counts_new_rows_by_table_and_calls_outside_the_rules(bench: Any, event: Any) -> None:
    bench.process([event(1)])
    bench.process([event(1), event(2), event(3, app="shadow"), event(4, "feedback"), event(5, "cost")])
    assert bench.heard[-1] == Written(bench.tenant, usage=2, feedback=1, cost=1, unauthorised=1)
    bench.process([event(1)])
    assert len(bench.heard) == 2


def test_what_was_written_before_a_failure_is_told_all_the_same(bench: Any, event: Any) -> None:
    bench.database.broken = {"feedback"}
    with pytest.raises(StoreUnavailable):
        bench.process([event(1), event(2, "feedback")])
    assert bench.heard == [Written(bench.tenant, usage=1)]


def test_a_listener_that_raises_is_logged_and_counted_and_undoes_nothing(
    bench: Any, event: Any, secret: str
) -> None:
    def raising(news: Written) -> None:
        raise RuntimeError(secret)

    bench.pipeline._told = raising
    with capture_logs() as logs:
        (receipt,) = bench.process([event(1)])
    assert receipt.accepted == 1
    assert len(bench.rows("usage")) == 1
    assert bench.pipeline.counters["listener_errors"] == 1
    assert [(log["event"], log["error"]) for log in logs] == [("listener_failed", "RuntimeError")]
    assert secret not in repr(logs)


def test_a_listener_may_send_events_itself(bench: Any, event: Any) -> None:
    def echo(news: Written) -> None:
        if news.usage:
            bench.process([event("echo", "feedback")])

    bench.pipeline._told = echo
    bench.process([event(1)])
    assert len(bench.rows("feedback")) == 1


def test_a_changed_workspace_holds_from_the_next_call_on(bench: Any, event: Any, workspace: Any) -> None:
    bench.process([event(1)])
    bench.workspaces[bench.tenant] = workspace(apps=[])
    bench.process([event(2)])
    verdicts = {row["event_id"]: row["authorisation"] for row in bench.rows("usage")}
    assert sorted(verdicts.values()) == ["allowed", "unregistered_app"]


def test_a_batch_means_the_same_whenever_it_is_read(bench: Any, event: Any) -> None:
    ahead = bench.batch([event(1, at=bench.clock.now().replace(day=22))])
    bench.later(days=3)
    (receipt,) = bench.process(ahead)
    assert [r.reason for r in receipt.rejections] == [RejectionReason.FUTURE]


def test_counters_say_what_became_of_everything(bench: Any, event: Any) -> None:
    bench.process([event(1), event(1), event(2, app="")], b"?")
    counters = bench.pipeline.counters
    assert {name: counters[name] for name in ("accepted", "duplicates", "rejected", "malformed")} == {
        "accepted": 1,
        "duplicates": 1,
        "rejected": 1,
        "malformed": 1,
    }


def test_the_collector_is_paused_during_a_call_and_runs_again_after_it_whatever_happened(
    bench: Any, event: Any
) -> None:
    seen: list[bool] = []
    bench.pipeline._told = lambda news: seen.append(gc.isenabled())
    bench.process([event(1)])
    assert (seen, gc.isenabled()) == ([False], True)
    bench.database.broken = {"usage"}
    with pytest.raises(StoreUnavailable):
        bench.process([event(2)])
    assert gc.isenabled()


def test_a_collector_that_somebody_else_switched_off_stays_off() -> None:
    gc.disable()
    try:
        with collector_paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_overlapping_calls_end_the_pause_with_the_last_of_them() -> None:
    with collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_where_calls_overlap_without_end_the_collector_is_made_to_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collector, "MAX_PAUSE_SECONDS", 0.0)
    with collector_paused():
        holder = Holder()
        holder.itself = holder
        gone = weakref.ref(holder)
        del holder
        assert gone() is not None
        with collector_paused():
            pass
        assert gone() is None


def test_calls_from_several_threads_with_the_same_events_count_them_once(bench: Any, event: Any) -> None:
    batches = [bench.batch([event(key) for key in range(start, start + 50)]) for start in (0, 25, 50)]
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(bench.pipeline.process, [batch]) for batch in batches * 4]
        receipts = [call.result(timeout=60)[0] for call in calls]
    assert sum(receipt.accepted for receipt in receipts) == 100
    assert sum(receipt.duplicates for receipt in receipts) == 12 * 50 - 100
    assert len(bench.rows("usage", final=False)) == 100


def test_a_batch_does_not_show_its_body(event: Any, secret: str, now: Any) -> None:
    assert secret not in repr(Batch("t", json.dumps([event(1)]).encode(), now))
