"""`uptake targets`: where each target stands, and the baseline that it is set from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
import yaml

from uptake.calendar import IsoWeek
from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, out, print_json, print_table
from uptake.errors import UsageError

if TYPE_CHECKING:
    from uptake.home import Home
    from uptake.sql.results import KpiResult
    from uptake.workspace.models import Workspace

targets = typer.Typer(help="Where each target of targets.yaml stands.", invoke_without_command=True)
app.add_typer(targets, name="targets")

Week = Annotated[str | None, typer.Option(help="such as 2026-W46; the last closed week if left out")]

_CLOSED = {
    "no_baseline": "no baseline",
    "undated": "its baseline says no week, definition version or apps",
    "definition": "not compared: the KPI's definition has changed since the baseline",
    "apps": "not compared: the registered apps are others than at the baseline",
}


@targets.callback()
def show(context: typer.Context, week: Week = None, tenant: Tenant = None, as_json: Json = False) -> None:
    """Every target in a closed week: value, progress from its baseline, on track or not, and why not known."""
    from uptake.alerts.targets import stand

    if context.invoked_subcommand is not None:
        return
    home = open_home(context)
    workspace = home.workspace(tenant)
    chosen = _closed_week(week, home, workspace)
    runner = home.runner(tenant)
    rows = []
    for target in workspace.targets:
        teams = (target.team,) if target.team else ()
        result = runner.run(target.kpi.value, chosen.period(workspace.organisation.zone), teams)
        standing = stand(target, result, workspace.apps_on(result.period.last), workspace.organisation.zone)
        rows.append(
            {
                "kpi": target.kpi.value,
                "team": target.team or "organisation",
                "value": _share(result),
                "target": f"{target.target:.0%}",
                "due": target.due,
                "owner": target.owner,
                "state": standing.state.replace("_", " "),
                "progress": None if standing.progress is None else f"{standing.progress:.0%}",
                "why": _CLOSED.get(standing.closed, ""),
            }
        )
    if as_json:
        print_json({"week": str(chosen), "targets": rows})
    else:
        columns = ("kpi", "team", "value", "target", "due", "owner", "state", "progress", "why")
        print_table(rows, columns, "targets.yaml holds no target")


@targets.command()
def baseline(
    context: typer.Context,
    kpi: Annotated[str, typer.Argument(help="a KPI that can have a target")],
    team: Annotated[str | None, typer.Option(help="a team; the organisation if left out")] = None,
    week: Week = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Print the baseline of a target as targets.yaml takes it: value, definition and apps of a closed week, frozen."""
    from uptake.workspace.models import Kpi

    if kpi not in set(Kpi):
        raise UsageError(f"{kpi!r} cannot have a target", f"one of: {', '.join(Kpi)}")
    home = open_home(context)
    workspace = home.workspace(tenant)
    if team is not None and team not in workspace.teams:
        raise UsageError(f"there is no team {team!r}", f"one of: {', '.join(workspace.teams)}")
    chosen = _closed_week(week, home, workspace)
    period = chosen.period(workspace.organisation.zone)
    result = home.runner(tenant).run(kpi, period, (team,) if team else ())
    if result.value is None:
        raise UsageError(
            f"{kpi} of {team or 'the organisation'} in {chosen} is not known: {_share(result)}",
            "choose a week with data",
        )
    frozen: dict[str, Any] = {
        "value": round(float(result.value), 4),
        "week": str(chosen),
        "definition_version": result.definition_version,
        "apps": sorted(workspace.apps_on(period.last)),
    }
    if as_json:
        print_json(frozen)
    else:
        out.print(
            yaml.safe_dump({"baseline": frozen}, sort_keys=False, allow_unicode=True).rstrip(), markup=False
        )


def _closed_week(text: str | None, home: Home, workspace: Workspace) -> IsoWeek:
    from uptake.alerts.digest import require_closed

    zone, now = workspace.organisation.zone, home.clock.now()
    if text is None:
        return IsoWeek.last_closed(now, zone)
    try:
        chosen = IsoWeek.parse(text)
    except ValueError as error:
        raise UsageError(f"--week: {error}") from None
    require_closed(chosen, workspace.organisation, now)
    return chosen


def _share(result: KpiResult) -> str:
    if result.suppressed:
        return "not shown: fewer than 5 people"
    if result.hidden:
        return "not shown: it would say too much of a few people"
    return "no data" if result.value is None else f"{float(result.value):.1%}"
