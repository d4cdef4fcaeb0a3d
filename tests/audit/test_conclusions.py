"""The pure part: holes, short records, and how far all is well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from uptake.processors.audit import (
    Expected,
    LogState,
    Progress,
    Span,
    first_of,
    holes,
    short,
    slices,
    spans,
    split,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OFFSETS = st.sets(st.integers(0, 60))
SPAN = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda two: Span(min(two), max(two)))


def offsets_of(found: list[Span]) -> set[int]:
    return {offset for span in found for offset in range(*span)}


@given(SPAN, OFFSETS)
def test_holes_are_exactly_the_offsets_that_nothing_covers(within: Span, covered: set[int]) -> None:
    found = holes(within, spans(covered))
    assert offsets_of(found) == set(range(*within)) - covered
    assert found == spans(offsets_of(found))


@given(OFFSETS, st.integers(0, 60))
def test_what_lies_below_the_start_of_the_log_can_not_be_read_again(missing: set[int], start: int) -> None:
    gone, there = split(spans(missing), start)
    assert offsets_of(gone) == {offset for offset in missing if offset < start}
    assert offsets_of(there) == {offset for offset in missing if offset >= start}


@given(OFFSETS, st.integers(-5, 70))
def test_a_bound_takes_the_first_offsets_and_leaves_the_others_for_later(
    wanted: set[int], limit: int
) -> None:
    now, later = first_of(spans(wanted), limit)
    assert sorted(offsets_of(now)) == sorted(wanted)[: max(limit, 0)]
    assert offsets_of(now) | offsets_of(later) == wanted
    assert all(span.length > 0 for span in now + later)


@given(SPAN, st.integers(1, 20))
def test_slices_are_the_whole_in_order(span: Span, size: int) -> None:
    cut = slices(span, size)
    assert [offset for part in cut for offset in range(*part)] == list(range(*span))
    assert all(0 < part.length <= size for part in cut)


def test_a_record_is_short_when_fewer_events_count_than_were_new() -> None:
    expected = {offset: Expected(5, 0, NOW) for offset in (1, 2, 3, 4)}
    assert short(expected, {1: 5, 2: 4, 3: 6}) == [2, 4]


def test_what_retention_deleted_before_it_was_committed_counts_as_acknowledged() -> None:
    assert LogState(10, 20, 4).acknowledged == 10
    assert LogState(10, 20, 14).acknowledged == 14
    assert LogState(0, 20, None).acknowledged == 0
    assert LogState(10, 20, 14).lag == 6


def test_the_trail_knows_where_all_was_verified_at_an_earlier_moment() -> None:
    progress = Progress(0)
    for minute in range(120):
        now = NOW + timedelta(minutes=minute)
        progress = progress.moved(minute * 10, now, timedelta(minutes=1), timedelta(hours=1))
    assert progress.verified == 1190
    assert progress.as_of(NOW + timedelta(minutes=100)) == 1000
    assert progress.as_of(NOW + timedelta(minutes=59, seconds=30)) == 590
    assert len(progress.trail) == 61
    assert progress.as_of(NOW) == 590  # the oldest that is still known


def test_looks_between_two_steps_leave_no_point() -> None:
    progress = Progress(5, ((NOW, 5),)).moved(
        9, NOW + timedelta(seconds=45), timedelta(minutes=1), timedelta(hours=1)
    )
    assert (progress.verified, progress.trail) == (9, ((NOW, 5),))


def test_a_hole_in_what_was_verified_makes_the_past_no_better_than_the_present() -> None:
    progress = Progress(50, ((NOW, 50),)).moved(
        20, NOW + timedelta(minutes=1), timedelta(minutes=1), timedelta(hours=1)
    )
    assert progress.as_of(NOW) == 20
