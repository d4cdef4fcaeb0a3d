"""Saying where an error happened without what it was about: its message may repeat somebody's data."""

from __future__ import annotations

import traceback
from pathlib import Path

_INNERMOST = 6


def where(error: BaseException) -> list[str]:
    """The innermost frames of an error, as ``file:line function``, outermost of them first."""
    frames = traceback.extract_tb(error.__traceback__)[-_INNERMOST:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
