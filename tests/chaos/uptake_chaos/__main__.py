"""`python -m uptake_chaos`: what `make chaos` runs. Exit code 1 when anything was lost, doubled or late.

The short form has its scenarios one after the other on one stack; the long form each on processes of its own, so that
one failure does not explain another.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from uptake.errors import UptakeError
from uptake_chaos import report
from uptake_chaos.arena import SCENARIOS, SHORT, Arena, arena, faults_of, long
from uptake_chaos.disks import CannotMount
from uptake_chaos.trial import Result

BEGAN = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:6.1f} s] {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m uptake_chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=0, help="how many kills; more than 0 is the long form")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", default="", help=f"some of {', '.join(SCENARIOS)}, comma-separated")
    parser.add_argument(
        "--no-audit", action="store_true", help="without the scheduler: workers alone must be exact"
    )
    parser.add_argument("--out", type=Path, default=None, help="where logs and the report go")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(1, 10**6) if options.seed is None else options.seed
    out = options.out or Path(tempfile.mkdtemp(prefix="uptake-chaos-"))
    if out.exists() and any(out.iterdir()):
        parser.error(f"{out} is not empty: name a directory that is empty or not there")
    out.mkdir(parents=True, exist_ok=True)
    size = long(options.kills) if options.kills else SHORT
    # 1. The seed first: whoever reads a failure can have it again.
    say(
        f"seed {seed}; {'long' if options.kills else 'short'} form, {size.kills} kills; logs and report in {out}"
    )
    # 2. The scenarios.
    results: list[Result] = []
    bad, audit = 0, not options.no_audit
    with ExitStack() as closing:
        shared = None if options.kills else closing.enter_context(arena(out, seed, say, audit=audit))
        for name in options.only.split(",") if options.only else SCENARIOS:
            say(f"{name} …")
            try:
                with ExitStack() as own:
                    where: Arena = shared or own.enter_context(
                        arena(
                            out / name,
                            seed,
                            say,
                            proxied=name == "network",
                            full=name.endswith("-full"),
                            audit=audit,
                        )
                    )
                    result = SCENARIOS[name](where, size)
            except CannotMount as why:
                say(f"{name}: left out: {why}")
                bad += bool(os.environ.get("UPTAKE_REQUIRE_MOUNTS"))
                continue
            except UptakeError:
                raise  # what is missing now is missing for the others too
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


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UptakeError as error:  # Java is missing, for instance
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
