"""What is built holds every file of the package once, through the source distribution, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from pathlib import Path

import pytest

FOLDERS = ("schemas", "ingest", "processors", "sql", "alerts")


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def dist(root: Path, tracked: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the sdist, and the wheel that was built from it, of a copy of the checkout's files."""
    copy = tmp_path_factory.mktemp("checkout")
    for path in tracked:
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, copy / path, follow_symlinks=False)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(copy / "dist"), str(copy), cwd=copy)
    return copy / "dist"


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def expected(tracked: list[Path]) -> set[str]:
    """Every file of the package, by its place in the wheel."""
    folders = {f"uptake/{path.as_posix()}" for path in tracked if path.parts[0] in FOLDERS}
    links = {Path("src", "uptake", name) for name in FOLDERS}
    return folders | {
        p.relative_to("src").as_posix() for p in tracked if p.parts[0] == "src" and p not in links
    }


def test_the_wheel_holds_every_file_of_the_package_exactly_once(wheel: Path, expected: set[str]) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = Counter(archive.namelist())
    inside = {name for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert expected - inside == set(), "not in the wheel: see [tool.setuptools.package-data]"
    assert inside - expected == set(), "in the wheel, but not in the checkout"
    assert [name for name, count in names.items() if count > 1] == []
    assert {Path(name).suffix for name in expected} >= {".py", ".sql", ".json", ".typed"}


def test_installing_adds_uptake_and_no_other_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        top = {name.split("/")[0] for name in archive.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == {"uptake"}


def test_the_source_distribution_holds_real_files_where_the_checkout_has_links(
    dist: Path, expected: set[str]
) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        members = {member.name.partition("/")[2]: member for member in archive.getmembers()}
    assert {f"src/{name}" for name in expected} <= members.keys()
    assert not any(member.issym() or member.islnk() for member in members.values())
    assert {"LICENSE", "README.md", "pyproject.toml"} <= members.keys()


def test_the_wheel_declares_its_licence_its_command_and_a_light_base(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        info = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA")).rpartition(
            "/"
        )[0]
        metadata = archive.read(f"{info}/METADATA").decode()
        entry_points = archive.read(f"{info}/entry_points.txt").decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "uptake = uptake.cli:main" in entry_points
    needed = re.findall(r"^Requires-Dist: ([A-Za-z0-9-]+)[^;\n]*$", metadata, re.MULTILINE)
    assert needed == ["rapidfuzz", "urllib3"]


def test_the_installed_package_imports_with_nothing_else_around(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
    ]
    run(*install, "--target", str(target), str(wheel), cwd=tmp_path)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import uptake, uptake.schemas.identity, uptake.schemas.taxonomy, uptake.schemas.pseudonym\n"
        "print(uptake.__file__)"
    )
    # -S and -I: neither site-packages nor the working directory nor the environment
    where = run(sys.executable, "-I", "-S", "-c", program, str(target), cwd=tmp_path)
    assert Path(where.strip()) == target / "uptake" / "__init__.py"
