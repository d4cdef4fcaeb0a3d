"""The deployment's files, read as what they are; and the real engine with the rights of one of its roles.

chDB has no users that SQL could make, but it does hold its one user (`default`) to a users file. `Access.users_file`
says there what deploy/clickhouse/access says of a role, so grants, row policies and profiles are enforced by the same
code as in a server. What this cannot show: quotas, passwords, and that users are given their roles.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.sax.saxutils import escape

import pytest
import yaml

from uptake.sql.migrate import split

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

FRONT_NEEDS = "GRANT SHOW DATABASES ON default.*"
"""What the front before the engine asks for and a server does not: it says `USE default`."""

_GRANT = re.compile(r"GRANT\s+(?P<what>.+?)\s+TO\s+(?P<role>\w+)\s+WITH REPLACE OPTION", re.DOTALL)
_POLICY = re.compile(
    r"CREATE ROW POLICY OR REPLACE (?P<name>\w+) ON\s+(?P<tables>.+?)\s+USING (?P<filter>.+?) TO (?P<roles>[\w, ]+)",
    re.DOTALL,
)
_PROFILE = re.compile(r"ALTER SETTINGS PROFILE (?P<name>\w+) SETTINGS\s+(?P<settings>.+)", re.DOTALL)
_ROLE_PROFILE = re.compile(r"ALTER ROLE (?P<role>\w+) SETTINGS PROFILE '(?P<profile>\w+)'")


@dataclass(frozen=True)
class Policy:
    name: str
    tables: tuple[str, ...]
    filter: str
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """What deploy/clickhouse/access says, by role."""

    grants: Mapping[str, str]
    policies: Sequence[Policy]
    profiles: Mapping[str, Mapping[str, str]]

    def users_file(self, role: str, user: str) -> str:
        """`default` with a role's rights, as if its name were `user`."""
        filters = {
            table: policy.filter
            for policy in self.policies
            if role in policy.roles
            for table in policy.tables
        }
        tables = "".join(
            f"<{table}><filter>{escape(rule.replace('currentUser()', repr(user)))}</filter></{table}>"
            for table, rule in filters.items()
        )
        settings = "".join(f"<{name}>{value}</{name}>" for name, value in self.profiles.get(role, {}).items())
        return (
            "<clickhouse>"
            f"<profiles><default>{settings}</default></profiles><quotas><default/></quotas>"
            "<users><default><password></password><networks><ip>::/0</ip></networks>"
            "<profile>default</profile><quota>default</quota>"
            f"<grants><query>GRANT {escape(self.grants[role])}</query><query>{FRONT_NEEDS}</query></grants>"
            f"<databases><uptake>{tables}</uptake></databases>"
            "</default></users></clickhouse>"
        )


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """docker-compose.yml, its anchors resolved, its variables not."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


@pytest.fixture(scope="session")
def services(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose["services"]
    return found


@pytest.fixture(scope="session")
def our_services(services: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Those that run our own image."""
    return {name: service for name, service in services.items() if "build" in service}


@pytest.fixture(scope="session")
def access_statements() -> list[str]:
    """All statements under deploy/clickhouse/access, in the order in which they are applied."""
    files = sorted((ROOT / "deploy" / "clickhouse" / "access").glob("*.sql"))
    return [statement for file in files for statement in split(file.read_text("utf-8"))]


@pytest.fixture(scope="session")
def access(access_statements: list[str]) -> Access:
    grants = {m["role"]: m["what"] for s in access_statements if (m := _GRANT.fullmatch(s))}
    policies = [
        Policy(
            m["name"],
            tuple(table.strip().removeprefix("uptake.") for table in m["tables"].split(",")),
            m["filter"],
            tuple(role.strip() for role in m["roles"].split(",")),
        )
        for s in access_statements
        if (m := _POLICY.fullmatch(s))
    ]
    named = {m["name"]: _settings(m["settings"]) for s in access_statements if (m := _PROFILE.fullmatch(s))}
    profiles = {
        m["role"]: named[m["profile"]] for s in access_statements if (m := _ROLE_PROFILE.fullmatch(s))
    }
    return Access(grants, policies, profiles)


def _settings(text: str) -> dict[str, str]:
    return dict(re.findall(r"(\w+) = (\w+)", text))


@pytest.fixture(scope="session")
def engine_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for all roles, one after the other."""
    return tmp_path_factory.mktemp("engine") / "db"


@pytest.fixture(scope="session")
def opened_as(access: Access, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """`opened_as(directory, role)`: what opens the engine on a directory so that it allows what it allows `role`."""

    def path(directory: Path, role: str, user: str = "nobody") -> str:
        folder = tmp_path_factory.mktemp(role)
        (folder / "users.xml").write_text(access.users_file(role, user))
        (folder / "config.xml").write_text(
            f"<clickhouse><users_config>{folder / 'users.xml'}</users_config></clickhouse>"
        )
        return f"{directory}?config-file={folder / 'config.xml'}"

    return path


@pytest.fixture(scope="session")
def run_as(opened_as: Callable[..., str], engine_directory: Path) -> Callable[..., Any]:
    """`run_as(role, program, given)`: a program of this folder in a process of its own, in which the engine allows what
    it allows `role`; `given` is its JSON input, its JSON output is returned."""

    def run(
        role: str, program: str, given: object, user: str = "nobody", directory: Path = engine_directory
    ) -> Any:
        done = subprocess.run(
            [sys.executable, str(HERE / program), opened_as(directory, role, user)],
            input=json.dumps(given), capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture(scope="session")
def ask_as(migrated: None, run_as: Callable[..., Any]) -> Callable[..., list[dict[str, Any]]]:
    """`ask_as(role, statements, user)`: for each statement {"rows": …} or {"error": name of the engine's error}."""
    return lambda role, statements, user="nobody": run_as(role, "program_ask.py", statements, user)


@pytest.fixture(scope="session")
def migrated(run_as: Callable[..., Any]) -> None:
    """The schema, made with the rights of `uptake migrate`'s user and no others."""
    assert run_as("uptake_schema", "program_migrate.py", None)


@pytest.fixture(scope="session")
def load() -> Callable[[str], ModuleType]:
    """A script of deploy/ as a module."""

    def module(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"deploy_{name}", ROOT / "deploy" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = loaded
        spec.loader.exec_module(loaded)
        return loaded

    return module
