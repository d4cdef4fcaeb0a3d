"""Refusals as people and programs read them: RFC 9457 problem documents.

`title` says what kind of refusal it is, `detail` what is wrong and where, `hint` what to do. None of them ever
repeats a refused value, a key or a user.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field


class ProblemKind(StrEnum):
    """Stable last part of a problem's `type`, ``urn:uptake:problem:<kind>``."""

    MALFORMED = "malformed"  # 400 the body cannot be read
    UNAUTHENTICATED = "unauthenticated"  # 401 no key, or not one that works
    NOT_FOUND = "not-found"  # 404
    METHOD_NOT_ALLOWED = "method-not-allowed"  # 405
    TIMEOUT = "timeout"  # 408 the body came too slowly
    TOO_LARGE = "too-large"  # 413 the body is over a limit
    UNSUPPORTED = "unsupported"  # 415 not JSON, or an encoding that is not known
    TOO_MANY_REQUESTS = "too-many-requests"  # 429 this key sends faster than it may
    BUG = "bug"  # 500 an error of the gateway's own
    UNAVAILABLE = "unavailable"  # 503 nothing was kept; sending again is safe


STATUS: dict[ProblemKind, HTTPStatus] = {
    ProblemKind.MALFORMED: HTTPStatus.BAD_REQUEST,
    ProblemKind.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    ProblemKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ProblemKind.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    ProblemKind.TIMEOUT: HTTPStatus.REQUEST_TIMEOUT,
    ProblemKind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    ProblemKind.UNSUPPORTED: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    ProblemKind.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    ProblemKind.BUG: HTTPStatus.INTERNAL_SERVER_ERROR,
    ProblemKind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}

MEDIA_TYPE = "application/problem+json"


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - named as RFC 9457 names it
    """A refusal. Raised anywhere while a request is handled, answered in one place."""

    kind: ProblemKind
    title: str
    detail: str
    hint: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def status(self) -> HTTPStatus:
        return STATUS[self.kind]

    def document(self, request_id: str) -> dict[str, Any]:
        return {
            "type": f"urn:uptake:problem:{self.kind}",
            "title": self.title,
            "status": int(self.status),
            "detail": self.detail,
            "hint": self.hint,
            "instance": f"urn:uuid:{request_id}",
        }

    def body(self, request_id: str) -> bytes:
        return json.dumps(self.document(request_id)).encode()


class ProblemDocument(BaseModel):
    """What a refusal looks like on the wire (RFC 9457, with `hint`)."""

    type: str = Field(description="urn:uptake:problem:<kind>; stable, for programs")
    title: str = Field(description="what kind of refusal it is")
    status: int = Field(description="the HTTP status")
    detail: str = Field(description="what is wrong and where; never repeats a refused value")
    hint: str = Field(description="what to do")
    instance: str = Field(description="urn:uuid:<request id>, the one of the answer's Uptake-Request-Id")


def malformed(detail: str, hint: str) -> Problem:
    return Problem(ProblemKind.MALFORMED, "The body cannot be read", detail, hint)


def too_large(detail: str) -> Problem:
    return Problem(ProblemKind.TOO_LARGE, "The body is too large", detail, "send fewer events in one batch")


def unavailable(detail: str, retry_after: int, hint: str = "send it again: the ids make it safe") -> Problem:
    """Nothing of the request was acknowledged; `retry_after` in seconds."""
    headers = {"Retry-After": str(retry_after)}
    return Problem(ProblemKind.UNAVAILABLE, "Not possible now", detail, hint, headers)
