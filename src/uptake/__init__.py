"""Uptake: whether an organisation's LLM apps are adopted, trusted, affordable and allowed.

Importing this package gives the SDK's public surface and nothing heavier: it is what an app developer
imports into an LLM app. The SDK itself is loaded when the first of these names is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uptake.ingest.sdk import (
        Call,
        Client,
        Retry,
        Stats,
        call,
        close,
        context,
        cost,
        current_call,
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


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from uptake.ingest import sdk

    value = globals()[name] = getattr(sdk, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
