"""`uptake digest preview` and the dry run: what is shown is what would be said, and nothing is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_a_preview_is_a_page_whose_path_is_printed(uptake_process: Run, workspace: Path) -> None:
    done = uptake_process("digest", "preview", "--html", "--week", "2026-W01", "--all")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert path.parent == workspace.parent / ".uptake" / "previews"
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert page.count("<article ") > 1, "every audience of the starter workspace"
    named = uptake_process("digest", "preview", "--html", "--week", "2026-W01", "--out", "deep/one.html")
    assert named.returncode == 0, named.stderr
    assert (workspace.parent / "deep" / "one.html").read_text(encoding="utf-8").count("<article ") == 1
    assert "nothing was said yet" in uptake_process("messages").stdout


def test_a_dry_run_for_programs_is_one_body_a_line(uptake_process: Run, workspace: Path) -> None:
    done = uptake_process("digest", "--dry-run", "--json", "--week", "2026-W01")
    assert done.returncode == 0, done.stderr
    first, *replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["metadata"]["event_payload"]["part"] == 0
    assert all("thread_ts" in reply for reply in replies)
    shown = uptake_process("digest", "preview", "--week", "2026-W01")
    assert shown.stdout.splitlines()[0] in first["blocks"][0]["text"]["text"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("digest", "preview", "--out", "x.html"), "add --html"),
        (("digest", "preview", "--all", "--team", "Claims"), "one of them"),
        (("digest", "--week", "2026-W01", "preview"), "uptake digest preview --week 2026-W46"),
    ],
)
def test_what_does_not_go_together_is_refused(
    uptake: Run, workspace: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = uptake(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_page_that_cannot_be_written_says_why(uptake_process: Run, workspace: Path) -> None:
    (workspace.parent / "file").write_text("")
    done = uptake_process("digest", "preview", "--html", "--week", "2026-W01", "--out", "file/x.html")
    assert done.returncode == 2
    assert "cannot write file/x.html" in done.stderr
    assert "--out" in done.stderr
