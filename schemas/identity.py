"""Event identity: UUIDv7 ids that hold their own time.

Standard library only: the SDK imports this into somebody's app. The layout is RFC 9562, section 5.7:
48 bits of Unix milliseconds, version 7, and 74 bits that are random (`mint`) or derived (`derive`).
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

MAX_ID_SKEW = timedelta(days=1)
"""How far an id's own time and `occurred_at` may be apart. It bounds partitions and makes a range of ids
usable as a filter on time: a query for [from, to) reads ids in [from - skew, to + skew)."""

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_RAND_A = 0xFFF
_RAND_B = (1 << 62) - 1


def _assemble(unix_ms: int, entropy: int) -> int:
    rand_a = (entropy >> 62) & _RAND_A
    return (unix_ms << 80) | _VERSION | (rand_a << 64) | _VARIANT | (entropy & _RAND_B)


def mint(unix_ms: int) -> UUID:
    """A new random id at `unix_ms` (milliseconds since the Unix epoch, UTC)."""
    return UUID(int=_assemble(unix_ms, int.from_bytes(os.urandom(10), "big")))


def derive(source: str, key: str, occurred_at: datetime) -> UUID:
    """The id of something that has an identity elsewhere (a row of a file, a span).

    The same `source`, `key` and `occurred_at` (zone-aware) always give the same id, so bringing the same
    thing in twice changes nothing.
    """
    # Any text has an id, also half a surrogate pair out of a damaged file.
    digest = blake2b(f"{source}\x1f{key}".encode(errors="surrogatepass"), digest_size=10).digest()
    return UUID(int=_assemble(unix_ms(occurred_at), int.from_bytes(digest, "big")))


def unix_ms(moment: datetime) -> int:
    """Milliseconds since the Unix epoch of a zone-aware moment, by integer arithmetic."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone has no place on the time line")
    delta = moment.astimezone(UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def id_range(start: datetime, end: datetime) -> tuple[int, int]:
    """The half-open range of ids, as integers, that can hold events of [start, end): skew included."""
    return (
        max(0, unix_ms(start - MAX_ID_SKEW)) << 80,
        (unix_ms(end + MAX_ID_SKEW) + 1) << 80,
    )


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
