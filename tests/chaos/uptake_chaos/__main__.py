"""`python -m uptake_chaos`: what `make chaos` runs. Exit code 1 when anything was lost, doubled or late."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from uptake_chaos import report
from uptake_chaos.disks import CannotMount, fill_disk
from uptake_chaos.joins import join_and_leave
from uptake_chaos.kills import kill_everything
from uptake_chaos.network import break_networks
from uptake_chaos.poison import poison
from uptake_chaos.run import Result

SHORT_KILLS = 6
BEGAN = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m uptake_chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=0, help="how many kills; more than 0 is the long form")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help="names of scenarios, comma-separated")
    parser.add_argument("--out", type=Path, default=None, help="where logs and the report go")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1, 10**6) if options.seed is None else options.seed
    long = options.kills > 0
    out = options.out or Path(tempfile.mkdtemp(prefix="uptake-chaos-"))
    out.mkdir(parents=True, exist_ok=True)
    kills = options.kills or SHORT_KILLS
    # 1. The seed first: whoever reads a failure can have it again.
    say(f"seed {seed}; {'long' if long else 'short'} form, {kills} kills; logs and report in {out}")
    scenarios: dict[str, Callable[[Path], Result]] = {
        "kills": lambda where: kill_everything(where, seed, kills, say),
        "network": lambda where: break_networks(where, seed, 120.0 if long else 12.0, say),
        "joins": lambda where: join_and_leave(where, seed, 120.0 if long else 20.0, say),
        "poison": lambda where: poison(where, seed, 30.0 if long else 6.0, say),
        "log-full": lambda where: fill_disk(where, seed, "log", 15.0 if long else 5.0, say),
        "database-full": lambda where: fill_disk(where, seed, "database", 15.0 if long else 5.0, say),
    }
    wanted = options.only.split(",") if options.only else list(scenarios)
    results, bad = [], 0
    for name in wanted:
        say(f"{name} …")
        try:
            result = scenarios[name](out / name)
        except CannotMount as why:
            say(f"{name}: left out: {why}")
            bad += bool(os.environ.get("UPTAKE_REQUIRE_MOUNTS"))
            continue
        except Exception:  # noqa: BLE001 - the other scenarios still say something
            say(f"{name}: FAILED\n{traceback.format_exc()}")
            bad += 1
            continue
        results.append(result)
        bad += bool(result.difference)
        say(f"{result}\n{' ' * 11}{result.figures}")
        if result.unexpected_ends:
            say(f"ended by themselves: {result.unexpected_ends}")
    # 2. The report, also of a run that found something.
    for path in report.write(out, results):
        say(f"wrote {path}")
    print(report.table(results))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
