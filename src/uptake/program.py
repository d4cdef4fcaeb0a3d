"""Which program this is: what is kept of its answers is good for the same program alone."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable


@cache
def program() -> str:
    """A name of this program's text, and of the versions of what it stands on: another one may answer otherwise."""
    digest = sha256()
    for name, content in sorted(_contents(files("uptake"), "")):
        digest.update(f"{name}\n{len(content)}\n".encode() + content)
    for requirement in sorted(metadata.requires("uptake") or ()):
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        try:
            digest.update(f"{name}=={metadata.version(name)}\n".encode())
        except metadata.PackageNotFoundError:  # of an extra that is not installed
            digest.update(f"{name}\n".encode())
    return digest.hexdigest()


def _contents(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                found += _contents(item, f"{path}{item.name}/")
        else:
            found.append((f"{path}{item.name}", item.read_bytes()))
    return found
