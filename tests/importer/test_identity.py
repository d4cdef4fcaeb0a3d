"""Importing is idempotent: what a row says, and when, is its identity, and nothing else is."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.document import Document
from uptake.ingest.importer.convert import Converter
from uptake.ingest.importer.mapping import Mapping, Plan

HEADER = "time,in,out\n"
ROWS = [f"2026-11-01 10:00:{i:02d},{i},{i + 1}\n" for i in range(20)]
WITH_ID = "columns: {occurred_at: time, input_tokens: in}\nconstants: {app: a}\nzone: UTC\nid: [call]\n"


def test_the_same_file_twice_changes_nothing(desk: Any) -> None:
    first = desk.load(HEADER + "".join(ROWS))
    second = desk.load(HEADER + "".join(ROWS))
    assert (first.accepted, second.accepted, second.duplicates) == (20, 0, 20)


def test_a_renamed_file_is_the_same_file(desk: Any) -> None:
    desk.load(HEADER + "".join(ROWS), name="may.csv")
    assert desk.load(HEADER + "".join(ROWS), name="copy of may.csv").duplicates == 20


def test_rows_in_another_order_are_the_same_rows(desk: Any) -> None:
    desk.load(HEADER + "".join(ROWS))
    shuffled = random.Random(7).sample(ROWS, len(ROWS))
    assert desk.load(HEADER + "".join(shuffled)).duplicates == 20


def test_columns_in_another_order_are_the_same_rows(desk: Any) -> None:
    desk.load("time,in,out\n2026-11-01 10:00:00,1,2\n")
    assert desk.load("out,time,in\n2,2026-11-01 10:00:00,1\n").duplicates == 1


def test_a_file_that_grew_adds_only_its_new_rows(desk: Any) -> None:
    desk.load(HEADER + "".join(ROWS[:12]))
    report = desk.load(HEADER + "".join(ROWS[5:]))
    assert (report.accepted, report.duplicates) == (8, 7)


def test_rows_that_are_equal_are_different_calls(desk: Any) -> None:
    assert desk.load(HEADER + ROWS[0] * 3).accepted == 3
    report = desk.load(HEADER + ROWS[0] * 5)
    assert (report.accepted, report.duplicates) == (2, 3)


def test_an_empty_column_that_was_added_changes_nothing(desk: Any) -> None:
    desk.load("time,in,out\n2026-11-01 10:00:00,1,2\n")
    assert desk.load("time,in,out,note\n2026-11-01 10:00:00,1,2,\n").duplicates == 1


def test_a_declared_id_makes_the_rest_of_the_row_irrelevant_to_identity(desk: Any) -> None:
    desk.load("time,in,call,note\n2026-11-01 10:00:00,1,c1,x\n", WITH_ID)
    assert desk.load("time,in,call\n2026-11-01 10:00:00,1,c1\n", WITH_ID).duplicates == 1


def test_a_declared_id_with_other_content_is_refused_and_named_a_conflict(desk: Any) -> None:
    report = desk.load("time,in,call\n2026-11-01 10:00:00,1,c1\n2026-11-01 10:00:00,2,c1\n", WITH_ID)
    assert [(row.line, row.reason) for row in report.rejected] == [(3, "conflict")]


def test_a_declared_id_that_is_empty_refuses_the_row(desk: Any) -> None:
    report = desk.load("time,in,call\n2026-11-01 10:00:00,1,\n", WITH_ID)
    assert [(row.line, row.path) for row in report.rejected] == [(2, "event_id")]


def test_a_map_that_was_changed_afterwards_cannot_count_rows_twice(desk: Any) -> None:
    desk.load(HEADER + "".join(ROWS))
    other = "columns: {occurred_at: time, input_tokens: in}\nconstants: {app: a}\nzone: UTC\n"
    report = desk.load(HEADER + "".join(ROWS), other)
    assert (report.accepted, {row.reason for row in report.rejected}) == (0, {"conflict"})


def test_two_sources_with_equal_rows_are_kept_apart_by_their_names(desk: Any) -> None:
    base = "columns: {occurred_at: time, input_tokens: in}\nconstants: {app: a}\nzone: UTC\n"
    desk.load(HEADER + ROWS[0], base + "source: north\n")
    assert desk.load(HEADER + ROWS[0], base + "source: south\n").accepted == 1


@pytest.mark.parametrize("first", ["csv", "ndjson"])
def test_the_same_rows_as_csv_and_as_ndjson_are_the_same_rows(desk: Any, first: str) -> None:
    files = {
        "csv": ("calls.csv", "time,in,out\n2026-11-01 10:00:00,1,2\n"),
        "ndjson": ("calls.ndjson", '{"time": "2026-11-01 10:00:00", "in": 1, "out": 2.0, "x": null}\n'),
    }
    for form in sorted(files, key=lambda each: each != first):
        name, content = files[form]
        report = desk.load(content, name=name)
    assert report.duplicates == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_whatever_the_order_the_ids_of_a_file_are_the_same(
    orders: tuple[list[tuple[int, int]], list[tuple[int, int]]],
) -> None:
    columns = {"occurred_at": "t", "input_tokens": "n"}
    mapping = Mapping.model_validate({"columns": columns, "constants": {"app": "a"}})

    def ids(rows: list[tuple[int, int]]) -> list[object]:
        converter = Converter(Plan("usage", mapping, {"app": "a"}, Document("map.yaml")), None)
        return [converter.event({"t": str(1_790_000_000 + t), "n": n})["event_id"] for t, n in rows]

    one, other = (ids(rows) for rows in orders)
    assert sorted(map(str, one)) == sorted(map(str, other))
    assert len(set(one)) == len(one)
