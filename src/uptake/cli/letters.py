"""`uptake dead-letters`: what was refused, and sending it again once it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, err, out, print_json, print_rows, print_table
from uptake.cli.sending import sender
from uptake.errors import UnavailableError, UsageError
from uptake.schemas.batch import RejectionReason, StoreUnavailable

if TYPE_CHECKING:
    from uptake.home import Home
    from uptake.processors.letters.box import LetterBox, Which
    from uptake.processors.letters.redrive import Mended, RedriveReport

letters = typer.Typer(help="Refused events: look at them, mend them, send them again.", no_args_is_help=True)
app.add_typer(letters, name="dead-letters")

REFUSED_SHOWN = 20
_PLACE = ("log_topic", "log_partition", "log_offset")

Reason = Annotated[RejectionReason | None, typer.Option(help="only those refused for this")]
App = Annotated[str, typer.Option("--app", help="only events that name this app")]
Since = Annotated[str, typer.Option(help="only those refused since, such as 2026-11-20 or 2026-11-20T09:00Z")]
Ids = Annotated[list[str] | None, typer.Argument(help="ids of letters, as `list` shows them")]


@letters.command("list")
def list_letters(
    context: typer.Context,
    tenant: Tenant = None,
    reason: Reason = None,
    app: App = "",
    since: Since = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="so many of the newest")] = 50,
    redriven: Annotated[bool, typer.Option("--redriven", help="also those that were sent again")] = False,
    as_json: Json = False,
) -> None:
    """Count what was refused, by tenant and reason, and list it; never with its content."""
    from uptake.processors.letters.box import LetterBox, counts
    from uptake.processors.letters.mended import id_text

    home = open_home(context)
    which = _which(home, reason, app, since)
    found = counts(home.database)
    chosen = tenant
    if tenant is None and len(home.workspaces) == 1:
        chosen = next(iter(home.workspaces))
    rows: list[dict[str, Any]] = []
    if chosen is not None:
        rows = LetterBox(home.database, chosen).listed(which, limit, redriven)
    shown = [row | {"letter_id": id_text(row["letter_id"])} for row in rows]
    if as_json:
        print_json({"counts": found, "letters": shown})
        return
    print_table(found, ("tenant", "reason", "letters", "newest"), "no dead letters")
    if found and chosen is None:
        err.print("name a tenant with --tenant to see its letters")
    for row in shown:
        topic, partition, offset = (row.pop(name) for name in _PLACE)
        row["from"] = f"{topic} {partition}:{offset}" if topic else row["source"]
    if shown:
        out.print()
        print_table(
            shown, ("letter_id", "received_at", "reason", "path", "detail", "from", "redriven_at"), ""
        )
        if len(shown) == limit:
            err.print(f"these are the newest {limit}; --limit shows more")


@letters.command("show")
def show_letter(
    context: typer.Context,
    ids: Annotated[list[str], typer.Argument(help="ids of letters, as `list` shows them")],
    tenant: Tenant = None,
    ndjson: Annotated[
        bool, typer.Option("--ndjson", help="one line a letter, to be mended and redriven with --file")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show letters with what was refused: the only place where Uptake shows the content of an event. It may hold a
    person's data; what you print or save of it is yours to protect."""
    from uptake.processors.letters.box import LetterBox
    from uptake.processors.letters.mended import id_text, line_of

    home = open_home(context)
    found = _by_id(LetterBox(home.database, _tenant(home, tenant)), ids)
    if ndjson:
        for row in found:
            typer.echo(line_of(row))
        return
    shown = [row | {"letter_id": id_text(row["letter_id"])} for row in found]
    if as_json:
        print_json(shown)
        return
    for row in shown:
        for name, value in row.items():
            if name not in ("ver", "payload") and value not in ("", None, -1):
                out.print(f"{name:14} {value}", markup=False)
        out.print(f"{row['payload']}\n", markup=False)


@letters.command("redrive")
def redrive_letters(
    context: typer.Context,
    ids: Ids = None,
    tenant: Tenant = None,
    reason: Reason = None,
    app: App = "",
    since: Since = "",
    all_waiting: Annotated[bool, typer.Option("--all", help="every letter that waits")] = False,
    file: Annotated[
        Path | None,
        typer.Option(help="mended events, as `show --ndjson` writes them", exists=True, dir_okay=False),
    ] = None,
    into: Annotated[
        str, typer.Option(help="the tenant whose the events are, where a record did not say")
    ] = "",
    as_json: Json = False,
) -> None:
    """Send refused events again, as they were or as a file says. Sending them twice changes nothing."""
    from uptake.processors.letters.box import LetterBox
    from uptake.processors.letters.mended import id_text
    from uptake.processors.letters.redrive import redrive

    home = open_home(context)
    which = _which(home, reason, app, since)
    filtered = reason is not None or bool(app or since)
    if sum((bool(ids), filtered, all_waiting, file is not None)) != 1:
        raise UsageError("which letters?", "name ids, or a filter such as --reason, or --file, or --all")
    whose = _tenant(home, tenant)
    home.workspace(into or whose)  # events of nobody's are not sent
    box = LetterBox(home.database, whose)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.fields[letters]:,} letters"),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=as_json,
    ) as progress:
        task = progress.add_task("redrive", letters=0)
        try:
            report = redrive(
                box,
                _chosen(box, ids, which, file),
                sender(context, home),
                home.clock,
                into,
                lambda done: progress.update(task, letters=done.letters),
            )
        except StoreUnavailable as error:
            hint = "redrive again: what was sent already is marked, and sending it twice changes nothing"
            raise UnavailableError(str(error), hint) from error
    refused = [one._asdict() | {"letter_id": id_text(one.letter_id)} for one in report.refused]
    _print_report(report, refused, as_json)
    if report.refused:
        raise typer.Exit(1)


@letters.command("allow")
def allow(
    context: typer.Context,
    topic: Annotated[str, typer.Option(help="usage, feedback or cost, or the topic's whole name")],
    partition: Annotated[int, typer.Option(min=0, help="number of the partition that was stopped")],
    before: Annotated[int, typer.Option(min=1, help="refused events before this offset may pass")],
    as_json: Json = False,
) -> None:
    """Let a partition go on that was stopped because too many events in a row were refused. Where it stopped says
    /readyz of its worker; events that are refused from --before on count anew."""
    from uptake.distributed.replay import topic_named
    from uptake.processors.permits import Permit, permit, permits

    home = open_home(context)
    name = topic_named(topic, home.settings)  # a permit for a topic that nobody reads would wait for ever
    permit(home.database, home.clock, Permit(name, partition, before))
    rows = [given._asdict() for given in permits(home.database) if given.topic == name]
    print_rows(rows, ("topic", "partition", "before_offset"), "", as_json)


def _chosen(box: LetterBox, ids: list[str] | None, which: Which, file: Path | None) -> Iterator[Mended]:
    from uptake.processors.letters.mended import id_text, read_mended
    from uptake.processors.letters.redrive import Mended

    if ids:
        yield from (Mended(row) for row in _by_id(box, ids))
    elif file is not None:
        with file.open("rb") as lines:
            mended = read_mended(lines)
        yield from (
            Mended(row, mended[row["letter_id"]]) for row in _by_id(box, [id_text(one) for one in mended])
        )
    else:
        yield from map(Mended, box.waiting(which))


def _by_id(box: LetterBox, ids: list[str]) -> list[dict[str, Any]]:
    from uptake.processors.letters.mended import id_of, id_text

    wanted = list(dict.fromkeys(map(id_of, ids)))
    found = box.by_id(wanted)
    for one in wanted:
        if one not in found:
            raise UsageError(f"there is no letter {id_text(one)}", "is it another tenant's? see --tenant")
    return [found[one] for one in wanted]


def _tenant(home: Home, tenant: str | None) -> str:
    """Letters may be of a tenant without a workspace, and (--tenant '') of nobody."""
    return home.workspace(None).tenant if tenant is None else tenant


def _which(home: Home, reason: RejectionReason | None, app: str, since: str) -> Which:
    from uptake.processors.letters.box import Which

    which = Which(reason.value if reason else "", app)
    if not since:
        return which
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise UsageError(f"{since!r} is no time", "write it like 2026-11-20 or 2026-11-20T09:00Z") from None
    if moment.tzinfo is None:
        moment = moment.astimezone()  # as the clock on this machine's wall says
    return Which(which.reason, which.app, moment)


def _print_report(report: RedriveReport, refused: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        counted = {name: getattr(report, name) for name in ("letters", "sent", "accepted", "duplicates")}
        print_json({**counted, "refused": refused})
        return
    out.print(
        f"{report.sent:,} of {report.letters:,} letters sent: {report.accepted:,} events accepted, "
        f"{report.duplicates:,} known already"
    )
    for one in refused[:REFUSED_SHOWN]:
        out.print(f"  {one['letter_id']}: {one['detail']} ({one['reason']})", markup=False)
    if len(refused) > REFUSED_SHOWN:
        out.print(f"  … and {len(refused) - REFUSED_SHOWN:,} more; --json shows all")
