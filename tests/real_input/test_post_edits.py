"""1,000 machine drafts and their human corrections: severity must follow the published edit rate (HTER).

MLQE-PE, English to German, development set (CC0; Fomicheva et al., arXiv 2010.04480).
"""

from __future__ import annotations

import csv
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import pearsonr

from uptake.clickhouse import Database
from uptake.schemas.codec import decode_batch
from uptake.workspace.models import App, Organisation, Workspace

SEVERITIES = """
SELECT severity, draft_tokens, final_tokens, kind, event_id
FROM feedback FINAL
WHERE tenant = {tenant:String}
"""


@pytest.fixture(scope="module")
def organisation() -> Workspace:
    return Workspace(
        organisation=Organisation(tenant=f"t-{uuid.uuid4().hex[:12]}", name="Desk", currency="USD"),
        apps=(App(app="translation-desk", owner="Desk"),),
    )


@pytest.fixture(scope="module")
def pairs(shared_data: Path) -> list[tuple[str, str, float]]:
    """Draft, final text and published HTER, a sentence each."""
    folder = shared_data / "post-edits-en-de"
    drafts, finals, rates = (
        (folder / f"dev.{name}").read_text("utf-8").splitlines() for name in ("mt", "pe", "hter")
    )
    return list(zip(drafts, finals, map(float, rates), strict=True))


@pytest.fixture(scope="module")
def file(pairs: list[tuple[str, str, float]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pairs as a table, as a translation tool would export them."""
    path = tmp_path_factory.mktemp("edits") / "post-edits.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(["sentence", "draft", "final"])
        table.writerows((number, draft, final) for number, (draft, final, _) in enumerate(pairs))
    return path


@pytest.fixture(scope="module")
def stored(
    database: Database, organisation: Workspace, file: Path, importer: Callable[..., Any]
) -> list[dict[str, Any]]:
    report = importer(database, organisation, file, "feedback", "post-edits.yaml")
    assert (report.rows, report.accepted, report.rejected) == (1_000, 1_000, [])
    return database.tenant(organisation.tenant).query(SEVERITIES)


def test_a_thousand_edits_are_stored_with_their_sizes(
    stored: list[dict[str, Any]], pairs: list[tuple[str, str, float]]
) -> None:
    assert len(stored) == 1_000
    assert {row["kind"] for row in stored} == {"edit"}
    assert sum(row["draft_tokens"] for row in stored) == sum(len(draft.split()) for draft, _, _ in pairs)
    assert sum(row["final_tokens"] for row in stored) == sum(len(final.split()) for _, final, _ in pairs)


def test_three_in_ten_drafts_were_left_as_they_were(
    stored: list[dict[str, Any]], pairs: list[tuple[str, str, float]]
) -> None:
    untouched = sum(row["severity"] == 0 for row in stored)
    assert untouched == sum(draft.split() == final.split() for draft, final, _ in pairs)
    assert untouched / len(stored) == pytest.approx(0.30, abs=0.005)


def test_severity_follows_the_published_edit_rate(
    database: Database,
    organisation: Workspace,
    stored: list[dict[str, Any]],
    pairs: list[tuple[str, str, float]],
    file: Path,
    importer: Callable[..., Any],
) -> None:
    """Rows carry no sentence, so each is found again by the id that the import derives for it."""
    sent: list[Any] = []
    importer(
        database,
        organisation,
        file,
        "feedback",
        "post-edits.yaml",
        look=lambda batch: sent.extend(
            event for _, event in decode_batch(batch.body, batch.received_at).events
        ),
    )
    by_id = {row["event_id"]: row["severity"] for row in stored}
    severities = [by_id[event.event_id.int] for event in sent]
    correlation = pearsonr(severities, [hter for _, _, hter in pairs]).statistic
    assert correlation >= 0.95


def test_the_texts_are_nowhere_in_the_database(
    database: Database,
    stored: list[dict[str, Any]],
    organisation: Workspace,
    pairs: list[tuple[str, str, float]],
) -> None:
    (row,) = database.tenant(organisation.tenant).query(
        "SELECT groupArray(toJSONString(tuple(*))) AS texts FROM feedback WHERE tenant = {tenant:String}"
    )
    everything = "\n".join(row["texts"])
    assert len(row["texts"]) >= 1_000
    assert not [draft for draft, final, _ in pairs if draft[:40] in everything or final[:40] in everything]
