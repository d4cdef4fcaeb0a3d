"""What `uptake workspace check` says."""

from __future__ import annotations

from pathlib import Path

from uptake.problems import Problem
from uptake.workspace.load import read_all


def check(directory: Path, pseudonym_key: str | None) -> list[Problem]:
    """Every error and every warning of the workspace or workspaces in `directory`, in order of file and line.

    A workspace loads when none of them is an error (`Problem.severity`).
    """
    return read_all(directory, pseudonym_key)[1]
