"""Files as they are exported: each refused row is named by its line, and no good row is lost to a bad one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from uptake.clock import ManualClock
from uptake.errors import UnavailableError, UsageError
from uptake.ingest.importer.mapping import read_plan
from uptake.ingest.importer.readers import records
from uptake.ingest.importer.report import Progress
from uptake.ingest.importer.run import import_file
from uptake.schemas.batch import Batch, Receipt, StoreUnavailable

CLOCK = ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))
GOOD = "2026-11-01 10:00:00,1,2\n"


def lines(report: Any) -> list[int]:
    return [row.line for row in report.rejected]


@pytest.mark.parametrize(
    ("content", "accepted"),
    [
        ("", 0),
        ("\n", 0),
        ("\n \ntime,in,out\n2026-11-01 10:00:00,1,2\n", 1),
        ("time,in,out", 0),
        ("time,in,out\n", 0),
        ("time,in,out\n2026-11-01 10:00:00,1,2", 1),
        ("time,in,out\r\n2026-11-01 10:00:00,1,2\r\n\r\n2026-11-01 10:00:01,1,2\r\n", 2),
        ("\ufefftime;in;out\n2026-11-01 10:00:00;1;2\n;;\n", 1),
        ("time\tin\tout\n2026-11-01 10:00:00\t1\t2\n", 1),
        ('"time" , in , out\n 2026-11-01 10:00:00 , 1 , 2 \n'.replace('" ,', '",'), 1),
    ],
)
def test_a_file_is_read_as_spreadsheets_and_scripts_write_it(desk: Any, content: str, accepted: int) -> None:
    report = desk.load(content)
    assert (report.accepted, report.rejected) == (accepted, [])


def test_lines_are_counted_from_the_top_of_the_file_also_above_the_header(desk: Any) -> None:
    assert lines(desk.load(f"\n\ntime,in,out\n{GOOD}x,1,2\n")) == [5]


def test_rows_with_too_few_or_too_many_cells_are_named_by_their_line(desk: Any) -> None:
    report = desk.load(f"time,in,out\n{GOOD}2026-11-01 10:00:01,1\n2026-11-01 10:00:02,1,2,3\n{GOOD}")
    assert (report.rows, report.accepted, lines(report)) == (4, 2, [3, 4])
    assert report.rejected[0].detail == "has 2 cells where the header has 3"


def test_line_numbers_count_lines_of_the_file_even_inside_quotes(desk: Any) -> None:
    content = (
        'time,in,out,note\n2026-11-01 10:00:00,1,2,"two\nlines"\n\n2026-11-01 10:00:00,x,2,"three\n\nlines"\n'
    )
    report = desk.load(content + "2026-11-01 10:00:00,y,2,\n")
    assert (report.accepted, lines(report)) == (1, [5, 8])


def test_a_quote_that_never_ends_costs_no_row_before_it_and_is_named(desk: Any) -> None:
    report = desk.load(f'time,in,out\n{GOOD}"2026-11-01 10:00:00,1,2\n{GOOD}')
    assert (report.accepted, lines(report)) == (1, [3])
    assert "lines 3 to 4" in report.rejected[0].detail


def test_a_row_with_broken_bytes_is_named_and_the_others_are_in(desk: Any) -> None:
    content = b"time,in,out,note\n2026-11-01 10:00:00,1,2,caf\xe9\n2026-11-01 10:00:00,1,2,ok\n"
    report = desk.load(content)
    assert (report.accepted, lines(report)) == (1, [2])
    assert "UTF-8" in report.rejected[0].detail


def test_another_encoding_can_be_declared(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, team: team}\nconstants: {app: a}\nzone: UTC\nencoding: cp1252\n"
    desk.load(b"time,team\n2026-11-01 10:00:00,Qualit\xe9 \x80\n", mapping)
    assert [event.team for event in desk.store.all()] == ["Qualité €"]


def test_a_utf_16_file_is_named_for_what_it_is(desk: Any) -> None:
    with pytest.raises(UsageError, match="UTF-16"):
        desk.load("time,in,out\n".encode("utf-16"))


def test_what_the_contract_refuses_is_named_by_line_field_and_column(desk: Any) -> None:
    mapping = (
        "columns: {occurred_at: time, input_tokens: in, cache_read_input_tokens: cached}\n"
        "constants: {app: a}\nzone: UTC\n"
    )
    content = "time,in,cached\n2026-11-01 10:00:00,-5,\n2026-11-01 10:00:00,1,\n2026-11-01 10:00:00,1,2\n"
    report = desk.load(content, mapping)
    assert (report.accepted, lines(report)) == (1, [2, 4])
    assert report.rejected[0].path == "input_tokens"
    assert 'column "in"' in report.rejected[0].detail


@pytest.mark.parametrize(
    "cell", ["1,5", "abc", "1_000", "12 345", "1e3", "0x10", "NaN", "9" * 40, "9" * 5000]
)
def test_a_count_that_is_no_whole_number_is_refused_and_not_repeated(desk: Any, cell: str) -> None:
    report = desk.load(f'time,in,out\n2026-11-01 10:00:00,"{cell}",2\n')
    assert lines(report) == [2]
    assert cell not in str(report.rejected)


def test_an_event_of_tomorrow_week_is_refused_with_the_reason(desk: Any) -> None:
    report = desk.load("time,in,out\n2026-12-01 10:00:00,1,2\n")
    assert [(row.line, row.reason) for row in report.rejected] == [(2, "future")]


def test_no_batch_holds_more_than_500_events(desk: Any) -> None:
    report = desk.load("time,in,out\n" + "".join(f"2026-11-01 10:00:00,{i},2\n" for i in range(1203)))
    assert (report.accepted, desk.store.batches) == (1203, [500, 500, 203])


def test_progress_is_told_after_each_batch_and_ends_with_the_whole_file(tmp_path: Path, desk: Any) -> None:
    told: list[Progress] = []
    path = desk.write(
        "calls.csv", "time,in,out\n" + "".join(f"2026-11-01 10:00:00,{i},2\n" for i in range(700))
    )
    mapping = desk.write("map.yaml", "columns: {occurred_at: time}\nconstants: {app: a}\nzone: UTC\n")
    import_file(path, "usage", mapping, desk.store.send, "acme", CLOCK, told.append)
    size = path.stat().st_size
    assert [each.rows for each in told] == [500, 700]
    assert 0 < told[0].bytes_done < told[-1].bytes_done == told[-1].bytes_total == size


def test_an_import_that_the_store_interrupts_can_be_done_again(
    desk: Any, new_desk: Callable[[], Any]
) -> None:
    content = "time,in,out\n" + "".join(f"2026-11-01 10:00:00,{i},2\n" for i in range(900))
    path = desk.write("calls.csv", content)
    mapping = desk.write("map.yaml", "columns: {occurred_at: time}\nconstants: {app: a}\nzone: UTC\n")

    def failing(batch: Batch) -> Receipt:
        if desk.store.batches:
            raise StoreUnavailable("the disk is full")
        return desk.store.send(batch)  # type: ignore[no-any-return]

    with pytest.raises(UnavailableError, match="line 502 on") as error:
        import_file(path, "usage", mapping, failing, "acme", CLOCK)
    assert "again" in error.value.hint
    report = import_file(path, "usage", mapping, desk.store.send, "acme", CLOCK)
    assert (report.accepted, report.duplicates) == (400, 500)


def test_ndjson_rows_are_named_by_line_and_reach_into_objects(desk: Any) -> None:
    mapping = "columns: {occurred_at: at, input_tokens: usage.in}\nconstants: {app: a}\n"
    content = (
        '{"at": 1793527200, "usage": {"in": 5}}\n'
        "\n"
        "not json\n"
        "[1]\n"
        '{"at": 1793527200.5, "usage": {"in": null}}\n'
        '{"at": 1793527201000}'
    )
    report = desk.load(content, mapping, name="calls.jsonl")
    assert (report.rows, report.accepted, lines(report)) == (5, 3, [3, 4])
    assert [event.input_tokens for event in desk.store.all()] == [5, None, None]


def test_a_row_with_half_a_character_is_refused_and_the_others_are_in(desk: Any) -> None:
    mapping = "columns: {occurred_at: at, use_case: u}\nconstants: {app: a}\n"
    content = '{"at": 1793527200, "u": "\\ud800"}\n{"at": 1793527200, "u": "\\ud83d\\ude00"}\n'
    report = desk.load(content, mapping, name="calls.ndjson")
    assert (report.accepted, lines(report)) == (1, [1])


def test_an_ndjson_name_that_no_row_has_is_refused_before_anything_is_sent(desk: Any) -> None:
    mapping = "columns: {occurred_at: at, input_tokens: usage.input}\nconstants: {app: a}\n"
    with pytest.raises(UsageError, match=r'"usage.input" is not in calls.jsonl'):
        desk.load('{"at": 1793527200, "usage": {"in": 5}}\n', mapping, name="calls.jsonl")
    assert desk.store.batches == []


def test_parquet_keeps_types_times_and_absence(desk: Any, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    nested = pa.struct([("out", pa.int64()), ("end", pa.timestamp("ns"))])
    table = pa.table(
        {
            "at": pa.array([1_793_527_200_123_456_789, 1_793_527_201_000_000_000], pa.timestamp("ns", "UTC")),
            "in": pa.array([5.0, None], pa.float64()),
            # A nested time to the nanosecond, which Python cannot hold, must not stop the file.
            "usage": pa.array([{"out": 7, "end": 1}, None], nested),
            "hit": pa.array([True, False]),
        }
    )
    pq.write_table(table, tmp_path / "source.parquet")
    columns = "{occurred_at: at, input_tokens: in, output_tokens: usage.out, cache_hit: hit}"
    mapping = f"columns: {columns}\nconstants: {{app: a}}\n"
    content = (tmp_path / "source.parquet").read_bytes()
    report = desk.load(content, mapping, name="calls.parquet")
    assert (report.accepted, report.rejected) == (2, [])
    found = [(e.input_tokens, e.output_tokens, e.cache_hit) for e in desk.store.all()]
    assert found == [(5, 7, True), (None, None, False)]
    assert desk.store.all()[0].occurred_at.microsecond == 123456
    assert desk.load(content, mapping, name="calls.parquet").duplicates == 2
    # pandas, where it is installed, has a type for nanoseconds: ids must not depend on that.
    plan = read_plan(tmp_path / "map.yaml", "usage")
    rows = list(records(tmp_path / "calls.parquet", plan))
    assert [type(row.cells["at"]) for row in rows] == [datetime, datetime]
    assert type(rows[0].cells["usage"]["end"]) is datetime  # type: ignore[index]


def test_a_file_that_is_not_what_its_ending_says_is_refused(desk: Any) -> None:
    with pytest.raises(UsageError, match="not a Parquet file that can be read"):
        desk.load("time,in,out\n", name="calls.parquet")
    with pytest.raises(UsageError, match="by its ending"):
        desk.load("time,in,out\n", name="calls.dat")
