"""Cells as fields: empty is absent, people become pseudonyms, texts stay behind."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from uptake.schemas.pseudonym import pseudonym

KEY = "a key of the tests only"
BASE = "constants: {app: a}\nzone: UTC\n"


def test_an_empty_cell_is_absent_and_not_zero(desk: Any) -> None:
    event = desk.one("time,in,out\n2026-11-01 10:00:00,,0\n")
    assert (event.input_tokens, event.output_tokens) == (None, 0)


def test_raw_users_become_the_pseudonym_that_the_sdk_and_the_roster_make(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, user: who}\n" + BASE
    event = desk.one("time,who\n2026-11-01 10:00:00, Ann@Example.org \n", mapping, key=KEY)
    assert event.user_id == pseudonym(KEY, "ann@example.org")
    assert b"xample.org" not in b"".join(desk.store.bodies)


def test_an_address_in_a_column_of_pseudonyms_is_refused_and_not_repeated(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, user_id: who}\n" + BASE
    report = desk.load("time,who\n2026-11-01 10:00:00,ann@example.org\n2026-11-01 10:00:00,p1\n", mapping)
    assert (report.accepted, [row.line for row in report.rejected]) == (1, [2])
    assert "`user`" in report.rejected[0].detail
    assert "ann" not in str(report.rejected)


def test_values_are_translated_and_what_is_not_among_them_is_refused(desk: Any) -> None:
    mapping = (
        'columns:\n  occurred_at: time\n  thumb: {column: r, values: {"1": up, "-1": down, "0": ~}}\n' + BASE
    )
    rows = "".join(f"2026-11-01 10:00:0{i},{cell}\n" for i, cell in enumerate(["1", "-1", "0", "", "2"]))
    report = desk.load("time,r\n" + rows, mapping, "feedback")
    assert [(e.kind, e.thumb) for e in desk.store.all()] == [("thumb", "up"), ("thumb", "down")]
    assert (report.rows, report.accepted, report.skipped) == (5, 2, 2)
    assert [(row.line, row.path) for row in report.rejected] == [(6, "thumb")]


def test_a_decision_may_carry_the_severity_of_its_edit(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, decision: d, draft: before, final: after, reasons: why}\n" + BASE
    event = desk.one(
        "time,d,before,after,why\n2026-11-01,edited,a b c d,a b x d,wrong_tone;app:clause\n",
        mapping,
        "feedback",
    )
    assert (event.kind, event.decision, event.severity) == ("decision", "edited", 0.25)
    assert event.reasons == ["wrong_tone", "app:clause"]


def test_the_texts_of_an_edit_are_compared_and_stay_where_they_are(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, draft: before, final: after}\n" + BASE
    event = desk.one(
        'time,before,after\n2026-11-01,"secret plan\nof two lines","secret deed\nof two lines"\n',
        mapping,
        "feedback",
    )
    assert (event.kind, event.severity, event.draft_tokens, event.final_tokens) == ("edit", 0.2, 5, 5)
    body = b"".join(desk.store.bodies)
    assert b"secret" not in body
    assert b"lines" not in body


def test_two_edits_with_the_same_severity_are_two(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, draft: before, final: after}\n" + BASE
    report = desk.load(
        "time,before,after\n2026-11-01,a b,a c\n2026-11-01,d e,d f\n2026-11-01,,x\n", mapping, "feedback"
    )
    assert (report.accepted, report.skipped) == (2, 1)


def test_money_stays_the_decimal_that_was_written(desk: Any) -> None:
    mapping = (
        "columns: {occurred_at: t, amount: a, category: c, currency: u, period_start: s, period_end: e}\n"
        + BASE
    )
    event = desk.one(
        "t,a,c,u,s,e\n2026-11-01,1234567.123456789,licence,EUR,2026-10-01,2026-11-01 00:00:00\n",
        mapping,
        "cost",
    )
    assert event.amount == Decimal("1234567.123456789")
    assert (event.period_start.isoformat(), event.period_end.isoformat()) == ("2026-10-01", "2026-11-01")
    body = json.loads(desk.store.bodies[0])
    (sent,) = body["events"] if isinstance(body, dict) else body
    assert sent["amount"] == "1234567.123456789"


@pytest.mark.parametrize(
    ("cell", "hit"), [("yes", True), ("TRUE", True), ("1", True), ("no", False), ("0", False), ("", False)]
)
def test_flags_are_read_as_people_write_them(desk: Any, cell: str, hit: bool) -> None:
    mapping = "columns: {occurred_at: time, cache_hit: h, input_tokens: in}\n" + BASE
    assert desk.one(f"time,h,in\n2026-11-01,{cell},5.0\n", mapping).cache_hit is hit


def test_tags_come_from_columns_and_an_empty_one_is_none(desk: Any) -> None:
    mapping = "columns: {occurred_at: time}\ntags: {region: Region, tier: Tier}\n" + BASE
    assert desk.one("time,Region,Tier\n2026-11-01,Lyon,\n", mapping).tags == {"region": "Lyon"}


def test_durations_with_fractions_are_rounded_to_milliseconds(desk: Any) -> None:
    mapping = "columns: {occurred_at: time, duration_ms: ms}\n" + BASE
    assert desk.one("time,ms\n2026-11-01,1234.56\n", mapping).duration_ms == 1235


def test_constants_are_typed_like_cells(desk: Any) -> None:
    mapping = (
        "columns: {occurred_at: time}\nconstants: {app: 007, cache_hit: no, output_tokens: 010}\nzone: UTC\n"
    )
    event = desk.one("time\n2026-11-01\n", mapping)
    assert (event.app, event.cache_hit, event.output_tokens) == ("007", False, 10)
