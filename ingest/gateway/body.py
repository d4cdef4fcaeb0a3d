"""Reading a request's body under limits that are counted while it streams.

Pure: bytes in, bytes out, or a `Problem`. Nothing here waits.
"""

from __future__ import annotations

import zlib

from uptake.ingest.gateway.limits import Limits
from uptake.ingest.gateway.problems import Problem, malformed, too_large

_GZIP = 16 + zlib.MAX_WBITS
_PIECE = 256 * 1024
_MAX_DIGITS = 18  # of a Content-Length that is worth reading; Python refuses to read 4,300
_GZIP_HINT = "send the whole body as one gzip stream (RFC 1952), or without Content-Encoding"


class Inflater:
    """Undoes gzip piece by piece. Never holds more than `limit` bytes plus one piece, whatever is sent."""

    def __init__(self, limit: int, members: int) -> None:
        self._left = limit
        self._limit = limit
        self._members_left = members
        self._members = members
        self._stream: zlib._Decompress | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """What `data` adds to the body."""
        pieces = []
        while data:
            stream = self._stream or self._next_member()
            try:
                # One byte more than is allowed, so that a body of exactly the limit passes and one over it shows.
                piece = stream.decompress(data, min(_PIECE, self._left + 1))
            except zlib.error:
                raise malformed("the body is not valid gzip", _GZIP_HINT) from None
            self._left -= len(piece)
            if self._left < 0:
                raise too_large(f"decompressed, the body has more than {self._limit} bytes")
            if piece:
                pieces.append(piece)
            data = stream.unconsumed_tail or stream.unused_data
            if stream.eof:
                self._stream = None
        return pieces

    def close(self) -> None:
        """Call at the end of the body: refuses a stream that was cut off."""
        if self._stream is not None or self._members_left == self._members:
            raise malformed("the gzip stream ends before its end", _GZIP_HINT)

    def _next_member(self) -> zlib._Decompress:
        if self._members_left == 0:
            raise malformed(f"the body has more than {self._members} gzip members", _GZIP_HINT)
        self._members_left -= 1
        self._stream = zlib.decompressobj(_GZIP)
        return self._stream


class BodyCounter:
    """Collects a body from its chunks, under the limits of one request."""

    def __init__(self, encoding: str, limits: Limits) -> None:
        """`encoding` is ``gzip`` or ``identity``."""
        self._limits = limits
        self._inflater = (
            Inflater(limits.decompressed_bytes, limits.gzip_members) if encoding == "gzip" else None
        )
        self._pieces: list[bytes] = []
        self.received = 0
        self.size = 0

    @staticmethod
    def declared(length: str | None, limits: Limits) -> None:
        """Refuse by Content-Length what would be refused while it is read."""
        digits = (length or "").lstrip("0")
        if not (digits.isascii() and digits.isdigit()):
            return  # none, or nothing to go by: what comes is counted in any case
        if len(digits) > _MAX_DIGITS or int(digits) > limits.compressed_bytes:
            raise BodyCounter._over(limits)

    def feed(self, chunk: bytes) -> int:
        """Take a chunk as it travelled; returns how many bytes of memory it added."""
        self.received += len(chunk)
        if self.received > self._limits.compressed_bytes:
            raise self._over(self._limits)
        pieces = self._inflater.feed(chunk) if self._inflater else [chunk]
        added = sum(map(len, pieces))
        self._pieces += pieces
        self.size += added
        if self.size > self._limits.decompressed_bytes:
            raise too_large(f"the body has more than {self._limits.decompressed_bytes} bytes")
        return added

    def whole(self) -> bytes:
        """The body, at its end."""
        if self._inflater:
            self._inflater.close()
        if not self.size:
            raise malformed("the body is empty", "send a JSON array of events")
        return b"".join(self._pieces)

    @staticmethod
    def _over(limits: Limits) -> Problem:
        return too_large(f"as sent, the body has more than {limits.compressed_bytes} bytes")
