"""`uptake export`: what people made of the answers of an app, a row an answer, for evaluation and fine-tuning."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, open_home
from uptake.cli.kpi import closed_period
from uptake.cli.output import Json, Tenant, err, out, print_json
from uptake.errors import UsageError
from uptake.export import Format, replacing, write_rows
from uptake.problems import did_you_mean

if TYPE_CHECKING:
    from uptake.sql.export import ExportReport, FeedbackRow, Selection
    from uptake.workspace.models import Workspace

export = typer.Typer(help="Rows for other tools, of closed periods. Nobody is in them.", no_args_is_help=True)
app.add_typer(export, name="export")


@export.command("feedback")
def export_feedback(
    context: typer.Context,
    name: Annotated[str, typer.Option("--app", help="the app, as its events call it")],
    first: Annotated[str, typer.Option("--from", help="first day, such as 2026-11-09", metavar="DAY")],
    last: Annotated[str, typer.Option("--to", help="last day, which belongs to the period", metavar="DAY")],
    kinds: Annotated[str, typer.Option("--kind", help="of decision, edit, thumb")] = "decision,edit",
    min_severity: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="only what carries a severity, of at least this"),
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="otherwise by the file's ending; JSON lines where that says nothing")
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--out", help="written whole or not at all; without it: standard output", dir_okay=False
        ),
    ] = None,
    with_text: Annotated[
        bool,
        typer.Option("--with-text", help="drafts and final texts too, of an app that keeps them (apps.yaml)"),
    ] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Reviewed edits and decisions with their reasons, models and prompt versions (docs/export.md)."""
    from uptake.sql.export import KEEP_TEXTS, ExportReport, Selection, Texts, feedback_pages

    home = open_home(context)
    workspace = home.workspace(tenant)
    period = closed_period(first, last, workspace.organisation.zone, home.clock.now())
    texts = None
    if with_text:
        texts = Texts(_kept(workspace, name), home.clock.now() - KEEP_TEXTS)
    which, chosen = Selection(name, period, _kinds(kinds), min_severity, texts), _format(format, file)
    report = ExportReport()
    pages = feedback_pages(home.database.tenant(workspace.tenant), which, report)
    page = next(pages)
    if not report.read and name not in workspace.registry:
        raise UsageError(
            f"there is no feedback of an app {name!r} in this period",
            did_you_mean(name, workspace.registry) or "see which apps sent something: uptake findings",
        )
    target = replacing(file) if file else nullcontext(sys.stdout.buffer)
    with _progress(as_json) as bar, target as rows:
        write_rows(_watched(chain([page], pages), report, bar), which.shape, chosen, rows)
    _print(which, report, file, as_json)


def _kept(workspace: Workspace, name: str) -> tuple[str, ...]:
    app = workspace.registry.get(name)
    if app is None or not app.keep_text:
        raise UsageError(
            f"no texts of {name!r} are kept: apps.yaml does not say so",
            "with keep_text: [draft, final] there and send_text=True in the app, later ones are",
        )
    return app.keep_text


def _kinds(given: str) -> tuple[str, ...]:
    from uptake.sql.export import KINDS

    asked = {kind.strip() for kind in given.split(",")}
    if unknown := sorted(asked - set(KINDS)):
        raise UsageError(f"--kind: {unknown[0]!r} is not exported", f"any of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in asked)


def _format(given: Format | None, file: Path | None) -> Format:
    ending = file.suffix.lower().removeprefix(".") if file else ""
    chosen = given or (Format(ending) if ending in list(Format) else Format.JSONL)
    if chosen is Format.PARQUET and file is None:
        raise UsageError("Parquet is not for a terminal or a pipe", "name a file: --out feedback.parquet")
    if file and not file.parent.is_dir():
        raise UsageError(f"there is no directory {file.parent}", "make it first")
    return chosen


def _progress(hidden: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.completed:,.0f} rows"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=hidden,
    )


def _watched(
    pages: Iterable[Sequence[FeedbackRow]], report: ExportReport, bar: Progress
) -> Iterator[Sequence[FeedbackRow]]:
    task = bar.add_task("", total=None)
    for page in pages:
        yield page
        bar.update(task, completed=report.rows)


def _print(which: Selection, report: ExportReport, file: Path | None, as_json: bool) -> None:
    """What was written, beside the rows: on standard error where those are on standard output."""
    if as_json:
        period = which.period
        print_json(
            {
                "app": which.app,
                "period": {"first": period.first, "last": period.last, "zone": period.zone},
                "kinds": which.kinds,
                "min_severity": which.min_severity,
                "file": file,
                **asdict(report),
            },
            err=file is None,
        )
        return
    say = out if file else err
    period = which.period
    where = f" in {file}" if file else ""
    texts = f", {report.with_text:,} with a text" if which.texts else ""
    say.print(
        f"{report.rows:,} rows of {which.app}, {period.first} – {period.last} ({period.zone}){texts}{where}",
        markup=False,
    )
    for count, what in (
        (report.superseded, "left out: there is a later one on the same answer"),
        (report.below_severity, "left out: of a lower severity, or of none"),
        (report.unmatched, "without a call: nothing is known of their answer but what they say"),
        (
            report.unnamed,
            "without their team: the rows of it are from fewer than 5 people, or would tell such a team",
        ),
    ):
        if count:
            say.print(f"  {count:,} {what}", markup=False)
