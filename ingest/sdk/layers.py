"""Who, where and for what: said once around a block, and carried by every event inside it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from types import MappingProxyType, TracebackType
from typing import Any, Self

from uptake.ingest.sdk.items import NO_LAYER, Layer, LeftOut, Unfit, freeze
from uptake.ingest.sdk.kinds import CONTEXT_RULES
from uptake.ingest.sdk.people import Mask, name_nobody
from uptake.ingest.sdk.rules import Invalid

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

    A name that no context knows, or a value that no event can hold, is left out and told to `warn` once: it must
    not cost the events inside.
    """
    name_nobody(fields, mask)
    if fields.get("session") is not None:
        fields["session_id"] = fields["session"]
    fields.pop("session", None)
    freeze(fields)
    said: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None:
            continue
        if name not in CONTEXT_RULES:
            warn(f"context {shown(name)}", f"context() does not know {shown(name)}: left out")
            continue
        try:
            said[name] = value if type(value) is LeftOut else CONTEXT_RULES[name](value)
        except Invalid as problem:
            what = value.what if type(value) is Unfit else problem
            warn(f"context {name}", f"context({name}=...) {what}: left out")
    if "tags" in said and "tags" in outer:
        said["tags"] = {**outer["tags"], **said["tags"]}
    return MappingProxyType({**outer, **said})


def shown(name: str) -> str:
    """A field's name as it may stand in a log: only what looks like code, never what may be data."""
    return name if name.isidentifier() and len(name) <= 40 else "a field whose name is not an identifier"
