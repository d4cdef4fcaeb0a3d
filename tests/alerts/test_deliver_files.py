"""Messages as files: whole or not at all, found again, printed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from uptake.alerts.deliver import LaterError, Placed, Post
from uptake.alerts.deliver.files import FilesDeliverer
from uptake.alerts.message import Message, Text
from uptake.clock import ManualClock

Build = Callable[..., Message]


def send(files: FilesDeliverer, channel: str, message: Message, revision: int = 1) -> str:
    return files.send(channel, message, Post(message.identity, revision=revision)).reference


def test_a_message_becomes_three_files_and_is_printed(
    tmp_path: Path, clock: ManualClock, full_message: Message
) -> None:
    stream = io.StringIO()
    reference = send(FilesDeliverer(tmp_path / "out", clock, stream), "#ai-claims", full_message)
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
    reference = send(files, "#a", a_message("f1"))
    clock.set(clock.now().replace(day=20))
    assert files.find("#a", Post("f1")) == Placed(reference)
    assert files.find("#b", Post("f1")) is None
    assert files.find("#a", Post("f2")) is None


def test_identities_that_look_alike_do_not_share_a_file(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    files = FilesDeliverer(tmp_path, clock)
    assert send(files, "#a", a_message("f/1")) != send(files, "#a", a_message("f-1"))


def test_a_directory_that_cannot_be_written_is_tried_again_later(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LaterError, match="cannot write"):
        send(FilesDeliverer(tmp_path / "file", clock), "#a", a_message())


def test_a_terminal_that_went_away_does_not_undo_the_delivery(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    gone = io.StringIO()
    gone.close()
    files = FilesDeliverer(tmp_path, clock, gone)
    assert (tmp_path / send(files, "#a", a_message())).is_file()


def test_a_restated_message_replaces_its_files_whenever_that_is_and_is_printed_again(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    stream = io.StringIO()
    files = FilesDeliverer(tmp_path, clock, stream)
    reference = send(files, "#a", a_message("f1", details=(Text(text="By team: 7 of 9."),)))
    clock.set(clock.now().replace(day=20))
    new = a_message("f1", notice="Restated.", details=(Text(text="By team: 8 of 9."),))
    files.edit("#a", reference, new, Post("f1", revision=2))
    assert {path.stem for path in tmp_path.iterdir()} == {Path(reference).stem}
    assert files.find("#a", Post("f1")) == Placed(reference, 2)
    for ending in ("txt", "html", "json"):
        content = (tmp_path / reference).with_suffix(f".{ending}").read_text()
        assert "Restated." in content, ending
        assert "By team: 8 of 9." in content, ending
    assert stream.getvalue().count("By team: 7 of 9.") == stream.getvalue().count("By team: 8 of 9.") == 1


def test_a_message_whose_files_were_taken_away_is_written_again(
    tmp_path: Path, clock: ManualClock, a_message: Build
) -> None:
    files = FilesDeliverer(tmp_path, clock)
    files.edit("#a", "C0CLAIMS1/17.1", a_message("f1"), Post("f1", revision=2))
    found = files.find("#a", Post("f1"))
    assert found is not None
    assert found.revision == 2
    files.remove("#a", "C0CLAIMS1/17.2")
    assert files.posts(a_message("f1", details=(Text(text="By team"),))) == 1
