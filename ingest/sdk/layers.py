"""Who, where and for what: said once around a block, and carried by every event inside it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from types import MappingProxyType, TracebackType
from typing import Any, Self

from uptake.ingest.sdk.items import NO_LAYER, Layer, freeze
from uptake.ingest.sdk.kinds import CONTEXT_FIELDS
from uptake.ingest.sdk.people import Mask, name_nobody

LAYER: ContextVar[Layer] = ContextVar("uptake_context", default=NO_LAYER)

Warn = Callable[[str, str], None]


class Context:
    """A block whose events carry `fields`. Inner blocks override outer ones; `None` leaves the outer value,
    `""` clears it; tags are joined.

    It follows `contextvars`: tasks inherit it when they are created and do not leak it to one another; a thread
    that the app starts itself begins without. One object may be entered again, also inside itself.
    """

    __slots__ = ("_fields", "_prepare", "_tokens")

    def __init__(self, prepare: Callable[[dict[str, Any]], Layer], fields: dict[str, Any]) -> None:
        self._prepare = prepare
        self._fields = fields
        self._tokens: list[Token[Layer]] = []

    def __enter__(self) -> Self:
        self._tokens.append(LAYER.set(self._prepare(dict(self._fields))))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            LAYER.reset(self._tokens.pop())
        except (ValueError, IndexError):
            # A generator that was closed in another context than it began in: that context is gone with it.
            return

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def layer_over(outer: Layer, fields: dict[str, Any], mask: Mask, warn: Warn) -> Layer:
    """The layer inside a block: `outer` with `fields` over it, people masked, nothing the app can still change.

    A name that no context knows is left out and told to `warn` once: it must not cost the events inside.
    """
    name_nobody(fields, mask)
    if fields.get("session") is not None:
        fields["session_id"] = fields["session"]
    fields.pop("session", None)
    unknown = fields.keys() - CONTEXT_FIELDS
    for name in unknown:
        del fields[name]
    if unknown:
        warn("context", f"context() does not know {', '.join(sorted(map(shown, unknown)))}: left out")
    freeze(fields)
    said = {name: value for name, value in fields.items() if value is not None}
    if isinstance(said.get("tags"), dict) and isinstance(outer.get("tags"), dict):
        said["tags"] = {**outer["tags"], **said["tags"]}
    return MappingProxyType({**outer, **said})


def shown(name: str) -> str:
    """A field's name as it may stand in a log: only what looks like code, never what may be data."""
    return name if name.isidentifier() and len(name) <= 40 else "a field whose name is not an identifier"
