"""deploy/make-env.sh: every secret that is required, new, private, and never twice."""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

REQUIRED = re.compile(r"\$\{(\w+):\?")


def make(root: Path, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(root / "deploy" / "make-env.sh"), str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def variables(file: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in file.read_text("utf-8").splitlines() if not line.startswith("#"))
    return {name: value for name, separator, value in pairs if separator}


def test_it_makes_every_secret_that_compose_requires(root: Path, tmp_path: Path) -> None:
    assert make(root, tmp_path / ".env").returncode == 0
    made = variables(tmp_path / ".env")
    required = set(REQUIRED.findall((root / "docker-compose.yml").read_text("utf-8")))
    assert len(required) >= 6
    assert {name for name, value in made.items() if value} == required


def test_each_secret_is_its_own_and_long_and_safe_in_a_url(root: Path, tmp_path: Path) -> None:
    make(root, tmp_path / "one")
    make(root, tmp_path / "two")
    values = [v for file in ("one", "two") for v in variables(tmp_path / file).values() if v]
    assert len(set(values)) == len(values)
    assert [value for value in values if not re.fullmatch(r"[0-9a-f]{48,64}", value)] == []


def test_the_servers_hash_is_that_of_the_password(root: Path, tmp_path: Path) -> None:
    make(root, tmp_path / ".env")
    made = variables(tmp_path / ".env")
    expected = hashlib.sha256(made["CLICKHOUSE_ADMIN_PASSWORD"].encode()).hexdigest()
    assert made["CLICKHOUSE_ADMIN_PASSWORD_SHA256"] == expected


def test_only_the_owner_may_read_it(root: Path, tmp_path: Path) -> None:
    make(root, tmp_path / ".env")
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600


def test_secrets_in_use_are_never_replaced(root: Path, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("UPTAKE_PSEUDONYM_KEY=precious\n")
    done = make(root, tmp_path / ".env")
    assert done.returncode == 1
    assert "exists" in done.stderr
    assert (tmp_path / ".env").read_text() == "UPTAKE_PSEUDONYM_KEY=precious\n"
    assert [path.name for path in tmp_path.iterdir()] == [".env"]


def test_no_secret_is_said_aloud(root: Path, tmp_path: Path) -> None:
    done = make(root, tmp_path / ".env")
    assert not any(
        value in done.stdout + done.stderr for value in variables(tmp_path / ".env").values() if value
    )


def test_the_example_explains_every_variable_and_holds_no_value(root: Path) -> None:
    example = (root / ".env.example").read_text("utf-8")
    assert set(variables(root / ".env.example").values()) == {""}
    named = set(re.findall(r"^(?:# )?([A-Z0-9_]+)=", example, re.MULTILINE))
    used = set(re.findall(r"\$\{(\w+)", (root / "docker-compose.yml").read_text("utf-8")))
    assert named == used


def test_git_and_the_image_never_see_it(root: Path) -> None:
    assert ".env" in (root / ".gitignore").read_text("utf-8").split()
    assert (root / ".dockerignore").read_text("utf-8").splitlines()[1] == "*"
