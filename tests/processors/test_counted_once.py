"""Whatever is sent again, in whatever pieces, an id counts once and keeps the content that came with it first."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uptake.processors.content import canonical
from uptake.processors.records import record_of
from uptake.processors.rows import TABLES
from uptake.processors.store import Store
from uptake.schemas.batch import RejectionReason, StoreUnavailable
from uptake.schemas.events import EVENT


def test_the_same_batch_twice_counts_once(bench: Any, event: Any) -> None:
    events = [event(1), event(2, "feedback"), event(3, "cost")]
    (first,) = bench.process(events)
    (again,) = bench.process(events)
    assert (first.accepted, first.duplicates) == (3, 0)
    assert (again.accepted, again.duplicates) == (0, 3)
    assert [len(bench.rows(table, final=False)) for table in TABLES] == [1, 1, 1]


def test_events_sent_again_with_other_batch_boundaries_count_once(bench: Any, event: Any) -> None:
    events = [event(key) for key in range(7)]
    bench.process(events[:3], events[3:])
    receipts = bench.process(events[:5], events[5:], [event(7)])
    assert [(r.accepted, r.duplicates) for r in receipts] == [(0, 5), (0, 2), (1, 0)]
    assert len(bench.rows("usage", final=False)) == 8


def test_an_event_twice_inside_one_call_counts_once(bench: Any, event: Any) -> None:
    receipts = bench.process([event(1), event(1), event(2)], [event(2)])
    assert [(r.accepted, r.duplicates) for r in receipts] == [(2, 1), (0, 1)]
    assert len(bench.rows("usage", final=False)) == 2


def test_the_same_event_written_differently_is_the_same_event(bench: Any, event: Any) -> None:
    sent = event(1, tags={"a": "1", "b": "2"})
    turned = dict(reversed(sent.items()))
    turned |= {"occurred_at": "2026-11-20T13:00:00.000+01:00", "tags": {"b": "2", "a": "1"}, "status": "ok"}
    bench.process([sent])
    (receipt,) = bench.process([turned])
    assert (receipt.duplicates, receipt.rejections) == (1, ())


def test_a_known_id_with_other_content_is_quarantined_and_the_first_content_stays(
    bench: Any, event: Any, record: Any
) -> None:
    bench.process([event(1, output_tokens=10)])
    (receipt,) = bench.process([event(2), event(1, output_tokens=99)])
    assert receipt.accepted == 1
    (rejection,) = receipt.rejections
    assert (rejection.index, rejection.reason, rejection.path) == (
        1,
        RejectionReason.CONFLICT,
        "[1].event_id",
    )
    assert sorted(row["output_visible_tokens"] for row in bench.rows("usage", final=False)) == [10, 100]
    letter = bench.row("dead_letters")
    assert (letter["reason"], letter["event_id"]) == ("conflict", event(1)["event_id"])
    # What can be redriven is what was sent, in whatever way it was read.
    assert canonical(record_of(EVENT.validate_json(letter["payload"]))) == canonical(
        record(1, output_tokens=99)
    )


def test_the_letter_of_a_conflict_keeps_what_the_contract_does_not_know_and_exact_money(
    bench: Any, event: Any
) -> None:
    odd = event(1, colour="red", reported_cost="0.10", reported_currency="USD")
    bench.process([event(1)], [event(2, "cost", amount="3.50")])
    bench.process([odd], [event(2, "cost", amount="4.50")])
    payloads = {letter["event_id"]: json.loads(letter["payload"]) for letter in bench.rows("dead_letters")}
    usage, cost = payloads[event(1)["event_id"]], payloads[event(2, "cost")["event_id"]]
    assert (usage["colour"], usage["reported_cost"], cost["amount"]) == ("red", "0.10", "4.50")


def test_a_conflict_inside_one_call_keeps_what_came_first(bench: Any, event: Any) -> None:
    first, second = bench.process([event(1, output_tokens=10)], [event(1, output_tokens=99)])
    assert (first.accepted, second.accepted, len(second.rejections)) == (1, 0, 1)
    assert bench.row()["output_visible_tokens"] == 10


def test_an_id_that_another_type_of_event_has_is_a_conflict(bench: Any, event: Any) -> None:
    bench.process([event(1), event(2, "cost")])
    (receipt,) = bench.process([event(1, "feedback"), event(2, "usage"), event(1, "cost")])
    assert [r.reason for r in receipt.rejections] == [RejectionReason.CONFLICT] * 3
    assert (len(bench.rows("usage")), len(bench.rows("feedback")), len(bench.rows("cost"))) == (1, 0, 1)


def test_refusing_the_same_event_again_is_one_letter(bench: Any, event: Any) -> None:
    bench.process([event(1, app="")])
    bench.later(days=40)
    bench.process([event(1, app="")], [event(1, app="")])
    assert len(bench.rows("dead_letters")) == 1


@pytest.mark.parametrize("how_many", [1, 70])  # looked up by id, and by range
def test_two_tenants_never_meet(bench: Any, event: Any, workspace: Any, how_many: int) -> None:
    other = bench.tenant + "-other"
    bench.workspaces[other] = workspace(tenant=other)
    bench.process([event(key, output_tokens=10) for key in range(how_many)])
    theirs = bench.batch([event(key, output_tokens=99) for key in range(how_many)], tenant=other)
    (receipt,) = bench.process(theirs)
    assert (receipt.accepted, receipt.rejections) == (how_many, ())
    assert {row["output_visible_tokens"] for row in bench.rows("usage")} == {10}
    assert [row["output_visible_tokens"] for row in bench.rows("usage", tenant=other)] == [99] * how_many


def test_a_row_that_was_written_again_with_a_higher_version_survives_a_resend(
    bench: Any, event: Any, database: Any
) -> None:
    bench.process([event(1)])
    database.command(
        "INSERT INTO usage SELECT * REPLACE (ver + 1 AS ver, 42 AS cost_nano) FROM usage WHERE tenant = {t:String}",
        {"t": bench.tenant},
    )
    bench.later(hours=1)
    (receipt,) = bench.process([event(1)])
    assert receipt.duplicates == 1
    assert bench.row()["cost_nano"] == 42


def test_of_an_ids_versions_the_highest_is_known(bench: Any, event: Any, database: Any) -> None:
    events = [event(key) for key in range(70)]  # enough for a lookup by range
    bench.process(events)
    for by in (5, -2):
        sql = "INSERT INTO usage SELECT * REPLACE (ver + {by:Int8} AS ver) FROM usage FINAL WHERE tenant = {t:String}"
        database.command(sql, {"t": bench.tenant, "by": by})
    ids = [uuid.UUID(e["event_id"]).int for e in events]
    store = Store(database)
    written = int(bench.clock.now().timestamp()) * 1000
    assert {known.ver for known in store.known(bench.tenant, ids).values()} == {written + 5}
    assert store.known(bench.tenant, ids[:1])[ids[0]].ver == written + 5


def test_a_changed_workspace_does_not_make_a_resend_a_conflict(
    bench: Any, event: Any, workspace: Any
) -> None:
    bench.process([event(1)])
    bench.workspaces[bench.tenant] = workspace(organisation={"currency": "USD"}, apps=[])
    (receipt,) = bench.process([event(1)])
    assert (receipt.duplicates, receipt.rejections) == (1, ())


def test_ids_far_apart_are_found_as_well_as_dense_ones(bench: Any, event: Any, now: Any) -> None:
    dense = [event(key, at=now + timedelta(milliseconds=key)) for key in range(150)]
    sparse = [event(f"s{key}", at=now - timedelta(days=9 * key)) for key in range(150)]
    bench.process(dense, sparse)
    mixed = [e for pair in zip(dense, sparse, strict=True) for e in pair]
    (receipt,) = bench.process(mixed)
    assert (receipt.accepted, receipt.duplicates) == (0, 300)


def test_a_crowded_stretch_of_ids_is_still_exact(bench: Any, event: Any, now: Any) -> None:
    # 2,000 strangers lie between 64 dense ids: more than the range lookup reads to its end.
    many = [event(key, at=now + timedelta(milliseconds=key % 60)) for key in range(2_000)]
    bench.process(*(many[start : start + 500] for start in range(0, 2_000, 500)))
    (receipt,) = bench.process([*many[::29], event("new")])
    assert (receipt.accepted, receipt.duplicates) == (1, 69)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_sequence_of_resends_boundaries_and_failures_ends_with_each_first_content(
    data: st.DataObject, make_bench: Any, event: Any
) -> None:
    """The oracle is a dictionary: id -> content of the first event that was acknowledged or written."""
    bench = make_bench(f"h-{uuid.uuid4().hex[:12]}")
    kinds = st.sampled_from(["usage", "feedback", "cost"])
    events = st.tuples(st.integers(0, 5), kinds, st.sampled_from(["a", "b"]))
    calls = st.lists(
        st.tuples(st.lists(st.lists(events, max_size=5), max_size=3), st.sampled_from(["", *TABLES])),
        max_size=6,
    )
    truth: dict[int, tuple[str, str]] = {}
    for batches, broken in data.draw(calls):
        bodies = [[event(key, kind, use_case=content) for key, kind, content in batch] for batch in batches]
        bench.database.broken = {broken} if broken else set()
        try:
            bench.process(*bodies)
        except StoreUnavailable:
            bench.database.broken = set()
            bench.process(*bodies)
        for batch in batches:
            for key, kind, content in batch:
                truth.setdefault(key, (kind, content))
    stored = {
        row["event_id"]: (table, row["use_case"])
        for table in TABLES
        for row in bench.rows(table, final=False)
    }
    assert sum(len(bench.rows(table, final=False)) for table in TABLES) == len(truth)
    assert sorted(stored.values()) == sorted(truth.values())
