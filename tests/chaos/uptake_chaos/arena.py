"""Where scenarios take place: a stack with what its scenarios need around it, and the list of scenarios."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from uptake_chaos.disks import CannotMount, Disk, fill_disk
from uptake_chaos.joins import join_and_leave
from uptake_chaos.kills import kill_everything
from uptake_chaos.network import break_networks
from uptake_chaos.poison import poison
from uptake_chaos.stack import Options, Stack
from uptake_chaos.trial import Result, Say, Trial

LATER_SECONDS = 1.0
"""How much later good events may come because of poison among them."""


@dataclass(frozen=True, slots=True)
class Size:
    """How long each scenario takes, in seconds, and how hard it is. `kills` is a number."""

    kills: int
    network: float
    joins: float
    poison: float
    full: float
    rate: float


SHORT = Size(kills=4, network=10.0, joins=12.0, poison=5.0, full=4.0, rate=150.0)


def long(kills: int) -> Size:
    return Size(kills, network=120.0, joins=120.0, poison=30.0, full=15.0, rate=250.0)


@dataclass(frozen=True, slots=True)
class Arena:
    """`disks` of the log and of the database, where there are some; else `why` not."""

    trial: Trial
    disks: dict[str, Disk]
    why: str = ""

    def disk(self, of: str) -> Disk:
        """Raises CannotMount."""
        if of not in self.disks:
            raise CannotMount(self.why)
        return self.disks[of]


Scenario = Callable[[Arena, Size], Result]

SCENARIOS: dict[str, Scenario] = {
    "poison": lambda arena, size: poison(arena.trial, size.poison, size.rate),
    "joins": lambda arena, size: join_and_leave(arena.trial, size.joins, size.rate),
    "kills": lambda arena, size: kill_everything(arena.trial, size.kills, size.rate),
    "network": lambda arena, size: break_networks(arena.trial, size.network, size.rate),
    "log-full": lambda arena, size: fill_disk(arena.trial, arena.disk("log"), "log", size.full, size.rate),
    "database-full": lambda arena, size: fill_disk(
        arena.trial, arena.disk("database"), "database", size.full, size.rate
    ),
}


@contextmanager
def arena(
    directory: Path, seed: int, say: Say, *, proxied: bool = True, full: bool = True, audit: bool = True
) -> Iterator[Arena]:
    """Everything up. `proxied`: networks can be broken; `full`: log and database have small disks of their own,
    where this machine lets us mount some; `audit`: the scheduler runs, which repairs what workers lose."""
    with ExitStack() as closing:
        disks, why = {}, "no scenario asked for one"
        if full:
            try:
                for of in ("log", "database"):
                    disks[of] = closing.enter_context(Disk(directory / f"{of}-disk"))
            except CannotMount as refused:
                disks, why = {}, str(refused)
        places = {f"{of}_directory": disk.place / "data" for of, disk in disks.items()}
        options = Options(proxied=proxied, scheduler=audit, **places)  # type: ignore[arg-type]
        yield Arena(Trial(closing.enter_context(Stack(directory, seed, options)), seed, say), disks, why)


def faults_of(result: Result) -> list[str]:
    """What is wrong with a result; empty: the promise was kept."""
    faults = [f"difference {result.difference}"] if result.difference else []
    faults += [f"ended by itself: {end}" for end in result.unexpected_ends]
    if result.figures.get("later_seconds", 0.0) > LATER_SECONDS:
        faults.append(f"good events were late by {result.figures['later_seconds']} s because of poison")
    return faults
