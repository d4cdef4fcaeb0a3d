"""How long it takes to decide which numbers of people may be shown: synthetic organisations, teams in six parts.

python -m benchmarks.suppression
"""

from __future__ import annotations

import random

from benchmarks.harness import Row, repeat, seconds
from uptake.sql.suppression import ShownParts

PARTS = "uvwxyz"
ROUNDS = 5


def organisation(
    departments: int, teams: int, people: tuple[int, int]
) -> tuple[dict[tuple[str, str], int], list[list[str]]]:
    """Cells, and the departments as audiences. Each team has a habit of its own: some parts are more likely."""
    chance = random.Random(departments)
    audiences = [[f"d{nth:03}.{team}" for team in range(teams)] for nth in range(departments)]
    cells = {(team, part): 0 for audience in audiences for team in audience for part in PARTS}
    for audience in audiences:
        for team in audience:
            habits = [chance.random() for _ in PARTS]
            for part in chance.choices(PARTS, habits, k=chance.randint(*people)):
                cells[team, part] += 1
    return cells, audiences


def run() -> list[Row]:
    rows = []
    for departments, teams, goal in ((12, 5, "≤ 50 ms"), (200, 3, "≤ 1 s")):
        for people in ((3, 25), (20, 80)):
            cells, audiences = organisation(departments, teams, people)
            middle, low, high = repeat(lambda: seconds(lambda: ShownParts(cells, audiences)), ROUNDS)  # noqa: B023
            what = (
                f"{departments * teams} teams of {people[0]} to {people[1]} people, {departments} departments"
            )
            rows.append(Row(what, f"{middle * 1e3:.0f} ms", f"{low * 1e3:.0f}–{high * 1e3:.0f}", goal=goal))
    return rows


if __name__ == "__main__":
    for row in run():
        print(row.what, row.value, row.spread, row.goal, sep=" · ")
