"""The neutral message: what was stored before still loads, and what does not fit together is refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from uptake.alerts.message import Message, Table

STORED = """{"identity": "digest/acme/claims/2026-W46/v1", "kind": "digest", "tenant": "acme", "locale": "fr",
"title": "Claims", "summary": "Adoption stable.", "blocks": [
{"part": "text", "text": "Adoption stable.", "strong": true},
{"part": "table", "caption": "c", "columns": ["KPI", "valeur"], "rows": [["Adoption", "63 %"]]},
{"part": "chart", "title": "t", "labels": ["S45"], "series": [{"name": "s", "values": [0.5]}], "unit": "share",
 "summary": "s"}]}"""


def test_a_message_that_was_stored_before_the_richer_digest_still_loads() -> None:
    message = Message.model_validate_json(STORED)
    assert (message.notice, message.details, message.cadence) == ("", (), "weekly")
    assert message.blocks[1].references == ()  # type: ignore[union-attr]
    assert message.blocks[2].kind == "line"  # type: ignore[union-attr]
    assert Message.model_validate(message.model_dump(mode="json")) == message


def test_a_table_has_a_reference_for_each_row_or_none() -> None:
    rows = (("Adoption", "63%"), ("Spend", "€3"))
    assert Table(
        caption="c", columns=("a", "b"), rows=rows, references=("uptake kpi adoption", "")
    ).references
    with pytest.raises(ValidationError, match="1 references for 2 rows"):
        Table(caption="c", columns=("a", "b"), rows=rows, references=("uptake kpi adoption",))
