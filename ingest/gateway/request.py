"""Reading one request: who sends it, in what form, and its body. Each step answers or raises a `Problem`."""

from __future__ import annotations

import asyncio

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Receive

from uptake.errors import UnavailableError
from uptake.ingest.gateway.body import BodyCounter
from uptake.ingest.gateway.limits import Limits, Memory
from uptake.ingest.gateway.metrics import Metrics
from uptake.ingest.gateway.problems import Problem, ProblemKind, unavailable
from uptake.state.keys import Caller, KeyStore

ACCEPTED_TYPE = "application/json"
ACCEPTED_ENCODINGS = ("gzip", "identity")


class ClientGone(Exception):  # noqa: N818 - named for what it is
    """The client went away before its body was complete: there is nobody to answer."""


async def authenticate(headers: Headers, keys: KeyStore, metrics: Metrics) -> Caller:
    """Who sends this, by its API key."""
    authorisation = headers.get("authorization")
    if authorisation is None:
        metrics.auth_failures.labels("missing").inc()
        raise _unauthenticated("there is no Authorization header", error="")
    scheme, _, token = authorisation.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        metrics.auth_failures.labels("malformed").inc()
        raise _unauthenticated(
            "the Authorization header is not of the form `Bearer <API key>`", "invalid_request"
        )
    try:
        if keys.remembers(token):
            caller = keys.identify(token)
        else:
            caller = await run_in_threadpool(keys.identify, token)
    except UnavailableError:
        raise unavailable("API keys cannot be checked: the state store does not answer", 5) from None
    if caller is None:
        metrics.auth_failures.labels("refused").inc()
        raise _unauthenticated("this API key is not known, or it was revoked", "invalid_token")
    return caller


def _unauthenticated(detail: str, error: str) -> Problem:
    challenge = 'Bearer realm="uptake"' + (f', error="{error}"' if error else "")
    return Problem(
        ProblemKind.UNAUTHENTICATED,
        "No valid API key",
        detail,
        "send `Authorization: Bearer <API key>`; `uptake keys create` makes one",
        {"WWW-Authenticate": challenge},
    )


def body_encoding(headers: Headers) -> str:
    """``gzip`` or ``identity``; a `Problem` for a body that is not JSON in UTF-8 in one of the two."""
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    charset = parameters.lower().partition("charset=")[2].partition(";")[0].strip().strip('"')
    if media_type.strip().lower() != ACCEPTED_TYPE or charset not in ("", "utf-8", "utf8"):
        raise Problem(
            ProblemKind.UNSUPPORTED,
            "Not JSON",
            "the Content-Type is missing, or not one that is accepted",
            f"send `Content-Type: {ACCEPTED_TYPE}`, in UTF-8",
            {"Accept": ACCEPTED_TYPE},
        )
    encoding = headers.get("content-encoding", "identity").strip().lower() or "identity"
    if encoding not in ACCEPTED_ENCODINGS:
        raise Problem(
            ProblemKind.UNSUPPORTED,
            "Unknown encoding",
            "the Content-Encoding is not one that is accepted",
            f"send one of {', '.join(ACCEPTED_ENCODINGS)}, once",
            {"Accept-Encoding": ", ".join(ACCEPTED_ENCODINGS)},
        )
    return encoding


class Body:
    """One request's body and the memory that it occupies until `release`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._reserved = 0

    async def read(self, receive: Receive, headers: Headers, encoding: str, limits: Limits) -> bytes:
        """The whole body, decompressed. Raises `Problem` or ClientGone."""
        BodyCounter.declared(headers.get("content-length"), limits)
        counter = BodyCounter(encoding, limits)
        try:
            async with asyncio.timeout(limits.body_seconds):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    self._reserve(counter.feed(message.get("body", b"")))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise Problem(
                ProblemKind.TIMEOUT,
                "The body came too slowly",
                f"the body was not complete after {limits.body_seconds:g} seconds ({counter.received} bytes came)",
                "send it again, or send smaller batches",
            ) from None
        return counter.whole()

    def _reserve(self, size: int) -> None:
        if not self._memory.take(size):
            raise unavailable("the gateway holds as many bodies as it has memory for", 1)
        self._reserved += size

    def release(self) -> None:
        self._memory.give_back(self._reserved)
        self._reserved = 0
