"""The process's own client and the functions of the package that stand for its methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Never, Unpack

from uptake.ingest.sdk.client import Client, Clock
from uptake.ingest.sdk.fields import (
    CallFields,
    ContextFields,
    CostFields,
    DecisionFields,
    EditFields,
    FeedbackFields,
    OpinionFields,
    UsageFields,
)
from uptake.ingest.sdk.layers import Context
from uptake.ingest.sdk.measured import Call
from uptake.ingest.sdk.teller import OnDrop

_client: Client | None = None
_stand_in: Client | None = None


def init(
    endpoint: str | None = None,
    api_key: str | None = None,
    app: str | None = None,
    environment: str | None = None,
    pseudonym_key: str | None = None,
    *,
    tenant: str | None = None,
    queue_events: int = 10_000,
    queue_bytes: int = 16 * 1024 * 1024,
    linger: float = 1.0,
    timeout: float = 10.0,
    exit_timeout: float = 1.5,
    send_text: bool = False,
    on_drop: OnDrop | None = None,
    clock: Clock | None = None,
) -> Client:
    """Makes the client that `uptake.usage()` and the others use from now on: see Client for the arguments.

    Called again, it makes another; the earlier one still sends what it has. Inside `uptake.testing.Capture`
    it returns the capturing client, so that the app under test may start as it always does.
    """
    global _client
    if _stand_in is not None:
        _stand_in.take_defaults(app, environment, send_text=send_text)
        return _stand_in
    _client = Client(
        endpoint,
        api_key,
        app,
        environment,
        pseudonym_key,
        tenant=tenant,
        queue_events=queue_events,
        queue_bytes=queue_bytes,
        linger=linger,
        timeout=timeout,
        exit_timeout=exit_timeout,
        send_text=send_text,
        on_drop=on_drop,
        clock=clock,
    )
    return _client


def default_client() -> Client:
    """The client of `init()`; where nobody called it, one that the environment describes."""
    return _stand_in or _client or init()


def stand_in(client: Client | None) -> Client | None:
    """Puts a client in place of the default one (None: takes it away); returns the one that stood there before."""
    global _stand_in
    before, _stand_in = _stand_in, client
    return before


def usage(*positional: Never, **fields: Unpack[UsageFields]) -> None:
    """See Client.usage."""
    default_client().usage(*positional, **fields)


def feedback(kind: str = "", /, *positional: Never, **fields: Unpack[FeedbackFields]) -> None:
    """See Client.feedback."""
    default_client().feedback(kind, *positional, **fields)


def thumb(thumb: str = "", /, *positional: Never, **fields: Unpack[OpinionFields]) -> None:
    """See Client.thumb."""
    default_client().thumb(thumb, *positional, **fields)


def edit(
    draft: str = "", final: str | None = None, /, *positional: Never, **fields: Unpack[EditFields]
) -> None:
    """See Client.edit."""
    default_client().edit(draft, final, *positional, **fields)


def decision(decision: str = "", /, *positional: Never, **fields: Unpack[DecisionFields]) -> None:
    """See Client.decision."""
    default_client().decision(decision, *positional, **fields)


def survey(score: int = -1, /, *positional: Never, **fields: Unpack[OpinionFields]) -> None:
    """See Client.survey."""
    default_client().survey(score, *positional, **fields)


def cost(*positional: Never, **fields: Unpack[CostFields]) -> None:
    """See Client.cost."""
    default_client().cost(*positional, **fields)


def context(*positional: Never, **fields: Unpack[ContextFields]) -> Context:
    """See Client.context. The client is looked up when the block is entered."""
    return Context(lambda said: default_client().layer(said), dict(fields))


def call(
    *positional: Never, read: Callable[[Any], Mapping[str, Any]] | None = None, **fields: Unpack[CallFields]
) -> Call:
    """See Client.call. The client is looked up when the call begins, so a decorator may run before `init`."""
    return Call(default_client, dict(fields), read)


def flush(timeout: float = 5.0) -> bool:
    """See Client.flush."""
    return default_client().flush(timeout)


def close(timeout: float = 2.0) -> None:
    """See Client.close."""
    default_client().close(timeout)
