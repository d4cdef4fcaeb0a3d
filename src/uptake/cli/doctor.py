"""`uptake doctor`: is everything that Uptake needs there, and what to do where it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from uptake.cli import checks, checks_log
from uptake.cli.app import app, open_home
from uptake.cli.checks import Finding
from uptake.cli.explain import explained
from uptake.cli.output import Json, out, print_json
from uptake.home import Home

Check = Callable[[Home], Finding]

EVERYWHERE: list[tuple[str, Check]] = [
    ("workspace", checks.workspace),
    ("pseudonym key", checks.pseudonym_key),
    ("database", checks.database),
    ("state store", checks.state),
    ("API keys", checks.api_keys),
    ("alerts", checks.alerts),
    ("Slack", checks.slack),
    ("disk", checks.disk),
]
WITH_A_LOG: list[tuple[str, Check]] = [
    ("Kafka", checks_log.kafka),
    ("topics", checks_log.topics),
    ("workers", checks_log.workers),
    ("audit", checks_log.audit),
]


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Look at settings, workspace, database, state store, keys, Slack and disk, and where there is Kafka at its topics,
    the workers and the audit; say what to do."""
    home = open_home(context)
    wanted = EVERYWHERE + (WITH_A_LOG if home.settings.kafka else [])
    findings = [_look(home, name, check) for name, check in wanted]
    if as_json:
        print_json(findings)
    else:
        signs: dict[str, Any] = {"ok": "[green]ok     [/green]", "warning": "[yellow]warning[/yellow]"}
        for finding in findings:
            out.print(signs.get(finding.level, "[red]error  [/red]"), end=" ")
            out.print(f"{finding.what}: {finding.detail}", markup=False)
            if finding.remedy:
                out.print(f"        {finding.remedy}", markup=False)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(1)


def _look(home: Home, name: str, check: Check) -> Finding:
    try:
        return check(home)
    except Exception as error:  # noqa: BLE001 - a doctor goes on with the next organ
        told = explained(error)
        return Finding(name, "error", told.message, told.hint)
