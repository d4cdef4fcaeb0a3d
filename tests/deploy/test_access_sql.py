"""The SQL under deploy/clickhouse: the engine understands it, and it names all that it must."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from uptake.clickhouse import Database
from uptake.sql.migrate import split

PEOPLE = {"user_id", "session_id", "trace_id", "response_id", "reviewer_id", "client_id"}
TEXTS = {"payload", "detail", "path", "tags", "draft_text", "final_text"}
HASH = {"migrate_sha256", "uptake_sha256", "grafana_sha256", "sha256"}
_COLUMNS = re.compile(r"SELECT\(([^)]*)\) ON uptake\.(\w+)")
_WHOLE = re.compile(r"SELECT ON uptake\.(\w+)")


@pytest.fixture(scope="session")
def columns(database: Database) -> dict[str, set[str]]:
    """Columns of each table that the migrations make."""
    found: dict[str, set[str]] = {}
    sql = "SELECT table, name FROM system.columns WHERE database = currentDatabase()"
    for row in database.query(sql):
        found.setdefault(row["table"], set()).add(row["name"])
    return found


def parsed(database: Database, statement: str) -> list[str]:
    """The statement as the engine's parser takes it apart. Raises when it does not."""
    bound = {name: "0" * 64 for name in HASH if f"{{{name}:" in statement}
    rows = database.client().query(f"EXPLAIN AST {statement}", parameters=bound).result_rows
    return [row[0] for row in rows]


def test_the_engine_parses_every_statement(
    database: Database, access_statements: list[str], root: Path
) -> None:
    template = (root / "deploy" / "clickhouse" / "tenant.sql").read_text("utf-8").replace("@USER@", "bi.acme")
    statements = [*access_statements, *split(template)]
    assert len(statements) > 20
    for statement in statements:
        assert parsed(database, statement)


def test_the_engine_refuses_what_is_no_statement(database: Database) -> None:
    with pytest.raises(Exception, match="SYNTAX_ERROR"):
        parsed(database, "GRANT EVERYTHING ON uptake.usage TO uptake_service")


def test_every_statement_can_be_run_again(access_statements: list[str]) -> None:
    again = re.compile(
        r"CREATE (ROLE|USER|SETTINGS PROFILE) IF NOT EXISTS |CREATE (ROW POLICY|QUOTA) OR REPLACE |(ALTER|GRANT)\s"
    )
    assert [statement for statement in access_statements if not again.match(statement)] == []


def test_a_role_is_never_made_anew(access_statements: list[str]) -> None:
    assert not any(
        re.match(r"(CREATE (ROLE|USER) OR REPLACE|DROP)", statement) for statement in access_statements
    )


def test_a_grant_of_rights_takes_away_what_it_does_not_name(access_statements: list[str]) -> None:
    rights = [s for s in access_statements if s.startswith("GRANT") and " ON " in s]
    assert len(rights) == 4
    assert all(statement.endswith("WITH REPLACE OPTION") for statement in rights)


def test_every_table_with_a_tenant_has_both_row_policies(columns: dict[str, set[str]], access: Any) -> None:
    """A table that is new in sql/migrations fails here until deploy/clickhouse/access/2_rows.sql names it."""
    of_tenants = {table for table, names in columns.items() if "tenant" in names}
    assert {"usage", "dead_letters", "activity"} <= of_tenants
    assert {policy.name: set(policy.tables) for policy in access.policies} == {
        "uptake_all_rows": of_tenants,
        "uptake_own_rows": of_tenants,
    }


def test_only_the_tenants_role_sees_its_own_rows_only(access: Any) -> None:
    by_name = {policy.name: policy for policy in access.policies}
    assert by_name["uptake_own_rows"].roles == ("uptake_tenant",)
    assert "tenant" in by_name["uptake_own_rows"].filter
    assert set(by_name["uptake_all_rows"].roles) == set(access.grants) - {"uptake_tenant"}


@pytest.mark.parametrize("role", ["uptake_operations", "uptake_tenant"])
def test_readers_are_granted_columns_that_exist_and_none_of_a_person(
    role: str, columns: dict[str, set[str]], access: Any
) -> None:
    granted = {
        table: {c.strip() for c in names.split(",")} for names, table in _COLUMNS.findall(access.grants[role])
    }
    assert len(granted) >= 5
    for table, names in granted.items():
        assert names <= columns[table], f"{table} has no {names - columns[table]}"
        assert names.isdisjoint(PEOPLE | TEXTS), table
    for table in _WHOLE.findall(access.grants[role]):
        assert columns[table].isdisjoint(PEOPLE | TEXTS | {"tenant"}), table


def test_a_tenant_is_granted_nothing_of_tables_that_all_tenants_share(
    columns: dict[str, set[str]], access: Any
) -> None:
    shared = {table for table, names in columns.items() if "tenant" not in names}
    assert {"log_records", "log_permits"} <= shared
    named = set(re.findall(r"uptake\.([\w*]+)", access.grants["uptake_tenant"]))
    assert named.isdisjoint(shared | {"*"})


@pytest.mark.parametrize("role", ["uptake_operations", "uptake_tenant"])
def test_readers_read_only_and_count_each_event_once(role: str, access: Any) -> None:
    assert access.profiles[role]["readonly"] == "1"
    assert access.profiles[role]["final"] == "1"
    assert re.fullmatch(r"(\s*SELECT(\([^)]*\))? ON uptake\.\w+,?)+", access.grants[role])


def test_readers_have_a_quota(access_statements: list[str]) -> None:
    limited = [s for s in access_statements if s.startswith("CREATE QUOTA")]
    assert {statement.rsplit(maxsplit=1)[1] for statement in limited} == {
        "uptake_operations",
        "uptake_tenant",
    }


@pytest.fixture
def ask_now(database: Database) -> Callable[[str], Any]:
    return lambda sql: database.query(sql)[0]


def test_a_users_name_gives_its_tenant(access: Any, ask_now: Callable[[str], Any]) -> None:
    rule = next(policy.filter for policy in access.policies if policy.name == "uptake_own_rows")
    assert rule.startswith("tenant = ")
    for user, tenant in (("bi.acme", "acme"), ("bi.acme-2_x.tableau", "acme-2_x"), ("nobody", "")):
        expression = rule.removeprefix("tenant = ").replace("currentUser()", f"'{user}'")
        assert ask_now(f"SELECT {expression} AS tenant") == {"tenant": tenant}
