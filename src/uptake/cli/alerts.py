"""`uptake budgets`, `uptake findings`, `uptake messages`: what is said, and where things stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from uptake.cli.app import app, open_home
from uptake.cli.output import Json, Tenant, out, print_json, print_rows

if TYPE_CHECKING:
    from uptake.alerts.findings import Finding
    from uptake.alerts.letter import Letter
    from uptake.alerts.standing import FindingStanding
    from uptake.home import Home
    from uptake.workspace.models import Workspace


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
