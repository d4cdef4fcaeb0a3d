"""The contract as JSON Schema (draft 2020-12), for senders in any language.

    python -m uptake.schemas.jsonschema write     generate schemas/json/v1 from the models
    python -m uptake.schemas.jsonschema check     say whether it is up to date and still compatible
    python -m uptake.schemas.jsonschema release   make it the baseline that later changes are held to

The files are checked in, so that a change of the contract is seen in review as what it is. `baseline` holds the
version as it was last released; it moves forward only over changes that break no sender. Before the first release
there is no sender to break: `baseline` is then deleted and made anew with `release`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import CoreSchema

from uptake.schemas.batch import MAX_BATCH_EVENTS
from uptake.schemas.compatibility import Finding, compare
from uptake.schemas.events import EVENT, SCHEMA_VERSION, BaseEvent, CostEvent, FeedbackEvent, UsageEvent

DIALECT = GenerateJsonSchema.schema_dialect
ROOT = Path(__file__).resolve().parent / "json"
VERSION = f"v{SCHEMA_VERSION}"
REMEDY = "make the change optional for senders (a new field with a default), or raise SCHEMA_VERSION"

_MODELS: dict[str, type[BaseEvent]] = {"usage": UsageEvent, "feedback": FeedbackEvent, "cost": CostEvent}
_REWRITE = "run: python -m uptake.schemas.jsonschema write"


class _Generate(GenerateJsonSchema):
    """Without a title on every field that only repeats its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        document = super().generate(schema, mode)
        for model in (document, *document.get("$defs", {}).values()):
            if "type" in model.get("properties", {}):
                # The model has a default for it, a batch has not: it decides which model is meant.
                model["required"] = ["type", *model.get("required", [])]
        return document


def generate() -> dict[str, JsonSchemaValue]:
    """The schema documents of the current version by name: usage, feedback, cost and batch."""
    documents = {name: model.model_json_schema(schema_generator=_Generate) for name, model in _MODELS.items()}
    documents["batch"] = _batch()
    return {
        name: {"$schema": DIALECT, "$id": f"urn:uptake:schema:{VERSION}:{name}", **document}
        for name, document in documents.items()
    }


def _batch() -> JsonSchemaValue:
    document = EVENT.json_schema(schema_generator=_Generate)
    events = {"type": "array", "maxItems": MAX_BATCH_EVENTS, "items": {"$ref": "#/$defs/Event"}}
    around = {"type": "object", "required": ["events"], "properties": {"events": {"$ref": "#/$defs/Events"}}}
    definitions = document.pop("$defs")
    return {
        "title": "Batch",
        "description": "What is posted: an array of events, or an object around one. Each is judged alone.",
        "anyOf": [{"$ref": "#/$defs/Events"}, around],
        "$defs": {**definitions, "Event": document, "Events": events},
    }


def text_of(document: JsonSchemaValue) -> str:
    """A document as it stands in its file."""
    return json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def read(directory: Path) -> dict[str, JsonSchemaValue]:
    """Documents of a directory by name; empty where there are none."""
    return {
        path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(directory.glob("*.schema.json"))
    }


def write(directory: Path) -> list[Path]:
    """Generate all documents into `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in generate().items():
        path = directory / f"{name}.schema.json"
        path.write_text(text_of(document), encoding="utf-8")
        written.append(path)
    return written


def stale(directory: Path) -> list[str]:
    """Names whose file in `directory` differs from what the models say now, is missing or is no longer made."""
    now = generate()
    names = sorted(now.keys() | read(directory).keys())
    return [name for name in names if not _same(directory / f"{name}.schema.json", now.get(name))]


def _same(path: Path, document: JsonSchemaValue | None) -> bool:
    return document is not None and path.is_file() and path.read_text(encoding="utf-8") == text_of(document)


def breaking(root: Path = ROOT) -> list[Finding]:
    """What the models break of the released baseline of their own version; nothing where none was released."""
    baseline = read(root / "baseline" / VERSION)
    return [finding for name in baseline for finding in compare(baseline[name], generate().get(name), name)]


def main(arguments: Sequence[str], root: Path = ROOT) -> int:
    """0 done, 1 stale or breaking, 2 not a command."""
    if list(arguments) not in (["write"], ["check"], ["release"]):
        sys.stderr.write("usage: python -m uptake.schemas.jsonschema write|check|release\n")
        return 2
    problems = []
    if arguments[0] == "check":
        names = [f"{VERSION}/{name}.schema.json" for name in stale(root / VERSION)]
        problems += [f"{name} is not what the models say; {_REWRITE}" for name in names]
    problems += [f"{finding}; {REMEDY}" for finding in breaking(root)]
    if problems and arguments[0] != "write":
        sys.stderr.write("".join(f"{problem}\n" for problem in problems))
        return 1
    if arguments[0] != "check":
        write(root / VERSION)
    if arguments[0] == "release":
        write(root / "baseline" / VERSION)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
