"""The part of requirements.lock that an image needs, hashes and all: `python deploy/locked.py --help`.

The lock holds the tools of development as well; pip can install from it whole, or from what this prints. Which
package needs which stands in the lock itself ("# via …"). Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = "uptake (pyproject.toml)"
"""What the lock calls the project, for what its base and its `service` extra name."""

_NAME = re.compile(r"[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package: its lines as they stand in the lock, and who asked for it."""

    name: str
    lines: tuple[str, ...]
    wanted_by: frozenset[str]


def read(lock: str) -> dict[str, Locked]:
    """Packages by name. Raises ValueError for a line that belongs to no package."""
    blocks: list[list[str]] = []
    for line in lock.splitlines():
        if not line.strip():
            continue
        if not line.startswith((" ", "#")):
            blocks.append([line])
        elif blocks:
            blocks[-1].append(line)
        elif not line.startswith("#"):
            raise ValueError(f"not a lock file: {line!r}")
    found = {}
    for block in blocks:
        name = _NAME.match(block[0])
        if name is None:
            raise ValueError(f"not a requirement: {block[0]!r}")
        comments = [line.strip().lstrip("#").strip() for line in block[1:] if line.strip().startswith("#")]
        wanted_by = frozenset(said.removeprefix("via").strip() for said in comments) - {""}
        lines = tuple(line for line in block if not line.strip().startswith("#"))
        found[name[0]] = Locked(name[0], lines, wanted_by)
    return found


def needed(
    packages: Mapping[str, Locked], wanted: Iterable[str], without: Iterable[str] = ()
) -> list[Locked]:
    """`wanted` (names of packages, or PROJECT for what the service names) and all that they need, but for `without` and
    what only those need. Raises ValueError for a name that the lock does not hold."""
    left_out = set(without)
    for name in [*left_out, *(set(wanted) - {PROJECT})]:
        if name not in packages:
            raise ValueError(f"{name} is not in the lock")
    reached = set(wanted)
    todo = list(reached)
    while todo:
        asking = todo.pop()
        for package in packages.values():
            if asking in package.wanted_by and package.name not in reached | left_out:
                reached.add(package.name)
                todo.append(package.name)
    return [packages[name] for name in sorted(reached & packages.keys())]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python deploy/locked.py", description=__doc__)
    parser.add_argument("packages", nargs="*", help="names; none: what the service needs")
    parser.add_argument("--without", action="append", default=[], metavar="NAME", help="leave it out")
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    options = parser.parse_args()
    packages = read(options.lock.read_text(encoding="utf-8"))
    for package in needed(packages, options.packages or [PROJECT], options.without):
        sys.stdout.write("\n".join(package.lines) + "\n")


if __name__ == "__main__":
    main()
