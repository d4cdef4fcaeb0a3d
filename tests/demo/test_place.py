"""The demo replaces what it made, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from uptake.demo.place import prepare
from uptake.errors import UsageError


def test_a_directory_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / "data"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="not a demo's"):
        prepare(tmp_path)
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(UsageError, match="is a file"):
        prepare(path)


def test_an_earlier_demo_is_replaced_and_what_others_put_there_is_kept(tmp_path: Path) -> None:
    place = prepare(tmp_path / "demo")
    place.data.mkdir()
    (place.data / "state.db").write_text("old")
    place.page.write_text("old")
    notes = place.root / "notes.txt"
    notes.write_text("mine")
    again = prepare(tmp_path / "demo")
    assert not again.data.exists()
    assert not again.page.exists()
    assert notes.read_text() == "mine"


def test_a_link_is_removed_and_never_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "keep.txt").write_text("keep")
    place = prepare(tmp_path / "demo")
    place.data.symlink_to(elsewhere)
    prepare(tmp_path / "demo")
    assert (elsewhere / "keep.txt").read_text() == "keep"
    assert not place.data.exists()
