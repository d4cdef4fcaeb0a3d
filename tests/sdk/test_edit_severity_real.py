"""Severity against what professional post-editors really did (MLQE-PE, English to German, 1,000 drafts)."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy.stats import pearsonr

from uptake import Client
from uptake.ingest.sdk.severity import edit_severity
from uptake.testing import Capture


@pytest.fixture(scope="module")
def post_edits(shared_data: Path) -> list[tuple[str, str, float]]:
    folder = shared_data / "post-edits-en-de"
    drafts, finals, hter = (
        (folder / f"dev.{end}").read_text(encoding="utf-8").splitlines() for end in ("mt", "pe", "hter")
    )
    return [(draft, final, float(rate)) for draft, final, rate in zip(drafts, finals, hter, strict=True)]


def test_severity_follows_the_published_rate_of_edits(post_edits: list[tuple[str, str, float]]) -> None:
    assert len(post_edits) == 1_000
    severities = [edit_severity(draft, final)[0] for draft, final, _ in post_edits]
    assert pearsonr(severities, [rate for _, _, rate in post_edits]).statistic >= 0.95


def test_untouched_drafts_are_exactly_those_that_are_the_same(
    post_edits: list[tuple[str, str, float]],
) -> None:
    untouched = sum(edit_severity(draft, final)[0] == 0.0 for draft, final, _ in post_edits)
    assert untouched == sum(draft.split() == final.split() for draft, final, _ in post_edits)
    assert untouched == 299  # 30 % of a thousand


def test_the_client_reports_the_same_numbers(
    post_edits: list[tuple[str, str, float]], capture_uptake: Capture
) -> None:
    client: Client = capture_uptake.client
    for draft, final, _ in post_edits:
        client.edit(draft, final)
    reported = [(e["severity"], e["draft_tokens"], e["final_tokens"]) for e in capture_uptake.feedback]
    assert reported == [edit_severity(draft, final) for draft, final, _ in post_edits]
