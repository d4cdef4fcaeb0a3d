"""`uptake activity`: the cache by day that KPIs are answered from where it is exact and quicker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, err, out, print_json, print_table
from uptake.errors import UsageError
from uptake.home import Home
from uptake.workspace.models import Workspace

activity = typer.Typer(
    help="The cache by day that KPIs are answered from where it is exact.", no_args_is_help=True
)
app.add_typer(activity, name="activity")

AT_ONCE = 1_000_000
DIFFERENCES_SHOWN = 20

From = Annotated[str | None, typer.Option("--from", help="first day, such as 2026-11-09", metavar="DAY")]
To = Annotated[str | None, typer.Option("--to", help="last day, which is included", metavar="DAY")]


@activity.command("refresh")
def refresh_now(
    context: typer.Context,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="build days that are exact as well, as after deleting events")
    ] = False,
    first: From = None,
    last: To = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Build all days that are over and have changed, now. A day that changed within the last minute is left."""
    from uptake.sql.activity.refresh import refresh

    if (first or last) and not rebuild:
        raise UsageError("--from and --to belong to --rebuild", "without it, what has changed is built")
    home = open_home(context)
    workspaces = _workspaces(home, tenant)
    days = _days(first, last)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=as_json,
    ) as progress:
        task = progress.add_task("building days", total=None)
        report = refresh(
            home.database,
            workspaces,
            home.clock.now(),
            limit=AT_ONCE,
            progress=lambda built, left: progress.update(
                task,
                advance=1,
                total=progress.tasks[0].completed + 1 + left,
                description=f"{built.tenant} {built.day}",
            ),
            at_once=True,
            rebuild=days if rebuild else None,
        )
    given_up = [built for built in report.built if not built.published]
    if as_json:
        print_json({"built": report.built, "left": report.left, "removed": report.removed})
    else:
        calls = sum(built.calls for built in report.built)
        out.print(
            f"{len(report.built):,} days built ({calls:,} calls), {report.removed:,} old builds removed"
        )
        for built in given_up:
            out.print(f"  {built.tenant} {built.day}: took too long and was given up", markup=False)
    if given_up:
        raise typer.Exit(1)


@activity.command("verify")
def verify_all(
    context: typer.Context,
    first: From = None,
    last: To = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Compare every cell of every exact day with the events; exit code 1 where one differs."""
    from uptake.sql.activity.verify import verify

    home = open_home(context)
    since, after = _days(first, last)
    judged = []
    with err.status("comparing") as status:
        for workspace in _workspaces(home, tenant).values():
            database = home.database.tenant(workspace.tenant)
            for day in verify(database, workspace.organisation.zone, since, after):
                judged.append(day)
                status.update(f"comparing {day.tenant} {day.day}")
    verdicts = Counter(day.verdict for day in judged)
    if as_json:
        print_json({"days": judged})
    else:
        out.print(
            f"{verdicts['same']:,} days are the same, {verdicts['different']:,} differ, "
            f"{verdicts['not compared']:,} were not compared: not built, or changed since"
        )
        rows = [
            {"tenant": day.tenant, "day": day.day, **asdict(difference)}
            for day in judged
            for difference in day.differences
        ]
        columns = ("tenant", "day", "app", "use_case", "model", "team", "figure", "final", "activity")
        if rows:
            print_table(rows[:DIFFERENCES_SHOWN], columns, "")
            if len(rows) > DIFFERENCES_SHOWN:
                out.print(f"… and {len(rows) - DIFFERENCES_SHOWN:,} more; --json shows all")
            out.print("uptake activity refresh --rebuild mends them; until then: UPTAKE_ACTIVITY=false")
    if verdicts["different"]:
        raise typer.Exit(1)


@activity.command("status")
def status(
    context: typer.Context,
    first: From = None,
    last: To = None,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Show which days are exact (published), changed since they were built (dirty), or not built (missing)."""
    home = open_home(context)
    tenants = [
        _status(home, workspace, *_days(first, last)) for workspace in _workspaces(home, tenant).values()
    ]
    if as_json:
        print_json(tenants)
        return
    columns = ("tenant", "published", "dirty", "missing", "open", "calls", "cells", "looked_at")
    print_table(tenants, columns, "there is no tenant")
    for each in tenants:
        for day in each["days"]:
            if day["standing"] != "published":
                out.print(f"{each['tenant']} {day['day']}: {day['standing']}", markup=False)


def _status(home: Home, workspace: Workspace, first: date | None, after: date | None) -> dict[str, Any]:
    from uptake.sql.activity.refresh import TenantActivity

    work = TenantActivity(home.database.tenant(workspace.tenant), workspace.organisation.zone)
    now = home.clock.now()
    days = [
        {
            "day": day.day,
            "standing": "open" if day.ends > now else day.standing,
            "newest": day.newest,
            "built_at": day.build.snapshot_at if day.build else None,
            "calls": day.build.calls if day.build else None,
            "cells": day.build.cells if day.build else None,
        }
        for day in work.days(first, after)
    ]
    counts = Counter(str(day["standing"]) for day in days)
    looked_at = work.looked_at()
    return {
        "tenant": workspace.tenant,
        "zone": workspace.organisation.zone,
        **{name: counts[name] for name in ("published", "dirty", "missing", "open")},
        **{name: sum(int(str(day[name] or 0)) for day in days) for name in ("calls", "cells")},
        "looked_at": looked_at.isoformat(timespec="seconds") if looked_at else None,
        "days": days,
    }


def _workspaces(home: Home, tenant: str | None) -> Mapping[str, Workspace]:
    return home.workspaces if tenant is None else {tenant: home.workspace(tenant)}


def _days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """The half-open range of days that the options name."""
    days: list[date | None] = []
    for option, text in (("--from", first), ("--to", last)):
        try:
            days.append(date.fromisoformat(text) if text is not None else None)
        except ValueError:
            raise UsageError(f"{option}: {text!r} is not a day", "write it like 2026-11-09") from None
    since, until = days
    if since and until and until < since:
        raise UsageError(f"--to {last} is before --from {first}", "both are included")
    return since, date.fromordinal(until.toordinal() + 1) if until else None
