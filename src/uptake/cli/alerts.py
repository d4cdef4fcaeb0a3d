"""`uptake digest`, `uptake budgets`, `uptake findings`, `uptake messages`: what is said, and where things stand."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.calendar import IsoWeek
from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, out, print_json, print_rows
from uptake.errors import UptakeError, UsageError

if TYPE_CHECKING:
    from uptake.alerts.message import Message
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
    from uptake.alerts.digest_inputs import Gatherer

    home = open_home(context)
    workspace = home.workspace(tenant)
    chosen = _week(week, home, workspace)
    composer.require_closed(chosen, workspace.organisation.zone, home.clock.now())
    audience = _audience(workspace, team)
    home.runner(tenant)  # publishes the roster
    gatherer = Gatherer(home.database.tenant(workspace.tenant), workspace)
    message = composer.compose(gatherer.inputs(audience, chosen), home.clock.now())
    _show(message, form)
    if not dry_run:
        _post(home, workspace, audience, message)


def _week(text: str | None, home: Home, workspace: Workspace) -> IsoWeek:
    if text is None:
        return IsoWeek.last_closed(home.clock.now(), workspace.organisation.zone)
    try:
        return IsoWeek.parse(text)
    except ValueError as error:
        raise UsageError(f"--week: {error}", "write an ISO week like 2026-W46") from None


def _audience(workspace: Workspace, name: str | None) -> Audience:
    """The audience that a name means. A team that is nobody's channel is an audience without one."""
    from uptake.alerts.digest_inputs import audiences
    from uptake.workspace.models import Audience

    known = audiences(workspace)
    for audience in known:
        whole = name is None and not audience.teams
        if whole or name in (audience.audience, audience.name):
            return audience
    if name is None:
        return Audience(audience="organisation", name=workspace.organisation.name)
    if name in workspace.teams:
        slug = "team-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
        return Audience(audience=slug[:64], name=name, teams=(name,))
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


def _post(home: Home, workspace: Workspace, audience: Audience, message: Message) -> None:
    from uptake.alerts import ledger
    from uptake.alerts.outbox import Outbox
    from uptake.service import deliverer_of

    where = audience.channel or "files"
    if home.settings.slack_token is not None and not audience.channel:
        raise UsageError(f"{audience.name} has no channel", "name one in channels.yaml, or use --dry-run")
    now = home.clock.now()
    if not ledger.say(
        home.state, message.identity, "digest", workspace.tenant, message, [audience.channel], now
    ):
        typer.echo(f"posted before to {where}; a digest is posted once", err=True)
        return
    ended = Outbox(home.state, home.clock).deliver(deliverer_of(home))
    if set(ended) - {"sent"}:
        raise UptakeError(f"the digest for {where} was not delivered yet", "`uptake messages` says why")
    typer.echo(f"posted to {where}", err=True)


@app.command()
def budgets(context: typer.Context, tenant: Tenant = None, as_json: Json = False) -> None:
    """Where each budget stands now, and why it did or did not fire."""
    from uptake.alerts import budgets as judge
    from uptake.alerts import formats, ledger
    from uptake.sql import queries

    home = open_home(context)
    workspace = home.workspace(tenant)
    database = home.database.tenant(workspace.tenant)
    organisation = workspace.organisation
    now = home.clock.now()
    documents, rows = [], []
    for budget in workspace.budgets:
        period = judge.current_period(budget, now, organisation.zone)
        spend = queries.budget_spend(database, budget.scope, period, now)
        names = {
            judge.identity(workspace.tenant, budget.budget, period.first, t): t for t in budget.thresholds
        }
        told = {names[name]: at for name, at in ledger.said(home.state, names).items()}
        evaluation = judge.evaluate(budget, spend, period, now, told)
        documents.append({"budget": budget.budget, "name": budget.name, **evaluation.detail()})
        spent = formats.spent_of(spend.upper_nano, evaluation.amount_nano, organisation.currency, "en")
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
    """Unauthorised uses on record."""
    from uptake.alerts.standing import load_findings

    home = open_home(context)
    workspace = home.workspace(tenant)
    found = load_findings(home.state, workspace.tenant, None if everything else "open")
    if as_json:
        print_json(found)
        return
    rows = [
        {
            "rule": finding.rule.replace("_", " "),
            "app": finding.detail.get("app"),
            "subject": finding.subject,
            "first seen": finding.first_seen.astimezone(workspace.tz).strftime("%Y-%m-%d %H:%M"),
            "last seen": finding.last_seen.astimezone(workspace.tz).strftime("%Y-%m-%d %H:%M"),
            "calls": finding.detail.get("calls"),
            "status": finding.status,
        }
        for finding in found
    ]
    columns = ("rule", "app", "subject", "first seen", "last seen", "calls", "status")
    print_rows(rows, columns, "no findings: every call seen so far is in the registry", as_json=False)


@app.command()
def messages(
    context: typer.Context,
    status: Annotated[
        str | None, typer.Option(help="only pending, sending, ambiguous, sent or failed ones")
    ] = None,
    retry: Annotated[bool, typer.Option("--retry", help="give failed messages another chance")] = False,
    tenant: Tenant = None,
    as_json: Json = False,
) -> None:
    """What was said, to whom, and what could not be delivered."""
    from uptake.alerts.outbox import Outbox

    home = open_home(context)
    outbox = Outbox(home.state, home.clock)
    if retry:
        out.print(f"{outbox.retry(tenant)} messages will be tried again by `uptake up`")
        return
    rows = [
        {
            "said": letter.created_at.isoformat(timespec="seconds"),
            "channel": letter.channel,
            "status": letter.status,
            "title": letter.message.get("title"),
            "problem": letter.last_error,
        }
        for letter in outbox.letters(status, tenant)
    ]
    print_rows(rows, ("said", "channel", "status", "title", "problem"), "nothing was said yet", as_json)
