"""Where budgets and findings stand, in the state store: what commands and other processes read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine, select

from uptake.alerts.budgets import Evaluation
from uptake.alerts.findings import RESOLVED, Finding, Known, identity
from uptake.calendar import Period
from uptake.state.store import from_micros, put, to_micros
from uptake.state.tables import budgets, findings, marks


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """The last evaluation of a budget: when, and on what (`Evaluation.detail`)."""

    budget: str
    evaluated_at: datetime
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FindingStanding:
    """A finding on record."""

    identity: str
    rule: str
    subject: str
    status: str
    first_seen: datetime
    last_seen: datetime
    detail: Mapping[str, Any]


def save_budget(
    engine: Engine, tenant: str, evaluation: Evaluation, ran: Mapping[Period, int] = MappingProxyType({})
) -> None:
    """Keep when a budget was looked at, on what value, and why it did or did not fire.

    `ran` are amounts (nano) by which it was judged while earlier periods ran, see `amount_in`.
    """
    before = {_name(period): amount for period, amount in ran.items()}
    with engine.begin() as connection:
        put(
            connection,
            budgets,
            {"tenant": tenant, "budget": evaluation.budget.budget},
            {"evaluated_at": to_micros(evaluation.at), "detail": {**evaluation.detail(), "ran": before}},
        )


def amount_in(standing: BudgetStanding | None, period: Period) -> int | None:
    """The amount (nano) by which a budget was last judged while `period` ran; None if it was not judged then."""
    if standing is None:
        return None
    detail = standing.detail
    if (detail["first_day"], detail["after_day"]) == (period.first.isoformat(), period.after.isoformat()):
        return int(detail["amount_nano"])
    amount = detail.get("ran", {}).get(_name(period))
    return None if amount is None else int(amount)


def _name(period: Period) -> str:
    return f"{period.first}/{period.after}"


def load_budgets(engine: Engine, tenant: str) -> dict[str, BudgetStanding]:
    """The last evaluation of each budget that was ever evaluated."""
    query = select(budgets).where(budgets.c.tenant == tenant)
    with engine.connect() as connection:
        return {
            row.budget: BudgetStanding(row.budget, from_micros(row.evaluated_at), row.detail)
            for row in connection.execute(query)
        }


def save_findings(engine: Engine, tenant: str, found: Iterable[Finding], *, opened: bool = False) -> None:
    """Record findings, or bring them up to date. The status of one on record is kept unless it is `opened`."""
    # in one order, so that two processes wait for each other and not each for the other
    named = sorted(((identity(tenant, finding), finding) for finding in found), key=lambda pair: pair[0])
    with engine.begin() as connection:
        for name, finding in named:
            values: dict[str, Any] = {
                "first_seen": to_micros(finding.first_seen),
                "last_seen": to_micros(finding.last_seen),
                "detail": finding.detail(),
            }
            if opened:
                values["status"] = "open"
            fixed = {"tenant": tenant, "rule": finding.rule, "subject": finding.subject}
            put(connection, findings, {"identity": name}, values, {"status": "open", **fixed})


def resolve_findings(engine: Engine, tenant: str, identities: Collection[str], now: datetime) -> None:
    """Note that the registry allows by now what these open findings are about."""
    with engine.begin() as connection:
        for name in sorted(identities):
            where = (findings.c.identity == name) & (findings.c.tenant == tenant)
            where &= findings.c.status != RESOLVED
            row = connection.execute(select(findings.c.detail).where(where)).one_or_none()
            if row is not None:
                detail = {**row.detail, "resolved_at": to_micros(now)}
                connection.execute(findings.update().where(where).values(status=RESOLVED, detail=detail))


def load_findings(engine: Engine, tenant: str, status: str | None = None) -> list[FindingStanding]:
    """A tenant's findings, the one seen last first."""
    query = select(findings).where(findings.c.tenant == tenant)
    if status is not None:
        query = query.where(findings.c.status == status)
    with engine.connect() as connection:
        return [
            FindingStanding(
                row.identity,
                row.rule,
                row.subject,
                row.status,
                from_micros(row.first_seen),
                from_micros(row.last_seen),
                row.detail,
            )
            for row in connection.execute(query.order_by(findings.c.last_seen.desc(), findings.c.identity))
        ]


def known_findings(engine: Engine, tenant: str) -> dict[str, Known]:
    """Findings on record by identity, resolved ones too."""
    return {f.identity: _known(f) for f in load_findings(engine, tenant)}


def _known(found: FindingStanding) -> Known:
    detail = found.detail
    resolved_at = detail.get("resolved_at")
    return Known(
        found.identity,
        (found.rule, detail["app"], found.subject),
        found.first_seen,
        found.last_seen,
        found.status,
        detail.get("episode", ""),
        None if resolved_at is None else from_micros(resolved_at),
    )


def save_mark(engine: Engine, name: str, value: Any, now: datetime) -> None:
    with engine.begin() as connection:
        put(connection, marks, {"name": name}, {"value": value, "at": to_micros(now)})


def load_mark(engine: Engine, name: str) -> tuple[Any, datetime] | None:
    """A mark's value and when it was set."""
    with engine.connect() as connection:
        row = connection.execute(select(marks).where(marks.c.name == name)).one_or_none()
    return (row.value, from_micros(row.at)) if row else None
