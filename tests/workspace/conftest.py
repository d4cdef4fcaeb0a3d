"""A workspace on disk, written file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from uptake.problems import Problem
from uptake.workspace.check import check
from uptake.workspace.load import load_workspace
from uptake.workspace.models import Workspace

KEY = "a key of the tests only"
BASE = {
    "organisation.yaml": "tenant: acme\nname: Acme\ncurrency: USD\n",
    "roster.csv": "user_id,team,joined\np1,Claims,2026-01-01\np2,Sales,2026-01-01\n",
}


class Files:
    """A small valid workspace, in which each test replaces what it is about."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name, content in BASE.items():
            self.write(name, content)

    def write(self, name: str, content: str | bytes) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def check(self, key: str | None = KEY) -> list[Problem]:
        return check(self.directory, key)

    def faults(self, name: str, content: str | bytes, key: str | None = KEY) -> list[str]:
        """What is wrong after writing one file."""
        self.write(name, content)
        return [str(problem) for problem in self.check(key)]

    def load(self, key: str | None = KEY) -> Workspace:
        return load_workspace(self.directory, key)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)
