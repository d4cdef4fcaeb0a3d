"""What the guards look at: the files of the checkout, as git knows them (new ones that are not ignored included)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Paths relative to the root. A link counts as a file, what is behind it counts where it really is."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    names = sorted({name for name in listing.stdout.split("\0") if name})
    return [Path(name) for name in names if (ROOT / name).is_symlink() or (ROOT / name).exists()]
