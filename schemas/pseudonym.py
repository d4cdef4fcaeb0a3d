"""Keyed pseudonyms: the same person is the same string everywhere, and nobody without the key can tell who.

Standard library only. The key stays with the organisation: the SDK uses it inside the app and the roster loader
uses it on the service's side, so that both arrive at the same pseudonym.
"""

from __future__ import annotations

import hmac
import re
from unicodedata import normalize

MIN_KEY_LENGTH = 16
_PSEUDONYM = re.compile(r"p_[0-9a-f]{32}")


def pseudonym(key: str, person: str) -> str:
    """The pseudonym of `person` (an address, a login): ``p_`` and 128 bits of HMAC-SHA256, in hex.

    Surrounding space, letter case and how an accent is written do not matter. Any text has a pseudonym; what
    already is one is returned unchanged.
    Raises ValueError when the key is shorter than 16 characters.
    """
    if len(key) < MIN_KEY_LENGTH:
        raise ValueError(f"a pseudonym key has at least {MIN_KEY_LENGTH} characters")
    if is_pseudonym(person):
        return person
    written = normalize("NFC", normalize("NFC", person.strip()).casefold())
    return "p_" + hmac.digest(key.encode(), written.encode(errors="surrogatepass"), "sha256")[:16].hex()


def is_pseudonym(text: str) -> bool:
    return _PSEUDONYM.fullmatch(text) is not None
