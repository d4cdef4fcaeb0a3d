"""`uptake roster import` and `uptake roster diff`: who is there today, and since when."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from uptake.cli.app import app, open_home
from uptake.cli.kpi import day_of
from uptake.cli.output import Json, Tenant, out, print_json, print_table
from uptake.errors import UsageError
from uptake.home import Home
from uptake.workspace.models import Workspace
from uptake.workspace.roster_diff import KINDS, RosterDiff, difference, on_day
from uptake.workspace.roster_import import RosterPlan, home_of, plan_import, write
from uptake.workspace.roster_map import read_map
from uptake.workspace.roster_merge import Snapshot
from uptake.workspace.roster_snapshot import read_snapshot

commands = typer.Typer(help="The roster and its history.", no_args_is_help=True)
app.add_typer(commands, name="roster")


class Form(StrEnum):
    """How a file of people is written."""

    CSV = "csv"
    SCIM = "scim"


AsOf = Annotated[
    str | None,
    typer.Option("--as-of", help="the day of the snapshot, such as 2026-11-09 [today]", metavar="DAY"),
]
FormatOf = Annotated[
    Form | None, typer.Option("--format", help="how the file is written [scim for .json, else csv]")
]
MapFile = Annotated[
    Path | None,
    typer.Option(
        "--map",
        help="which column or attribute is which field (docs/workspace.md)",
        exists=True,
        dir_okay=False,
    ),
]
People = Annotated[bool, typer.Option("--people", help="each change with its person's pseudonym")]


@commands.command("import")
def import_roster(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="everybody who is there, CSV or SCIM", exists=True, dir_okay=False)
    ],
    as_of: AsOf = None,
    form: FormatOf = None,
    mapping: MapFile = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would change, and change nothing")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="also where more than a third of all stays end")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Make the roster of a day what a file says. Stays are closed and opened, earlier days stay as they were."""
    home = open_home(context)
    workspace = home.workspace(tenant)
    snapshot, plan = _planned(home, workspace, file, as_of, form, mapping)
    refused = bool(plan.suspicious) and not yes
    if not refused and not dry_run:
        write(plan)
    if not refused or dry_run:
        _print_plan(plan, snapshot, plan.changes and not dry_run, as_json)
    elif not as_json:
        _print_diff(plan.diff, f"on {snapshot.day}, if this were imported", people=False)
    if refused and not dry_run:
        raise UsageError(
            f"{file.name} was not imported: {plan.suspicious}",
            "is it everybody, and the right map? `uptake roster diff` shows what changes; --yes imports it anyway",
        )


@commands.command()
def diff(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="what importing it would change", exists=True, dir_okay=False)
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="compare the roster of this day …", metavar="DAY")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="… with the roster of this one", metavar="DAY")
    ] = None,
    as_of: AsOf = None,
    form: FormatOf = None,
    mapping: MapFile = None,
    people: People = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Say what an import would change, or what changed from one day to another."""
    home = open_home(context)
    workspace = home.workspace(tenant)
    if file is None:
        if first is None or last is None or as_of or form or mapping:
            raise UsageError(
                "name a file, or two days",
                "uptake roster diff people.csv, or uptake roster diff --from 2026-11-02 --to 2026-11-09",
            )
        days = [day_of("--from", first), day_of("--to", last)]
        if days[1] < days[0]:
            raise UsageError(f"--to {last} is before --from {first}", "name the earlier day first")
        found = difference(*(on_day(workspace.roster, day) for day in days))
        title, facts = f"from {days[0]} to {days[1]}", {"from": days[0], "to": days[1]}
    else:
        if first or last:
            raise UsageError("compare with a file or between two days", "leave out one of them")
        snapshot, plan = _planned(home, workspace, file, as_of, form, mapping)
        found, title, facts = plan.diff, f"on {snapshot.day}, by importing {file.name}", {"day": snapshot.day}
    if as_json:
        print_json({**facts, **_document(found, people)})
    else:
        _print_diff(found, title, people)


def _planned(
    home: Home, workspace: Workspace, file: Path, as_of: str | None, form: Form | None, mapping: Path | None
) -> tuple[Snapshot, RosterPlan]:
    today = home.clock.now().astimezone(workspace.tz).date()
    day = day_of("--as-of", as_of) if as_of else today
    if day > today:
        raise UsageError(
            f"--as-of {day} has not come yet in {workspace.organisation.zone}", f"today is {today}"
        )
    written = form or (Form.SCIM if file.suffix.lower() == ".json" else Form.CSV)
    required = ("team",) if written is Form.CSV else ()
    read = read_map(mapping, required) if mapping else None
    key = home.pseudonym_key
    snapshot = read_snapshot(file.read_bytes(), file.name, written.value, day, key, read)
    return snapshot, plan_import(home_of(home.settings.workspace, workspace.tenant, key), snapshot, key)


def _print_plan(plan: RosterPlan, snapshot: Snapshot, written: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "day": snapshot.day,
                "written": written,
                "needs_yes": plan.suspicious or None,
                "stays_closed": plan.closed,
                "stays_opened": plan.opened,
                "not_yet": snapshot.not_yet,
                "inactive": snapshot.inactive,
                **_document(plan.diff, people=False),
            }
        )
        return
    _print_diff(plan.diff, f"on {snapshot.day}", people=False)
    for number, what in ((snapshot.not_yet, "join later"), (snapshot.inactive, "are not active")):
        if number:
            out.print(f"{number:,} in the file {what} and were left out")
    if not plan.changes:
        out.print("nothing to do: the roster says so already")
        return
    would = "" if written else "would be "
    out.print(f"stays {would}closed: {plan.closed:,}, opened: {plan.opened:,}, in {plan.path}", markup=False)
    if written:
        out.print("A running service takes it over within seconds.")
    elif plan.suspicious:
        out.print(f"It would need --yes: {plan.suspicious}")


def _print_diff(found: RosterDiff, title: str, people: bool) -> None:
    sizes = ", ".join(
        f"{found.after[name]:,} {name}"
        + (f" (from {found.before[name]:,})" if found.after[name] != number else "")
        for name, number in found.before.items()
    )
    out.print(f"Roster {title}: {sizes}", markup=False)
    rows: list[dict[str, Any]]
    if people:
        rows = [
            {"team": each.team, "change": each.kind.replace("_", " "), "person": each.user_id}
            for each in found.changes
        ]
        print_table(rows, ("team", "change", "person"), "nobody changes")
        return
    rows = found.by_team()
    kinds = [kind for kind in KINDS if any(row[kind] for row in rows)]
    print_table([{k: v or None for k, v in row.items()} for row in rows], ("team", *kinds), "nobody changes")


def _document(found: RosterDiff, people: bool) -> dict[str, Any]:
    document: dict[str, Any] = {"before": found.before, "after": found.after, "teams": found.by_team()}
    return {**document, "people": list(found.changes)} if people else document
