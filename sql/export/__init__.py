"""Feedback of an app and a period, a row an answer, for evaluation and fine-tuning. Nobody is in it.

A row has no user, no reviewer, no session and no tags. Its team is named only if the exported rows of that team are
from five people or more, and not if that would tell a smaller team by subtraction. Of several decisions (edits,
thumbs) on one answer the last counts, as in the KPIs.

Texts are another matter: they hold what people wrote, names included. They are there only where an app opted in, are
exported only when they are asked for, and nothing else reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from uuid import UUID

from msgspec import Struct, convert

from uptake.calendar import Period
from uptake.clickhouse import TenantDatabase
from uptake.schemas.identity import id_range
from uptake.sql.asking import used_in
from uptake.sql.runner import period_parameters
from uptake.sql.suppression import MINIMUM_PEOPLE, Shown

KINDS = ("decision", "edit", "thumb")
CALL_WITHIN = timedelta(days=1)
"""How long before and after the period the call of an answer is looked for."""
PAGE_ROWS = 20_000
PAGE_ROWS_WITH_TEXTS = 1_000
KEEP_TEXTS = timedelta(days=90)
"""How long after it was received a text is kept: the TTL of migration 0008."""

_ANY_SEVERITY = -1.0
_TEXTS = ("draft_text", "final_text")


class FeedbackRow(Struct, frozen=True):
    """What is exported of one event; None where nothing is known. `prompt_version`, `use_case`, `response_model` and
    `trace_id` are the feedback's own or else those of the answer's call, `provider` and `request_model` the call's.

    `superseded` counts the events of this kind on the same answer before which this one was preferred.
    `reviewed` says whether somebody is named as the reviewer, never who.
    """

    event_id: str
    occurred_at: datetime
    kind: str
    decision: str | None
    severity: float | None
    draft_tokens: int | None
    final_tokens: int | None
    reasons: list[str]
    taxonomy_version: int
    thumb: str | None
    superseded: int
    reviewed: bool
    app: str
    use_case: str | None
    environment: str | None
    team: str | None
    prompt_version: str | None
    provider: str | None
    request_model: str | None
    response_model: str | None
    response_id: str | None
    trace_id: str | None


class FeedbackTextRow(FeedbackRow, frozen=True):
    """A row with the texts that are kept of it; None where there is none, or none any more."""

    draft_text: str | None
    final_text: str | None


@dataclass(frozen=True, slots=True)
class Texts:
    """Which texts are exported (of "draft" and "final"): those received at `since` or later."""

    kept: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported. `min_severity`: only what carries a severity of at least this. `texts`: None for none."""

    app: str
    period: Period
    kinds: tuple[str, ...] = ("decision", "edit")
    min_severity: float | None = None
    texts: Texts | None = None

    @property
    def shape(self) -> type[FeedbackRow]:
        """What its rows are."""
        return FeedbackRow if self.texts is None else FeedbackTextRow


@dataclass(slots=True)
class ExportReport:
    """What became of the feedback so far: exported rows by kind, and what was left out. `unmatched` rows name an
    answer of which no call is known; `unnamed` rows have a team that is not named; `with_text` rows have a text."""

    rows: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    superseded: int = 0
    below_severity: int = 0
    unmatched: int = 0
    unnamed: int = 0
    with_text: int = 0

    @property
    def read(self) -> int:
        return self.rows + self.superseded + self.below_severity


def feedback_pages(
    database: TenantDatabase, which: Selection, report: ExportReport, page_rows: int | None = None
) -> Iterator[list[FeedbackRow]]:
    """The selected feedback in the order of its ids, in pages of at most `page_rows`; what is found is counted in
    `report`. The same rows in the tables always give the same rows here."""
    page_rows = page_rows or (PAGE_ROWS if which.texts is None else PAGE_ROWS_WITH_TEXTS)
    parameters = _parameters(which)
    named = _named_teams(database, parameters)
    sql, page_from = _sql("feedback"), parameters["id_from"]
    while True:
        given = {**parameters, "page_from": page_from, "rows": page_rows}
        found = database.query(sql, used_in(sql, given))
        if which.texts is not None and found:
            _add_texts(database, which.texts, given, found)
        yield _chosen(found, which, named, report)
        if len(found) < page_rows:
            return
        page_from = found[-1]["event_id"] + 1


def _parameters(which: Selection) -> dict[str, Any]:
    period = which.period
    start, end = period.start - CALL_WITHIN, period.end + CALL_WITHIN
    call_id_from, call_id_to = id_range(start, end)
    return {
        **period_parameters(period),
        "app": which.app,
        "kinds": list(which.kinds),
        "min_severity": _ANY_SEVERITY if which.min_severity is None else which.min_severity,
        "call_from": start,
        "call_to": end,
        "call_id_from": call_id_from,
        "call_id_to": call_id_to,
    }


def _named_teams(database: TenantDatabase, parameters: dict[str, Any]) -> frozenset[str]:
    sql = _sql("people")
    people = {row["team"]: row["people"] for row in database.query(sql, used_in(sql, parameters))}
    hidden = Shown(people).hidden
    return frozenset(
        team for team, size in people.items() if team and size >= MINIMUM_PEOPLE and team not in hidden
    )


def _add_texts(
    database: TenantDatabase, texts: Texts, given: dict[str, Any], found: Sequence[dict[str, Any]]
) -> None:
    """Put their texts into the rows of a page."""
    sql = _sql("texts")
    bound = {**given, "page_to": found[-1]["event_id"], "texts_since": texts.since}
    by_id = {row.pop("event_id"): row for row in database.query(sql, used_in(sql, bound))}
    for row in found:
        kept = by_id.get(row["event_id"], {})
        for name in _TEXTS:
            row[name] = kept.get(name) if name.removesuffix("_text") in texts.kept else None


def _chosen(
    found: Sequence[dict[str, Any]], which: Selection, named: frozenset[str], report: ExportReport
) -> list[FeedbackRow]:
    chosen = []
    for row in found:
        severity, team = row["severity"], row["team"]
        if not row["is_last"]:
            report.superseded += 1
        elif which.min_severity is not None and (severity is None or severity < which.min_severity):
            report.below_severity += 1
        else:
            report.rows += 1
            report.by_kind[row["kind"]] = report.by_kind.get(row["kind"], 0) + 1
            report.unmatched += row["response_id"] != "" and not row["has_call"]
            report.unnamed += team != "" and team not in named
            ours = {
                "event_id": str(UUID(int=row["event_id"])),
                "app": which.app,
                "team": team if team in named else "",
            }
            said = {**row, **ours}
            known = {name: _known(name, said[name]) for name in which.shape.__struct_fields__}
            report.with_text += any(known.get(name) is not None for name in _TEXTS)
            chosen.append(convert(known, which.shape))
    return chosen


def _known(name: str, value: Any) -> Any:
    """None where nothing is known. A text may be empty: somebody deleted all of it."""
    return None if value == "" and name not in _TEXTS else value


def _sql(name: str) -> str:
    return (files("uptake.sql") / "export" / f"{name}.sql").read_text("utf-8")
