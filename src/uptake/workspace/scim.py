"""People as SCIM gives them: a ListResponse of users, whole or in pages (RFC 7643, RFC 7644 section 3.4.2)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from uptake.document import decode
from uptake.problems import Problem
from uptake.workspace.roster_map import RosterColumn

DEFAULT: Mapping[str, RosterColumn] = {
    "person": RosterColumn(column="userName"),
    "team": RosterColumn(column="department"),
}
"""What fills these fields unless a map says otherwise. Nothing says by itself what gives a seat."""

_ACTIVE = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Resource:
    """One user: its JSON path, and whether it is switched on. Attributes that an extension holds (``department``)
    are found by their own name, too; names are compared without case (RFC 7643 section 2.1)."""

    path: str
    value: Mapping[str, Any]
    active: bool = True

    @property
    def names(self) -> list[str]:
        """Every attribute there is, of the user and of its extensions."""
        inner = [name for value in self._extensions() for name in value]
        return [*(name for name in self.value if not _is_urn(name)), *inner]

    def has(self, name: str) -> bool:
        return self._find(name) is not None

    def texts(self, name: str) -> list[str]:
        """What an attribute says, most important first: the primary one, and of each its value before its name."""
        return list(dict.fromkeys(text for text in _texts(self._find(name)) if text))

    def _find(self, name: str) -> Any:
        """The value of ``userName``, ``department``, ``name.familyName`` or ``urn:…:User:department``."""
        if _is_urn(name):
            schema, _, name = name.rpartition(":")
            return _deep(_get(self.value, schema), name)
        for value in (self.value, *self._extensions()):
            found = _deep(value, name)
            if found is not None:
                return found
        return None

    def _extensions(self) -> Iterator[Mapping[str, Any]]:
        return (value for key, value in self.value.items() if _is_urn(key) and isinstance(value, dict))


def read_resources(content: bytes, file: str) -> tuple[list[Resource], list[Problem]]:
    """The users of a ListResponse, of an array of its pages, or of a plain array; or what is wrong, with JSON paths.

    A page alone is refused: who is missing in it would be taken for somebody who left.
    """
    text, undecodable = decode(content, file)
    if undecodable:
        return [], [undecodable]
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        return [], [Problem(file, error.lineno, f"is not JSON: {error.msg}")]
    except RecursionError:
        return [], [Problem(file, 0, "is nested too deeply")]
    items = list(enumerate(whole)) if isinstance(whole, list) else [("", whole)]
    resources: list[Resource] = []
    problems: list[Problem] = []
    expected = 0
    for place, item in items:
        path = f"$[{place}]" if place != "" else "$"
        if not isinstance(item, dict):
            problems.append(Problem(file, 0, f"{path}: should be an object"))
            continue
        total = _get(item, "totalResults")
        users = _get(item, "Resources")
        if users is None and total is None and isinstance(whole, list):
            resources += _user(item, path, file, problems)
        elif users is None and total != 0:
            hint = "a SCIM ListResponse, or an array of its pages or of users, is read"
            problems.append(Problem(file, 0, f"{path}: has no Resources", hint))
        elif not isinstance(users, list | None):
            problems.append(Problem(file, 0, f"{path}.Resources: should be an array"))
        else:
            for i, user in enumerate(users or []):
                resources += _user(user, f"{path}.Resources[{i}]", file, problems)
        if isinstance(total, int):
            expected = max(expected, total)
    if expected > len(resources) and not problems:
        reason = f"holds {len(resources):,} of {expected:,} people (totalResults): a page, not all"
        problems.append(Problem(file, 0, reason, "fetch all pages and give them as one JSON array"))
    return resources, problems


def _user(value: object, path: str, file: str, problems: list[Problem]) -> list[Resource]:
    if not isinstance(value, dict):
        problems.append(Problem(file, 0, f"{path}: should be an object"))
        return []
    active = _get(value, "active")
    # Some providers write it as text.
    known = _ACTIVE.get(active.casefold(), active) if isinstance(active, str) else active
    if not isinstance(known, bool | None):
        problems.append(Problem(file, 0, f"{path}.active: should be true or false"))
        return []
    return [Resource(path, value, known is not False)]


def _is_urn(name: str) -> bool:
    return name.casefold().startswith("urn:")


def _get(value: object, name: str) -> Any:
    """An attribute of an object, whatever its case; None where it is not there."""
    if not isinstance(value, dict):
        return None
    if name in value:
        return value[name]
    return next((inner for key, inner in value.items() if key.casefold() == name.casefold()), None)


def _deep(value: object, name: str) -> Any:
    for part in name.split("."):
        value = _get(value, part)
    return value


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in sorted(value, key=lambda item: _get(item, "primary") is not True):
            yield from _texts(item)
    elif isinstance(value, dict):
        for name in ("value", "display", "displayName"):
            yield from _texts(_get(value, name))
    elif isinstance(value, bool):
        yield "yes" if value else "no"
    elif value is not None:
        # Escapes can spell an accent in two ways, as bytes can.
        yield normalize("NFC", str(value)).strip()
