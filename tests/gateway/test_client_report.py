"""What an SDK says of itself: believed when it can be, else left out and counted."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import Headers

from uptake.ingest.gateway.client_report import BadReport, read_report
from uptake.schemas.batch import ClientReport

GOOD = {"uptake-client-id": "c-1", "uptake-client-accepted": "120", "uptake-client-dropped": "3"}


def test_three_good_headers_are_a_report() -> None:
    assert read_report(Headers(GOOD)) == ClientReport("c-1", 120, 3)


def test_no_header_is_no_report() -> None:
    assert read_report(Headers({})) is None


BAD = [
    {"uptake-client-id": ""},
    {"uptake-client-id": "a b"},
    {"uptake-client-id": "x" * 65},
    {"uptake-client-accepted": "-1"},
    {"uptake-client-accepted": "1.5"},
    {"uptake-client-accepted": "9" * 19},
    {"uptake-client-dropped": "٣"},
    {"uptake-client-dropped": ""},
]


@pytest.mark.parametrize("change", BAD)
def test_a_report_that_cannot_be_used_is_refused(change: dict[str, str]) -> None:
    raw = [(k.encode(), v.encode("latin-1", "replace")) for k, v in {**GOOD, **change}.items()]
    if change == {"uptake-client-dropped": "٣"}:
        raw[2] = (raw[2][0], b"\xb3")  # a digit to str.isdigit, not to us
    with pytest.raises(BadReport):
        read_report(Headers(raw=raw))


@pytest.mark.parametrize("missing", list(GOOD))
def test_a_part_of_a_report_is_not_a_report(missing: str) -> None:
    with pytest.raises(BadReport):
        read_report(Headers({name: value for name, value in GOOD.items() if name != missing}))


def test_a_report_travels_with_its_batch(gateway: Any, process: Any) -> None:
    assert gateway.send(b"[]", GOOD).status_code == 200
    assert process.batches[0].client == ClientReport("c-1", 120, 3)


def test_a_bad_report_is_counted_and_loses_no_event(gateway: Any, process: Any) -> None:
    answer = gateway.send(b"[1]", {**GOOD, "uptake-client-accepted": "many"})
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 1
    assert process.batches[0].client is None
    assert gateway.metric("uptake_gateway_bad_client_reports_total") == 1
