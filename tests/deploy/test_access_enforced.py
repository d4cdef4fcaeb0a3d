"""The engine holds each role to its rights: those suffice for what the service does, and for nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from uptake.schemas.identity import derive

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TENANTS = ("acme", "globex")
Ask = Callable[..., list[dict[str, Any]]]


def usage(key: str, at: datetime = NOW) -> dict[str, Any]:
    return {
        "event_id": str(derive("deploy", key, at)),
        "type": "usage",
        "occurred_at": at.isoformat(),
        "app": "helper",
        "user_id": "u-1",
        "provider": "openai",
        "request_model": "gpt-4o",
        "input_tokens": 1000,
        "output_tokens": 100,
    }


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tenants."""
    top = tmp_path_factory.mktemp("workspace")
    for tenant in TENANTS:
        (top / tenant).mkdir()
        (top / tenant / "organisation.yaml").write_text(
            f"tenant: {tenant}\nname: {tenant}\nzone: UTC\nlocale: en\ncurrency: USD\n"
        )
        (top / tenant / "roster.csv").write_text(
            "person,team,seat,champion,joined,left,wave\nu-1,claims,yes,no,2026-01-01,,1\n"
        )
    return top


@pytest.fixture(scope="module")
def written(migrated: None, run_as: Callable[..., Any], workspace: Path) -> list[list[int]]:
    """Five events of each tenant, one batch of them twice, and one refused event; by the service's own user."""
    batches = []
    for tenant in TENANTS:
        events = [usage(f"{tenant}-{n}", NOW - timedelta(minutes=n)) for n in range(5)]
        batches += [
            {"tenant": tenant, "events": events},
            {"tenant": tenant, "events": [{"type": "nonsense"}]},
        ]
    batches.append(batches[0])
    given = {"now": NOW.isoformat(), "workspace": str(workspace), "batches": batches}
    outcomes: list[list[int]] = run_as("uptake_service", "program_write.py", given)
    return outcomes


def test_the_service_may_do_what_pipeline_and_scheduler_do(written: list[list[int]]) -> None:
    assert written == [[5, 0], [0, 1], [5, 0], [0, 1], [0, 0]]


def test_the_service_reads_what_it_wrote(written: list[list[int]], ask_as: Ask) -> None:
    counts = [
        "SELECT count() FROM uptake.usage FINAL",
        "SELECT count() FROM uptake.dead_letters FINAL",
        "SELECT count() FROM uptake.roster FINAL",
        "SELECT count() FROM uptake.log_records FINAL",
    ]
    answers = ask_as("uptake_service", counts)
    assert [answer["rows"][0][0] for answer in answers] == [10, 2, 2, 5]


FORBIDDEN_TO_THE_SERVICE = (
    "DROP TABLE uptake.usage",
    "TRUNCATE TABLE uptake.usage",
    "ALTER TABLE uptake.usage DELETE WHERE 1",
    "ALTER TABLE uptake.usage UPDATE cost_nano = 0 WHERE 1",
    "DELETE FROM uptake.usage WHERE 1",
    "ALTER TABLE uptake.usage DROP PARTITION 202611",
    "ALTER TABLE uptake.usage ADD COLUMN x Int8",
    "CREATE TABLE uptake.other (x Int8) ENGINE = MergeTree ORDER BY x",
    "CREATE DATABASE other",
    "DROP DATABASE uptake",
    "SELECT * FROM file('/etc/passwd', LineAsString)",
    "SELECT * FROM url('http://127.0.0.1:1/', LineAsString)",
    "CREATE USER mallory",
    "GRANT SELECT ON uptake.usage TO default",
)


def test_the_service_may_do_nothing_else(written: list[list[int]], ask_as: Ask) -> None:
    answers = ask_as("uptake_service", list(FORBIDDEN_TO_THE_SERVICE))
    said = dict(zip(FORBIDDEN_TO_THE_SERVICE, answers, strict=True))
    assert {statement: a for statement, a in said.items() if a.get("error") != "ACCESS_DENIED"} == {}


def test_the_service_may_delete_what_is_only_a_cache(written: list[list[int]], ask_as: Ask) -> None:
    caches = [
        "DELETE FROM uptake.activity WHERE generation = 0",
        "DELETE FROM uptake.activity_builds WHERE cells = 0",
    ]
    assert ask_as("uptake_service", caches) == [{"rows": []}, {"rows": []}]


def test_the_schemas_user_makes_no_other_database_and_no_users(ask_as: Ask) -> None:
    answers = ask_as(
        "uptake_schema", ["CREATE DATABASE other", "CREATE USER mallory", "DROP DATABASE uptake"]
    )
    assert [answer.get("error") for answer in answers] == ["ACCESS_DENIED"] * 3


def test_a_tenant_sees_its_own_rows_each_once(written: list[list[int]], ask_as: Ask) -> None:
    statements = [
        "SELECT tenant, count(), sum(input_uncached_tokens) FROM uptake.usage GROUP BY tenant ORDER BY tenant",
        "SELECT tenant, reason, count() FROM uptake.dead_letters GROUP BY ALL ORDER BY tenant",
    ]
    for tenant in TENANTS:
        for user in (f"bi.{tenant}", f"bi.{tenant}.tableau"):
            answers = ask_as("uptake_tenant", statements, user)
            assert answers == [{"rows": [[tenant, 5, 5000]]}, {"rows": [[tenant, "unknown_type", 1]]}]


@pytest.mark.parametrize("user", ["bob", "bi.", "bi.nobody", "acme"])
def test_a_user_without_a_tenant_sees_nothing(user: str, written: list[list[int]], ask_as: Ask) -> None:
    answers = ask_as(
        "uptake_tenant", ["SELECT tenant FROM uptake.usage", "SELECT tenant FROM uptake.dead_letters"], user
    )
    assert answers == [{"rows": []}, {"rows": []}]


FORBIDDEN_TO_READERS = {
    "SELECT user_id FROM uptake.usage": "ACCESS_DENIED",
    "SELECT * FROM uptake.usage": "ACCESS_DENIED",
    "SELECT tenant FROM uptake.usage WHERE user_id != ''": "ACCESS_DENIED",
    "SELECT payload FROM uptake.dead_letters": "ACCESS_DENIED",
    "SELECT count() FROM uptake.roster": "ACCESS_DENIED",
    "SELECT count() FROM uptake.activity": "ACCESS_DENIED",
    "INSERT INTO uptake.usage (tenant) VALUES ('acme')": "ACCESS_DENIED",
    "SELECT tenant FROM uptake.usage SETTINGS final = 0": "READONLY",
    "SET readonly = 0": "READONLY",
}
FORBIDDEN_TO_TENANTS = {
    "SELECT count() FROM uptake.log_records": "ACCESS_DENIED",
    "SELECT count() FROM uptake.log_permits": "ACCESS_DENIED",
    "SELECT tenant FROM uptake.generations": "ACCESS_DENIED",
}


@pytest.mark.parametrize(
    ("role", "forbidden"),
    [
        ("uptake_operations", FORBIDDEN_TO_READERS),
        ("uptake_tenant", {**FORBIDDEN_TO_READERS, **FORBIDDEN_TO_TENANTS}),
    ],
)
def test_readers_see_no_person_no_payload_and_change_nothing(
    role: str, forbidden: dict[str, str], written: list[list[int]], ask_as: Ask
) -> None:
    answers = ask_as(role, list(forbidden), "bi.acme")
    assert dict(zip(forbidden, [answer.get("error") for answer in answers], strict=True)) == forbidden


def macros(sql: str, start: datetime, end: datetime) -> str:
    """Grafana's macros as the data source replaces them, its variable as Grafana does."""
    first, last = f"toDateTime({int(start.timestamp())})", f"toDateTime({int(end.timestamp())})"
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 >= {first} AND \1 <= {last}", sql)
    sql = re.sub(r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(toDateTime(\1), INTERVAL 60 second)", sql)
    sql = sql.replace("$__fromTime", first).replace("$__toTime", last).replace("$__interval_s", "60")
    return sql.replace("${tenant:singlequote}", "'acme','globex'")


@pytest.fixture(scope="module")
def dashboard(root: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((root / "deploy/grafana/dashboards/operations.json").read_text("utf-8"))
    return read


def test_grafanas_user_can_run_every_query_of_the_dashboard(
    dashboard: dict[str, Any], written: list[list[int]], ask_as: Ask
) -> None:
    queries = {p["title"]: t["rawSql"] for p in dashboard["panels"] for t in p["targets"]}
    variables = {v["name"]: v["query"] for v in dashboard["templating"]["list"]}
    named = {**variables, **queries}
    assert len(named) >= 10
    # inserted_at is the engine's own clock, which is ahead of or behind the events' fixed one
    sql = [macros(query, NOW - timedelta(days=1), NOW + timedelta(days=1)) for query in named.values()]
    assert not any("$" in query for query in sql), "a macro that this test does not know"
    answers = dict(zip(named, ask_as("uptake_operations", sql), strict=True))
    assert {name: answer["said"] for name, answer in answers.items() if "error" in answer} == {}
    assert sorted(answers["tenant"]["rows"]) == [["acme"], ["globex"]]
    assert answers["Dead letters that wait"]["rows"] == [[2]]
    assert answers["Holes in the log"]["rows"] == [[0]]
    assert answers["Log records by partition"]["rows"][0][:7] == ["uptake.usage", 0, 4, 0, 10, 5, 2]


def test_every_panel_says_what_it_shows_and_reads_the_provisioned_source(dashboard: dict[str, Any]) -> None:
    for panel in dashboard["panels"]:
        assert len(panel["description"]) > 20
        assert panel["datasource"]["uid"] == "uptake-clickhouse"
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "uptake-clickhouse"
            assert target["queryType"] == ("timeseries" if panel["type"] == "timeseries" else "table")
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
