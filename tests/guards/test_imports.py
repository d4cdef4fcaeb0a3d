"""Who may know whom. Every import counts, also one inside a function or under TYPE_CHECKING."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

FOLDERS = ("schemas", "ingest", "processors", "sql", "alerts")
COMPOSITION = ("service", "home", "rates", "cli", "demo", "testing", "distributed", "local")
ALLOWED: Mapping[str, set[str]] = {
    "schemas": {"schemas"},
    "shared": {"shared", "schemas"},
    "ingest": {"ingest", "shared", "schemas"},
    "processors": {"processors", "shared", "schemas"},
    "sql": {"sql", "shared", "schemas"},
    "alerts": {"alerts", "sql", "shared", "schemas"},
    "composition": {"composition", "alerts", "sql", "processors", "ingest", "shared", "schemas"},
}
# They take rows and `now` and return values.
DECIDING = (
    "uptake.processors.attribute",
    "uptake.processors.price",
    "uptake.processors.authorise",
    "uptake.processors.rows",
    "uptake.processors.audit",
    "uptake.alerts.budgets",
    "uptake.alerts.findings",
    "uptake.alerts.digest",
    "uptake.alerts.message",
    "uptake.alerts.restating",
    "uptake.alerts.render",
    "uptake.stats",
    "uptake.calendar",
    "uptake.workingdays",
    "uptake.money",
)
EFFECTS = (
    "kafka",
    "aiokafka",
    "faust",
    "clickhouse_connect",
    "chdb",
    "slack_sdk",
    "sqlalchemy",
    "apscheduler",
)
EFFECTS_OF_OURS = ("uptake.clock", "uptake.clickhouse", "uptake.state", "time")
SDK_MAY = (
    "uptake.ingest.sdk",
    "uptake.schemas.identity",
    "uptake.schemas.taxonomy",
    "uptake.schemas.pseudonym",
    "uptake.schemas.batch",  # these three for events that go to Kafka without a gateway
    "uptake.schemas.records",
    "uptake.schemas.split",
)
SDK_THIRD_PARTY = {"urllib3", "rapidfuzz", "kafka"}
HEAVY = {
    "pydantic",
    "pydantic_core",
    "clickhouse_connect",
    "chdb",
    "sqlalchemy",
    "starlette",
    "numpy",
    "scipy",
    "kafka",  # imported on the sender's thread, where Kafka is the endpoint
}


def module_of(path: Path) -> str:
    """The import name of a file of the checkout (relative path)."""
    parts = path.with_suffix("").parts
    parts = parts[1:] if parts[0] == "src" else ("uptake", *parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(root: Path, tracked: list[Path]) -> dict[str, str]:
    """Text of each module of the package, by its import name."""
    inside = [
        p
        for p in tracked
        if p.suffix == ".py" and (p.parts[0] in FOLDERS or p.parts[:2] == ("src", "uptake"))
    ]
    return {module_of(p): (root / p).read_text(encoding="utf-8") for p in inside}


def imports_of(module: str, text: str, known: Mapping[str, object], is_package: bool) -> set[str]:
    """Names of modules that `text` imports: of our own as precisely as can be told, others as written."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        found.update(_named(node, module, known, is_package))
    return found


def _named(node: ast.AST, module: str, known: Mapping[str, object], is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parts = module.split(".")
            up = parts[: len(parts) - node.level + (1 if is_package else 0)]
            base = ".".join([*up, base] if base else up)
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            yield whole if whole in known else base
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in ("import_module", "__import__") and node.args and isinstance(node.args[0], ast.Constant):
            yield str(node.args[0].value)


def area_of(module: str) -> str:
    parts = module.split(".")
    if len(parts) == 1:
        return "composition"  # `uptake` itself: the SDK's public surface
    if parts[1] in FOLDERS:
        return parts[1]
    return "composition" if parts[1] in COMPOSITION else "shared"


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def violations(imports: Mapping[str, set[str]]) -> list[str]:
    """Imports against the directions, as ``importer -> imported``."""
    wrong = []
    for module, names in sorted(imports.items()):
        for name in sorted(names):
            ours = name == "uptake" or name.startswith("uptake.")
            if ours and area_of(name) not in ALLOWED[area_of(module)]:
                wrong.append(f"{module} -> {name}")
            if within(module, SDK_MAY[:1]):
                foreign = name.split(".")[0] not in sys.stdlib_module_names | SDK_THIRD_PARTY
                if foreign and not within(name, SDK_MAY):
                    wrong.append(f"{module} -> {name}")
    return wrong


def effects(imports: Mapping[str, set[str]], deciding: str) -> list[str]:
    """How `deciding` reaches an effect, itself or through modules of its own area and shared ones, as chains of
    names. What another area gives it (the types of rows that `sql` reads) is that area's own business."""
    near = (area_of(deciding), "shared", "schemas")
    chains, seen, found = [[deciding]], {deciding}, []
    while chains:
        chain = chains.pop()
        for name in sorted(imports.get(chain[-1], ())):
            if name.split(".")[0] in EFFECTS or within(name, EFFECTS_OF_OURS):
                found.append(" -> ".join([*chain, name]))
            elif name in imports and name not in seen and area_of(name) in near:
                seen.add(name)
                chains.append([*chain, name])
    return found


@pytest.fixture(scope="session")
def modules(root: Path, tracked: list[Path]) -> dict[str, str]:
    return sources(root, tracked)


@pytest.fixture(scope="session")
def imports(modules: dict[str, str], tracked: list[Path]) -> dict[str, set[str]]:
    packages = {module_of(path) for path in tracked if path.name == "__init__.py"}
    return {name: imports_of(name, text, modules, name in packages) for name, text in modules.items()}


def test_imports_point_in_one_direction(imports: dict[str, set[str]]) -> None:
    assert len(imports) > 40
    assert violations(imports) == []


def test_what_decides_reaches_no_effect(imports: dict[str, set[str]]) -> None:
    deciding = [module for module in imports if within(module, DECIDING)]
    assert {"uptake.alerts.message", "uptake.calendar", "uptake.money"} <= set(deciding)
    assert [chain for module in deciding for chain in effects(imports, module)] == []


def test_what_decides_asks_no_clock(modules: dict[str, str]) -> None:
    asked = []
    for module in filter(lambda name: within(name, DECIDING), modules):
        for node in ast.walk(ast.parse(modules[module])):
            if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
                asked.append(f"{module}, line {node.lineno}")
    assert asked == []


def test_the_folders_are_imported_under_uptake_only(imports: dict[str, set[str]]) -> None:
    bare = {
        f"{module} -> {name}"
        for module, names in imports.items()
        for name in names
        if name.split(".")[0] in FOLDERS
    }
    assert bare == set()


KNOWN = dict.fromkeys(
    ["uptake.alerts.outbox", "uptake.sql.runner", "uptake.ingest.sdk.queue", "uptake.clock"]
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import uptake.alerts.outbox as o", "uptake.alerts.outbox"),
        ("from uptake.alerts import outbox", "uptake.alerts.outbox"),
        ("from uptake.alerts.outbox import Outbox", "uptake.alerts.outbox"),
        ("def f():\n    from uptake.alerts.outbox import Outbox", "uptake.alerts.outbox"),
        ("if TYPE_CHECKING:\n    import uptake.alerts.outbox", "uptake.alerts.outbox"),
        ("import importlib\nimportlib.import_module('uptake.alerts.outbox')", "uptake.alerts.outbox"),
        ("from ..alerts import outbox", "uptake.alerts.outbox"),
        ("from ..alerts.outbox import Outbox", "uptake.alerts.outbox"),
    ],
)
def test_the_guard_sees_an_import_however_it_is_written(text: str, found: str) -> None:
    names = imports_of("uptake.processors.pipeline", text, KNOWN, is_package=False)
    assert found in names
    assert violations({"uptake.processors.pipeline": names}) == [f"uptake.processors.pipeline -> {found}"]


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("uptake.schemas.codec", "uptake.errors"),
        ("uptake.ingest.gateway.app", "uptake.processors.pipeline"),
        ("uptake.processors.pipeline", "uptake.sql.runner"),
        ("uptake.sql.runner", "uptake.alerts.outbox"),
        ("uptake.calendar", "uptake.sql.runner"),
        ("uptake.state.store", "uptake.service"),
        ("uptake.workspace.load", "uptake"),
        ("uptake.ingest.sdk.queue", "uptake.errors"),
        ("uptake.ingest.sdk.queue", "uptake.schemas.events"),
        ("uptake.ingest.sdk.queue", "uptake.ingest.gateway.app"),
        ("uptake.ingest.sdk.queue", "pydantic"),
    ],
)
def test_the_guard_refuses_what_points_backwards(module: str, name: str) -> None:
    assert violations({module: {name}}) != []


def test_the_guard_follows_imports_to_an_effect() -> None:
    imports = {"uptake.alerts.digest": {"uptake.alerts.cells"}, "uptake.alerts.cells": {"slack_sdk.web"}}
    chain = "uptake.alerts.digest -> uptake.alerts.cells -> slack_sdk.web"
    assert effects(imports, "uptake.alerts.digest") == [chain]


def loaded_by(statement: str) -> dict[str, str]:
    """Modules, with their files, that a statement loads into a fresh interpreter beyond what it starts with."""
    program = (
        "import sys, json; before = set(sys.modules)\n"
        f"{statement}\n"
        "new = {n: getattr(m, '__file__', None) or '' for n, m in sys.modules.items() if n not in before}\n"
        "print(json.dumps(new))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    loaded: dict[str, str] = json.loads(done.stdout)
    return loaded


@pytest.mark.parametrize(
    "statement",
    [
        "import uptake",
        "import uptake.ingest.sdk",
        "import uptake.schemas",
        "import uptake.schemas.identity, uptake.schemas.taxonomy, uptake.schemas.pseudonym",
        "import uptake.schemas.batch, uptake.schemas.split",
        "import uptake; uptake.Client('kafka://127.0.0.1:1', app='letters', tenant='acme')",
        "import uptake.schemas.records",
    ],
)
def test_what_an_app_imports_is_light(statement: str) -> None:
    loaded = loaded_by(statement)
    assert "uptake" in loaded
    top = {name.split(".")[0] for name in loaded}
    assert top.isdisjoint(HEAVY)
    assert top <= sys.stdlib_module_names | SDK_THIRD_PARTY | {"uptake"}


def test_the_guard_of_light_imports_sees_a_heavy_one() -> None:
    assert "pydantic" in loaded_by("import uptake.schemas.events")
