"""The workspace to begin with, and the JSON Schemas that let an editor check its files while they are typed."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from uptake.errors import UsageError
from uptake.workspace.load import FILES
from uptake.workspace.models import App, Budget, Channels, Organisation, Price, Rate, Target

SCHEMAS = ".schemas"

_SHAPES: dict[str, TypeAdapter[Any]] = {
    "organisation": TypeAdapter(Organisation),
    "apps": TypeAdapter(list[App]),
    "budgets": TypeAdapter(list[Budget]),
    "targets": TypeAdapter(list[Target]),
    "prices": TypeAdapter(list[Price]),
    "fx": TypeAdapter(list[Rate]),
    "channels": TypeAdapter(Channels),
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """JSON Schema by YAML file, without its ending (``apps``)."""
    return {
        name: {"$schema": "https://json-schema.org/draft/2020-12/schema", **shape.json_schema()}
        for name, shape in _SHAPES.items()
    }


def init(directory: Path, force: bool = False) -> list[Path]:
    """Write the commented starter and its schemas; returns the files written.

    Raises UsageError, having written nothing, when one of them is there already and `force` is not given;
    schemas are generated and always replaced.
    """
    contents = {name: files(__name__).joinpath(name).read_text("utf-8") for name in (*FILES, "README.md")}
    contents |= {
        f"{SCHEMAS}/{name}.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in json_schemas().items()
    }
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is not a directory", "name another one")
    there = [name for name in contents if not name.startswith(f"{SCHEMAS}/") and (directory / name).exists()]
    if there and not force:
        raise UsageError(
            f"{directory} already holds {', '.join(there)}",
            "name another directory, or overwrite with --force",
        )
    written = []
    for name, content in contents.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")
        written.append(path)
    return written
