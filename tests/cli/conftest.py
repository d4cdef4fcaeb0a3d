"""Command lines as a user types them, in a directory of their own and with nothing of this machine's settings.

`uptake` runs in this process, for commands that do not open the database (chDB takes one path a process);
`uptake_process` runs the installed entry point in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import structlog

from uptake.cli.app import run
from uptake.workspace.starter import init


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]
KEY = "a key of the tests"


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("starter") / "workspace"
    init(directory)
    return directory


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    for name in os.environ:
        if name.startswith("UPTAKE_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("UPTAKE_PSEUDONYM_KEY", KEY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def workspace(here: Path, starter: Path) -> Path:
    """The starter workspace in the current directory."""
    shutil.copytree(starter, here / "workspace")
    return here / "workspace"


@pytest.fixture
def uptake(here: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    def in_this_process(*arguments: str) -> Done:
        code = run(list(arguments))
        return Done(code, *capsys.readouterr())

    yield in_this_process
    structlog.reset_defaults()  # what the command line set up is not for the tests after it


@pytest.fixture
def uptake_process(here: Path) -> Run:
    def in_its_own_process(*arguments: str) -> Done:
        command = [sys.executable, "-c", "from uptake.cli import main; main()", *arguments]
        done = subprocess.run(
            command,
            cwd=here,
            env={**os.environ, "COLUMNS": "160"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    return in_its_own_process
