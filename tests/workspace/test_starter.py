"""What `uptake init` writes passes its own check, explains itself, and never costs anybody a file."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from uptake.errors import UsageError
from uptake.workspace.check import check
from uptake.workspace.load import FILES, load_workspace
from uptake.workspace.starter import init, json_schemas


def test_the_starter_passes_check_without_a_key_and_without_a_warning(tmp_path: Path) -> None:
    init(tmp_path / "new" / "workspace")
    assert check(tmp_path / "new" / "workspace", None) == []
    workspace = load_workspace(tmp_path / "new" / "workspace", None)
    assert workspace.roster
    assert workspace.apps
    assert workspace.budgets
    assert workspace.channels.audiences


def test_the_starter_has_every_file_that_is_read(tmp_path: Path) -> None:
    assert {path.name for path in init(tmp_path)} >= set(FILES)


@pytest.mark.parametrize("name", sorted(json_schemas()))
def test_every_yaml_file_names_its_schema_and_satisfies_it(tmp_path: Path, name: str) -> None:
    init(tmp_path)
    text = (tmp_path / f"{name}.yaml").read_text()
    first = text.splitlines()[0]
    schema = json.loads((tmp_path / first.removeprefix("# yaml-language-server: $schema=")).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    # As an editor's YAML 1.2 reads it: days are text.
    content = json.loads(json.dumps(yaml.safe_load(text), default=str))
    if content is not None:
        jsonschema.validate(content, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{"unknown": 1}] if schema.get("type") == "array" else {"unknown": 1}, schema)


def test_files_that_are_there_are_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "apps.yaml").write_text("# mine\n")
    with pytest.raises(UsageError, match=r"already holds apps\.yaml") as error:
        init(tmp_path)
    assert "--force" in error.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["apps.yaml"]
    init(tmp_path, force=True)
    assert check(tmp_path, None) == []


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workspace").write_text("")
    with pytest.raises(UsageError, match="not a directory"):
        init(tmp_path / "workspace")


def test_a_commented_price_becomes_valid_when_it_is_uncommented(tmp_path: Path) -> None:
    init(tmp_path)
    path = tmp_path / "prices.yaml"
    lines = path.read_text().splitlines()
    entry = next(i for i, line in enumerate(lines) if line.startswith("# - "))
    path.write_text("\n".join([*lines[:entry], *(line.removeprefix("# ") for line in lines[entry:])]))
    assert check(tmp_path, None) == []
    assert load_workspace(tmp_path, None).prices[0].model == "gpt-5-mini"
