"""`@call(...)` on any kind of function. Each invocation is a call of its own; results pass through untouched."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractContextManager
from functools import wraps
from types import TracebackType
from typing import Any, Protocol

Function = Callable[..., Any]


class Measured(Protocol):
    """A call that is being measured, as this module drives it."""

    def __enter__(self) -> object: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def begin(self) -> None: ...
    def end(self, error: BaseException | None = None) -> None: ...
    def current(self) -> AbstractContextManager[None]: ...
    def mark_first_token(self) -> None: ...
    def learn(self, result: object) -> None: ...


Fresh = Callable[[], Measured]


def decorated(fresh: Fresh, function: Function) -> Function:
    """`function`, each invocation measured by a `fresh()` call to the end of what it hands back: a coroutine until
    it returns, a generator from its first step until it ends, also when a plain function made them."""
    if inspect.isasyncgenfunction(function):
        return _async_generator(fresh, function)
    if inspect.isgeneratorfunction(function):
        return _generator(fresh, function)
    if inspect.iscoroutinefunction(function):
        return _coroutine(fresh, function)
    return _plain(fresh, function)


def _plain(fresh: Fresh, function: Function) -> Function:
    @wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Any:
        call = fresh()
        call.begin()
        try:
            with call.current():
                result = function(*args, **kwargs)
        except BaseException as error:
            call.end(error)
            raise
        if inspect.isgenerator(result):
            return _generator(fresh, lambda: result)()
        if inspect.isasyncgen(result):
            return _async_generator(fresh, lambda: result)()
        if inspect.iscoroutine(result):
            return _coroutine(fresh, lambda: result)()
        call.learn(result)
        call.end()
        return result

    return measured


def _coroutine(fresh: Fresh, function: Function) -> Function:
    @wraps(function)
    async def measured(*args: Any, **kwargs: Any) -> Any:
        with (call := fresh()):
            result = await function(*args, **kwargs)
            call.learn(result)
        return result

    return measured


def _generator(fresh: Fresh, function: Function) -> Function:
    @wraps(function)
    def measured(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        call = fresh()
        call.begin()
        try:
            result = yield from _Steps(call, function(*args, **kwargs))
        except BaseException as error:
            call.end(error)
            raise
        call.end()
        return result

    return measured


class _Steps(Generator[Any, Any, Any]):
    """A generator whose steps run inside the call: between two steps the app is elsewhere, and so is the call."""

    def __init__(self, call: Measured, inner: Generator[Any, Any, Any]) -> None:
        self._call = call
        self._inner = inner

    def send(self, value: Any) -> Any:
        with self._call.current():
            item = self._inner.send(value)
        self._call.mark_first_token()
        return item

    def throw(self, *error: Any) -> Any:
        with self._call.current():
            return self._inner.throw(*error)

    def close(self) -> None:
        with self._call.current():
            self._inner.close()


def _async_generator(fresh: Fresh, function: Function) -> Function:
    @wraps(function)
    async def measured(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        call = fresh()
        call.begin()
        inner: AsyncGenerator[Any, Any] = function(*args, **kwargs)
        try:
            step = inner.__anext__()
            while True:
                try:
                    with call.current():
                        item = await step
                except StopAsyncIteration:
                    break
                call.mark_first_token()
                try:
                    sent = yield item
                except GeneratorExit:
                    with call.current():
                        await inner.aclose()
                    raise
                except BaseException as thrown:  # noqa: BLE001 - the reader's, handed on as it came
                    step = inner.athrow(thrown)
                else:
                    step = inner.asend(sent)
        except BaseException as error:
            call.end(error)
            raise
        call.end()

    return measured
