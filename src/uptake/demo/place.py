"""The demo's directory: made, recognised again, and emptied of nothing but what the demo itself put there."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from uptake.errors import UsageError

_MARK = ".uptake-demo"
_OWN = ("workspace", "data", "index.html", "messages.json", ".env")


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything of one demo is."""

    root: Path

    @property
    def workspace(self) -> Path:
        return self.root / "workspace"

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def page(self) -> Path:
        return self.root / "index.html"

    @property
    def messages(self) -> Path:
        return self.root / "messages.json"

    @property
    def environment(self) -> Path:
        """Settings that make `uptake` commands, run in this directory, look at the demo."""
        return self.root / ".env"


def prepare(directory: Path) -> Place:
    """An empty place in `directory`. Raises UsageError when something else lives there."""
    root = directory.resolve()
    if root.exists() and not root.is_dir():
        raise UsageError(f"{directory} is a file", "name a directory for the demo")
    if root.is_dir() and any(root.iterdir()) and not (root / _MARK).is_file():
        raise UsageError(
            f"{directory} is not empty and not a demo's", "name an empty or a new directory for the demo"
        )
    root.mkdir(parents=True, exist_ok=True)
    (root / _MARK).write_text(
        "`uptake demo` made this directory and replaces what it put here.\n", encoding="utf-8"
    )
    for name in _OWN:
        path = root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return Place(root)
