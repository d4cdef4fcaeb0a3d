"""What became of a batch, as the sender reads it.

The codec sees to it that ids, paths, details and names of fields hold nothing of a refused value.
"""

from __future__ import annotations

from http import HTTPStatus

from pydantic import BaseModel, Field

from uptake.schemas.batch import Receipt, RejectionReason


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
                event_id=rejection.event_id,
                reason=rejection.reason,
                path=rejection.path,
                detail=rejection.detail,
            )
            for rejection in receipt.rejections
        ],
        unknown_fields=dict(receipt.unknown_fields.most_common()),
    )


def status_of(receipt: Receipt) -> HTTPStatus:
    """200 unless there were events and every one of them was refused: then 422."""
    kept = receipt.accepted + receipt.duplicates
    return HTTPStatus.UNPROCESSABLE_ENTITY if receipt.rejections and not kept else HTTPStatus.OK
