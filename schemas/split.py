"""A JSON body cut into the elements of its array of events, as text.

The standard library's scanner finds where each element ends; numbers are not converted on the way, and the text
of an element is exactly what was sent. It reads a little more than the validator does (half a surrogate pair,
numbers of any length), which is wanted: what only one element gets wrong is refused with that element.
"""

from __future__ import annotations

import json
from typing import Any

from uptake.schemas.batch import MalformedBatch

_SPACE = " \t\r\n"
_DECODER = json.JSONDecoder(
    parse_int=lambda digits: int(digits) if len(digits) < 19 else digits, parse_float=str
)


def elements(body: bytes, limit: int) -> list[tuple[Any, str]]:
    """Each element of the array (or of ``events`` in an object) as (what it holds, its text).

    Integers of up to 18 digits are ints, other numbers stay text. Raises MalformedBatch: not UTF-8, not JSON, no
    such array, more than `limit` elements, or nested too deeply to be read.
    """
    found: list[tuple[Any, str]] = []
    try:
        _read(body.decode(), found)
    except UnicodeDecodeError as error:
        raise MalformedBatch(f"the body is not UTF-8: byte {error.start} cannot be read") from None
    except json.JSONDecodeError as error:
        what = error.msg.partition(": ")[0].removesuffix(" at").lower()
        where = f"line {error.lineno} column {error.colno}"
        raise MalformedBatch(f"the body is not JSON: {what}, at {where}") from None
    except RecursionError:
        raise MalformedBatch(f"the body is nested too deeply, at event {len(found)}") from None
    if len(found) > limit:
        raise MalformedBatch(f"the batch holds {len(found)} events; send at most {limit} at once")
    return found


def _read(text: str, found: list[tuple[Any, str]]) -> None:
    start = _skip(text, 0)
    if text.startswith("[", start):
        end = _array(text, start, found)
    elif text.startswith("{", start):
        at, end = _events_of(text, start)
        if at < 0:
            raise MalformedBatch('the body is an object without "events": send an array of events')
        if not text.startswith("[", at):
            raise MalformedBatch('"events" is not an array')
        _array(text, at, found)
    else:
        _, end = _DECODER.raw_decode(text, start)  # what is not JSON at all is called that
        raise MalformedBatch("the body is not an array of events")
    if _skip(text, end) != len(text):
        raise json.JSONDecodeError("more after the end", text, _skip(text, end))


def _array(text: str, start: int, found: list[tuple[Any, str]]) -> int:
    at = _skip(text, start + 1)
    if text.startswith("]", at):
        return at + 1
    while True:
        value, end = _DECODER.raw_decode(text, at)
        found.append((value, text[at:end]))
        at = _skip(text, end)
        if text.startswith("]", at):
            return at + 1
        at = _expect(text, at, ",")


def _events_of(text: str, start: int) -> tuple[int, int]:
    """Where the value of ``events`` begins in the object at `start` (-1: nowhere), and where the object ends."""
    place = -1
    at = _skip(text, start + 1)
    if text.startswith("}", at):
        return place, at + 1
    while True:
        if not text.startswith('"', at):
            raise json.JSONDecodeError("expecting a name in double quotes", text, at)
        name, at = _DECODER.raw_decode(text, at)
        at = _expect(text, _skip(text, at), ":")
        place = at if name == "events" else place
        _, at = _DECODER.raw_decode(text, at)
        at = _skip(text, at)
        if text.startswith("}", at):
            return place, at + 1
        at = _expect(text, at, ",")


def _expect(text: str, at: int, sign: str) -> int:
    if not text.startswith(sign, at):
        raise json.JSONDecodeError(f"expecting '{sign}' delimiter", text, at)
    return _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
