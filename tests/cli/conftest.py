"""Command lines run as a user runs them: in a process of their own, in a directory of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def uptake(tmp_path: Path) -> Run:
    """`uptake("kpi", "--json")` in an empty directory, with nothing of this machine's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UPTAKE_")}

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from uptake.cli import main; main()", *arguments],
            cwd=tmp_path,
            env={**clean, "COLUMNS": "160", "UPTAKE_PSEUDONYM_KEY": "a key of the tests", **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
