"""`uptake digest` says one digest; `uptake digest preview` shows it, or all of them, and says nothing."""

from __future__ import annotations

import sys
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.calendar import Closed
from uptake.cli.app import app, open_home
from uptake.cli.kpi import YEARS
from uptake.cli.output import Json, Tenant
from uptake.errors import UptakeError, UsageError

if TYPE_CHECKING:
    from uptake.alerts.message import Message
    from uptake.home import Home
    from uptake.workspace.models import Audience, Cadence, Workspace

digests = typer.Typer()
app.add_typer(digests, name="digest")


class Format(StrEnum):
    """How a digest is shown."""

    TEXT = "text"
    SLACK = "slack"
    HTML = "html"


class Often(StrEnum):
    """How often a digest is said."""

    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


_CADENCES: dict[Often, Cadence] = {
    Often.WEEKLY: "weekly",
    Often.MONTHLY: "monthly",
    Often.QUARTERLY: "quarterly",
}

Every = Annotated[Often, typer.Option("--cadence", help="which digest: of a week, a month, a fiscal quarter")]
Span = Annotated[
    str | None,
    typer.Option("--period", help="such as 2026-W46, 2026-11, FY2026-Q4; the last closed one if left out"),
]
Week = Annotated[str | None, typer.Option(help="such as 2026-W46; the last closed week if left out")]
Reader = Annotated[
    str | None,
    typer.Option(
        "--team",
        "--audience",
        help="an audience of channels.yaml, or a team; the organisation if left out",
    ),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="add the command that leads from each figure to its query")
]


@digests.callback(invoke_without_command=True)
def digest(
    context: typer.Context,
    week: Week = None,
    team: Reader = None,
    cadence: Every = Often.WEEKLY,
    period: Span = None,
    form: Annotated[Format, typer.Option("--format", help="what to print")] = Format.TEXT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be posted; post nothing")
    ] = False,
    explain: Explain = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Compose the digest of a closed period, post it to its audience's channel once, and print it.

    With --json (or --format slack) each line is the body of one request, byte for byte as it is posted: the message,
    then each reply in its thread.
    """
    from uptake.alerts.gather import LOOK_BACK_WEEKS

    if context.invoked_subcommand:
        if any((week, team, period, dry_run, explain, tenant, as_json)):
            raise UsageError(
                f"options stand before {context.invoked_subcommand}",
                f"write them after it: uptake digest {context.invoked_subcommand} --week 2026-W46",
            )
        return
    home = open_home(context)
    workspace = home.workspace(tenant)
    chosen = _span(week, period, cadence, home, workspace)
    audience = _audience(workspace, team)
    # what comes while it is composed has come later
    seen = {} if dry_run else _seen(home, workspace, chosen)
    [(message, has_data)] = _composed(home, workspace, chosen, [audience])
    _show(message, audience.channel, Format.SLACK if as_json else form, explain)
    if dry_run:
        return
    if not has_data:
        raise UsageError(
            f"nothing happened in the {LOOK_BACK_WEEKS} weeks up to {chosen}: this is not posted",
            "a digest is said once; --dry-run shows it without this error",
        )
    _post(home, workspace, audience, message, seen)


@digests.command()
def preview(
    context: typer.Context,
    week: Week = None,
    team: Reader = None,
    cadence: Every = Often.WEEKLY,
    period: Span = None,
    everyone: Annotated[bool, typer.Option("--all", help="every audience of channels.yaml")] = False,
    html: Annotated[bool, typer.Option("--html", help="a page, self-contained: nothing is fetched")] = False,
    to: Annotated[
        Path | None, typer.Option("--out", help="where the page is written; a file in the data directory")
    ] = None,
    opened: Annotated[bool, typer.Option("--open", help="open the page in a browser")] = False,
    explain: Explain = False,
    tenant: Tenant = None,
) -> None:
    """Show the digest of a closed period, and post nothing: in the terminal, or as a page to read, mail and print."""
    from uptake.alerts.gather import audiences
    from uptake.alerts.render import text
    from uptake.alerts.render.html import page

    if (to or opened) and not html:
        raise UsageError("--out and --open are about a page", "add --html")
    if everyone and team:
        raise UsageError("--all and --audience at once", "one of them")
    home = open_home(context)
    workspace = home.workspace(tenant)
    chosen = _span(week, period, cadence, home, workspace)
    readers = list(audiences(workspace)) if everyone else []
    readers = readers or [_audience(workspace, team)]
    messages = [message for message, _ in _composed(home, workspace, chosen, readers)]
    if not html:
        for message in messages:
            sys.stdout.write(text.render(message, explain=explain) + "\n")
        return
    [first, *more] = messages
    title = f"{workspace.organisation.name} · {chosen}" if more else first.title
    name = f"{chosen}-all" if more else first.identity.removeprefix("digest/").replace("/", "-")
    path = to or home.settings.data / "previews" / f"{name}.html"
    _written(path, page(messages, title))
    typer.echo(path.resolve())
    if opened and not webbrowser.open(path.resolve().as_uri()):
        raise UptakeError("no browser could be opened", f"open {path.resolve()} yourself")


def _written(path: Path, content: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UsageError(f"cannot write {path}: {reason}", "name another file with --out") from error


def _composed(
    home: Home, workspace: Workspace, span: Closed, readers: Sequence[Audience]
) -> Iterator[tuple[Message, bool]]:
    """Each audience's digest, and whether there are any data at all in the time that it looks at."""
    from uptake.alerts.saying import Place
    from uptake.rates import input_rates

    home.runner(workspace.tenant)  # publishes the roster
    database = home.database.tenant(workspace.tenant)
    drafts = Place(home.state, database, workspace, input_rates(workspace)).drafts(readers)
    for audience in readers:
        yield drafts.message(audience, span, home.clock.now()), drafts.gatherer.has_data(span)


def _show(message: Message, channel: str, form: Format, explain: bool) -> None:
    from uptake.alerts.deliver.slack_paper import would_send
    from uptake.alerts.render import html, text

    if form is Format.SLACK:
        sys.stdout.writelines(f"{body}\n" for body in would_send(channel, message))
    elif form is Format.HTML:
        sys.stdout.write(html.page([message], message.title))
    else:
        sys.stdout.write(text.render(message, explain=explain))


def _span(week: str | None, period: str | None, often: Often, home: Home, workspace: Workspace) -> Closed:
    """The closed period that is meant; what it is not is said with the option that said it."""
    from uptake.alerts import digest as composer

    cadence = _CADENCES[often]
    if week is not None and (period is not None or often is not Often.WEEKLY):
        hint = "leave it out, or --period and --cadence"
        raise UsageError("--week is for a weekly digest, and says the period", hint)
    option, text = ("--week", week) if week is not None else ("--period", period)
    now = home.clock.now()
    if text is None:
        return composer.last_closed(cadence, now, workspace.organisation)
    try:
        chosen = composer.parse(cadence, text, workspace.organisation)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", composer.FORMS[cadence]) from None
    if int("".join(c for c in text if c.isdigit())[:4]) not in YEARS:
        raise UsageError(f"{option}: {text} is not from {YEARS[0]} to {YEARS[-1]}", "events are not older")
    composer.require_closed(chosen, workspace.organisation, now)
    return chosen


def _audience(workspace: Workspace, name: str | None) -> Audience:
    """The audience that a name means. A team that is nobody's channel is an audience without one."""
    from uptake.alerts.gather import audiences
    from uptake.workspace.models import Audience

    known = audiences(workspace)
    for audience in known:
        whole = name is None and not audience.teams and not audience.apps
        if whole or name in (audience.audience, audience.name):
            return audience
    if name is None:
        return Audience(audience="organisation", name=workspace.organisation.name)
    if name in workspace.teams:
        # Names that differ only in signs or letters that a slug has not must stay two audiences.
        slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())[:40]
        return Audience(
            audience=f"team-{slug}-{sha256(name.encode()).hexdigest()[:8]}", name=name, teams=(name,)
        )
    names = [*(a.audience for a in known), *workspace.teams]
    raise UsageError(f"there is no audience or team {name!r}", f"one of: {', '.join(names)}")


def _seen(home: Home, workspace: Workspace, span: Closed) -> Mapping[str, str]:
    """What is noted with a digest that is said: the data that it is made of."""
    from uptake.alerts import late
    from uptake.alerts.saying import Place

    place = Place(home.state, home.database.tenant(workspace.tenant), workspace)
    return late.seen(place, late.shown_by(span, workspace.organisation.zone))


def _post(
    home: Home, workspace: Workspace, audience: Audience, message: Message, seen: Mapping[str, str]
) -> None:
    """Say it, once. Where a service runs it delivers; else only this message is delivered from here."""
    from uptake.alerts import ledger
    from uptake.alerts.outbox import Outbox
    from uptake.service import deliverer_of

    to_slack = home.settings.slack_token is not None
    where = audience.channel if to_slack else f"files in {home.settings.outbox_path}"
    if to_slack and not audience.channel:
        raise UsageError(f"{audience.name} has no channel", "name one in channels.yaml, or use --dry-run")
    now = home.clock.now()
    if not ledger.say(
        home.state,
        message.identity,
        "digest",
        workspace.tenant,
        message,
        [audience.channel],
        now,
        detail=seen,
    ):
        typer.echo("said before: a digest is said once; `uptake messages` shows where", err=True)
        return
    if home.uses_front:
        typer.echo("handed to the running `uptake up`, which delivers it in seconds", err=True)
        return
    ended = Outbox(home.state, home.clock).deliver(deliverer_of(home), only=message.identity)
    if set(ended) != {"sent"}:
        raise UptakeError(
            "the digest was not delivered yet", "`uptake messages` says why; `uptake up` tries again"
        )
    typer.echo(f"delivered to {where}", err=True)
