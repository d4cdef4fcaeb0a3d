"""What the database that a demo left says, asked by a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from uptake.demo.terms import ALL_TEAMS, Span, period_of

_ASK = """
import json, sys
from datetime import date
from uptake.calendar import Period
from uptake.home import Home
from uptake.rates import input_rates
from uptake.settings import Settings
from uptake.sql.runner import KpiRunner
from uptake.workspace.roster import publish_roster
asked = json.load(sys.stdin)
with Home(Settings(log_level="WARNING")) as home:
    workspace = home.workspace()
    publish_roster(home.database, workspace, home.clock)
    runner = KpiRunner(home.database.tenant(workspace.tenant), workspace, remember=True,
                       input_rates=input_rates(workspace))
    out = []
    for name, first, after, zone, teams, apps in asked:
        result = runner.run(name, Period(date.fromisoformat(first), date.fromisoformat(after), zone), teams, apps)
        out.append([result.numerator, result.denominator, dict(result.extras), dict(result.excluded),
                    dict(result.parts), result.value, dict(result.details), result.hidden])
    found = home.database.tenant(home.workspace().tenant).query(
        "SELECT reason, count() AS letters FROM dead_letters FINAL WHERE tenant = {tenant:String} GROUP BY reason")
    ours = {"ours": home.workspace().tenant}
    named = home.database.query(
        "SELECT countIf(NOT match(who, '^(p_[0-9a-f]{32})?$')) + countIf(extra ILIKE '%example.com%') AS named, "
        "countIf(who != '') > 0 AS pseudonyms FROM ("
        "SELECT user_id AS who, toString(tags) AS extra FROM usage WHERE tenant = {ours:String} UNION ALL "
        "SELECT arrayJoin([user_id, reviewer_id]), toString(tags) FROM feedback WHERE tenant = {ours:String} UNION ALL "
        "SELECT user_id, invoice_id FROM cost WHERE tenant = {ours:String} UNION ALL "
        "SELECT user_id, '' FROM roster WHERE tenant = {ours:String} UNION ALL "
        "SELECT '', concat(payload, detail) FROM dead_letters WHERE tenant = {ours:String})", ours)
    print(json.dumps([out, found, named]))
"""


class Figure(NamedTuple):
    """A KPI's result, as far as it is compared."""

    numerator: int | None
    denominator: int | None
    extras: dict[str, int]
    excluded: dict[str, int]
    parts: dict[str, int | None]
    value: float | None
    details: dict[str, float]
    hidden: str


Asked = tuple[str, str, str, str, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Answers by question; dead letters by reason; how many rows name somebody."""

    results: dict[Asked, Figure]
    letters: list[dict[str, Any]]
    named: list[dict[str, Any]]

    def __call__(self, kpi: str, span: Span, teams: Sequence[str] = ALL_TEAMS, app: str = "") -> Figure:
        return self.results[asked(kpi, span, teams, app)]


def asked(kpi: str, span: Span, teams: Sequence[str] = ALL_TEAMS, app: str = "") -> Asked:
    """The question, as it is sent; all teams are asked for as the organisation, which names none."""
    period = period_of(span)
    named = () if tuple(teams) == ALL_TEAMS else tuple(teams)
    return kpi, str(period.first), str(period.after), period.zone, named, (app,) if app else ()


def ask(root: Path, questions: Iterable[Asked]) -> Figures:
    unique = list(dict.fromkeys(questions))
    done = subprocess.run(
        [sys.executable, "-c", _ASK],
        input=json.dumps(unique),
        capture_output=True,
        text=True,
        timeout=300,
        cwd=root,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results, letters, named = json.loads(done.stdout)
    return Figures({key: Figure(*row) for key, row in zip(unique, results, strict=True)}, letters, named)
