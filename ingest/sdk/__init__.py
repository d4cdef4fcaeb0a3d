"""What is imported into somebody's LLM app: it reports what the app does and never slows, blocks or breaks it."""

from uptake.ingest.sdk.answers import Retry
from uptake.ingest.sdk.client import Client
from uptake.ingest.sdk.default import (
    call,
    close,
    context,
    cost,
    decision,
    default_client,
    edit,
    feedback,
    flush,
    init,
    survey,
    thumb,
    usage,
)
from uptake.ingest.sdk.ledger import Stats
from uptake.ingest.sdk.measured import Call, current_call

__all__ = [
    "Call",
    "Client",
    "Retry",
    "Stats",
    "call",
    "close",
    "context",
    "cost",
    "current_call",
    "decision",
    "default_client",
    "edit",
    "feedback",
    "flush",
    "init",
    "survey",
    "thumb",
    "usage",
]
