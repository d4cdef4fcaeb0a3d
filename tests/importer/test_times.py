"""Moments: zones are never guessed, fractions never rounded up, Unix time told apart by size."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from uptake.errors import UsageError
from uptake.ingest.importer.times import NoZone, moment

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-11-16 18:17:03.9799600", datetime(2023, 11, 16, 17, 17, 3, 979960, tzinfo=UTC)),
        ("2023-11-16T18:17:03.9999999", datetime(2023, 11, 16, 17, 17, 3, 999999, tzinfo=UTC)),
        ("2023-11-16 18:17:03,5", datetime(2023, 11, 16, 17, 17, 3, 500000, tzinfo=UTC)),
        ("2023-11-16 18:17", datetime(2023, 11, 16, 17, 17, tzinfo=UTC)),
        ("2023-11-16T18:17:03Z", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("2023-11-16 18:17:03 UTC", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("2023-11-16T18:17:03-05:30", datetime(2023, 11, 16, 23, 47, 3, tzinfo=UTC)),
        ("2023-11-16T18:17:03+0200", datetime(2023, 11, 16, 16, 17, 3, tzinfo=UTC)),
        ("2023-11-16T18:17:03+02", datetime(2023, 11, 16, 16, 17, 3, tzinfo=UTC)),
        ("2023-11-16", datetime(2023, 11, 15, 23, tzinfo=UTC)),
        ("1700158623", datetime(2023, 11, 16, 18, 17, 3, tzinfo=UTC)),
        ("1700158623.25", datetime(2023, 11, 16, 18, 17, 3, 250000, tzinfo=UTC)),
        ("1700158623979", datetime(2023, 11, 16, 18, 17, 3, 979000, tzinfo=UTC)),
        ("1700158623979960", datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)),
        ("1700158623979960123", datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)),
        (date(2023, 11, 16), datetime(2023, 11, 15, 23, tzinfo=UTC)),
        (datetime(2023, 11, 16, 18, tzinfo=UTC), datetime(2023, 11, 16, 18, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_it_was_meant(text: object, expected: datetime) -> None:
    assert moment(text, PARIS) == expected


def test_of_two_moments_when_clocks_go_back_the_first_is_taken() -> None:
    assert moment("2026-10-25 02:30:00", PARIS) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_time_without_a_zone_has_no_meaning_of_its_own() -> None:
    with pytest.raises(NoZone):
        moment("2023-11-16 18:17:03", None)


@pytest.mark.parametrize(
    "text",
    [
        "16/11/2023",
        "2023-02-30",
        "2023-11-16 25:00",
        "1700",
        "yesterday",
        "1969-12-31",
        "0001-01-01",
        "9999-12-31x",
        "",
    ],
)
def test_what_is_not_a_time_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be") as error:
        moment(text, PARIS)
    assert not text or text not in str(error.value)


def test_an_import_with_a_naive_time_and_no_zone_stops_and_says_what_to_add(desk: Any) -> None:
    mapping = "columns:\n  input_tokens: in\n  occurred_at: time\nconstants: {app: a}\n"
    with pytest.raises(UsageError) as error:
        desk.load("time,in\n2026-11-01 10:00:00,1\n", mapping)
    assert (
        error.value.message == 'map.yaml, line 3: the time in column "time" has no zone (calls.csv, line 2)'
    )
    assert "zone: UTC" in error.value.hint
    assert desk.store.events == {}


def test_an_id_holds_the_time_it_happened(desk: Any) -> None:
    event = desk.one("time,in,out\n2026-11-01 10:00:00.1234567,1,2\n")
    assert event.occurred_at == datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)
    assert event.event_id.int >> 80 == 1793527200123
