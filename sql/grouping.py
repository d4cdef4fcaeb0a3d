"""A KPI's rows in one period, grouped as audiences ask for them: each group is made once. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property

from uptake.sql.building import chosen
from uptake.sql.catalogue import KpiDefinition
from uptake.sql.cells import Cell
from uptake.sql.results import KpiResult
from uptake.sql.suppression import BothShown, ShownParts

Decide = Callable[[KpiDefinition, Sequence[Cell]], ShownParts | BothShown]
DecideBeside = Callable[[KpiDefinition, Sequence[Cell]], Mapping[str, ShownParts | None]]


class Rows:
    """Some rows of a KPI. Once somebody asks, `decide` says what may be shown of the people in them, `decide_beside` of
    those who are counted beside."""

    def __init__(
        self, definition: KpiDefinition, cells: Sequence[Cell], decide: Decide, decide_beside: DecideBeside
    ) -> None:
        self.definition = definition
        self.cells = cells
        self._decide = decide
        self._decide_beside = decide_beside
        self._of_apps: dict[tuple[str, ...], Rows] = {}
        self._divided: dict[str, dict[str, Rows]] = {}
        self._results: dict[tuple[tuple[str, ...], tuple[str, ...]], KpiResult] = {}

    @cached_property
    def by_team(self) -> Mapping[str, Sequence[Cell]]:
        """The rows of each team that has one, in order of teams."""
        found: dict[str, list[Cell]] = {}
        for cell in self.cells:
            found.setdefault(cell.team, []).append(cell)
        return dict(sorted(found.items()))

    @cached_property
    def shown(self) -> ShownParts | BothShown:
        return self._decide(self.definition, self.cells)

    @cached_property
    def shown_beside(self) -> Mapping[str, ShownParts | None]:
        return self._decide_beside(self.definition, self.cells)

    @cached_property
    def counts_any(self) -> bool:
        """Whether a numerator is not 0."""
        return any(cell.figures["numerator"] for cell in self.cells)

    def of(self, teams: Collection[str]) -> Sequence[Cell]:
        """The rows of some teams (none: all)."""
        if not teams:
            return self.cells
        return [cell for team in dict.fromkeys(teams) for cell in self.by_team.get(team, ())]

    def of_apps(self, apps: Collection[str]) -> Rows:
        """Of some apps (none: all)."""
        if not apps or "app" not in self.definition.by:
            return self
        key = tuple(sorted(apps))
        if key not in self._of_apps:
            cells = chosen(self.definition, self.cells, (), apps)
            self._of_apps[key] = self._some(cells)
        return self._of_apps[key]

    def divided(self, by: str) -> Mapping[str, Rows]:
        """For each value of a column that `by` of the definition explains, in their order."""
        if by not in self._divided:
            place = list(self.definition.by).index(by)
            groups: dict[str, list[Cell]] = {}
            for cell in self.cells:
                groups.setdefault(cell.keys[place], []).append(cell)
            self._divided[by] = {key: self._some(cells) for key, cells in sorted(groups.items())}
        return self._divided[by]

    def result(
        self, teams: tuple[str, ...], apps: tuple[str, ...], make: Callable[[], KpiResult]
    ) -> KpiResult:
        """What is made of the rows of some teams and apps: several parts of a digest read the same, and some measures
        are dear."""
        if (teams, apps) not in self._results:
            self._results[teams, apps] = make()
        return self._results[teams, apps]

    def _some(self, cells: Sequence[Cell]) -> Rows:
        return Rows(self.definition, cells, self._decide, self._decide_beside)
