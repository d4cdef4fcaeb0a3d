"""`python -m uptake_chaos`: what `make chaos` runs. Exit code 1 when anything was lost, doubled or late."""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from uptake_chaos import report
from uptake_chaos.disks import CannotMount, Disk, fill_disk
from uptake_chaos.joins import join_and_leave
from uptake_chaos.kills import kill_everything
from uptake_chaos.network import break_networks
from uptake_chaos.poison import poison
from uptake_chaos.stack import Options, Stack
from uptake_chaos.trial import Result, Trial

SHORT_KILLS = 6
LATER_SECONDS = 1.0
BEGAN = time.monotonic()

Scenario = Callable[[Path], Result]


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
    out = options.out or Path(tempfile.mkdtemp(prefix="uptake-chaos-"))
    out.mkdir(parents=True, exist_ok=True)
    # 1. The seed first: whoever reads a failure can have it again.
    form = f"long form, {options.kills} kills" if options.kills else f"short form, {SHORT_KILLS} kills"
    say(f"seed {seed}; {form}; logs and report in {out}")
    every = scenarios(seed, options.kills)
    # 2. Each on processes of its own, so that one failure does not explain another.
    results, bad = [], 0
    for name in options.only.split(",") if options.only else every:
        say(f"{name} …")
        try:
            result = every[name](out / name)
        except CannotMount as why:
            say(f"{name}: left out: {why}")
            bad += bool(os.environ.get("UPTAKE_REQUIRE_MOUNTS"))
            continue
        except Exception:  # noqa: BLE001 - the other scenarios still say something
            say(f"{name}: FAILED\n{traceback.format_exc()}")
            bad += 1
            continue
        results.append(result)
        faults = faults_of(result)
        bad += bool(faults)
        say(f"{result}\n{' ' * 11}{result.figures}")
        for fault in faults:
            say(f"{name}: WRONG: {fault}")
    # 3. The report, also of a run that found something.
    for path in report.write(out, results):
        say(f"wrote {path}")
    print(report.table(results))
    return 1 if bad else 0


def scenarios(seed: int, kills: int) -> dict[str, Scenario]:
    """By name; long when `kills` is more than 0."""
    long, rate = kills > 0, 250.0

    def filled(where: Path, of: str) -> Result:
        with Disk(where / "disk") as disk, Stack(where, seed, on_disk(disk, of)) as stack:
            return fill_disk(Trial(stack, seed, say), disk, of, 15.0 if long else 5.0, rate)  # type: ignore[arg-type]

    @contextmanager
    def trial(where: Path, options: Options) -> Iterator[Trial]:
        with ExitStack() as closing:
            yield Trial(closing.enter_context(Stack(where, seed, options)), seed, say)

    def killed(where: Path) -> Result:
        with trial(where, Options()) as under:
            return kill_everything(under, kills or SHORT_KILLS, rate)

    def broken(where: Path) -> Result:
        with trial(where, Options(proxied=True)) as under:
            return break_networks(under, 120.0 if long else 12.0, rate)

    def joined(where: Path) -> Result:
        with trial(where, Options(scheduler=False)) as under:
            return join_and_leave(under, 120.0 if long else 20.0, rate)

    def poisoned(where: Path) -> Result:
        with trial(where, Options(scheduler=False)) as under:
            return poison(under, 30.0 if long else 6.0, rate)

    return {
        "kills": killed,
        "network": broken,
        "joins": joined,
        "poison": poisoned,
        "log-full": lambda where: filled(where, "log"),
        "database-full": lambda where: filled(where, "database"),
    }


def on_disk(disk: Disk, of: str) -> Options:
    inside = disk.place / "data"
    return Options(log_directory=inside) if of == "log" else Options(database_directory=inside)


def faults_of(result: Result) -> list[str]:
    """What is wrong with a result; empty: the promise was kept."""
    faults = [f"difference {result.difference}"] if result.difference else []
    faults += [f"ended by itself: {end}" for end in result.unexpected_ends]
    if result.figures.get("later_seconds", 0.0) > LATER_SECONDS:
        faults.append(f"good events were late by {result.figures['later_seconds']} s because of poison")
    return faults


if __name__ == "__main__":
    sys.exit(main())
