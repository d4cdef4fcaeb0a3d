"""`uptake reprice`: what is stored, priced again after prices or rates changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, open_home
from uptake.cli.kpi import period_of
from uptake.cli.output import Json, Tenant, err, out, print_json
from uptake.errors import UnavailableError
from uptake.schemas.batch import StoreUnavailable

if TYPE_CHECKING:
    from uptake.processors.recost import Change
    from uptake.processors.reprice import RepriceReport


@app.command()
def reprice(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="first day, such as 2026-11-01", metavar="DAY")],
    last: Annotated[str, typer.Option("--to", help="last day, which belongs to the period", metavar="DAY")],
    of_app: Annotated[str, typer.Option("--app", help="only this app's")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would change and change nothing")
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Price what occurred on these days again, with the prices and rates of the workspace as it is now.

    Restart what still has the old workspace before. Stopping it anywhere and running it again is harmless.
    """
    from uptake.processors.reprice import reprice as price_again

    home = open_home(context)
    workspace = home.workspace(tenant)
    period = period_of(first, last, workspace.organisation.zone)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[rows]:,} rows, {task.fields[changed]:,} changed"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=as_json,
    ) as progress:
        task = progress.add_task("reprice", rows=0, changed=0)

        def show(report: RepriceReport) -> None:
            rows = sum(change.rows for change in report.tables.values())
            progress.update(task, rows=rows, changed=sum(change.changed for change in report.tables.values()))

        try:
            report = price_again(
                workspace, home.database, home.clock, period.start, period.end, of_app, dry_run, show
            )
        except StoreUnavailable as error:
            hint = "run it again: what was corrected already is right and is not written twice"
            raise UnavailableError(str(error), hint) from error
    if as_json:
        print_json(_document(report))
        return
    locale = workspace.organisation.locale
    for table, change in report.tables.items():
        _print(table, change, locale, dry_run)


def _print(table: str, change: Change, locale: Any, dry_run: bool) -> None:
    from uptake.alerts.formats import money
    from uptake.money import from_nano

    def sum_of(nano: int, currency: str) -> str:
        # with its cents from one unit on, as the difference may be one of cents; as it is below
        return money(nano, currency, locale, 2 if abs(from_nano(nano)) >= 1 else None)

    def sums(nano: dict[str, int]) -> str:
        return " + ".join(sum_of(nano[currency], currency) for currency in sorted(nano)) or "0"

    verb = "would change" if dry_run else "changed"
    out.print(f"{table}: {change.changed:,} of {change.rows:,} rows {verb}", markup=False)
    out.print(
        f"  {sums(change.before)} and {change.unknown_before:,} not known before, "
        f"{sums(change.after)} and {change.unknown_after:,} not known now",
        markup=False,
    )


def _document(report: RepriceReport) -> dict[str, Any]:
    return {
        "dry_run": report.dry_run,
        "currency": report.currency,
        "difference_nano": report.difference(),
        **{
            table: {**vars(change), "before": dict(change.before), "after": dict(change.after)}
            for table, change in report.tables.items()
        },
    }
