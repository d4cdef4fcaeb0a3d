"""YAML as people write it: nothing is guessed, every fault has its line."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from uptake.document import parse


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("on", "on"),
        ("010", "010"),
        ("1.10", "1.10"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        ("12:30", "12:30"),
        ("2026-11-01", "2026-11-01"),
        ("123", "123"),
        ("'null'", "null"),
        ("null", None),
        ("~", None),
        ("", None),
        ("[a, 1, no]", ["a", "1", "no"]),
    ],
)
def test_a_value_is_the_text_that_was_written(written: str, meant: object) -> None:
    document = parse(f"key: {written}\n".encode(), "f.yaml")
    assert (document.value, document.problems) == ({"key": meant}, [])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: 1\nb: 2\na: 3\n", "f.yaml:3: 'a' is here twice, first in line 1"),
        (b"a:\n\tb: 1\n", "f.yaml:2: while scanning for the next token, found character '\\t'"),
        (b"a: 1\nb: c: d\n", "f.yaml:2: mapping values are not allowed here"),
        (b"a: [1\nb: 2\n", "f.yaml:2: while parsing a flow sequence"),
        (b"a: 1\n---\nb: 2\n", "f.yaml:2: expected a single document"),
        (
            b"a: 1\nb: !!python/object/apply:os.system [ls]\n",
            "f.yaml:2: the tag python/object/apply:os.system",
        ),
        (b"a: &x 1\nb: *x\n", "f.yaml:1: anchors, aliases"),
        (b"a: 1\nb:\n  <<: {c: 1}\n", "f.yaml:3: a key is a plain name"),
        (b"a: 1\nb: caf\xe9\n", "f.yaml:2: is not UTF-8 text"),
        (b"a: 1\nb: \x07\n", "f.yaml:2: holds a control character"),
        (b"a: 1\n? [b]\n: c\n", "f.yaml:2: a key is a plain name"),
    ],
)
def test_a_fault_of_syntax_has_its_line(content: bytes, says: str) -> None:
    (problem, *_) = parse(content, "f.yaml").problems
    assert str(problem).startswith(says)


def test_aliases_cannot_make_a_small_file_big() -> None:
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9) if i else 'x'}]\n" for i in range(12))
    assert parse(levels.encode(), "f.yaml").problems


def test_deep_nesting_is_a_fault_and_not_a_crash() -> None:
    assert parse(b"[" * 3000 + b"]" * 3000, "f.yaml").problems
    assert parse(b"{a: " * 60 + b"1" + b"}" * 60, "f.yaml").problems


def test_names_are_equal_however_their_accents_are_encoded() -> None:
    assert parse("a: E\u0301quipe\n".encode(), "f").value == parse("a: \u00c9quipe\n".encode(), "f").value


def test_values_that_yaml_would_guess_reach_the_workspace_as_written(files: Any) -> None:
    files.write(
        "apps.yaml",
        "- app: 007\n  owner: no\n  allowed_models: [1.10]\n  valid_from: 2026-11-01\n",
    )
    files.write("budgets.yaml", "- {budget: b, name: on, amount: 010.50, channel: c, scope: {app: 007}}\n")
    workspace = files.load()
    (app,), (budget,) = workspace.apps, workspace.budgets
    assert (app.app, app.owner, app.allowed_models, app.valid_from) == (
        "007",
        "no",
        ("1.10",),
        date(2026, 11, 1),
    )
    assert (budget.name, budget.amount) == ("on", Decimal("10.50"))
