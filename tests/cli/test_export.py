"""`uptake export feedback` as somebody types it: rows where they were asked for, everything else beside them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uptake.export import replacing

Run = Callable[..., Any]

WEEK = ("--from", "2026-11-02", "--to", "2026-11-08")


@pytest.fixture
def imported(uptake_process: Run, here: Path, workspace: Path) -> Run:
    """An installation with decisions of the app "letters" on three answers, on one of them two."""
    (here / "feedback.csv").write_text(
        "when,answer,verdict,why,changed\n"
        "2026-11-02 10:00:00,r1,rejected,wrong_tone,\n"
        "2026-11-02 11:00:00,r1,accepted,,\n"
        "2026-11-03 10:00:00,r2,edited,incomplete other,0.5\n"
        "2026-11-04 10:00:00,r3,accepted,,\n"
    )
    (here / "map.yaml").write_text(
        "zone: Europe/Paris\nconstants: {app: letters, kind: decision}\ncolumns: {occurred_at: when, "
        "response_id: answer, decision: verdict, reasons: why, severity: changed}\n"
    )
    done = uptake_process("import", "feedback.csv", "--as", "feedback", "--map", "map.yaml")
    assert done.returncode == 0, done.stderr
    return lambda *more: uptake_process("export", "feedback", "--app", "letters", *WEEK, *more)


def test_rows_are_on_standard_output_and_what_is_said_of_them_is_not(imported: Run) -> None:
    done = imported()
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["response_id"], row["decision"], row["superseded"]) for row in rows] == [
        ("r1", "accepted", 1),
        ("r2", "edited", 0),
        ("r3", "accepted", 0),
    ]
    assert "3 rows of letters, 2026-11-02 – 2026-11-08" in done.stderr
    assert "1 left out: there is a later one on the same answer" in done.stderr
    as_json = imported("--json")
    assert as_json.stdout == done.stdout
    assert json.loads(as_json.stderr)["rows"] == 3


def test_a_file_has_the_format_of_its_name_and_is_its_owners_alone(imported: Run, here: Path) -> None:
    done = imported("--out", "edits.csv", "--min-severity", "0.3", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["rows"], report["below_severity"], report["file"]) == (1, 2, "edits.csv")
    (row,) = csv.DictReader((here / "edits.csv").open())
    assert (row["response_id"], row["severity"], row["reasons"]) == ("r2", "0.5", "incomplete;other")
    assert (here / "edits.csv").stat().st_mode & 0o077 == 0
    assert imported("--out", "again.csv", "--min-severity", "0.3").returncode == 0
    assert (here / "again.csv").read_bytes() == (here / "edits.csv").read_bytes()
    assert [path.name for path in here.iterdir() if path.name.startswith(".") and path.is_file()] == []


def test_an_app_that_nobody_knows_is_an_error_and_no_empty_file(imported: Run, here: Path) -> None:
    (here / "feedback.jsonl").write_text("what was there\n")
    done = imported("--app", "leters", "--out", "feedback.jsonl")
    assert done.returncode == 2
    assert "there is no feedback of an app 'leters' in this period" in done.stderr
    assert (here / "feedback.jsonl").read_text() == "what was there\n"


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        (("--to", "2199-11-08"), "is not over yet"),
        (("--from", "2 Nov"), "'2 Nov' is not a day"),
        (("--kind", "decision,survey"), "'survey' is not exported"),
        (("--min-severity", "2"), "less than or equal to 1"),
        (("--format", "parquet"), "Parquet is not for a terminal or a pipe"),
        (("--out", "nowhere/feedback.jsonl"), "there is no directory nowhere"),
        (("--tenant", "nobody"), "there is no tenant 'nobody'"),
    ],
)
def test_what_cannot_be_exported_is_said_before_anything_is_read(
    uptake: Run, workspace: Path, more: tuple[str, ...], cause: str
) -> None:
    done = uptake("export", "feedback", "--app", "letters", *WEEK, *more)
    assert done.returncode == 2, done.stderr
    assert cause in done.stderr
    assert "hint: " in done.stderr
    assert done.stdout == ""


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "feedback.jsonl"
    path.write_bytes(b"before")

    def interrupted() -> None:
        with replacing(path) as out:
            out.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"before"
    with replacing(path) as out:
        out.write(b"whole")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_texts_are_exported_of_an_app_that_keeps_them_and_refused_of_any_other(
    uptake_process: Run, here: Path, workspace: Path
) -> None:
    moment = "2026-11-02 10:00:00"
    (here / "feedback.csv").write_text(f"when,changed,before,after\n{moment},0.5,a draft,a final text\n")
    (here / "map.yaml").write_text(
        "zone: Europe/Paris\nconstants: {app: letters, kind: edit}\n"
        "columns: {occurred_at: when, severity: changed, draft_text: before, final_text: after}\n"
    )
    command = ("export", "feedback", "--app", "letters", *WEEK, "--with-text")
    refused = uptake_process(*command)
    assert refused.returncode == 2
    assert "no texts of 'letters' are kept" in refused.stderr
    (workspace / "apps.yaml").write_text("- {app: letters, owner: o, keep_text: [final]}\n")
    (workspace / "budgets.yaml").unlink()  # they are of the starter's apps
    imported = uptake_process("import", "feedback.csv", "--as", "feedback", "--map", "map.yaml")
    assert imported.returncode == 0, imported.stderr
    done = uptake_process(*command)
    assert done.returncode == 0, done.stderr
    (row,) = map(json.loads, done.stdout.splitlines())
    assert (row["draft_text"], row["final_text"]) == (None, "a final text")
    assert "1 rows of letters" in done.stderr
    assert "1 with a text" in done.stderr
