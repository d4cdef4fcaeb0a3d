"""What is wrong with a file that a person wrote: where, why, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault. `line` counts from 1; 0 is the file as a whole (it is missing, say).

    A warning is worth knowing and stops nothing. Nothing here names a person: a line does.
    """

    file: str
    line: int
    reason: str
    hint: str = ""
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        kind = "warning: " if self.severity == "warning" else ""
        return f"{place}: {kind}{self.reason}" + (f" ({self.hint})" if self.hint else "")


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be, or None. Case counts least."""
    by_fold = {each.casefold(): each for each in sorted(known, reverse=True)}
    found = difflib.get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean X?``, or what there is when nothing comes close (up to twelve names), or nothing."""
    names = sorted(set(known))
    match = nearest(name, names)
    if match is not None:
        return f"did you mean {match}?"
    if not names:
        return ""
    return "known: " + ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
