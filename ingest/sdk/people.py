"""From a person as the app knows them to a pseudonym, on the caller's thread: what is queued names nobody."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final
from uuid import UUID

from uptake.ingest.sdk.items import LeftOut, Unfit
from uptake.schemas.pseudonym import is_pseudonym, pseudonym

LEFT_OUT: Final = LeftOut()
_REMEMBERED = 1024

Mask = Callable[[Any], Any]


def masker(key: str | None) -> Mask:
    """What turns a person into the value that is queued: a pseudonym, "" (nobody), LEFT_OUT or Unfit.

    The last 1,024 people are remembered, for a pseudonym costs 3 µs to compute.
    """
    remembered = lru_cache(_REMEMBERED)(partial(pseudonym, key)) if key else None

    def mask(person: object) -> object:
        if not isinstance(person, str):
            if type(person) is not int and not isinstance(person, UUID):
                return Unfit("must be text, a whole number or a UUID")
            person = str(person)
        if not person.strip():
            return ""
        if remembered is not None:
            return remembered(person)
        return person if is_pseudonym(person) else LEFT_OUT

    return mask


def name_nobody(fields: dict[str, Any], mask: Mask) -> None:
    """Replaces each person in `fields` (user, reviewer, under either name) by what may be queued."""
    for given, kept in (("user", "user_id"), ("reviewer", "reviewer_id")):
        person = fields.pop(given, None)
        if person is None:
            person = fields.get(kept)
        if person is not None:
            fields[kept] = mask(person)


PEOPLE: Final = frozenset({"user", "user_id", "reviewer", "reviewer_id"})
