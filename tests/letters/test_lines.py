"""What a dead letter says, and how much of what was refused it keeps."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.schemas.batch import Batch, LogPosition, Rejection, RejectionReason
from uptake.schemas.events import SCHEMA_VERSION
from uptake.schemas.letters import (
    MAX_LINE_BYTES,
    MAX_PAYLOAD_BYTES,
    NO_VERSION,
    is_letter,
    is_whole,
    letter_id,
    letter_lines,
)
from uptake.schemas.records import MAX_RECORD_BYTES, letter_records

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def line(payload: bytes, position: LogPosition | None = None, tenant: str = "acme") -> dict[str, object]:
    batch = Batch(tenant, b"", NOW, position=position)
    rejection = Rejection(3, RejectionReason.INVALID, "[3].app", "is required", "an-id", payload)
    [encoded] = letter_lines(batch, [rejection], 17)
    assert len(encoded) <= MAX_LINE_BYTES
    said: dict[str, object] = json.loads(encoded)
    return said


def test_a_letter_says_why_where_and_which_version() -> None:
    said = line(b'{"schema_version": 9}', LogPosition("uptake.usage", 4, 711))
    assert (said["reason"], said["path"], said["detail"]) == ("invalid", "[3].app", "is required")
    assert (said["log_topic"], said["log_partition"], said["log_offset"]) == ("uptake.usage", 4, 711)
    assert (said["schema_version"], said["ver"], said["event_id"]) == (9, 17, "an-id")
    assert line(b"{}")["log_topic"] == ""


@pytest.mark.parametrize(
    ("payload", "version"),
    [
        (b"{}", SCHEMA_VERSION),
        (b'{"schema_version": 2}', 2),
        (b'{"schema_version": 70000}', NO_VERSION),
        (b'{"schema_version": -1}', NO_VERSION),
        (b'{"schema_version": true}', NO_VERSION),
        (b'{"schema_version": "1"}', NO_VERSION),
        (b"[" * 100_000, NO_VERSION),
        (b"7", NO_VERSION),
        (b"\xff", NO_VERSION),
        (b"", NO_VERSION),
    ],
)
def test_the_version_is_what_the_event_says_where_that_can_be_read(payload: bytes, version: int) -> None:
    assert line(payload)["schema_version"] == version


@given(st.binary(max_size=200))
def test_what_was_kept_whole_is_known_to_be_whole(payload: bytes) -> None:
    said = line(payload)
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        text = ""
    letter = int(str(said["letter_id"]))
    assert is_whole("acme", letter, str(said["payload"])) == bool(text)
    assert not is_whole("other", letter, str(said["payload"]))


@pytest.mark.parametrize("filling", [b"a", b"\x00", "é".encode(), b"\xff", b'"', b"\\"])
def test_what_is_too_large_is_cut_says_so_and_fits_into_a_record(filling: bytes) -> None:
    payload = filling * (3 * MAX_PAYLOAD_BYTES)
    said = line(payload)
    assert f"of {len(payload)} bytes were kept" in str(said["detail"])
    assert 0 < len(str(said["payload"])) <= MAX_PAYLOAD_BYTES
    assert not is_whole("acme", int(str(said["letter_id"])), str(said["payload"]))
    [record] = letter_records("acme", [json.dumps(said, ensure_ascii=False).encode()], NOW, "http")
    assert len(record.value) < MAX_RECORD_BYTES


def test_refusing_the_same_thing_again_is_the_same_letter_whatever_it_is_refused_for() -> None:
    first = line(b"{}", LogPosition("t", 0, 1))
    again = Rejection(0, RejectionReason.FUTURE, "", "else", "x", b"{}")
    [other] = letter_lines(Batch("acme", b"", NOW), [again], 99)
    assert first["letter_id"] == json.loads(other)["letter_id"] == str(letter_id("acme", b"{}"))
    assert line(b"{}", tenant="b")["letter_id"] != first["letter_id"]


@given(payload=st.binary(), tenant=st.text(max_size=8), place=st.booleans())
def test_every_letter_that_is_written_is_taken_for_one(payload: bytes, tenant: str, place: bool) -> None:
    said = line(payload, LogPosition("t", 2, 1 << 40) if place else None, tenant)
    assert is_letter(said)
    assert is_letter({**said, "of_a_newer_version": [1]})
