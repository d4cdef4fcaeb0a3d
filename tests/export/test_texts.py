"""Texts: stored of an app that opted in and of no other, for 90 days, and given only to who asks for them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
from structlog.testing import capture_logs

from uptake.export import Format
from uptake.processors.content import content_hash
from uptake.processors.records import record_of
from uptake.schemas.batch import RejectionReason
from uptake.schemas.events import EVENT, MAX_TEXT
from uptake.sql.export import KEEP_TEXTS, Texts

DRAFT, FINAL = "we regret to refuse", 'we are glad to\n"agree" — tout de suite'
BOTH = ("draft", "final")


def entry(*kept: str, app: str = "letters") -> dict[str, Any]:
    return {"app": app, "owner": "o", "keep_text": kept}


def asked(desk: Any, *kept: str) -> Texts:
    return Texts(kept or BOTH, desk.clock.now() - KEEP_TEXTS)


def edited(desk: Any, key: object = 1, **fields: Any) -> dict[str, Any]:
    said = {"severity": 0.5, "draft_text": DRAFT, "final_text": FINAL, **fields}
    decision: dict[str, Any] = desk.decision(key, "edited", **said)
    return decision


def stored(desk: Any) -> list[tuple[str | None, str | None]]:
    rows = desk.database.tenant(desk.tenant).query(
        "SELECT draft_text, final_text FROM feedback FINAL WHERE tenant = {tenant:String} ORDER BY event_id"
    )
    return [(row["draft_text"], row["final_text"]) for row in rows]


@pytest.fixture
def keeping(desk_of: Callable[..., Any]) -> Any:
    """A desk whose app keeps both texts. Its clock is the machine's: the engine counts a text's age by its own."""
    return desk_of(apps=[entry(*BOTH)], now=datetime.now(UTC))


@pytest.mark.parametrize(
    ("apps", "kept"),
    [
        ([], (None, None)),
        ([entry()], (None, None)),
        ([entry(*BOTH, app="other")], (None, None)),
        ([entry("final")], (None, FINAL)),
        ([entry("draft")], (DRAFT, None)),
        ([entry(*BOTH)], (DRAFT, FINAL)),
    ],
)
def test_a_text_is_stored_only_where_the_registry_says_so_and_what_is_dropped_is_counted(
    desk_of: Callable[..., Any], apps: list[Any], kept: tuple[str | None, str | None]
) -> None:
    desk = desk_of(apps=apps, now=datetime.now(UTC))
    with capture_logs() as logs:
        desk.send(edited(desk))
        desk.send(edited(desk, 2), desk.decision(3), edited(desk))
    assert stored(desk)[:1] == [kept]
    dropped = kept.count(None)
    assert desk.pipeline.counters["texts_dropped"] == 3 * dropped, "each time that one comes"
    assert [log["event"] for log in logs] == (["texts_dropped"] if dropped else [])
    assert "regret" not in repr(logs)
    (first, *_) = desk.rows()
    assert (first.severity, first.decision) == (0.5, "edited"), "the rest of the event is as good as any"


def test_texts_are_in_a_file_only_if_they_are_asked_for(keeping: Any) -> None:
    keeping.send(edited(keeping), keeping.decision(2))
    without = keeping.export()
    assert b"_text" not in without
    lines = [json.loads(line) for line in keeping.export(texts=asked(keeping)).splitlines()]
    texts = {(line.pop("draft_text"), line.pop("final_text")) for line in lines}
    assert texts == {(DRAFT, FINAL), (None, None)}
    assert lines == [json.loads(line) for line in without.splitlines()]
    assert keeping.report.with_text == 1
    for each in (Format.CSV, Format.PARQUET):
        assert b"regret" not in keeping.export(each)
        assert b"regret" in keeping.export(each, texts=asked(keeping), page_rows=1)


def test_only_texts_that_the_registry_still_keeps_are_exported(keeping: Any) -> None:
    keeping.send(edited(keeping))
    (row,) = keeping.rows(texts=asked(keeping, "final"))
    assert (row.draft_text, row.final_text) == (None, FINAL)


def test_an_emptied_text_is_not_an_unknown_one(keeping: Any) -> None:
    keeping.send(edited(keeping, severity=1.0, final_text=""))
    (row,) = keeping.rows(texts=asked(keeping))
    assert (row.draft_text, row.final_text) == (DRAFT, "")


def test_the_longest_texts_come_back_as_they_were(keeping: Any) -> None:
    draft, final = "d" * MAX_TEXT, "f\t\n" * (MAX_TEXT // 6)
    keeping.send(edited(keeping, draft_text=draft, final_text=final))
    assert stored(keeping) == [(draft, final)]
    refused = keeping.offer(edited(keeping, 2, draft_text="d" * (MAX_TEXT + 1)))
    assert [r.path for r in refused.rejections] == ["[0].draft_text"]


def test_a_text_older_than_it_may_be_is_not_exported_even_if_it_is_still_there(keeping: Any) -> None:
    keeping.send(edited(keeping))
    later = keeping.clock.now() + timedelta(milliseconds=1)
    (row,) = keeping.rows(texts=Texts(BOTH, later))
    assert (row.draft_text, row.final_text) == (None, None)
    assert stored(keeping) == [(DRAFT, FINAL)]


def test_the_engine_removes_a_text_after_its_days_and_leaves_the_row(desk_of: Callable[..., Any]) -> None:
    now = datetime.now(UTC)
    ages = (KEEP_TEXTS + timedelta(hours=1), KEEP_TEXTS - timedelta(hours=1))
    old, young = (desk_of(apps=[entry(*BOTH)], now=now - age) for age in ages)
    for desk in (old, young):
        said = edited(desk) | {"occurred_at": (desk.clock.now() - timedelta(hours=1)).isoformat()}
        said["event_id"] = desk.event("x", "feedback", desk.clock.now())["event_id"]
        desk.send(said)
    old.database.command("OPTIMIZE TABLE feedback FINAL")
    assert stored(old) == [(None, None)]
    assert stored(young) == [(DRAFT, FINAL)]


def test_opting_in_is_for_what_comes_and_not_for_what_was_dropped(desk_of: Callable[..., Any]) -> None:
    desk = desk_of(apps=[entry()], now=datetime.now(UTC))
    desk.send(edited(desk))
    desk.configure(apps=[entry(*BOTH)])
    desk.send(edited(desk), edited(desk, 2))
    assert sorted(map(repr, stored(desk))) == sorted(map(repr, [(None, None), (DRAFT, FINAL)]))


def test_a_refusal_repeats_no_text_but_in_the_letter_that_holds_what_was_sent(keeping: Any) -> None:
    keeping.send(edited(keeping))
    with capture_logs() as logs:
        conflict = keeping.offer(edited(keeping, final_text="another"))
        wrong = keeping.offer(edited(keeping, 2, draft_text=["we regret"]), edited(keeping, 3, severity=2))
    reasons = [r.reason for refused in (conflict, wrong) for r in refused.rejections]
    assert reasons == [RejectionReason.CONFLICT, RejectionReason.INVALID, RejectionReason.INVALID]
    letters = keeping.database.tenant(keeping.tenant).query(
        "SELECT * EXCEPT (payload) FROM dead_letters FINAL WHERE tenant = {tenant:String}"
    )
    assert len(letters) == 3
    said = repr(letters) + repr(logs) + repr(conflict) + repr(wrong)
    assert "regret" not in said
    assert "another" not in said


def test_nothing_but_the_export_reads_a_text() -> None:
    named = {
        path.name
        for folder in ("sql", "processors", "distributed")
        for path in _sql_files(files("uptake") / folder)
        if re.search(r"(draft|final)_text", path.read_text("utf-8"))
    }
    assert named == {"0008_texts.sql", "texts.sql"}


def _sql_files(folder: Any) -> list[Any]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _sql_files(entry)
        elif entry.name.endswith(".sql"):
            found.append(entry)
    return found


def test_an_event_without_texts_has_the_hash_that_it_had_before_there_were_texts() -> None:
    said = {
        "event_id": "01a1bf89-2a80-7d65-9f11-a378513a41cf",
        "type": "feedback",
        "occurred_at": "2026-11-09T09:00:00Z",
        "app": "letters",
        "environment": "test",
        "kind": "decision",
        "decision": "edited",
        "severity": 0.3125,
        "draft_tokens": 16,
        "final_tokens": 15,
        "reasons": ["wrong_tone"],
        "reviewer_id": "p_2",
    }

    def hashed(**more: Any) -> int:
        return content_hash(record_of(EVENT.validate_json(json.dumps(said | more))))

    assert hashed() == hashed(draft_text=None) == 844174630918740168
    # What a server counted that did not know these fields yet: sent again after the upgrade, it is the same event.
    assert hashed(draft_text="a", final_text="b") == 2207455984535753752
