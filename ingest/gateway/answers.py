"""What became of a batch, as the sender reads it."""

from __future__ import annotations

import re
from collections import Counter
from http import HTTPStatus
from uuid import UUID

from pydantic import BaseModel, Field

from uptake.schemas.batch import Receipt, RejectionReason

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_MAX_NAMES = 50
OTHER = "(other)"


class RejectedEvent(BaseModel):
    """One event that was refused; the others of its batch are not affected."""

    index: int = Field(ge=0, description="place in the batch, from 0")
    event_id: str = Field(description="its id, empty where it has no valid one")
    reason: RejectionReason
    path: str = Field(description="where inside the event")
    detail: str = Field(description="what would be right; never repeats the refused value")


class Answer(BaseModel):
    """What became of each event: accepted + duplicates + rejected is the number of events in the batch."""

    accepted: int = Field(ge=0, description="durable now")
    duplicates: int = Field(ge=0, description="were durable before, with the same content")
    rejected: list[RejectedEvent]
    unknown_fields: dict[str, int] = Field(
        description="fields this server does not know and ignored, counted"
    )


def answer(receipt: Receipt) -> Answer:
    return Answer(
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        rejected=[
            RejectedEvent(
                index=rejection.index,
                event_id=_safe_id(rejection.event_id),
                reason=rejection.reason,
                path=rejection.path,
                detail=rejection.detail,
            )
            for rejection in receipt.rejections
        ],
        unknown_fields=_safe_names(receipt.unknown_fields),
    )


def status_of(receipt: Receipt) -> HTTPStatus:
    """200 unless there were events and every one of them was refused: then 422."""
    kept = receipt.accepted + receipt.duplicates
    return HTTPStatus.UNPROCESSABLE_ENTITY if receipt.rejections and not kept else HTTPStatus.OK


def _safe_id(text: str) -> str:
    """An id only if it is one: what a sender put in its place could be anything."""
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _safe_names(names: Counter[str]) -> dict[str, int]:
    """The most frequent names that look like names; everything else under one."""
    safe: dict[str, int] = {}
    for name, count in names.most_common():
        key = name if len(safe) < _MAX_NAMES and _FIELD_NAME.fullmatch(name) else OTHER
        safe[key] = safe.get(key, 0) + count
    return safe
