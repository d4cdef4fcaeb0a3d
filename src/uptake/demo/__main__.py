"""`python -m uptake.demo DIRECTORY [--seed N]`: the demo without the command line around it."""

from __future__ import annotations

import argparse
from pathlib import Path

from uptake.demo.facts import DEFAULT_SEED
from uptake.demo.run import run_demo


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m uptake.demo", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    given = parser.parse_args()
    run_demo(given.directory, given.seed, echo=lambda text: print(text, flush=True))  # noqa: T201


if __name__ == "__main__":
    main()
