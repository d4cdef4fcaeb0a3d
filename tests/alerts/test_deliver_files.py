"""Messages as files: whole or not at all, found again, printed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from uptake.alerts.deliver import LaterError
from uptake.alerts.deliver.files import FilesDeliverer
from uptake.alerts.message import Message
from uptake.clock import ManualClock

Build = Callable[..., Message]


def test_a_message_becomes_three_files_and_is_printed(
    tmp_path: Path, clock: ManualClock, full_message: Message
) -> None:
    stream = io.StringIO()
    reference = FilesDeliverer(tmp_path / "out", clock, stream).send("#ai-claims", full_message)
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    stem = reference.removesuffix(".json")
    assert names == [f"{stem}.html", f"{stem}.json", f"{stem}.txt"]
    assert stem.startswith("2026-11-16-digest-acme-claims-2026-w46-1-")
    payload = json.loads((tmp_path / "out" / reference).read_text())
    assert payload["channel"] == "#ai-claims"
    assert payload["identity"] == full_message.identity
    assert payload["blocks"][0]["type"] == "header"
    assert stream.getvalue().startswith("Claims · week 2026-W46")


def test_a_message_is_found_by_its_identity_and_channel_on_any_later_day(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    files = FilesDeliverer(tmp_path, clock)
    reference = files.send("#a", a_message("f1"))
    clock.set(clock.now().replace(day=20))
    assert files.find("#a", "f1") == reference
    assert files.find("#b", "f1") is None
    assert files.find("#a", "f2") is None


def test_identities_that_look_alike_do_not_share_a_file(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    files = FilesDeliverer(tmp_path, clock)
    assert files.send("#a", a_message("f/1")) != files.send("#a", a_message("f-1"))


def test_a_directory_that_cannot_be_written_is_tried_again_later(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LaterError, match="cannot write"):
        FilesDeliverer(tmp_path / "file", clock).send("#a", a_message())


def test_a_terminal_that_went_away_does_not_undo_the_delivery(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    gone = io.StringIO()
    gone.close()
    files = FilesDeliverer(tmp_path, clock, gone)
    assert (tmp_path / files.send("#a", a_message())).is_file()
