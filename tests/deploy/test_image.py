"""What goes into the image: everything that the services import, from the lock, and nothing that was left out."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# What only the embedded engine needs.
LEFT_OUT = {"chdb", "chdb-core", "pandas", "chdb-datastore"}
SERVED = (
    "uptake.cli.run_gateway",
    "uptake.cli.run_worker",
    "uptake.cli.run_scheduler",
    "uptake.cli.log",
    "uptake.cli.data",
    "uptake.distributed.gateway",
    "uptake.distributed.worker",
    "uptake.distributed.scheduler",
    "uptake.topics",
    "uptake.sql.migrate",
)


@pytest.fixture(scope="module")
def locked(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("locked")


@pytest.fixture(scope="module")
def in_image(locked: ModuleType, root: Path) -> set[str]:
    packages = locked.read((root / "requirements.lock").read_text("utf-8"))
    return {
        canonicalize_name(package.name) for package in locked.needed(packages, [locked.PROJECT], ["chdb"])
    }


def needs(name: str, extras: frozenset[str] = frozenset()) -> set[tuple[str, frozenset[str]]]:
    """What an installed package requires here, by its own metadata."""
    wanted = set()
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}
        ):
            wanted.add((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return wanted


def test_what_is_taken_from_the_lock_is_what_the_packages_themselves_require(
    in_image: set[str], root: Path
) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    named = [
        Requirement(text) for text in [*project["dependencies"], *extras["service"], *extras["postgresql"]]
    ]
    todo = [(canonicalize_name(r.name), frozenset(r.extras)) for r in named if r.name != "chdb"]
    seen = set(todo)
    while todo:
        for item in needs(*todo.pop()) - seen:
            seen.add(item)
            todo.append(item)
    required = {name for name, _ in seen}
    assert len(required) > 40
    assert required <= in_image
    # more only where another platform needs it
    assert {name for name in in_image - required if _installed(name)} == set()


def _installed(name: str) -> bool:
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def test_tools_of_development_and_the_embedded_engine_stay_out(in_image: set[str]) -> None:
    assert in_image.isdisjoint(
        LEFT_OUT | {"pytest", "mypy", "ruff", "uv", "confluent-kafka", "setuptools", "pip"}
    )
    assert {
        "clickhouse-connect",
        "kafka-python",
        "faust-streaming",
        "psycopg-binary",
        "starlette",
    } <= in_image


def test_every_requirement_keeps_its_hashes(locked: ModuleType, root: Path) -> None:
    packages = locked.read((root / "requirements.lock").read_text("utf-8"))
    for package in locked.needed(packages, [locked.PROJECT], ["chdb"]):
        assert re.match(r"[A-Za-z0-9._-]+==\S+", package.lines[0])
        assert len(package.lines) > 1
        assert all("--hash=sha256:" in line for line in package.lines[1:])


def test_what_only_something_left_out_needs_is_left_out_too(locked: ModuleType) -> None:
    lock = (
        "a==1 \\\n    --hash=sha256:0\n    # via uptake (pyproject.toml)\n"
        "b==1 \\\n    --hash=sha256:0\n    # via a\n"
        "c==1 \\\n    --hash=sha256:0\n    # via\n    #   a\n    #   d\n"
        "d==1 \\\n    --hash=sha256:0\n    # via uptake (pyproject.toml)\n"
        "e==1 \\\n    --hash=sha256:0\n    # via uptake (pyproject.toml:dev)\n"
    )
    packages = locked.read(lock)
    names = lambda *without: [p.name for p in locked.needed(packages, [locked.PROJECT], without)]  # noqa: E731
    assert names() == ["a", "b", "c", "d"]
    assert names("a") == ["c", "d"]
    assert [p.name for p in locked.needed(packages, ["e"])] == ["e"]
    with pytest.raises(ValueError, match="f is not in the lock"):
        names("f")


def test_no_service_imports_what_the_image_lacks(in_image: set[str]) -> None:
    program = (
        "import importlib, sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'chdb', 'pandas', 'datastore', 'confluent_kafka'}:\n"
        "            raise ImportError(f'{name} is not in the image')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "for module in sys.argv[1:]: importlib.import_module(module)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *SERVED], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_image_copies_what_the_package_is_made_of(root: Path) -> None:
    text = (root / "Dockerfile").read_text("utf-8")
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    linked = {path.name for path in (root / "src" / "uptake").iterdir() if path.is_symlink()}
    assert copied == linked | {"src"}
    allowed = {
        line[1:] for line in (root / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    sources = {
        word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()
    }
    assert sources == allowed


def test_the_base_image_is_pinned_and_both_stages_use_it(root: Path) -> None:
    text = (root / "Dockerfile").read_text("utf-8")
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+$", text, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2
    assert text.count("--require-hashes --only-binary :all:") == 2
    final = text.rpartition("FROM ")[2]
    assert "apt-get" not in final
    assert "pip install" not in final


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.mark.parametrize(("path", "code"), [("/readyz", 0), ("/broken", 1)])
def test_healthy_means_an_answer_of_200(path: str, code: int, root: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        assert _healthy(root, f"http://127.0.0.1:{server.server_port}{path}") == code
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
    assert _healthy(root, f"http://127.0.0.1:{server.server_port}{path}") == 1


def _healthy(root: Path, url: str) -> int:
    script = str(root / "deploy" / "healthy.py")
    environment = {
        "http_proxy": "http://127.0.0.1:1"
    }  # it asks its own container, whatever a proxy is set to
    return subprocess.run(
        [sys.executable, "-I", script, url], env=environment, capture_output=True, timeout=60, check=False
    ).returncode
