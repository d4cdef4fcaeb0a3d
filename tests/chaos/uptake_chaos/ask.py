"""The database's side of the comparison: plain HTTP to ClickHouse and sums by cell, nothing of the service between."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, urlsplit

from uptake_chaos.oracle import Cell

CELL = "tenant, app, team, toString(toDate(occurred_at, 'UTC')) AS day"
FIGURES = {
    "usage": {
        "events": "count()",
        "uncached": "sum(ifNull(input_uncached_tokens, 0))",
        "uncached_unknown": "countIf(input_uncached_tokens IS NULL)",
        "cache_read": "sum(input_cache_read_tokens)",
        "cache_write": "sum(input_cache_write_tokens)",
        "visible": "sum(ifNull(output_visible_tokens, 0))",
        "visible_unknown": "countIf(output_visible_tokens IS NULL)",
        "reasoning": "sum(output_reasoning_tokens)",
        "duration_ms": "sum(ifNull(duration_ms, 0))",
        "failed": "countIf(status = 'error')",
        "cache_hits": "countIf(cache_hit)",
        "unauthorised": "countIf(authorisation != 'allowed')",
        "cost_nano": "sum(ifNull(cost_nano, 0))",
        "cost_unknown": "countIf(cost_nano IS NULL)",
        "cost_upper_nano": "sum(cost_upper_nano)",
    },
    "feedback": {
        "events": "count()",
        **{word: f"countIf(thumb = '{word}')" for word in ("up", "down")},
        **{word: f"countIf(decision = '{word}')" for word in ("accepted", "edited", "rejected", "escalated")},
        "severity_thousandths": "sum(toInt64(round(1000 * ifNull(severity, 0))))",
        "score": "sum(ifNull(score, 0))",
        "surveys": "countIf(score IS NOT NULL)",
        "draft_tokens": "sum(ifNull(draft_tokens, 0))",
    },
    "cost": {
        "events": "count()",
        "billed_nano": "sum(billed_nano)",
        "cost_nano": "sum(ifNull(cost_nano, 0))",
        "cost_unknown": "countIf(cost_nano IS NULL)",
        "cost_upper_nano": "sum(cost_upper_nano)",
        "credits": "countIf(category = 'credit')",
    },
}
HEX_ID = "lower(hex(event_id))"


class Unanswered(RuntimeError):  # noqa: N818 - named for what it is
    """ClickHouse did not answer, or refused."""


class Asker:
    """Queries over HTTP. `url` as UPTAKE_CLICKHOUSE_URL has it."""

    def __init__(self, url: str, timeout: float = 30.0) -> None:
        parts = urlsplit(url)
        secret = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {secret}"}
        self._at = f"http://{parts.hostname}:{parts.port}/?database={quote(parts.path.strip('/'))}"
        self._timeout = timeout

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Raises Unanswered."""
        body = f"{sql} FORMAT JSONEachRow".encode()
        request = urllib.request.Request(self._at, body, self._headers)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:
                return [json.loads(line) for line in answer.read().splitlines()]
        except urllib.error.HTTPError as error:
            raise Unanswered(error.read().decode(errors="replace")[:300]) from None
        except OSError as error:
            raise Unanswered(type(error).__name__) from None

    def sums(self) -> dict[Cell, dict[str, int]]:
        """Every figure of `oracle.figures`, by cell."""
        found: dict[Cell, dict[str, int]] = {}
        for table, figures in FIGURES.items():
            # Aliases of their own: ClickHouse would take an alias that is a column's name for the column.
            asked = ", ".join(f"toString({sql}) AS f_{name}" for name, sql in figures.items())
            grouped = f"SELECT {CELL}, {asked} FROM {table} FINAL GROUP BY tenant, app, team, day"  # noqa: S608
            for row in self.rows(grouped):
                cell = (table, row["tenant"], row["app"], row["team"], row["day"])
                found[cell] = {name: int(row[f"f_{name}"]) for name in figures}
        return found

    def ids(self) -> list[tuple[str, str]]:
        """Tenant and id of every row, of all kinds."""
        found = []
        for table in FIGURES:
            for row in self.rows(f"SELECT tenant, {HEX_ID} AS id FROM {table} FINAL"):  # noqa: S608
                text = row["id"].rjust(32, "0")
                found.append(
                    (row["tenant"], "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])))
                )
        return found

    def events(self) -> int:
        """How many events there are, of all kinds."""
        return sum(self._count(f"{table} FINAL") for table in FIGURES)

    def stored_rows(self) -> int:
        """How many rows lie in the tables now, replaced ones that no merge has removed included."""
        return sum(self._count(table) for table in FIGURES)

    def _count(self, of: str) -> int:
        return int(self.rows(f"SELECT toString(count()) AS n FROM {of}")[0]["n"])  # noqa: S608 - our own names
