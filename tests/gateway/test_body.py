"""A body is read under limits that are counted while it streams, whatever is sent."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uptake.ingest.gateway.body import BodyCounter
from uptake.ingest.gateway.limits import MIB, Limits
from uptake.ingest.gateway.problems import Problem, ProblemKind

SMALL = Limits(compressed_bytes=1_000, decompressed_bytes=2_000, gzip_members=3)


def read(chunks: list[bytes], encoding: str = "identity", limits: Limits = SMALL) -> bytes:
    counter = BodyCounter(encoding, limits)
    for chunk in chunks:
        counter.feed(chunk)
    return counter.whole()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@given(st.binary(min_size=1, max_size=900), st.lists(st.integers(0, 1_000), max_size=8))
def test_a_body_is_the_same_however_it_is_cut(data: bytes, places: list[int]) -> None:
    assert read(cut(data, places)) == data
    assert read(cut(gzip.compress(data, mtime=0), places), "gzip") == data


@given(
    st.lists(st.binary(max_size=200), min_size=1, max_size=3).filter(any),
    st.lists(st.integers(0, 2_000), max_size=8),
)
def test_members_of_gzip_are_read_one_after_the_other(parts: list[bytes], places: list[int]) -> None:
    sent = b"".join(gzip.compress(part, mtime=0) for part in parts)
    assert read(cut(sent, places), "gzip") == b"".join(parts)


@given(st.data())
def test_gzip_that_was_cut_off_is_refused(data: st.DataObject) -> None:
    whole = gzip.compress(data.draw(st.binary(min_size=1, max_size=500)), mtime=0)
    sent = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(Problem) as caught:
        read(cut(sent, data.draw(st.lists(st.integers(0, 500), max_size=3))), "gzip")
    assert caught.value.kind is ProblemKind.MALFORMED


@settings(max_examples=300)
@given(st.data())
def test_no_damage_passes_as_the_body_it_was(data: st.DataObject) -> None:
    body = data.draw(st.binary(min_size=20, max_size=300))
    sent = bytearray(gzip.compress(body, mtime=0))
    place = data.draw(
        st.integers(10, len(sent) - 1)
    )  # behind the header, where every bit is covered by the check
    sent[place] ^= 1 << data.draw(st.integers(0, 7))
    try:
        seen = read([bytes(sent)], "gzip")
    except Problem as problem:
        kind = problem.kind
    else:
        kind = ProblemKind.MALFORMED
        assert seen == body, "only unused bits of the last deflate byte may change without being noticed"
    assert kind in (ProblemKind.MALFORMED, ProblemKind.TOO_LARGE)


@pytest.mark.parametrize(
    "garbage", [b"x", b"\0" * 8, b"\x1f", b"\x1f\x8b", b"[]", gzip.compress(b"[]", mtime=0)[:-1]]
)
def test_what_follows_the_end_of_gzip_is_refused(garbage: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read([gzip.compress(b"[]") + garbage], "gzip")
    assert caught.value.kind is ProblemKind.MALFORMED


def test_more_members_than_allowed_are_refused() -> None:
    assert read([gzip.compress(b"a") * 3], "gzip") == b"aaa"
    with pytest.raises(Problem) as caught:
        read([gzip.compress(b"a") * 4], "gzip")
    assert "more than 3 gzip members" in caught.value.detail


@pytest.mark.parametrize(("size", "fits"), [(999, True), (1_000, True), (1_001, False)])
def test_the_limit_as_sent_is_exact(size: int, fits: bool) -> None:
    data = random.Random(1).randbytes(size)
    if fits:
        assert read([data]) == data
    else:
        with pytest.raises(Problem) as caught:
            read([data[:600], data[600:]])
        assert caught.value.kind is ProblemKind.TOO_LARGE
        assert "1000 bytes" in caught.value.detail


@pytest.mark.parametrize(("size", "fits"), [(1_999, True), (2_000, True), (2_001, False)])
def test_the_limit_decompressed_is_exact(size: int, fits: bool) -> None:
    sent = gzip.compress(bytes(size))
    if fits:
        assert len(read([sent], "gzip")) == size
    else:
        with pytest.raises(Problem) as caught:
            read([sent], "gzip")
        assert caught.value.kind is ProblemKind.TOO_LARGE
        assert "2000 bytes" in caught.value.detail


def test_the_limit_decompressed_holds_across_members() -> None:
    with pytest.raises(Problem) as caught:
        read([gzip.compress(bytes(1_500)) + gzip.compress(bytes(1_500))], "gzip")
    assert caught.value.kind is ProblemKind.TOO_LARGE


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(512)) + packer.flush()  # 512 MiB in 0.5
    limits = Limits(decompressed_bytes=MIB)
    tracemalloc.start()
    try:
        with pytest.raises(Problem) as caught:
            read(cut(bomb, list(range(0, len(bomb), 65_536))), "gzip", limits)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert caught.value.kind is ProblemKind.TOO_LARGE
    assert peak < 4 * MIB


@pytest.mark.parametrize(("encoding", "sent"), [("identity", b""), ("gzip", gzip.compress(b"", mtime=0))])
def test_an_empty_body_is_refused(encoding: str, sent: bytes) -> None:
    with pytest.raises(Problem) as caught:
        read([sent], encoding)
    assert caught.value.kind is ProblemKind.MALFORMED
    assert "empty" in caught.value.detail


@pytest.mark.parametrize(
    "length", [None, "", "0", "1000", "-1", "x", "١٠٠٠٠٠", "1e9", "00000000000000000000001000"]
)
def test_a_declared_length_within_the_limit_or_none_is_let_through(length: str | None) -> None:
    BodyCounter.declared(length, SMALL)


@pytest.mark.parametrize("length", ["1001", "0001001", "9" * 5_000])
def test_a_declared_length_over_the_limit_is_refused_at_once(length: str) -> None:
    with pytest.raises(Problem) as caught:
        BodyCounter.declared(length, SMALL)
    assert caught.value.kind is ProblemKind.TOO_LARGE


def test_memory_is_counted_as_it_grows() -> None:
    counter = BodyCounter("gzip", SMALL)
    assert counter.feed(gzip.compress(bytes(1_500))) == 1_500
    assert (counter.size, counter.received) == (1_500, len(gzip.compress(bytes(1_500))))
