"""Rules about the files themselves."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

SOURCE = ("schemas", "ingest", "processors", "sql", "alerts", "src", "benchmarks", "tests", "examples")
MAX_LINES = 500
LINK = 0o120000
# Written in pieces, so that this file does not name what it forbids.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "npm" + "js.com",
    "repo1." + "maven.org",
]
MACHINE = ["/wo" + "rk/", "/ro" + "ot/", "/tm" + "p/w/", "/ho" + "me/"]
FORBIDDEN = re.compile("|".join(re.escape(text) for text in [*REGISTRIES, *MACHINE]))
PIN = re.compile(
    r'^\s*"(?P<name>[A-Za-z0-9._-]+)(\[[^\]]*\])?(?P<version>[=<>~!][^"]*)"\s*,?\s*(?P<comment>#.*)?$'
)


def texts(root: Path, tracked: list[Path]) -> dict[Path, str]:
    files = [p for p in tracked if (root / p).is_file() and not (root / p).is_symlink()]
    return {path: (root / path).read_bytes().decode(errors="replace") for path in files}


def test_no_source_file_is_longer_than_500_lines(root: Path, tracked: list[Path]) -> None:
    source = [p for p in tracked if p.parts[0] in SOURCE and p.suffix in (".py", ".sql")]
    assert len(source) > 50
    long = {str(p): n for p, t in texts(root, source).items() if (n := t.count("\n")) > MAX_LINES}
    assert long == {}


def forbidden_in(files: dict[Path, str]) -> list[str]:
    return [
        f"{path}:{number}: {match[0]}"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := FORBIDDEN.search(line))
    ]


def test_no_file_names_a_registry_or_a_path_of_somebodys_machine(root: Path, tracked: list[Path]) -> None:
    assert forbidden_in(texts(root, tracked)) == []


@pytest.mark.parametrize("text", [*REGISTRIES, *MACHINE])
def test_the_guard_sees_each_forbidden_text(text: str) -> None:
    assert forbidden_in({Path("a"): f"first\nsee https://x{text}y"}) == [f"a:2: {text}"]


def requirements(lock: str) -> dict[str, list[str]]:
    """Locked ``name==version`` with its hashes."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lock.splitlines():
        text = line.strip().removesuffix("\\").strip()
        if not text or text.startswith("#"):
            continue
        if text.startswith("--hash="):
            current.append(text.removeprefix("--hash="))
        else:
            current = found.setdefault(text.split(";")[0].strip(), [])
    return found


def test_the_lock_pins_everything_with_hashes_and_names_no_index(root: Path) -> None:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    locked = requirements(lock)
    assert len(locked) > 30
    for requirement, hashes in locked.items():
        assert re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[0-9][A-Za-z0-9.+!]*", requirement), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), requirement
    assert "://" not in lock
    assert "index" not in re.sub(r"--hash=\S+", "", lock)


def pinned(root: Path) -> list[tuple[int, str, str, str]]:
    """(line, name, version, comment) of each requirement that pyproject.toml writes on a line of its own."""
    lines = (root / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    matches = [(number, PIN.match(line)) for number, line in enumerate(lines, 1)]
    return [(number, m["name"].lower(), m["version"], m["comment"] or "") for number, m in matches if m]


def test_every_dependency_says_what_it_is_for(root: Path) -> None:
    found = pinned(root)
    with (root / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)
    declared = [
        *project["project"]["dependencies"],
        *(r for extra in project["project"]["optional-dependencies"].values() for r in extra),
        *(r for group in project["dependency-groups"].values() for r in group),
    ]
    assert len(found) == len(declared), "each dependency stands on a line of its own"
    silent = [f"line {number}: {name}" for number, name, _, comment in found if len(comment.strip("# ")) < 5]
    assert silent == []


def test_what_the_service_needs_is_pinned_exactly_and_locked_so(root: Path) -> None:
    locked = {requirement.lower() for requirement in requirements((root / "requirements.lock").read_text())}
    exact = [(name, version) for _, name, version, _ in pinned(root) if version.startswith("==")]
    assert len(exact) > 20
    assert [f"{name}{version}" for name, version in exact if f"{name}{version}" not in locked] == []


def test_the_prescribed_folders_are_real_and_linked_into_the_package(root: Path) -> None:
    for name in ("schemas", "ingest", "processors", "sql", "alerts"):
        link = root / "src" / "uptake" / name
        assert (root / name).is_dir()
        assert not (root / name).is_symlink()
        assert str(link.readlink()) == f"../../{name}"
