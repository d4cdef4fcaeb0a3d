"""The SQL of activity by name."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_CELLS = "/* cells.sql */"


@cache
def sql_of(name: str) -> str:
    """The text of `sql/activity/<name>.sql`, with cells.sql where it asks for it."""
    folder = files("uptake.sql") / "activity"
    text = (folder / f"{name}.sql").read_text("utf-8")
    return text.replace(_CELLS, (folder / "cells.sql").read_text("utf-8")) if _CELLS in text else text
