"""Rows as a test wants to say them: what matters is given, the rest has a value that changes no KPI."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from uptake.calendar import Period
from uptake.clickhouse import Database
from uptake.schemas.identity import mint, unix_ms
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import Audience, Channels, Organisation, Workspace

WEEK = Period(date(2026, 11, 9), date(2026, 11, 16), "Europe/Paris")

_COMMON: dict[str, Any] = {
    "ver": 1,
    "content_hash": 0,
    "client_id": "",
    "app": "helper",
    "environment": "production",
    "use_case": "",
    "team": "claims",
    "user_id": "",
    "response_id": "",
    "tags": {},
}
_KINDS: dict[str, dict[str, Any]] = {
    "usage": {
        "operation": "chat",
        "model": "gpt",
        "input_uncached_tokens": 10,
        "output_visible_tokens": 5,
        "status": "ok",
        "cache_hit": False,
        "intent": "deliberate",
        "cost_nano": 0,
        "cost_upper_nano": 0,
        "currency": "EUR",
        "authorisation": "allowed",
    },
    "feedback": {"kind": "decision", "severity": None, "reasons": [], "taxonomy_version": 1},
    "cost": {"category": "licence", "billed_nano": 0, "billed_currency": "EUR", "currency": "EUR"},
}


def _written(value: Any) -> Any:
    """Numbers beyond 64 bits and times as text, the way ClickHouse reads them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(value, date) or (isinstance(value, int) and abs(value) >= 1 << 63):
        return str(value)
    return value


class Rows:
    """Puts rows into the tables of one tenant, and runs KPIs over them."""

    def __init__(self, database: Database, tenant: str) -> None:
        self.database = database
        self.tenant = tenant

    def _insert(self, table: str, row: dict[str, Any]) -> None:
        line = json.dumps({name: _written(value) for name, value in row.items()})
        self.database.insert_json_lines(table, line.encode())

    def _event(self, table: str, at: datetime, given: dict[str, Any]) -> dict[str, Any]:
        row = {
            "tenant": self.tenant,
            "event_id": mint(unix_ms(at)).int,
            "occurred_at": at,
            "received_at": at + timedelta(seconds=2),
            **_COMMON,
            **_KINDS[table],
            **given,
        }
        if table == "cost":
            row.setdefault("cost_upper_nano", row["cost_nano"])
        if table == "usage" and row["cost_nano"] is not None and "cost_upper_nano" not in given:
            row["cost_upper_nano"] = row["cost_nano"]
        self._insert(table, row)
        return row

    def usage(self, at: datetime, **given: Any) -> dict[str, Any]:
        return self._event("usage", at, given)

    def feedback(self, at: datetime, **given: Any) -> dict[str, Any]:
        return self._event("feedback", at, given)

    def decision(self, at: datetime, decision: str, **given: Any) -> dict[str, Any]:
        return self.feedback(at, kind="decision", decision=decision, **given)

    def cost(self, first: date, after: date, **given: Any) -> dict[str, Any]:
        at = given.pop("at", datetime(first.year, first.month, first.day, 12, tzinfo=UTC))
        return self._event("cost", at, {"period_start": first, "period_end": after, **given})

    def again(self, table: str, row: dict[str, Any], **changed: Any) -> None:
        """The same identity once more, with a higher version."""
        self._insert(table, {**row, "ver": row["ver"] + 1, **changed})

    def report(self, client: str, at: datetime, accepted: int, dropped: int = 0) -> None:
        utc = at.astimezone(UTC)
        quarter = utc.replace(minute=utc.minute // 15 * 15, second=0, microsecond=0)
        said = {
            "client_id": client,
            "quarter": quarter,
            "reported_at": at,
            "accepted": accepted,
            "dropped": dropped,
        }
        self._insert("sdk_reports", {"tenant": self.tenant, **said})

    def roster(self, *stays: tuple[str, str, str] | dict[str, Any], generation: str = "g1") -> None:
        """Publish stays, each (user, team, joined) or a dictionary with more columns."""
        for stay in stays:
            given = (
                stay
                if isinstance(stay, dict)
                else dict(zip(("user_id", "team", "joined"), stay, strict=True))
            )
            row = {
                "tenant": self.tenant,
                "generation": generation,
                "seat": True,
                "champion": False,
                "left": None,
            }
            self._insert("roster", {**row, **given})
        pointer = {"name": "roster", "generation": generation, "published_at": datetime.now(UTC)}
        self._insert("generations", {"tenant": self.tenant, **pointer})

    def runner(self, *audiences: tuple[str, ...], remember: bool = False, **organisation: Any) -> KpiRunner:
        declared = tuple(Audience(audience=f"a{i}", name="A", teams=t) for i, t in enumerate(audiences))
        facts = {"tenant": self.tenant, "name": "Example", "zone": "Europe/Paris", **organisation}
        workspace = Workspace(organisation=Organisation(**facts), channels=Channels(audiences=declared))
        return KpiRunner(self.database.tenant(self.tenant), workspace, remember=remember)


@pytest.fixture
def rows(database: Database, tenant: str) -> Rows:
    return Rows(database, tenant)


@pytest.fixture
def rows_of(database: Database) -> Callable[[str], Rows]:
    """Rows of a tenant by name."""
    return lambda tenant: Rows(database, tenant)


@pytest.fixture
def week() -> Period:
    """2026-W46: Monday 9 to Sunday 15 November, in Paris (UTC+1)."""
    return WEEK


@pytest.fixture
def monday() -> datetime:
    """Monday of that week, ten in the morning in Paris."""
    return datetime(2026, 11, 9, 9, tzinfo=UTC)
