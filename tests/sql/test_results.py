"""What KPIs and queries give back can be judged without a database."""

from __future__ import annotations

import subprocess
import sys


def _loaded(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.split())


def test_the_types_of_results_load_no_database() -> None:
    assert _loaded("import uptake.sql.results").isdisjoint(
        {"clickhouse_connect", "chdb", "uptake.clickhouse"}
    )


def test_the_rule_above_would_see_a_database() -> None:
    assert "clickhouse_connect" in _loaded("import uptake.sql.queries")
