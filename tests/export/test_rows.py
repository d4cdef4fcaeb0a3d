"""Which feedback is exported and what each row says."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyarrow import parquet

from uptake.calendar import Period
from uptake.export import Format
from uptake.sql.runner import KpiRunner

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def ids(*events: dict[str, Any]) -> list[str]:
    return sorted(each["event_id"] for each in events)


def exported(desk: Any, **selection: Any) -> list[str]:
    return [row.event_id for row in desk.rows(**selection)]


@pytest.fixture
def reviewed(desk: Any, monday: datetime) -> Any:
    """A desk with an edited answer whose call is known, and a rejection that names no answer."""
    desk.send(
        desk.event(
            "call", "usage", monday - MINUTE, response_id="r1", use_case="draft", prompt_version="v14",
            provider="openai", request_model="gpt-5", response_model="gpt-5-2026-08-07", trace_id="t1",
        ),
        desk.decision(
            "edited", "edited", monday, response_id="r1", severity=0.3125, draft_tokens=16, final_tokens=15,
            reasons=["wrong_tone", "app:salutation"], reviewer_id="p_2",
        ),
        desk.decision("alone", "rejected", monday + MINUTE + timedelta(milliseconds=250), reasons=["other"]),
    )  # fmt: skip
    return desk


def test_a_line_says_all_that_is_known_and_null_for_what_is_not(reviewed: Any) -> None:
    assert reviewed.export().decode().splitlines() == [
        '{"event_id":"01a1bf89-2a80-7d65-9f11-a378513a41cf","occurred_at":"2026-11-09T09:00:00Z","kind":"decision",'
        '"decision":"edited","severity":0.3125,"draft_tokens":16,"final_tokens":15,'
        '"reasons":["wrong_tone","app:salutation"],"taxonomy_version":1,"thumb":null,"superseded":0,"reviewed":true,'
        '"app":"letters","use_case":"draft","environment":"production","team":null,"prompt_version":"v14",'
        '"provider":"openai","request_model":"gpt-5","response_model":"gpt-5-2026-08-07","response_id":"r1",'
        '"trace_id":"t1"}',
        '{"event_id":"01a1bf8a-15da-763c-a393-6fce3ee64afb","occurred_at":"2026-11-09T09:01:00.250000Z",'
        '"kind":"decision","decision":"rejected","severity":null,"draft_tokens":null,"final_tokens":null,'
        '"reasons":["other"],"taxonomy_version":1,"thumb":null,"superseded":0,"reviewed":false,'
        '"app":"letters","use_case":null,"environment":"production","team":null,"prompt_version":null,'
        '"provider":null,"request_model":null,"response_model":null,"response_id":null,"trace_id":null}',
    ]


def test_a_csv_has_a_header_and_reads_as_the_import_reads_cells(reviewed: Any) -> None:
    header, edited, alone = csv.reader(io.StringIO(reviewed.export(Format.CSV).decode()))
    first = json.loads(reviewed.export().splitlines()[0])
    assert header == list(first)
    edited_cells, alone_cells = dict(zip(header, edited, strict=True)), dict(zip(header, alone, strict=True))
    assert edited_cells["reasons"] == "wrong_tone;app:salutation"
    assert (edited_cells["reviewed"], alone_cells["reviewed"]) == ("true", "false")
    assert (edited_cells["severity"], alone_cells["severity"]) == ("0.3125", "")
    assert alone_cells["occurred_at"] == "2026-11-09T09:01:00.250000Z"


def test_parquet_holds_the_rows_of_the_lines_with_their_types(reviewed: Any) -> None:
    table = parquet.read_table(io.BytesIO(reviewed.export(Format.PARQUET, page_rows=1)))
    lines = [json.loads(line) for line in reviewed.export().splitlines()]
    for row, line in zip(table.to_pylist(), lines, strict=True):
        assert row.pop("occurred_at") == datetime.fromisoformat(line.pop("occurred_at"))
        assert row == line
    types = {field.name: str(field.type) for field in table.schema}
    assert types["occurred_at"] == "timestamp[ms, tz=UTC]"
    assert (types["reasons"], types["severity"]) == ("list<element: string>", "double")


@pytest.mark.parametrize("format", Format)
def test_nothing_to_export_is_a_whole_file_without_rows(desk: Any, format: Format) -> None:
    written = desk.export(format)
    if format is Format.JSONL:
        assert written == b""
    elif format is Format.CSV:
        assert written.count(b"\n") == 1
    else:
        assert parquet.read_table(io.BytesIO(written)).num_rows == 0


def test_only_the_app_and_the_period_that_were_asked_for(desk: Any, monday: datetime) -> None:
    begins, ends = datetime(2026, 11, 8, 23, tzinfo=UTC), datetime(2026, 11, 15, 23, tzinfo=UTC)  # in Paris
    moment = timedelta(milliseconds=1)
    inside = [desk.decision(n, at=at) for n, at in enumerate((begins, ends - moment))]
    outside = [desk.decision(n, at=at) for n, at in enumerate((begins - moment, ends))]
    desk.send(*inside, *outside, desk.decision("other", app="other", at=monday))
    assert exported(desk) == ids(*inside)


def test_the_last_decision_on_an_answer_counts_and_says_how_many_it_replaced(
    desk: Any, monday: datetime
) -> None:
    desk.send(
        desk.decision(1, "edited", monday, response_id="r1", severity=0.9),
        desk.decision(2, "rejected", monday + HOUR, response_id="r1"),
        desk.decision(3, "accepted", monday + 2 * HOUR, response_id="r1"),
        desk.decision(4, "accepted", monday, response_id="r2"),
        desk.decision(5, "rejected", monday + HOUR),
        desk.decision(6, "rejected", monday + 2 * HOUR),
    )
    rows = [(row.response_id, row.decision, row.severity, row.superseded) for row in desk.rows()]
    assert rows == [
        ("r2", "accepted", None, 0),
        (None, "rejected", None, 0),
        ("r1", "accepted", None, 2),
        (None, "rejected", None, 0),
    ]
    assert (desk.report.rows, desk.report.superseded) == (4, 2)


def test_the_last_is_by_time_where_the_ids_say_otherwise(desk: Any, monday: datetime) -> None:
    last = desk.decision(1, "rejected", monday, response_id="r1", user_id="u0", team="team")
    last["occurred_at"] = (monday + 2 * HOUR).isoformat()
    replaced = desk.decision(2, "accepted", monday + HOUR, response_id="r1", user_id="v0", team="other")
    people = [
        desk.decision(f"{team}{n}", at=monday, user_id=f"{team}{n}", team=name)
        for team, name, size in (("u", "team", 6), ("v", "other", 5))
        for n in range(1, size)
    ]
    desk.send(last, replaced, *people)
    (row,) = [row for row in desk.rows() if row.response_id]
    assert (row.decision, row.superseded) == ("rejected", 1)
    assert desk.report.unnamed == 10, (
        "of the other team four people are left, and it must not be told by the rest"
    )


def test_a_decision_outside_the_period_or_the_app_replaces_none_in_it(desk: Any, monday: datetime) -> None:
    counted = desk.decision(1, "edited", monday, response_id="r1", severity=0.9)
    desk.send(
        counted,
        desk.decision(2, "accepted", monday + 7 * DAY, response_id="r1"),
        desk.decision(3, "accepted", monday + HOUR, response_id="r1", app="other"),
    )
    assert exported(desk) == ids(counted)


def test_an_edit_and_a_thumb_replace_no_decision(desk: Any, monday: datetime) -> None:
    said = [
        desk.decision(1, "accepted", monday, response_id="r1"),
        desk.event(2, "feedback", monday + HOUR, kind="edit", severity=0.1, response_id="r1"),
        desk.event(3, "feedback", monday + 2 * HOUR, kind="thumb", thumb="down", response_id="r1"),
    ]
    desk.send(*said)
    assert exported(desk, kinds=("decision", "edit", "thumb")) == ids(*said)
    assert exported(desk) == ids(*said[:2])
    assert exported(desk, kinds=("thumb",)) == ids(said[2])


def test_the_last_is_the_last_of_the_override_rate(desk: Any, monday: datetime) -> None:
    said = ("accepted", "edited", "rejected", "escalated")
    for n in range(40):
        fields: dict[str, Any] = {"severity": 0.5} if said[n % 4] == "edited" else {}
        if n % 3:
            fields["response_id"] = f"r{n % 7}"
        at = monday + MINUTE * (n * 17 % 29)  # several at one moment: then the id decides
        desk.send(desk.decision(n, said[n % 4], at, **fields))
    rows = desk.rows()
    week = Period(date(2026, 11, 9), date(2026, 11, 16), "Europe/Paris")
    result = KpiRunner(desk.database.tenant(desk.tenant), desk.workspace).run("override_rate", week)
    decided = [row for row in rows if row.decision != "escalated"]
    assert (len(decided), len(rows) - len(decided)) == (result.denominator, result.excluded["escalated"])
    assert sum(row.decision in ("rejected", "edited") for row in decided) == result.numerator
    assert desk.report.superseded == 40 - len(rows) > 0


def test_a_lower_severity_and_none_are_left_out_after_the_last_was_found(desk: Any, monday: datetime) -> None:
    kept = desk.decision(1, "edited", monday, severity=0.3)
    desk.send(
        kept,
        desk.decision(2, "edited", monday, severity=0.29),
        desk.decision(3, "rejected", monday),
        desk.decision(4, "edited", monday, severity=0.9, response_id="r1"),
        desk.decision(5, "accepted", monday + HOUR, response_id="r1"),
    )
    assert exported(desk, min_severity=0.3) == ids(kept)
    assert (desk.report.superseded, desk.report.below_severity) == (1, 3)
    assert len(desk.rows(min_severity=0.0)) == 2


def test_what_the_feedback_says_itself_stands_before_what_its_call_says(desk: Any, monday: datetime) -> None:
    call = {"provider": "openai", "request_model": "a", "response_model": "b", "prompt_version": "v1"}
    own = {"use_case": "mine", "prompt_version": "v2", "response_model": "c", "trace_id": "u"}
    desk.send(
        desk.event(1, "usage", monday - HOUR, response_id="r1", use_case="draft", trace_id="t", **call),
        desk.decision(2, at=monday, response_id="r1"),
        desk.event(3, "feedback", monday + HOUR, kind="edit", severity=0.0, response_id="r1", **own),
    )
    silent, telling = desk.rows()
    said = [(row.use_case, row.prompt_version, row.response_model, row.trace_id) for row in (silent, telling)]
    assert said == [("draft", "v1", "b", "t"), ("mine", "v2", "c", "u")]
    assert {(row.provider, row.request_model) for row in (silent, telling)} == {("openai", "a")}


def test_of_several_calls_for_an_answer_the_apps_own_last_one_is_meant(desk: Any, monday: datetime) -> None:
    desk.send(
        desk.event(1, "usage", monday - 2 * HOUR, response_id="r1", provider="first", trace_id="t"),
        desk.event(2, "usage", monday - HOUR, response_id="r1", provider="second"),
        desk.event(3, "usage", monday, response_id="r1", provider="third", app="other"),
        desk.decision(4, at=monday, response_id="r1"),
        desk.decision(5, at=monday + HOUR, response_id="unknown"),
    )
    assert [(row.provider, row.trace_id) for row in desk.rows()] == [("second", None), (None, None)]
    assert desk.report.unmatched == 1


@pytest.mark.parametrize(("apart", "found"), [(DAY, True), (DAY + HOUR, False)])
def test_a_call_is_looked_for_a_day_beyond_the_period(
    desk: Any, monday: datetime, apart: timedelta, found: bool
) -> None:
    begins, ends = datetime(2026, 11, 8, 23, tzinfo=UTC), datetime(2026, 11, 15, 23, tzinfo=UTC)
    desk.send(
        desk.event(1, "usage", begins - apart, response_id="r1", provider="openai"),
        desk.event(2, "usage", ends + apart - MINUTE, response_id="r2", provider="openai"),
        desk.decision(3, at=begins, response_id="r1"),
        desk.decision(4, at=ends - MINUTE, response_id="r2"),
    )
    assert [row.provider for row in desk.rows()] == ["openai" if found else None] * 2
    assert desk.report.unmatched == (0 if found else 2)


@pytest.mark.parametrize("page_rows", [1, 2, 3, 7, 100])
def test_pages_change_no_byte(desk: Any, monday: datetime, page_rows: int) -> None:
    desk.send(
        *(desk.event(f"c{n}", "usage", monday, response_id=f"r{n}", provider=f"p{n}") for n in range(4)),
        *(desk.decision(n, at=monday + n * MINUTE, response_id=f"r{n % 4}") for n in range(6)),
        *(desk.decision(f"alone{n}", at=monday) for n in range(6)),
    )
    whole = desk.export()
    assert whole.count(b"\n") == 10
    assert [json.loads(line)["event_id"] for line in whole.splitlines()] == sorted(
        json.loads(line)["event_id"] for line in whole.splitlines()
    )
    assert desk.export(page_rows=page_rows) == whole
    assert (desk.report.rows, desk.report.superseded) == (10, 2)


def test_what_is_stored_again_with_a_higher_version_is_one_row_as_it_last_was(
    desk: Any, monday: datetime
) -> None:
    people = [
        desk.decision(n, at=monday + n * MINUTE, response_id=f"r{n}", team="team", user_id=f"u{n}")
        for n in range(5)
    ]
    desk.send(*people, desk.event("call", "usage", monday, response_id="r1", provider="openai"))
    whole = desk.export()
    database = desk.database.tenant(desk.tenant)
    for table, changed in (("feedback", "'rejected' AS decision"), ("usage", "'azure' AS provider")):
        database.change(
            f"INSERT INTO {table} SELECT * REPLACE(ver + 1 AS ver, {changed}) FROM {table} "  # noqa: S608
            "WHERE tenant = {tenant:String}"
        )
    expected = whole.replace(b"accepted", b"rejected").replace(b"openai", b"azure")
    assert expected != whole
    assert desk.export(page_rows=2) == expected
    assert {row.superseded for row in desk.rows()} == {0}
