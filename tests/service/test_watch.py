"""A workspace follows its files: what changes is in force at the next look, what breaks changes nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from uptake.errors import WorkspaceError
from uptake.watch import WatchedWorkspaces
from uptake.workspace.load import load_workspaces
from uptake.workspace.models import Workspace
from uptake.workspace.starter import init

KEY = "a key of the tests"


class Place:
    """A starter workspace on disk, watched."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        init(directory)
        self.told: list[Mapping[str, Workspace]] = []
        self.loads = 0
        self._tick = 0
        self.watched = WatchedWorkspaces(directory, self._load, self.told.append)

    def _load(self) -> Mapping[str, Workspace]:
        self.loads += 1
        return load_workspaces(self.directory, KEY)

    def write(self, name: str, text: str) -> None:
        """Write a file, with a time of change that no earlier write had."""
        file = self.directory / name
        file.write_text(text)
        self._tick += 1
        os.utime(file, (self._tick, self._tick))

    @property
    def zone(self) -> str:
        [workspace] = self.watched.refresh().values()
        return workspace.organisation.zone


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "workspace")


def test_unchanged_files_are_not_read_again(place: Place) -> None:
    assert place.watched.refresh() is place.watched.refresh()
    assert place.loads == len(place.told) == 1


def test_a_changed_file_is_in_force_at_the_next_look(place: Place) -> None:
    organisation = (place.directory / "organisation.yaml").read_text()
    place.write("organisation.yaml", organisation.replace(f"zone: {place.zone}", "zone: Asia/Tokyo"))
    assert place.zone == "Asia/Tokyo"
    [workspace] = place.told[-1].values()
    assert place.watched.get(workspace.tenant) is workspace
    assert len(place.told) == 2


def test_a_broken_file_changes_nothing_until_it_is_mended(place: Place) -> None:
    good, zone = (place.directory / "organisation.yaml").read_text(), place.zone
    place.write("organisation.yaml", "zone: [")
    assert place.zone == zone
    assert "organisation.yaml" in place.watched.problem
    assert len(place.told) == 1
    place.write("organisation.yaml", good.replace(f"zone: {zone}", "zone: Asia/Tokyo"))
    assert (place.zone, place.watched.problem) == ("Asia/Tokyo", "")


def test_a_new_file_is_seen(place: Place) -> None:
    (place.directory / "targets.yaml").unlink()
    [without] = place.watched.refresh().values()
    assert without.targets == ()
    place.write("targets.yaml", "- {kpi: adoption, target: 0.5, owner: Ada, due: 2026-12-31}\n")
    [workspace] = place.watched.refresh().values()
    assert len(workspace.targets) == 1


def test_a_workspace_that_is_wrong_at_the_start_is_refused(tmp_path: Path) -> None:
    init(tmp_path / "w")
    (tmp_path / "w" / "organisation.yaml").write_text("zone: [")
    with pytest.raises(WorkspaceError):
        WatchedWorkspaces(tmp_path / "w", lambda: load_workspaces(tmp_path / "w", KEY), lambda _: None)


def test_an_editors_dangling_lock_link_is_no_file(place: Place) -> None:
    (place.directory / ".#budgets.yaml").symlink_to("nobody@nowhere.1234")
    assert place.zone
    assert place.loads == 1


def test_a_workspace_that_cannot_be_read_changes_nothing(place: Place) -> None:
    def unreadable(self: Place) -> Mapping[str, Workspace]:
        raise PermissionError(13, "Permission denied")

    zone = place.zone
    place.watched._load = lambda: unreadable(place)
    place.write("apps.yaml", "[]")
    assert place.zone == zone
    assert place.watched.problem == "PermissionError"
