"""Whether a newer JSON Schema still accepts, with the same meaning, what senders of an older one send.

Pure: two documents in, findings out. Understands what pydantic and `uptake.schemas.rules` write. What it cannot
compare (two regular expressions, two conditions) counts as broken when it differs: better asked about than missed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_FORMS = ("pattern", "format", "multipleOf", "not", "if")
_NESTED = ("items", "propertyNames", "additionalProperties")
_UNIONS = ("anyOf", "oneOf")
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise: where (``usage.input_tokens``), which rule, and what changed."""

    path: str
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message} [{self.rule}]"


def compare(old: Schema, new: Schema | None, name: str = "$") -> list[Finding]:
    """What `new` refuses or understands otherwise than `old` did. Empty: every sender of `old` may stay as it is.

    `new` is None when the whole document is gone. `$ref`s are resolved within each document.
    """
    if new is None:
        return [Finding(name, "removed", "the schema was removed")]
    return list(_Comparison(old, new).compare(old, new, name))


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_definitions: Schema = old.get("$defs", {})
        self._new_definitions: Schema = new.get("$defs", {})

    def compare(self, old: Any, new: Any, path: str) -> Iterator[Finding]:
        old, new = _resolve(old, self._old_definitions), _resolve(new, self._new_definitions)
        yield from _defaults(old, new, path)
        if any(union in old or union in new for union in _UNIONS):
            yield from self._union(old, new, path)
            return
        yield from _types(old, new, path)
        yield from _values(old, new, path)
        yield from _limits(old, new, path)
        yield from _forms(old, new, path)
        yield from self._properties(old, new, path)
        for key in _NESTED:
            if key in new and new[key] not in (True, {}):
                yield from self._nested(old, new, key, path)

    def _nested(self, old: Schema, new: Schema, key: str, path: str) -> Iterator[Finding]:
        where = f"{path}.{'*' if key == 'additionalProperties' else key}"
        if new[key] is False:
            if old.get(key) is not False:
                yield Finding(where, "closed", f"{key} is no longer allowed")
        else:
            yield from self.compare(old.get(key, {}), new[key], where)

    def _properties(self, old: Schema, new: Schema, path: str) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name in after:
                yield from self.compare(before[name], after[name], f"{path}.{name}")
            else:
                yield Finding(
                    f"{path}.{name}", "removed", "the field was removed: what senders say in it is lost"
                )
        for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
            what = "is now required" if name in before else "is new and required"
            yield Finding(f"{path}.{name}", "required", f"the field {what}")

    def _union(self, old: Schema, new: Schema, path: str) -> Iterator[Finding]:
        """Each branch that was accepted is accepted by some branch still; the nearest one says what is missing."""
        branches = _branches(new)
        for branch in _branches(old):
            attempts = [list(self.compare(branch, candidate, path)) for candidate in branches]
            if all(attempts):
                same = self._same_kind(branch, branches)
                yield from attempts[same] if same is not None else [_gone(branch, path)]

    def _same_kind(self, branch: Any, candidates: list[Any]) -> int | None:
        kind = _kind(_resolve(branch, self._old_definitions))
        for index, candidate in enumerate(candidates):
            if _kind(_resolve(candidate, self._new_definitions)) == kind:
                return index
        return None


def _gone(branch: Any, path: str) -> Finding:
    return Finding(
        path, "type", f"{branch.get('$ref', branch.get('type', 'one form'))} is no longer accepted"
    )


def _branches(schema: Schema) -> list[Any]:
    for union in _UNIONS:
        if union in schema:
            return list(schema[union])
    return [schema]


def _kind(schema: Schema) -> tuple[Any, Any]:
    """What tells branches of a union apart: their JSON type and the constant that they carry."""
    return schema.get("type"), schema.get("properties", {}).get("type", {}).get("const")


def _resolve(schema: Any, definitions: Schema) -> Any:
    if schema is True:
        return {}
    while "$ref" in schema:
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**definitions[schema["$ref"].removeprefix("#/$defs/")], **beside}
    return schema


def _defaults(old: Schema, new: Schema, path: str) -> Iterator[Finding]:
    before, after = old.get("default", _ABSENT), new.get("default", _ABSENT)
    if before is not _ABSENT and not _equal(before, after):
        yield Finding(path, "default", "the default changed: leaving the field out means something else now")


def _types(old: Schema, new: Schema, path: str) -> Iterator[Finding]:
    if "type" not in new:
        return
    before = _type_set(old)
    allowed = _type_set(new) | ({"integer"} if "number" in _type_set(new) else set())
    if not before or not before <= allowed:
        was = " or ".join(sorted(before)) or "anything"
        yield Finding(path, "type", f"was {was}, is {' or '.join(sorted(_type_set(new)))}")


def _type_set(schema: Schema) -> set[str]:
    types = schema.get("type", [])
    if not types and (values := _value_set(schema)) and all(isinstance(value, str) for value in values):
        return {"string"}
    return {types} if isinstance(types, str) else set(types)


def _values(old: Schema, new: Schema, path: str) -> Iterator[Finding]:
    before, after = _value_set(old), _value_set(new)
    if after is None:
        return
    if before is None:
        yield Finding(path, "enum", "only some values are accepted now")
        return
    gone = [value for value in before if value not in after]
    if gone:
        yield Finding(path, "enum", f"no longer accepted: {', '.join(map(str, gone))}")


def _value_set(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _limits(old: Schema, new: Schema, path: str) -> Iterator[Finding]:
    for key in (*_LOWER, *_UPPER):
        if key not in new:
            continue
        was, is_now = old.get(key), new[key]
        if was is None or (is_now > was if key in _LOWER else is_now < was):
            yield Finding(path, "range", f"{key} was {'not limited' if was is None else was}, is {is_now}")


def _forms(old: Schema, new: Schema, path: str) -> Iterator[Finding]:
    for key in _FORMS:
        if key in new and not _equal(old.get(key, _ABSENT), new[key]):
            yield Finding(path, "form", f"{key} was added or changed")
    conditions = [_text(condition) for condition in old.get("allOf", ())]
    for condition in new.get("allOf", ()):
        if _text(condition) not in conditions:
            yield Finding(path, "condition", f"a condition was added or changed: {_text(condition)}")


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON: false is not 0."""
    return (one is _ABSENT) == (other is _ABSENT) and (one is _ABSENT or _text(one) == _text(other))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
