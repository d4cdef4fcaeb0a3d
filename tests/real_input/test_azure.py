"""28,185 production calls of two LLM services, through the importer, the real pipeline and the real engine.

Azure LLM inference trace 2023 (Azure Public Dataset, CC-BY 4.0). Its totals were added up outside this project:
8,819 and 19,366 calls, 40,421,844 context and 4,334,561 generated tokens.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from uptake.calendar import IsoWeek, Period
from uptake.clickhouse import Database
from uptake.money import to_nano
from uptake.sql.runner import KpiRunner
from uptake.workspace.models import App, Organisation, Price, Workspace

CALLS, CONTEXT, GENERATED = 28_185, 40_421_844, 4_334_561
BY_APP = {"azure-code": 8_819, "azure-conv": 19_366}
DAY = Period(date(2023, 11, 16), date(2023, 11, 17), "UTC")
STORED = """
SELECT count() AS calls, sum(input_uncached_tokens) AS context, sum(output_visible_tokens) AS generated
FROM usage FINAL
WHERE tenant = {tenant:String}
"""
ROWS = "SELECT count() AS n FROM usage WHERE tenant = {tenant:String}"


@pytest.fixture(scope="module")
def organisation() -> Workspace:
    """One organisation for the whole module: the trace is imported once. It pays by negotiated prices."""
    price = Price(provider="azure", model="trace-model", input=Decimal("0.5"), output=Decimal("2.25"))
    return Workspace(
        organisation=Organisation(tenant=f"t-{uuid.uuid4().hex[:12]}", name="Azure", currency="USD"),
        apps=tuple(App(app=app, owner="Azure") for app in BY_APP),
        prices=(price,),
    )


@pytest.fixture(scope="module")
def load(
    database: Database, organisation: Workspace, shared_data: Path, importer: Callable[..., Any]
) -> Callable[[], dict[str, Any]]:
    """Imports both files by the maps of `examples/imports`."""

    def both() -> dict[str, Any]:
        folder = shared_data / "azure-llm-2023"
        return {
            app: importer(
                database,
                organisation,
                folder / f"AzureLLMInferenceTrace_{app[-4:]}.csv",
                "usage",
                f"{app}.yaml",
            )
            for app in BY_APP
        }

    return both


@pytest.fixture(scope="module")
def imported(load: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    return load()


@pytest.fixture(scope="module")
def kpis(database: Database, organisation: Workspace, imported: object) -> KpiRunner:
    return KpiRunner(database.tenant(organisation.tenant), organisation)


def test_every_row_is_in_and_none_is_refused(imported: dict[str, Any]) -> None:
    assert {app: (report.rows, report.accepted) for app, report in imported.items()} == {
        app: (rows, rows) for app, rows in BY_APP.items()
    }
    assert [report.rejected for report in imported.values()] == [[], []]


def test_the_stored_totals_are_those_of_the_files(
    database: Database, organisation: Workspace, imported: object
) -> None:
    expected = {"calls": CALLS, "context": CONTEXT, "generated": GENERATED}
    assert database.tenant(organisation.tenant).query(STORED) == [expected]


def test_every_kpi_that_counts_calls_says_exactly_these(kpis: KpiRunner) -> None:
    calls = kpis.run("calls", DAY)
    assert (calls.value, calls.extras["deliberate"], calls.extras["errors"]) == (CALLS, CALLS, 0)
    assert (kpis.run("error_rate", DAY).numerator, kpis.run("error_rate", DAY).denominator) == (0, CALLS)
    late = kpis.run("late_share", DAY)  # imported: nobody can say when it should have arrived
    assert (late.value, late.excluded["not_from_sdk"]) == (None, CALLS)
    assert kpis.run("unauthorised_share", DAY).extras["calls"] == CALLS
    assert kpis.run("unauthorised_share", DAY).extras["unauthorised_calls"] == 0


def test_every_kpi_that_sums_tokens_says_exactly_these(kpis: KpiRunner) -> None:
    tokens = kpis.run("tokens", DAY)
    assert tokens.value == CONTEXT + GENERATED
    assert (tokens.extras["input"], tokens.extras["output"]) == (CONTEXT, GENERATED)
    assert set(tokens.excluded.values()) == {0}
    unpriced = kpis.run("unpriced_share", DAY)
    assert (unpriced.numerator, unpriced.denominator) == (CONTEXT + GENERATED, CONTEXT + GENERATED)


def test_a_call_without_a_model_has_no_price_and_is_not_free(kpis: KpiRunner) -> None:
    spend = kpis.run("spend", DAY)
    assert sum(spend.excluded.values()) >= CALLS
    assert spend.value == 0


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata", "America/Los_Angeles"])
def test_the_week_holds_them_all_in_any_zone(kpis: KpiRunner, zone: str) -> None:
    assert kpis.run("calls", IsoWeek(2023, 46).period(zone)).value == CALLS
    assert kpis.run("calls", IsoWeek(2023, 47).period(zone)).numerator == 0


def test_the_two_halves_of_the_day_add_up(kpis: KpiRunner) -> None:
    """The trace runs from 18:15 to 19:15 UTC, so midnight in Kolkata (18:30 UTC) cuts it."""
    zone = "Asia/Kolkata"
    before = kpis.run("tokens", Period(date(2023, 11, 16), date(2023, 11, 17), zone)).value
    after = kpis.run("tokens", Period(date(2023, 11, 17), date(2023, 11, 18), zone)).value
    assert before
    assert after
    assert before + after == CONTEXT + GENERATED


def test_money_is_exact_to_the_nano_unit(
    database: Database,
    organisation: Workspace,
    shared_data: Path,
    importer: Callable[..., Any],
    tmp_path: Path,
) -> None:
    """The smaller file again, as another tenant's, with a model that has a negotiated price."""
    own = f"t-{uuid.uuid4().hex[:12]}"
    priced = organisation.model_copy(
        update={"organisation": organisation.organisation.model_copy(update={"tenant": own})}
    )
    mapping = tmp_path / "priced.yaml"
    text = (Path(__file__).parents[2] / "examples" / "imports" / "azure-code.yaml").read_text()
    mapping.write_text(
        text.replace("  provider: azure\n", "  provider: azure\n  response_model: trace-model\n")
    )
    file = shared_data / "azure-llm-2023" / "AzureLLMInferenceTrace_code.csv"
    importer(database, priced, file, "usage", mapping)
    rows = [line.split(",") for line in file.read_text().splitlines()[1:]]
    context, generated = sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows)
    expected = (Decimal("0.5") * context + Decimal("2.25") * generated) / 1_000_000
    runner = KpiRunner(database.tenant(own), priced)
    assert runner.run("spend", DAY).value == to_nano(expected)
    assert runner.run("unpriced_share", DAY).numerator == 0


def test_importing_again_changes_nothing(
    database: Database,
    organisation: Workspace,
    imported: object,
    load: Callable[[], dict[str, Any]],
    kpis: KpiRunner,
) -> None:
    reader = database.tenant(organisation.tenant)
    before = (reader.query(STORED), kpis.run("tokens", DAY))
    again = load()
    assert {app: (r.accepted, r.duplicates) for app, r in again.items()} == {
        a: (0, n) for a, n in BY_APP.items()
    }
    assert (reader.query(STORED), kpis.run("tokens", DAY)) == before
    assert reader.query(ROWS)[0]["n"] == CALLS  # without FINAL too: nothing was even written twice
