"""Around one call of a model: how long it took, when the first token came, whether it failed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, ParamSpec, Self, TypeVar, Unpack

from uptake.ingest.sdk.decorate import decorated
from uptake.ingest.sdk.fields import CallFields
from uptake.ingest.sdk.items import NO_LAYER, Layer, Unfit
from uptake.ingest.sdk.layers import LAYER

if TYPE_CHECKING:
    from uptake.ingest.sdk.client import Client

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

_CURRENT: ContextVar[Call | None] = ContextVar("uptake_call", default=None)
stopwatch = time.perf_counter
_LONGEST_MS = 86_400_000


class Call:
    """Measures a call of a model and reports it as one usage event, whatever happens inside.

    As a block, sync or async::

        with uptake.call(provider="openai", request_model="gpt-5") as call:
            for chunk in call.stream(client.responses.create(..., stream=True)):
                ...
            call.set(response_model=..., input_tokens=..., output_tokens=...)

    As a decorator of a function, a coroutine function, a generator or an async generator function; `read` takes
    what the function returned and gives fields of the event::

        @uptake.call(use_case="letters", read=lambda answer: {"output_tokens": answer.usage.output_tokens})
        async def draft(letter): ...

    Inside a decorated function `current_call()` is the measured call. A generator is measured from its first
    step to its end, its first item is the first token, and a reader that stops early is no error. An exception
    makes status "error" and error_type its class; the app gets it untouched. The event's time is the call's
    start, its context the one around that start.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        fields: dict[str, Any],
        read: Callable[[Any], Mapping[str, Any]] | None = None,
    ) -> None:
        self._client = client
        self._read = read
        self._given = fields
        self._fields = fields
        self._owner = client
        self._layer: Layer = NO_LAYER
        self._at_ns = 0
        self._start = 0.0
        self._first: float | None = None
        self._tokens: list[Token[Call | None]] = []

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        return decorated(lambda: Call(self._client, self._given, self._read), function)

    def begin(self) -> None:
        """Starts the clock; a block does it on entry."""
        client = self._client()
        self._owner = lambda: client
        self._fields = dict(self._given)
        self._layer = LAYER.get()
        self._at_ns = client.now_ns()
        self._first = None
        self._start = stopwatch()

    def end(self, error: BaseException | None = None) -> None:
        """Stops the clock and reports; a block does it on exit."""
        fields = {**self._fields}
        _put_ms(fields, "duration_ms", stopwatch() - self._start)
        if self._first is not None:
            _put_ms(fields, "time_to_first_token_ms", self._first - self._start)
        if error is not None and not isinstance(error, GeneratorExit):
            fields["status"] = "error"
            fields["error_type"] = _name_of(error)
        self._owner().report_call(fields, self._at_ns, self._layer)

    def set(self, /, *positional: Never, **fields: Unpack[CallFields]) -> None:
        """Adds to what the event says: tokens, models, cost. What was said before and is not named stays."""
        self._fields.update(fields)
        if positional:
            self._fields["arguments"] = Unfit("must be given by name")

    def mark_first_token(self) -> None:
        """The first token is here. Later calls change nothing."""
        if self._first is None:
            self._first = stopwatch()

    def stream(self, chunks: Iterable[T]) -> Iterator[T]:
        """`chunks`, with the first one marked as the first token."""
        for chunk in chunks:
            self.mark_first_token()
            yield chunk

    async def astream(self, chunks: AsyncIterable[T]) -> AsyncIterator[T]:
        """As `stream`, for async streams."""
        async for chunk in chunks:
            self.mark_first_token()
            yield chunk

    def learn(self, result: object) -> None:
        """Takes from a function's result what `read` finds there. A `read` that raises costs its fields only."""
        if self._read is not None:
            try:
                self._fields.update(self._read(result))
            except Exception as problem:  # noqa: BLE001 - the app's own code, and not worth the app's answer
                self._owner().warn(
                    "read", f"read= of a call raised {type(problem).__name__}: its fields are missing"
                )

    @contextmanager
    def current(self) -> Iterator[None]:
        """While inside, `current_call()` is this call."""
        token = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(token)

    def __enter__(self) -> Self:
        self.begin()
        self._tokens.append(_CURRENT.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A generator may be closed elsewhere than it began: the context to restore is then gone with it.
        with suppress(ValueError, IndexError):
            _CURRENT.reset(self._tokens.pop())
        self.end(error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def current_call() -> Call | None:
    """The innermost call that is being measured here, in this task or thread."""
    return _CURRENT.get()


def _put_ms(fields: dict[str, Any], name: str, seconds: float) -> None:
    """A duration in whole milliseconds, unless the app said one; none beyond the day that an event may last."""
    whole = round(seconds * 1000)
    if fields.get(name) is None and whole <= _LONGEST_MS:
        fields[name] = whole


def _name_of(error: BaseException) -> str:
    """The exception's class, with its module unless it is Python's own."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return name[-128:]
