"""Ids hold their own time, and what has an identity elsewhere always gets the same one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.schemas.identity import MAX_ID_SKEW, derive, id_range, mint, unix_ms

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@given(moment=MOMENTS)
def test_an_id_is_a_uuid_of_version_7_that_holds_its_time(moment: datetime) -> None:
    for event_id in (mint(unix_ms(moment)), derive("file", "row 1", moment)):
        assert event_id.version == 7
        assert event_id.variant == RFC_4122
        held = EPOCH + timedelta(milliseconds=event_id.int >> 80)
        assert held == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_minted_ids_do_not_repeat_within_a_millisecond() -> None:
    assert len({mint(1_763_640_000_000) for _ in range(10_000)}) == 10_000


@given(moment=MOMENTS, source=st.text(), key=st.text(), hours=st.integers(-12, 14))
def test_the_same_thing_always_derives_the_same_id(
    moment: datetime, source: str, key: str, hours: int
) -> None:
    elsewhere = moment.astimezone(timezone(timedelta(hours=hours)))
    assert derive(source, key, moment) == derive(source, key, elsewhere)


def test_other_source_key_or_time_derives_another_id() -> None:
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    ids = {
        derive("a", "b", moment),
        derive("a", "c", moment),
        derive("b", "b", moment),
        derive("ab", "", moment),
        derive("", "ab", moment),
        derive("a", "b", moment + timedelta(milliseconds=1)),
    }
    assert len(ids) == 6


def test_damaged_text_derives_an_id_too() -> None:
    assert derive("file", "\ud83d", datetime(2026, 11, 20, tzinfo=UTC)).version == 7


def test_a_derived_id_is_the_same_in_every_release() -> None:
    event_id = derive("usage.csv", "42", datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert str(event_id) == "01a1f8d3-ea00-7b2c-87e3-582f278c1c73"


@given(moment=MOMENTS)
def test_milliseconds_are_exact_and_round_down(moment: datetime) -> None:
    back = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=unix_ms(moment))
    assert timedelta(0) <= moment - back < timedelta(milliseconds=1)


def test_a_moment_without_a_zone_has_no_id() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        derive("a", "b", datetime(2026, 11, 20))  # noqa: DTZ001


@given(start=MOMENTS, length=st.timedeltas(timedelta(milliseconds=1), 40 * DAY), data=st.data())
def test_a_range_of_ids_holds_every_event_of_its_time(
    start: datetime, length: timedelta, data: st.DataObject
) -> None:
    low, high = id_range(start, start + length)
    occurred = start + data.draw(st.timedeltas(timedelta(0), length - timedelta(microseconds=1)))
    skewed = unix_ms(occurred) + data.draw(st.sampled_from([-1, 0, 1])) * int(
        MAX_ID_SKEW.total_seconds() * 1000
    )
    assert low <= mint(skewed).int < high


def test_a_range_of_ids_leaves_out_what_cannot_belong_to_it() -> None:
    start = datetime(2026, 11, 9, tzinfo=UTC)
    low, high = id_range(start, start + 7 * DAY)
    assert mint(unix_ms(start - MAX_ID_SKEW) - 1).int < low
    assert mint(unix_ms(start + 7 * DAY + MAX_ID_SKEW) + 1).int >= high
