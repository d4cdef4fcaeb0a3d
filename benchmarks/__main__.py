"""`make bench`: runs every benchmark in a process of its own and prints one table with machine and versions.

`make bench BENCH="caller gateway"` runs some. Figures are medians; ratios are taken within one run, because the
machine is shared. With `--json` the rows come as JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from rich.console import Console
from rich.table import Table

from uptake.errors import UptakeError

NAMES = sorted(
    path.stem
    for path in Path(__file__).parent.glob("*.py")
    if path.stem not in ("__main__", "__init__", "harness")
)
PACKAGES = (
    "uptake",
    "chdb",
    "clickhouse-connect",
    "kafka-python",
    "faust-streaming",
    "aiokafka",
    "confluent-kafka",
    "pydantic",
    "starlette",
    "uvicorn",
    "genai-prices",
)


def machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line
        ]
        cpu = names[0] if names else cpu
    return (
        f"{os.cpu_count()} x {cpu}, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    parser.add_argument("--in-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if options.in_process:
        try:
            rows = [
                asdict(row)
                for name in options.names
                for row in importlib.import_module(f"benchmarks.{name}").run()
            ]
        except UptakeError as error:  # Java is missing, for instance
            print(f"error: {error.message}\nhint: {error.hint}", file=sys.stderr)
            return 1
        print(json.dumps(rows))
        return 0

    results: dict[str, list[dict[str, str]]] = {}
    failed = False
    for name in options.names or NAMES:
        print(f"running {name} …", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", "--in-process", name], stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            print(f"error: benchmark {name} ended with {done.returncode}", file=sys.stderr)
            failed = True  # the others still say something
            continue
        results[name] = json.loads(done.stdout.splitlines()[-1])
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    if options.json:
        print(json.dumps({"machine": machine(), "versions": versions, "results": results}, indent=2))
        return int(failed)
    console = Console(width=160 if not sys.stdout.isatty() else None)
    console.print(f"{machine()}\n{versions}")
    for name, rows in results.items():
        table = Table(title=name, title_justify="left")
        for column in ("what", "value", "spread", "ratio", "against", "goal"):
            table.add_column(column)
        for row in rows:
            table.add_row(
                *(row[column] for column in ("what", "value", "spread", "ratio", "against", "goal"))
            )
        console.print(table)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
