"""The organisation as workspace files, as somebody would have written them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import yaml

from uptake.demo import definitions, facts
from uptake.demo.organisation import DEPARTMENTS, Organisation, teams_of


def write_workspace(organisation: Organisation, directory: Path) -> list[Path]:
    """Write the workspace's files into `directory` and return their paths. Nothing else there is touched."""
    directory.mkdir(parents=True, exist_ok=True)
    contents = {
        "organisation.yaml": _yaml(_organisation()),
        "apps.yaml": _yaml(_apps()),
        "budgets.yaml": _yaml(_budgets()),
        "targets.yaml": _yaml(_targets()),
        "prices.yaml": _yaml(_prices()),
        "fx.yaml": _yaml(_rates()),
        "channels.yaml": _yaml(_channels()),
        "roster.csv": _roster(organisation),
    }
    paths = []
    for name, content in contents.items():
        path = directory / name
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    return paths


class _Plain(yaml.SafeDumper):
    """Writes every value out: people do not write anchors, and the loader does not read them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Any) -> str:
    written: str = yaml.dump(value, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    return written


def _organisation() -> dict[str, Any]:
    return {
        "tenant": facts.TENANT,
        "name": facts.NAME,
        "zone": facts.ZONE,
        "country": definitions.COUNTRY,
        "locale": "en",
        "currency": facts.CURRENCY,
        "grace_days": definitions.GRACE_DAYS,
        "severity_threshold": definitions.SEVERITY_THRESHOLD,
        "seat_price": str(definitions.SEAT_PRICE),
        "unknown_price_input": str(definitions.UNKNOWN_INPUT),
        "unknown_price_output": str(definitions.UNKNOWN_OUTPUT),
    }


def _apps() -> list[dict[str, Any]]:
    return [
        {
            "app": app,
            "owner": owner,
            "use_cases": list(use_cases),
            "teams": list(teams),
            "allowed_models": list(models),
            "data_classes": list(data_classes),
            "criticality": criticality,
        }
        for app, owner, use_cases, teams, models, data_classes, criticality in definitions.REGISTRY
    ]


def _budgets() -> list[dict[str, Any]]:
    entries = []
    for budget in definitions.BUDGETS:
        entry: dict[str, Any] = {"budget": budget.budget, "name": budget.name, "amount": budget.amount}
        if budget.app:
            entry["scope"] = {"app": budget.app}
        if budget.teams:
            entry["scope"] = {"teams": list(budget.teams)}
        for name in ("channel", "contact"):
            if value := getattr(budget, name):
                entry[name] = value
        entries.append({**entry, "valid_from": definitions.BUDGETS_SINCE})
    return entries


def _targets() -> list[dict[str, Any]]:
    return [
        {
            "kpi": target.kpi,
            **({"team": target.team} if target.team else {}),
            "target": float(target.target),
            **({"baseline": _baseline(target.baseline)} if target.baseline else {}),
            "owner": target.owner,
            "due": definitions.DUE,
        }
        for target in definitions.TARGETS
    ]


def _baseline(baseline: definitions.Baseline) -> dict[str, Any]:
    return {
        "value": float(baseline.value),
        "week": baseline.week,
        "definition_version": baseline.definition_version,
        "apps": list(baseline.apps),
    }


def _prices() -> list[dict[str, Any]]:
    agreed = definitions.NEGOTIATED
    return [
        {
            "provider": agreed.provider,
            "model": agreed.model,
            "currency": "USD",
            "input": str(agreed.input),
            "output": str(agreed.output),
            "cache_read": str(agreed.cache_read),
            "valid_from": agreed.valid_from,
        }
    ]


def _rates() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for day, rate in definitions.USD_IN_EUR:
        entry: dict[str, Any] = {"currency": "USD", "rate": str(rate)}
        entries.append(entry if day.year == 1 else {**entry, "valid_from": day})
    return entries


def _channels() -> dict[str, Any]:
    audiences: list[dict[str, Any]] = [
        {"audience": "organisation", "name": facts.NAME, "channel": "#ai-programme"}
    ]
    for department in DEPARTMENTS:
        entry = {
            "audience": department.slug,
            "name": department.name,
            "teams": list(teams_of(department.slug)),
            "channel": department.channel,
        }
        audiences.append({**entry, "locale": department.locale} if department.locale != "en" else entry)
    audiences += [
        {"audience": owner.audience, "name": owner.name, "apps": [owner.app], "channel": owner.channel}
        for owner in definitions.OWNERS
    ]
    return {"audiences": audiences, "budgets": "#ai-programme", "findings": "#ai-governance"}


def _roster(organisation: Organisation) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("person", "team", "seat", "champion", "joined", "left", "wave"))
    for member in organisation.members:
        for stay in member.stays:
            writer.writerow(
                (member.address, stay.team, _yes(member.seat), _yes(member.champion), stay.joined,
                 stay.left or "", member.wave)
            )  # fmt: skip
    return lines.getvalue()


def _yes(flag: bool) -> str:
    return "yes" if flag else "no"
