"""The report of a long run: JSON for machines, a table for people."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from uptake_chaos.trial import Result


def write(directory: Path, results: Sequence[Result]) -> tuple[Path, Path]:
    """`report.json` and `report.md` in `directory`."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    ended = datetime.now(UTC).isoformat(timespec="seconds")
    as_json = directory / "report.json"
    content = {"machine": machine, "ended": ended, "scenarios": [result.as_json() for result in results]}
    as_json.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")
    as_text = directory / "report.md"
    as_text.write_text(f"{machine}; {ended}\n\n{table(results)}\n")
    return as_json, as_text


def table(results: Sequence[Result]) -> str:
    lines = [
        "| scenario | seed | seconds | events | kills | counts and sums compared | that differ | exact after |",
        "|---|---:|---:|---:|---|---:|---:|---:|",
    ]
    for result in results:
        kills = ", ".join(f"{count} {kind}" for kind, count in result.kills.items()) or "–"
        total = f"{sum(result.kills.values())}: {kills}" if result.kills else kills
        lines.append(
            f"| {result.scenario} | {result.seed} | {result.seconds:.0f} | {result.events:,} | {total} | "
            f"{result.difference.compared:,} | {result.difference.counts} | {result.settled_seconds:.1f} s |"
        )
    return "\n".join(lines)
