"""Prices change: what is stored costs what it costs now, once, whoever writes at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from uptake.clickhouse import Database
from uptake.processors.identity import CORRECTIONS
from uptake.processors.pipeline import Pipeline
from uptake.processors.reprice import RepriceReport, reprice
from uptake.schemas.batch import Batch, LogPosition, StoreUnavailable
from uptake.sql.migrate import migrate

OWN = {"provider": "openai", "model": "own", "input": "2", "output": "4", "currency": "EUR"}
DEAR = {**OWN, "input": "20", "output": "40"}


def prices(*given: dict[str, Any]) -> dict[str, Any]:
    return {"prices": list(given)}


class Shop:
    """A tenant whose prices change."""

    def __init__(self, bench: Any, workspace: Callable[..., Any]) -> None:
        self.bench = bench
        self.workspace = workspace

    def has(self, organisation: Any = None, **files: Any) -> None:
        self.bench.workspaces[self.bench.tenant] = self.workspace(organisation, **files)

    def reprice(self, database: Any = None, **options: Any) -> RepriceReport:
        self.bench.later(seconds=1)
        now = self.bench.clock.now()
        where = {"start": now - timedelta(days=3), "end": now + timedelta(days=3), **options}
        own = self.bench.workspaces[self.bench.tenant]
        return reprice(own, database or self.bench.reader, self.bench.clock, **where)

    def costs(self, table: str = "usage") -> list[int | None]:
        return [row["cost_nano"] for row in self.bench.rows(table)]


@pytest.fixture
def shop(bench: Any, workspace: Any) -> Shop:
    return Shop(bench, workspace)


def own(event: Any, key: int, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = event(key, request_model="own", response_model="own", **fields)
    return made


def test_stored_calls_cost_what_the_prices_of_now_say(shop: Shop, bench: Any, event: Any) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, key) for key in range(3)])
    assert shop.costs() == [2_400_000] * 3
    shop.has(**prices(DEAR))
    report = shop.reprice()
    assert shop.costs() == [24_000_000] * 3
    usage = report.tables["usage"]
    assert (usage.rows, usage.changed, report.difference()) == (3, 3, 64_800_000)
    assert (usage.before, usage.after) == ({"EUR": 7_200_000}, {"EUR": 72_000_000})


def test_a_correction_repeats_all_that_it_does_not_correct(shop: Shop, bench: Any, event: Any) -> None:
    full = own(
        event, 1, tags={"a": "b"}, session_id="s", duration_ms=5, reported_cost="1", reported_currency="USD"
    )
    position = LogPosition("t", 3, 14)
    shop.has(**prices(OWN))
    bench.process(Batch(bench.tenant, json.dumps([full]).encode(), bench.clock.now(), position=position))
    [before] = bench.rows("usage")
    shop.has(**prices(DEAR))
    shop.reprice()
    [after] = bench.rows("usage")
    different = {name for name in before if before[name] != after[name]}
    assert different == {"ver", "cost_nano", "cost_upper_nano", "inserted_at"}
    assert after["ver"] >= CORRECTIONS > before["ver"]
    assert (after["log_topic"], after["log_partition"], after["log_offset"]) == position


def test_an_unknown_model_gets_its_price_and_a_bound_that_is_no_longer_one(
    shop: Shop, bench: Any, event: Any
) -> None:
    bench.process([own(event, 1)])
    [before] = bench.rows("usage")
    assert (before["cost_nano"], before["price_source"]) == (None, "unknown")
    assert before["cost_upper_nano"] > 0
    shop.has(**prices(OWN))
    usage = shop.reprice().tables["usage"]
    [after] = bench.rows("usage")
    assert (after["cost_nano"], after["cost_upper_nano"], after["price_source"]) == (
        2_400_000,
        2_400_000,
        "workspace",
    )
    assert (usage.unknown_before, usage.unknown_after) == (1, 0)


def test_a_price_that_is_taken_back_leaves_not_known_and_never_zero(
    shop: Shop, bench: Any, event: Any
) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, 1)])
    shop.has()
    shop.reprice()
    [row] = bench.rows("usage")
    assert (row["cost_nano"], row["price_source"]) == (None, "unknown")
    assert row["cost_upper_nano"] > 0


def test_what_was_billed_is_converted_with_the_rates_of_now(shop: Shop, bench: Any, event: Any) -> None:
    bench.process(
        [
            event(1, "cost", amount="10.00"),
            event(2, "cost", amount="-4.00", category="credit"),
            event(3, "cost", currency="GBP"),
        ]
    )
    assert sorted(shop.costs("cost"), key=str) == [-2_000_000_000, 5_000_000_000, None]
    shop.has(fx=[{"currency": "USD", "rate": "0.25"}, {"currency": "GBP", "rate": "2"}])
    report = shop.reprice()
    assert sorted(filter(None, shop.costs("cost"))) == [-1_000_000_000, 2_500_000_000, 25_000_000_000]
    assert (report.tables["cost"].changed, report.tables["cost"].unknown_before) == (3, 1)


def test_what_an_app_reported_is_converted_again_from_what_it_said(
    shop: Shop, bench: Any, event: Any
) -> None:
    said = {"reported_cost": "3.00", "reported_currency": "GBP"}
    bench.process([own(event, 1, **said)])
    assert shop.costs() == [None], "nobody gave a rate"
    for rate, cost in (("2", 6_000_000_000), ("3", 9_000_000_000)):
        shop.has(fx=[{"currency": "GBP", "rate": rate}])
        shop.reprice()
        assert shop.costs() == [cost]
    shop.has(fx=[])
    shop.reprice()
    assert shop.costs() == [None]
    assert bench.row()["cost_upper_nano"] == 3_000_000_000


def test_another_currency_of_the_organisation_restates_every_row(shop: Shop, bench: Any, event: Any) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, 1), event(2, "cost", amount="10.00")])
    shop.has({"currency": "USD"}, fx=[{"currency": "EUR", "rate": "2"}], **prices(OWN))
    report = shop.reprice()
    assert [(row["cost_nano"], row["currency"]) for row in bench.rows("usage")] == [(4_800_000, "USD")]
    assert [(row["cost_nano"], row["currency"]) for row in bench.rows("cost")] == [(10_000_000_000, "USD")]
    assert (report.tables["usage"].before, report.tables["usage"].after) == (
        {"EUR": 2_400_000},
        {"USD": 4_800_000},
    )


def test_prices_that_did_not_change_write_nothing(shop: Shop, bench: Any, event: Any) -> None:
    shop.has(**prices(OWN))
    special = [
        own(event, 1, status="error", output_tokens=...),
        own(event, 2, cache_hit=True),
        event(3),
        event(4, service_tier="batch"),
        event(
            5,
            operation="execute_tool",
            response_model=...,
            request_model=...,
            input_tokens=...,
            output_tokens=...,
        ),
        event(6, input_tokens=..., output_tokens=...),
        event(7, operation="embeddings", output_tokens=...),
        event(8, request_model="x", response_model="x", reported_cost="0.30", reported_currency="USD"),
        event(9, provider="nobody", request_model="x", response_model="x"),
        event(10, cache_read_input_tokens=400, cache_creation_input_tokens=100, reasoning_output_tokens=30),
    ]
    bench.process([*special, event(11, "cost"), event(12, "cost", currency="GBP")])
    report = shop.reprice()
    assert [(table, change.rows, change.changed) for table, change in report.tables.items()] == [
        ("usage", 10, 0),
        ("cost", 2, 0),
    ]
    assert len(bench.rows("usage", final=False)) == 10


def test_a_row_from_before_reported_amounts_were_kept_stays_what_it_is(
    shop: Shop, bench: Any, event: Any
) -> None:
    bench.process([own(event, 1, reported_cost="3.00", reported_currency="USD")])
    [row] = bench.rows("usage")
    old = {**row, "reported_nano": None, "reported_currency": "", "ver": row["ver"] + 1}
    bench.reader.insert_json_lines("usage", json.dumps(old, default=str).encode())
    assert shop.reprice().tables["usage"].changed == 0
    assert shop.costs() == [1_500_000_000]


def test_a_dry_run_says_what_would_change_and_changes_nothing(shop: Shop, bench: Any, event: Any) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, 1)])
    shop.has(**prices(DEAR))
    dry = shop.reprice(dry_run=True)
    assert shop.costs() == [2_400_000]
    assert (dry.tables, dry.difference()) == (shop.reprice().tables, 21_600_000)


def test_only_the_period_and_the_app_that_are_named_are_priced_again(
    shop: Shop, bench: Any, event: Any, now: Any
) -> None:
    shop.has(**prices(OWN))
    hour = timedelta(hours=1)
    times = (now - hour, now, now + hour)
    bench.process([own(event, n, at=at) for n, at in enumerate(times)] + [own(event, 3, at=now, app="other")])
    shop.has(**prices(DEAR))
    shop.reprice(start=now, end=now + hour, app="helper")
    changed = {(row["occurred_at"], row["app"]) for row in bench.rows("usage") if row["ver"] >= CORRECTIONS}
    assert changed == {(now, "helper")}, "[start, end)"


def test_many_rows_are_read_in_bounded_blocks_each_once(shop: Shop, bench: Any, event: Any, now: Any) -> None:
    shop.has(**prices(OWN))
    dense = [own(event, key, at=now + timedelta(milliseconds=key // 7)) for key in range(150)]
    sparse = [own(event, key, at=now - timedelta(hours=key - 150)) for key in range(150, 190)]
    bench.process(dense + sparse)
    shop.has(**prices(DEAR))
    seen: list[int] = []
    report = shop.reprice(block=20, progress=lambda r: seen.append(r.tables["usage"].rows))
    assert (report.tables["usage"].rows, report.tables["usage"].changed) == (190, 190)
    assert max(b - a for a, b in zip([0, *seen], seen, strict=False)) <= 20
    assert shop.costs() == [24_000_000] * 190


def test_killed_at_any_write_and_run_again_equals_run_once(shop: Shop, bench: Any, event: Any) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, key) for key in range(50)] + [event(99, "cost")])
    shop.has(**prices(DEAR), fx=[{"currency": "USD", "rate": "2"}])

    class Killed(Exception):  # noqa: N818 - what a kill is
        pass

    class Dying:
        """The database of a process that ends before or after its nth write."""

        def __init__(self, lives: int, late: bool) -> None:
            self.lives, self.late = lives, late

        def tenant(self, tenant: str) -> Any:
            return bench.reader.tenant(tenant)

        def insert_block(self, *args: Any) -> None:
            self.lives -= 1
            if self.lives < 0 and not self.late:
                raise Killed
            bench.reader.insert_block(*args)
            if self.lives < 0:
                raise Killed

    for lives, late in ((0, False), (0, True), (1, False), (2, True)):
        with pytest.raises(Killed):
            shop.reprice(Dying(lives, late), block=10)
    last = shop.reprice(block=10)
    # By then 0 + 10 + 10 + 30 rows were written.
    assert (last.tables["usage"].changed, last.tables["cost"].changed) == (0, 1)
    assert shop.costs() == [24_000_000] * 50
    assert shop.costs("cost") == [25_000_000_000]
    assert shop.reprice().tables["usage"].changed == 0
    assert len(bench.rows("usage", final=False)) <= 100, "nothing was corrected twice"


def test_a_first_row_that_is_written_late_does_not_win_over_a_correction(
    shop: Shop, bench: Any, event: Any
) -> None:
    shop.has(**prices(OWN))
    body = json.dumps([own(event, 1)]).encode()
    first = Batch(bench.tenant, body, bench.clock.now())
    bench.later(hours=2)
    again = Batch(bench.tenant, body, bench.clock.now())
    slow = Pipeline(bench.workspaces.get, bench.reader, bench.clock)
    late = slow.prepare([again])
    known, slow._store.known = slow._store.known, lambda tenant, ids: {}  # type: ignore[method-assign, assignment]
    bench.process(first)
    shop.has(**prices(DEAR))
    bench.later(hours=-3)
    shop.reprice()
    assert slow.commit(late)[0].accepted == 1, "it looked before the first one was written"
    assert shop.costs() == [24_000_000], "whatever the clocks say"
    slow._store.known = known  # type: ignore[method-assign]
    assert slow.commit(late)[0].duplicates == 1


def test_the_same_event_sent_again_after_a_correction_is_a_duplicate(
    shop: Shop, bench: Any, event: Any
) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, 1)])
    shop.has(**prices(DEAR))
    shop.reprice()
    assert bench.process([own(event, 1)])[0].duplicates == 1
    assert bench.process([own(event, 1, app="other")])[0].rejections[0].reason == "conflict"
    assert shop.costs() == [24_000_000]


def test_a_correction_of_a_correction_wins_even_when_the_clock_went_back(
    shop: Shop, bench: Any, event: Any
) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, 1)])
    shop.has(**prices(DEAR))
    shop.reprice()
    bench.later(days=-1)
    shop.has(**prices(OWN))
    shop.reprice()
    assert shop.costs() == [2_400_000]


def test_a_store_that_fails_is_told_without_the_data(shop: Shop, bench: Any, event: Any, secret: str) -> None:
    shop.has(**prices(OWN))
    bench.process([own(event, 1)])
    shop.has(**prices(DEAR))
    bench.database.broken = {"usage"}
    with pytest.raises(StoreUnavailable, match="writing usage failed") as failure:
        shop.reprice(bench.database)
    assert secret not in str(failure.value)


def test_it_works_over_http_as_in_the_process(
    clickhouse_front: Any, clock: Any, workspace: Any, event: Any, tenant: str
) -> None:
    database = Database.served(clickhouse_front().url)
    migrate(database)
    before, after = workspace(**prices(OWN)), workspace(**prices(DEAR))
    body = json.dumps([own(event, 1), event(2, "cost")]).encode()
    Pipeline({tenant: before}.get, database, clock).process([Batch(tenant, body, clock.now())])
    day = timedelta(days=1)
    reports = [reprice(after, database, clock, clock.now() - day, clock.now() + day) for _ in range(2)]
    assert [report.tables["usage"].changed for report in reports] == [1, 0]
    [row] = database.query("SELECT * FROM usage FINAL")
    assert (row["cost_nano"], row["tags"]) == (24_000_000, {})
    database.close()
