"""`uptake replay` and `uptake audit`: reading the log again, and comparing it with the database."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, err, out, print_json, print_table
from uptake.errors import UsageError

if TYPE_CHECKING:
    from uptake.distributed.audit_report import AuditReport
    from uptake.distributed.replay import ReplayReport


@app.command()
def replay(
    context: typer.Context,
    topic: Annotated[list[str], typer.Option(help="usage, feedback or cost; may be given again")],
    first: Annotated[
        str,
        typer.Option(
            "--from", metavar="TIME", help="such as 2026-11-09T08:00:00Z; a day is its first moment, UTC"
        ),
    ],
    last: Annotated[str, typer.Option("--to", metavar="TIME", help="the first moment that is not replayed")],
    tenant: Annotated[str | None, typer.Option(help="only this tenant's records")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="read and count, write nothing")] = False,
    as_json: Json = False,
) -> None:
    """Read again what Kafka took between two moments (the broker's time), through the same pipeline. What is right
    already stays as it is."""
    from uptake.distributed import replay as again
    from uptake.distributed.audit_log import Log
    from uptake.distributed.feed import Feeder
    from uptake.distributed.reread import Reader
    from uptake.processors.pipeline import Pipeline

    home = open_home(context)
    settings = home.settings
    topics = list(dict.fromkeys(again.topic_named(name, settings) for name in topic))
    start, end = _moment(first, "--from"), _moment(last, "--to")
    with ExitStack() as stack:
        if tenant is not None and not dry_run:
            home.workspace(tenant)
        log = stack.enter_context(closing(Log(settings)))
        plan = again.plan(log, topics, start, end)
        reader = stack.enter_context(Reader(settings))
        progress = stack.enter_context(_progress(as_json))
        task = progress.add_task("reading", total=max(plan.records, 1))

        def say(report: ReplayReport, whole: int) -> None:
            progress.update(task, completed=report.records + report.passed + report.strangers)

        if dry_run:
            report = again.preview(plan, reader, tenant, say, home.workspaces.__contains__)
        else:
            pipeline = Pipeline(home.workspaces.get, home.database, home.clock)
            feeder = Feeder(pipeline, settings.worker_batch_events)
            report = again.replay(plan, reader, feeder, tenant, say, home.workspaces.__contains__)
    _print_replay(report, plan.rows(), dry_run, as_json)


@app.command()
def audit(
    context: typer.Context,
    heal: Annotated[
        bool, typer.Option("--heal/--no-heal", help="read what is wrong again; or only say it")
    ] = True,
    everything: Annotated[
        bool, typer.Option("--all", help="as far back as the log reaches, not only what is new")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare what Kafka says was processed with what the database holds, and mend the difference. Exit code 1 when
    something was wrong, also when it is mended by now: a promise was broken, and somebody should know why."""
    from uptake.distributed.audit_open import open_audit

    home = open_home(context)
    with ExitStack() as stack:
        looking = open_audit(home, stack, home.workspaces.get)
        progress = stack.enter_context(_progress(as_json))
        task = progress.add_task("looking", total=1)

        def say(what: str, done: int, whole: int) -> None:
            progress.update(task, description=what, completed=done, total=max(whole, 1))

        report = looking.look(home.clock.now(), heal=heal, everything=everything, say=say)
    _print_audit(report, as_json)
    if not report.ok:
        raise typer.Exit(1)


def _moment(text: str, option: str) -> datetime:
    """A moment with its zone, or a day's first one in UTC."""
    hint = "write a moment with its zone, such as 2026-11-09T08:00:00Z, or a day"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is no time", hint) from None
    if moment.tzinfo is None:
        if len(text) > len("2026-11-09"):
            raise UsageError(f"{option}: {text} has no zone", hint)
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)


def _progress(hidden: bool) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=hidden,
    )


def _print_replay(report: ReplayReport, spans: list[dict[str, Any]], dry_run: bool, as_json: bool) -> None:
    if as_json:
        counted = {name: getattr(report, name) for name in report.__slots__}
        print_json({"dry_run": dry_run, **counted, "offsets": spans})
        return
    said = [f"{report.records:,} records", f"{report.events:,} events"]
    if not dry_run:
        said += [f"{report.written:,} newly written", f"{report.duplicates:,} known already"]
        said.append(f"{report.rejected:,} rejected")
    for count, what in (
        (report.malformed, "malformed records"),
        (report.passed, "records of other tenants passed over"),
        (report.strangers, "records of tenants without a workspace here left as they are"),
        (report.missing, "offsets that hold nothing"),
    ):
        if count:
            said.append(f"{count:,} {what}")
    out.print(("would read " if dry_run else "") + ", ".join(said))


def _print_audit(report: AuditReport, as_json: bool) -> None:
    if as_json:
        print_json(report.document())
        return
    lag = sum(report.lag.values())
    out.print(
        f"{report.checked:,} records looked at in {report.partitions} partitions, the events of {report.compared:,} "
        f"counted; {lag:,} wait for a worker"
    )
    if report.settled:
        out.print(
            f"{report.settled:,} records lacked events that another record had brought: nothing is wrong"
        )
    if report.strangers:
        out.print(
            f"{report.strangers:,} records that lack events are of tenants without a workspace here: left as they are"
        )
    rows = [
        {
            "topic": hole.topic,
            "partition": hole.partition,
            "offsets": f"{hole.first}" if hole.records == 1 else f"{hole.first} to {hole.after - 1}",
            "what": hole.cause.value,
            "now": "healed" if hole.healed else "lost for good" if hole.cause == "lost" else "not healed",
            "restored": hole.restored,
            "quarantined": hole.quarantined,
        }
        for hole in report.holes
    ]
    columns = ("topic", "partition", "offsets", "what", "now", "restored", "quarantined")
    print_table(rows, columns, "no holes")
    if report.trouble:
        err.print(f"not everything could be healed: {report.trouble}", markup=False)
