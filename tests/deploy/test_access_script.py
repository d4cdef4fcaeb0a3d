"""deploy/clickhouse/access.sh: what it tells clickhouse-client, written down by one that does nothing else."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORDS = {
    "CLICKHOUSE_PASSWORD": "of-admin",
    "CLICKHOUSE_MIGRATE_PASSWORD": "of-migrate",
    "CLICKHOUSE_UPTAKE_PASSWORD": "of-uptake",
    "CLICKHOUSE_GRAFANA_PASSWORD": "of-grafana",
}
CLIENT = """#!/usr/bin/env python3
import json, os, sys
said = {"arguments": sys.argv[1:], "input": "" if sys.stdin.isatty() else sys.stdin.read()}
with open(os.environ["SAID_TO"], "a") as file:
    file.write(json.dumps(said) + "\\n")
sys.exit(int(os.environ.get("EXIT_WITH", "0")))
"""


@dataclass
class Ran:
    code: int
    out: str
    err: str
    calls: list[dict[str, str]]


Script = Callable[..., Ran]


@pytest.fixture
def script(root: Path, tmp_path: Path) -> Script:
    client = tmp_path / "clickhouse-client"
    client.write_text(CLIENT)
    client.chmod(0o755)

    def run(*arguments: str, **more: str) -> Ran:
        said = tmp_path / "said"
        said.unlink(missing_ok=True)
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SAID_TO": str(said), **PASSWORDS, **more}
        done = subprocess.run(
            ["bash", str(root / "deploy" / "clickhouse" / "access.sh"), *arguments],
            env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        calls = [json.loads(line) for line in said.read_text().splitlines()] if said.exists() else []
        return Ran(done.returncode, done.stdout, done.stderr, calls)

    return run


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_apply_runs_every_file_in_order_with_the_hashes(script: Script, root: Path) -> None:
    ran = script("apply")
    assert ran.code == 0, ran.err
    files = [Path(call["arguments"][call["arguments"].index("--queries-file") + 1]) for call in ran.calls]
    assert files == sorted((root / "deploy" / "clickhouse" / "access").glob("*.sql"))
    for call in ran.calls:
        assert f"--param_uptake_sha256={sha256('of-uptake')}" in call["arguments"]
        assert f"--param_migrate_sha256={sha256('of-migrate')}" in call["arguments"]
        assert f"--param_grafana_sha256={sha256('of-grafana')}" in call["arguments"]


def test_no_password_is_an_argument_or_said(script: Script) -> None:
    ran = script("apply")
    everything = json.dumps(ran.calls) + ran.out + ran.err
    assert not any(password in everything for password in PASSWORDS.values())


def test_every_parameter_of_the_sql_is_given(script: Script, root: Path) -> None:
    given = {a.partition("=")[0] for call in script("apply").calls for a in call["arguments"]}
    sql = "".join(path.read_text() for path in (root / "deploy" / "clickhouse" / "access").glob("*.sql"))
    wanted = {f"--param_{name}" for name in re.findall(r"\{(\w+):String\}", sql)}
    assert len(wanted) == 3
    assert wanted <= given


def test_it_stops_at_the_first_file_that_fails(script: Script) -> None:
    ran = script("apply", EXIT_WITH="3")
    assert ran.code == 3
    assert len(ran.calls) == 1


def test_it_does_nothing_without_a_password(script: Script) -> None:
    ran = script("apply", CLICKHOUSE_UPTAKE_PASSWORD="")
    assert ran.code != 0
    assert ran.calls == []


@pytest.mark.parametrize(
    ("names", "user"), [(("acme",), "bi.acme"), (("acme-2", "tableau"), "bi.acme-2.tableau")]
)
def test_a_tenants_user_gets_a_password_of_its_own_once(
    script: Script, names: tuple[str, ...], user: str
) -> None:
    passwords = set()
    for _ in range(2):
        ran = script("tenant", *names)
        assert ran.code == 0, ran.err
        (call,) = ran.calls
        assert f"GRANT uptake_tenant TO `{user}`" in call["input"]
        assert "@USER@" not in call["input"].partition("CREATE")[2]
        password = re.search(r"^password  ([0-9a-f]{48})$", ran.out, re.MULTILINE)
        assert password is not None
        assert f"--param_sha256={sha256(password[1])}" in call["arguments"]
        assert password[1] not in json.dumps(call)
        passwords.add(password[1])
    assert len(passwords) == 2


@pytest.mark.parametrize("name", ["", "Acme", "a.b", "x`; DROP USER uptake; --", "../x", "a/b", "a" * 65])
@pytest.mark.parametrize("command", ["tenant", "forget"])
def test_what_is_no_name_of_a_tenant_never_reaches_the_database(
    script: Script, command: str, name: str
) -> None:
    ran = script(command, name)
    assert ran.code == 2
    assert ran.calls == []


def test_a_tenants_user_can_be_taken_away(script: Script) -> None:
    (call,) = script("forget", "acme").calls
    assert call["arguments"][-1] == "DROP USER IF EXISTS `bi.acme`"


@pytest.mark.parametrize("arguments", [(), ("help",), ("tenant",), ("tenant", "a", "b", "c")])
def test_a_wrong_command_line_says_how_it_is_used(script: Script, arguments: tuple[str, ...]) -> None:
    ran = script(*arguments)
    assert ran.code == 2
    assert "tenant NAME" in ran.err
    assert ran.calls == []
