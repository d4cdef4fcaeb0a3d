"""The maps that people are given are valid for the kind that they say they are for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from uptake.ingest.importer.mapping import read_plan

ROOT = Path(__file__).parents[2]
MAPS = sorted((ROOT / "examples" / "imports").glob("*.yaml"))


def test_there_are_examples_of_every_kind() -> None:
    assert {_kind(path.read_text("utf-8")) for path in MAPS} == {"usage", "feedback", "cost"}


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_an_example_fits_the_kind_that_its_command_names(path: Path) -> None:
    text = path.read_text("utf-8")
    assert f"--map examples/imports/{path.name}" in text
    plan = read_plan(path, _kind(text))
    header = text.splitlines()[0].rpartition(": ")[2].split(",")
    assert set(plan.wanted()) <= set(header)


def test_the_map_in_the_documentation_is_valid(tmp_path: Path) -> None:
    block = re.search(r"```yaml\n(.*?)```", (ROOT / "docs" / "import.md").read_text("utf-8"), re.DOTALL)
    assert block
    (tmp_path / "map.yaml").write_text(block[1], "utf-8")
    assert read_plan(tmp_path / "map.yaml", "feedback").mapping.delimiter == ";"


def _kind(text: str) -> str:
    found = re.search(r"--as (\w+)", text)
    assert found
    return found[1]
