"""What an event says, as a hash and as a row."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.processors.content import canonical, content_hash
from uptake.processors.identity import Known, correction_ver, first_ver, judge
from uptake.processors.records import CostRecord, FeedbackRecord, UsageRecord, record_of
from uptake.processors.rows import TABLES
from uptake.processors.store import DENSE_GAP, DENSE_SPAN, stretches
from uptake.schemas.events import CostEvent, FeedbackEvent, UsageEvent
from uptake.schemas.identity import unix_ms


@pytest.mark.parametrize(
    "spelling",
    [
        {"occurred_at": "2026-11-20T12:00:00Z"},
        {"occurred_at": "2026-11-20T13:00:00.000000+01:00"},
        {"environment": "production"},
        {"operation": "chat", "status": "ok", "intent": "deliberate", "schema_version": 1},
        {"tags": {}, "use_case": "", "cache_hit": False, "reasoning_output_tokens": 0, "duration_ms": None},
    ],
)
def test_another_spelling_is_the_same_content(record: Any, spelling: dict[str, Any]) -> None:
    assert content_hash(record(1, **spelling)) == content_hash(record(1))


def test_the_order_of_tags_and_the_zeros_of_money_do_not_matter(record: Any) -> None:
    assert canonical(record(1, tags={"a": "1", "b": "2"})) == canonical(record(1, tags={"b": "2", "a": "1"}))
    assert canonical(record(1, "cost", amount="12.5")) == canonical(record(1, "cost", amount="12.500"))
    said = [record(1, reported_cost=cost, reported_currency="USD") for cost in ("0.1", "0.10")]
    assert canonical(said[0]) == canonical(said[1])


OTHER: dict[str, dict[str, Any]] = {
    "usage": {
        "event_id": "01a1f8d3-ea00-7000-8000-000000000000",
        "occurred_at": "2026-11-20T12:00:00.001Z",
        "operation": "text_completion",
        "input_tokens": 1001,
        "output_tokens": 101,
        "cache_read_input_tokens": 1,
        "cache_creation_input_tokens": 1,
        "reasoning_output_tokens": 1,
        "duration_ms": 0,
        "time_to_first_token_ms": 0,
        "status": "error",
        "cache_hit": True,
        "intent": "automatic",
        "tags": {"a": "b"},
    },
    "feedback": {
        "kind": "edit",
        "severity": 0.0,
        "decision": "accepted",
        "thumb": "down",
        "draft_tokens": 0,
        "final_tokens": 0,
        "score": 0,
        "reasons": ["other"],
        "taxonomy_version": 2,
    },
    "cost": {
        "category": "training",
        "amount": "12.500000001",
        "currency": "EUR",
        "period_start": "2026-11-02",
        "period_end": "2026-12-02",
    },
}
WITHOUT_EFFECT = {"schema_version", "type"}  # one value each
TOGETHER = {"reported_cost": {"reported_currency": "USD"}, "kind": {"severity": 0.5}}


@pytest.mark.parametrize(
    ("type_", "field"),
    [
        (kind, field)
        for kind, model in (("usage", UsageEvent), ("feedback", FeedbackEvent), ("cost", CostEvent))
        for field in sorted(set(model.model_fields) - WITHOUT_EFFECT)
    ],
)
def test_every_field_is_content(record: Any, type_: str, field: str) -> None:
    if field in ("reported_cost", "reported_currency"):
        changed = record(1, type_, reported_cost="1", reported_currency="USD")
    else:
        value = OTHER[type_].get(field, OTHER["usage"].get(field, "something else"))
        changed = record(1, type_, **{field: value, **TOGETHER.get(field, {})})
    assert content_hash(changed) != content_hash(record(1, type_))


def test_money_in_another_currency_is_other_content(record: Any) -> None:
    said = [record(1, reported_cost="1", reported_currency=currency) for currency in ("USD", "EUR")]
    assert content_hash(said[0]) != content_hash(said[1])


def test_a_field_that_this_server_does_not_know_counts_as_it_will_when_it_is_known(
    record: Any, parsed: Any
) -> None:
    newer = parsed(1, aaa="x", zzz=[1, {"b": 1, "a": 2}])
    assert content_hash(record_of(newer), newer.__pydantic_extra__) != content_hash(record(1))
    # As if three fields of today had been unknown: alone, between known ones, and with one more.
    tags = {"b": "2", "a": "1"}
    known = record(1, cache_hit=True, prompt_version="v1", tags=tags)
    unknown = {"tags": tags, "prompt_version": "v1", "cache_hit": True}
    assert canonical(record(1), unknown) == canonical(known)


def test_content_is_json_without_defaults(record: Any) -> None:
    content = json.loads(canonical(record(1)))
    assert content["type"] == "usage"
    assert "tags" not in content
    assert "duration_ms" not in content
    assert content["environment"] == "production"


@pytest.mark.parametrize("model", [UsageEvent, FeedbackEvent, CostEvent])
def test_records_have_the_fields_and_defaults_of_the_contract_in_the_order_of_content(model: Any) -> None:
    kind = {UsageEvent: UsageRecord, FeedbackEvent: FeedbackRecord, CostEvent: CostRecord}[model]
    fields = {f.name: f for f in msgspec.structs.fields(kind)}
    assert set(fields) == set(model.model_fields) - {"type"}
    assert kind.__struct_config__.tag == model.model_fields["type"].default
    for name, field in fields.items():
        theirs = model.model_fields[name]
        ours = (
            field.default_factory()
            if field.default is msgspec.NODEFAULT and not field.required
            else field.default
        )
        assert field.required == theirs.is_required(), name
        assert field.required or ours == theirs.get_default(call_default_factory=True), name
    required = [name for name, field in fields.items() if field.required]
    optional = [name for name, field in fields.items() if not field.required]
    assert list(fields) == sorted(required) + sorted(optional)


TYPES = {
    "string": ("String", "Nullable(String)"),
    "dictionary<values=string, indices=int32, ordered=0>": ("LowCardinality(String)",),
    "fixed_size_binary[16]": ("UInt128",),
    "timestamp[ms, tz=UTC]": ("DateTime64(3, 'UTC')",),
    "uint8": ("Nullable(UInt8)",),
    "uint16": ("UInt16",),
    "uint32": ("UInt32", "Nullable(UInt32)"),
    "uint64": ("UInt64",),
    "int64": ("Int64", "Nullable(Int64)"),
    "double": ("Nullable(Float64)",),
    "bool": ("Bool",),
    "date32[day]": ("Date32",),
    "map<string, string>": ("Map(LowCardinality(String), String)",),
    "int32": ("Int32",),
    "list<item: string>": ("Array(LowCardinality(String))",),
}


@pytest.mark.parametrize("table", TABLES)
def test_rows_have_exactly_the_columns_and_types_of_their_table(database: Any, table: str) -> None:
    sql = (
        "SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = {table:String}"
    )
    real = {row["name"]: row["type"] for row in database.query(sql, {"table": table})}
    assert set(real) - {"inserted_at"} == set(TABLES[table].names), (
        "only the server says when it took a row in"
    )
    for field in TABLES[table]:
        assert real[field.name] in TYPES[str(field.type)], field.name


def test_every_field_of_an_event_arrives_in_its_row(bench: Any, event: Any) -> None:
    texts = {
        name: f"<{name}>"
        for name in ("use_case", "team", "session_id", "trace_id", "response_id", "environment")
    }
    usage = texts | {
        **{
            n: f"<{n}>" for n in ("provider", "request_model", "response_model", "error_type", "service_tier")
        },
        **{n: f"<{n}>" for n in ("prompt_version", "data_class", "user_id", "app")},
        "operation": "embeddings",
        "status": "error",
        "intent": "automatic",
        "tags": {"a": "1", "b": "2"},
        "duration_ms": 7,
        "time_to_first_token_ms": 3,
    }
    feedback = texts | {
        "kind": "decision",
        "decision": "edited",
        "thumb": "down",
        "severity": 0.25,
        "draft_tokens": 9,
        "final_tokens": 8,
        "score": 10,
        "reasons": ["other", "app:mine"],
        "taxonomy_version": 2,
        "reviewer_id": "<reviewer_id>",
        "prompt_version": "<prompt_version>",
        "response_model": "<response_model>",
        "tags": {"a": "1"},
    }
    cost = texts | {
        "provider": "<provider>",
        "model": "<model>",
        "invoice_id": "<invoice_id>",
        "currency": "EUR",
    }
    (receipt,) = bench.process(
        [event(1, **usage), event(2, "feedback", **feedback), event(3, "cost", **cost)]
    )
    assert receipt.accepted == 3
    for table, sent in (("usage", usage), ("feedback", feedback), ("cost", cost)):
        row = bench.row(table)
        row |= {"team": row["claimed_team"]}
        assert {name: row[name] for name in sent if name != "currency"} == {
            name: value for name, value in sent.items() if name != "currency"
        }
    assert bench.row("usage")["model"] == "<response_model>"
    row = bench.row("cost")
    assert (row["billed_nano"], row["billed_currency"], row["cost_nano"]) == (
        12_500_000_000,
        "EUR",
        12_500_000_000,
    )
    assert (str(row["period_start"]), str(row["period_end"])) == ("2026-11-01", "2026-12-01")


def test_token_counts_are_a_disjoint_partition(bench: Any, event: Any) -> None:
    bench.process(
        [
            event(
                1,
                input_tokens=1000,
                cache_read_input_tokens=300,
                cache_creation_input_tokens=200,
                output_tokens=90,
                reasoning_output_tokens=40,
            )
        ]
    )
    row = bench.row()
    names = ("input_uncached", "input_cache_read", "input_cache_write", "output_visible", "output_reasoning")
    assert [row[f"{name}_tokens"] for name in names] == [500, 300, 200, 50, 40]


def test_what_an_app_does_not_know_stays_unknown(bench: Any, event: Any) -> None:
    bench.process([event(1, input_tokens=..., output_tokens=...), event(2, "feedback")])
    row, feedback = bench.row(), bench.row("feedback")
    names = (
        "input_uncached_tokens",
        "output_visible_tokens",
        "duration_ms",
        "time_to_first_token_ms",
        "cost_nano",
    )
    assert [row[name] for name in names] == [None] * 5
    assert row["cost_upper_nano"] > 0
    assert [feedback[name] for name in ("severity", "draft_tokens", "score", "decision")] == [
        None,
        None,
        None,
        "",
    ]


def test_the_first_content_of_an_id_is_the_one_that_counts() -> None:
    known = {7: Known(content_hash=70, ver=1)}
    outcome = judge([(7, 70), (7, 71), (8, 80), (8, 80), (8, 81), (9, 90)], known)
    assert (outcome.fresh, outcome.duplicates, outcome.conflicts) == ([2, 5], [0, 3], [1, 4])


def test_a_correction_is_above_every_earlier_version_even_when_the_clock_went_back() -> None:
    first = first_ver(100)
    correction = correction_ver(200, first)
    assert first < correction < correction_ver(300, correction)
    assert correction_ver(150, correction) == correction + 1


def test_a_first_version_is_never_above_a_correction_whatever_the_clocks_say() -> None:
    last = unix_ms(datetime(9999, 12, 31, tzinfo=UTC))
    assert first_ver(last) < correction_ver(0, 0)
    assert correction_ver(last, first_ver(last)) < 1 << 64


@given(st.lists(st.integers(0, 300).map(lambda n: n * DENSE_GAP // 4)))
def test_stretches_are_all_ids_once_cut_at_every_long_gap_unless_all_lie_within_a_minute(
    ids: list[int],
) -> None:
    cut = list(stretches(ids))
    if ids and max(ids) - min(ids) < DENSE_SPAN:
        assert cut == [ids]
        return
    assert [i for stretch in cut for i in stretch] == sorted(set(ids))
    assert all(b - a < DENSE_GAP for stretch in cut for a, b in itertools.pairwise(stretch))
    assert all(after[0] - before[-1] >= DENSE_GAP for before, after in itertools.pairwise(cut))
