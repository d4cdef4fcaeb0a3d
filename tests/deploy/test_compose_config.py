"""`docker compose config` itself, where the client has it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Config = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def config(root: Path) -> Config:
    """`config(env_file, *options)` runs it on docker-compose.yml; nothing of this process's environment gets in."""
    candidates = [["docker", "compose"], ["docker-compose"]]
    if told := os.environ.get("UPTAKE_TEST_COMPOSE"):
        candidates.insert(0, [told])
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    for command in candidates:
        if shutil.which(command[0]) is None:
            continue
        asked = subprocess.run(
            [*command, "version"], capture_output=True, text=True, timeout=60, check=False, env=clean
        )
        if asked.returncode == 0:
            break
    else:
        pytest.skip(
            "no Docker client with compose: install docker-compose-plugin, or set UPTAKE_TEST_COMPOSE to one"
        )

    def run(env_file: Path, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, "--project-directory", str(root), "--env-file", str(env_file), "config", *options],
            capture_output=True, text=True, timeout=60, check=False, env=clean, cwd=root,
        )  # fmt: skip

    return run


@pytest.fixture
def env_file(root: Path, tmp_path: Path) -> Path:
    made = tmp_path / "env"
    subprocess.run(
        ["sh", str(root / "deploy" / "make-env.sh"), str(made)], check=True, capture_output=True, timeout=60
    )
    return made


def test_compose_accepts_the_file(config: Config, env_file: Path) -> None:
    done = config(env_file, "--format", "json")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "warn" not in done.stderr.lower()
    assert set(json.loads(done.stdout)["services"]) >= {
        "kafka",
        "clickhouse",
        "gateway",
        "worker",
        "scheduler",
    }


def test_compose_refuses_to_start_without_secrets_and_says_how_to_make_them(
    config: Config, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    done = config(empty, "--quiet")
    assert done.returncode != 0
    assert "run sh deploy/make-env.sh" in done.stderr


def test_each_secret_is_missed_by_name(config: Config, env_file: Path, tmp_path: Path) -> None:
    lines = [line for line in env_file.read_text().splitlines() if line.partition("=")[2]]
    secrets = [line.partition("=")[0] for line in lines if not line.startswith("#")]
    assert len(secrets) == 7
    for missing in secrets:
        part = tmp_path / missing
        part.write_text("\n".join(line for line in lines if not line.startswith(f"{missing}=")))
        done = config(part, "--quiet")
        assert done.returncode != 0
        assert missing in done.stderr
