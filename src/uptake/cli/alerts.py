"""`uptake digest`, `uptake budgets`, `uptake findings`, `uptake messages`: what is said, and where things stand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.calendar import IsoWeek
from uptake.cli.app import app, open_home
from uptake.cli.kpi import YEARS
from uptake.cli.output import Json, Tenant, out, print_json, print_rows
from uptake.errors import UptakeError, UsageError

if TYPE_CHECKING:
    from uptake.alerts.findings import Finding
    from uptake.alerts.letter import Letter
    from uptake.alerts.message import Message
    from uptake.alerts.standing import FindingStanding
    from uptake.home import Home
    from uptake.workspace.models import Audience, Workspace


class Format(StrEnum):
    """How a digest is shown."""

    TEXT = "text"
    SLACK = "slack"
    HTML = "html"


@app.command()
def digest(
    context: typer.Context,
    week: Annotated[
        str | None, typer.Option(help="such as 2026-W46; the last closed week if left out")
    ] = None,
    team: Annotated[
        str | None, typer.Option(help="an audience of channels.yaml, or a team; the organisation if left out")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="what to print")] = Format.TEXT,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be posted; post nothing")
    ] = False,
    tenant: Tenant = None,
) -> None:
    """Compose the digest of a closed week, post it to its audience's channel once, and print it."""
    from uptake.alerts import digest as composer
    from uptake.alerts.gather import Gatherer

    home = open_home(context)
    workspace = home.workspace(tenant)
    chosen = _week(week, home, workspace)
    composer.require_closed(chosen, workspace.organisation.zone, home.clock.now())
    audience = _audience(workspace, team)
    home.runner(tenant)  # publishes the roster
    gatherer = Gatherer(home.database.tenant(workspace.tenant), workspace)
    message = composer.compose(gatherer.inputs(audience, chosen), home.clock.now())
    _show(message, form)
    if not dry_run and not gatherer.has_data(chosen):
        raise UsageError(
            f"nothing happened in the {composer.HISTORY_WEEKS} weeks up to {chosen}: this is not posted",
            "a digest is said once; --dry-run shows it without this error",
        )
    if not dry_run:
        _post(home, workspace, audience, chosen, message)


def _week(text: str | None, home: Home, workspace: Workspace) -> IsoWeek:
    if text is None:
        return IsoWeek.last_closed(home.clock.now(), workspace.organisation.zone)
    try:
        chosen = IsoWeek.parse(text)
    except ValueError as error:
        raise UsageError(f"--week: {error}", "write an ISO week like 2026-W46") from None
    if chosen.year not in YEARS:
        raise UsageError(f"--week: {text} is not from {YEARS[0]} to {YEARS[-1]}", "events are not older")
    return chosen


def _audience(workspace: Workspace, name: str | None) -> Audience:
    """The audience that a name means. A team that is nobody's channel is an audience without one."""
    from uptake.alerts.gather import audiences
    from uptake.workspace.models import Audience

    known = audiences(workspace)
    for audience in known:
        whole = name is None and not audience.teams
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


def _show(message: Message, form: Format) -> None:
    from uptake.alerts.render import html, slack, text

    if form is Format.SLACK:
        print_json(slack.render(message))
    elif form is Format.HTML:
        sys.stdout.write(html.page([message], message.title))
    else:
        out.print(text.render(message, colour=False), markup=False)


def _post(home: Home, workspace: Workspace, audience: Audience, week: IsoWeek, message: Message) -> None:
    """Say it, once. Where a service runs it delivers; else only this message is delivered from here."""
    from uptake.alerts import late, ledger
    from uptake.alerts.outbox import Outbox
    from uptake.alerts.saying import Place
    from uptake.service import deliverer_of

    to_slack = home.settings.slack_token is not None
    where = audience.channel if to_slack else f"files in {home.settings.outbox_path}"
    if to_slack and not audience.channel:
        raise UsageError(f"{audience.name} has no channel", "name one in channels.yaml, or use --dry-run")
    now = home.clock.now()
    place = Place(home.state, home.database.tenant(workspace.tenant), workspace)
    if not ledger.say(
        home.state,
        message.identity,
        "digest",
        workspace.tenant,
        message,
        [audience.channel],
        now,
        detail=late.seen(place, late.shown_by(week, workspace.organisation.zone)),
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


@app.command()
def budgets(context: typer.Context, tenant: Tenant = None, as_json: Json = False) -> None:
    """Where each budget stands now, and why it did or did not fire."""
    from uptake.alerts import budgets as judge
    from uptake.alerts import formats
    from uptake.alerts.saying import Place, evaluate_budget

    home = open_home(context)
    workspace = home.workspace(tenant)
    place = Place(home.state, home.database.tenant(workspace.tenant), workspace)
    organisation = workspace.organisation
    now = home.clock.now()
    documents, rows = [], []
    for budget in workspace.budgets:
        period = judge.current_period(budget, now, organisation.zone)
        evaluation, _ = evaluate_budget(place, budget, period, now)
        documents.append({"budget": budget.budget, "name": budget.name, **evaluation.detail()})
        spent = formats.spent_of(
            evaluation.spend.upper_nano, evaluation.amount_nano, organisation.currency, "en"
        )
        rows.append(
            {
                "budget": budget.name,
                "period": formats.period_name(period, "en"),
                "state": evaluation.state,
                "spent": f"{spent[0]} of {spent[1]}",
                "used": formats.share(evaluation.share_used, "en"),
                "gone": formats.share(evaluation.share_gone, "en"),
                "why": judge.explain(evaluation, "en"),
            }
        )
    if as_json:
        print_json(documents)
    else:
        columns = ("budget", "period", "state", "spent", "used", "gone", "why")
        print_rows(rows, columns, "no budgets: see budgets.yaml", as_json=False)


@app.command()
def findings(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="those that are no longer open too")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """Unauthorised uses: those on record, and those in the last weeks that nobody was told about yet."""
    from uptake.alerts import findings as judge
    from uptake.alerts.saying import FAR_DAYS
    from uptake.alerts.standing import known_findings, load_findings
    from uptake.sql import queries

    home = open_home(context)
    workspace = home.workspace(tenant)
    now = home.clock.now()
    database = home.database.tenant(workspace.tenant)
    groups = queries.unauthorised_groups(database, now - timedelta(days=FAR_DAYS), now)
    decision = judge.decide(workspace.tenant, groups, known_findings(home.state, workspace.tenant))
    unsaid = decision.new
    # What is on record is brought up to date once an hour; what is shown is as of now.
    seen = {judge.identity(workspace.tenant, finding): finding for finding in decision.seen}
    on_record = load_findings(home.state, workspace.tenant, None if everything else "open")
    if as_json:
        documents = [
            {
                **asdict(f),
                **(
                    {"last_seen": seen[f.identity].last_seen, "detail": seen[f.identity].detail()}
                    if f.identity in seen
                    else {}
                ),
            }
            for f in on_record
        ]
        documents += [
            {"identity": judge.identity(workspace.tenant, f), "status": "unsaid", **asdict(f)} for f in unsaid
        ]
        print_json(documents)
        return

    def row(app: object, calls: object, status: str, found: FindingStanding | Finding) -> dict[str, object]:
        return {
            "rule": found.rule.replace("_", " "),
            "app": app,
            "subject": found.subject,
            "first seen": _local(found.first_seen, workspace),
            "last seen": _local(found.last_seen, workspace),
            "calls": calls,
            "status": status,
        }

    rows = [
        row(f.detail.get("app"), seen[f.identity].calls, f.status, seen[f.identity])
        if f.identity in seen
        else row(f.detail.get("app"), f.detail.get("calls"), f.status, f)
        for f in on_record
    ]
    rows += [row(f.app, f.calls, "not said yet", f) for f in unsaid]
    columns = ("rule", "app", "subject", "first seen", "last seen", "calls", "status")
    empty = f"no findings on record, and none in the last {FAR_DAYS} days"
    print_rows(rows, columns, empty, as_json=False)


def _local(moment: datetime, workspace: Workspace) -> str:
    return moment.astimezone(workspace.tz).strftime("%Y-%m-%d %H:%M")


def _present_channel(home: Home) -> Callable[[Letter], str]:
    """Where the workspace says a message belongs now: a name that was wrong may have been mended."""
    from uptake.alerts.saying import channel_of

    def channel(letter: Letter) -> str:
        workspace = home.workspaces.get(letter.tenant)
        return channel_of(workspace, letter.identity) if workspace else ""

    return channel


def _when(letter: Letter, home: Home) -> str:
    workspace = home.workspaces.get(letter.tenant)
    return (
        _local(letter.created_at, workspace) if workspace else letter.created_at.isoformat(timespec="seconds")
    )


class Status(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENDING = "sending"
    AMBIGUOUS = "ambiguous"
    SENT = "sent"
    RESTATING = "restating"
    FAILED = "failed"


@app.command()
def messages(
    context: typer.Context,
    status: Annotated[Status | None, typer.Option(help="only those")] = None,
    retry: Annotated[bool, typer.Option("--retry", help="give failed messages another chance")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """What was said, to whom, how often it was revised, and what could not be delivered."""
    from uptake.alerts.outbox import Outbox

    home = open_home(context)
    outbox = Outbox(home.state, home.clock)
    if retry:
        out.print(
            f"{outbox.retry(tenant, _present_channel(home))} messages will be tried again by `uptake up`"
        )
        return
    rows = [
        {
            "said": letter.created_at.isoformat(timespec="seconds") if as_json else _when(letter, home),
            "channel": letter.channel,
            "status": letter.status,
            "revision": letter.revision,
            "title": letter.message.get("title"),
            "problem": letter.last_error or _posted_anew(letter),
        }
        for letter in outbox.letters(status and status.value, tenant)
    ]
    columns = ("said", "channel", "status", "revision", "title", "problem")
    print_rows(rows, columns, "nothing was said yet", as_json)


def _posted_anew(letter: Letter) -> str:
    """Why a restated message is there twice."""
    if letter.posted.copy == 1:
        return ""
    where = "in its thread" if letter.posted.below else "in the channel"
    return f"could not be edited ({letter.posted.why}): restated {where}"
