"""YAML files that people write: every value keeps its line, and every value is text until a model types it.

YAML 1.1 guesses types: `no` is false, `010` is 8, `1.10` is 1.1, `2026-11-01` is a date. Here nothing is
guessed: plain scalars stay the text that was written (only an empty value, `~` and `null` are None), and
pydantic reads them as the field's type. A key that is there twice, tags, anchors and merge keys are refused.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any

import yaml

from uptake.problems import Problem

Path = tuple[str | int, ...]

_NULL = "tag:yaml.org,2002:null"
_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = {
    _TAG + kind for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "map", "seq")
}
_MAX_DEPTH = 20


@dataclass
class Document:
    """A parsed file: `value` of dict, list, str and None, and the line of each key and value by its path."""

    file: str
    value: Any = None
    problems: list[Problem] = field(default_factory=list)
    keys: dict[Path, int] = field(default_factory=dict)
    values: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path, key: bool = False) -> int:
        """The line of the value at `path` (of its key if asked), or of the nearest thing around it."""
        for end in range(len(path), -1, -1):
            lines = self.keys if key and path[:end] in self.keys else self.values
            if path[:end] in lines:
                return lines[path[:end]]
        return 1

    def at(self, path: Path) -> Any:
        """The raw value at `path`, or None where the document does not go that far."""
        value = self.value
        for part in path:
            if isinstance(value, dict):
                value = value.get(part)
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                value = value[part]
            else:
                return None
        return value

    def problem(self, path: Path, reason: str, hint: str = "", key: bool = False) -> Problem:
        return Problem(self.file, self.line(path, key), reason, hint)


def decode(content: bytes, file: str) -> tuple[str, Problem | None]:
    """UTF-8 text, with or without a byte order mark, in composed form (NFC), so that names compare equal."""
    try:
        return unicodedata.normalize("NFC", content.decode("utf-8-sig")), None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", Problem(file, line, "is not UTF-8 text", "save the file as UTF-8")


def parse(content: bytes, file: str) -> Document:
    """Read one YAML document. Whatever is wrong with it stands in `problems`; nothing is raised."""
    document = Document(file)
    text, undecodable = decode(content, file)
    if undecodable:
        document.problems.append(undecodable)
        return document
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        document.problems.append(Problem(file, mark.line + 1 if mark else 0, reason, _yaml_hint(reason)))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.problems.append(Problem(file, line, "holds a control character", "remove it"))
    except RecursionError:
        document.problems.append(Problem(file, 0, "is nested too deeply"))
    else:
        if root is not None:
            document.value = _build(document, root, (), set())
    return document


def _yaml_hint(reason: str) -> str:
    if "'\\t'" in reason:
        return "indent with spaces, not tabs"
    if "single document" in reason:
        return "one file holds one document: remove the `---` line"
    if "mapping values are not allowed" in reason or "expected <block end>" in reason:
        return "look at the indentation here and in the line before, and quote a value that holds `: `"
    return ""


def _build(document: Document, node: yaml.Node, path: Path, seen: set[int]) -> Any:
    document.values[path] = node.start_mark.line + 1
    if id(node) in seen or len(path) > _MAX_DEPTH:
        document.problems.append(
            document.problem(path, "anchors, aliases and deep nesting are not read", "write the value out")
        )
        return None
    seen.add(id(node))
    if node.tag not in _PLAIN_TAGS:
        document.problems.append(document.problem(path, f"the tag {node.tag.removeprefix(_TAG)} is not read"))
        return None
    if isinstance(node, yaml.SequenceNode):
        return [_build(document, item, (*path, i), seen) for i, item in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(document, node, path, seen)
    return None if node.tag == _NULL else str(node.value)


def _build_mapping(document: Document, node: yaml.MappingNode, path: Path, seen: set[int]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _TAG + "merge":
            document.problems.append(Problem(document.file, line, "a key is a plain name"))
            continue
        key = str(key_node.value)
        place = (*path, key)
        if key in built:
            first = document.keys[place]
            reason = f"{key!r} is here twice, first in line {first}"
            document.problems.append(Problem(document.file, line, reason, "keep one of them"))
            continue
        document.keys[place] = line
        built[key] = _build(document, value_node, place, seen)
    return built
