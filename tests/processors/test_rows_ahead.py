"""Rows are made before it is known which events are new: those of known ones are left out, the others are as ever."""

from __future__ import annotations

from typing import Any

import pytest

from uptake.processors.pipeline import Written

KINDS = ("usage", "feedback", "cost")
LATER = {"ver", "received_at", "inserted_at"}
"""What tells when a row was made."""


def said(bench: Any) -> list[list[dict[str, Any]]]:
    """Every row that was written, by table."""
    return [
        [
            {name: value for name, value in row.items() if name not in LATER}
            for row in bench.rows(table, final=False)
        ]
        for table in KINDS
    ]


@pytest.mark.parametrize("known", [[0], [1, 3], [0, 1, 2, 3], [4, 5], [8], range(9)])
def test_rows_of_new_events_are_the_same_whatever_was_known_beside_them(
    make_bench: Any, tenant: str, event: Any, known: list[int]
) -> None:
    bench, other = make_bench(tenant), make_bench(f"{tenant}-whole")
    sent = [
        event(n, KINDS[n % 3], app=f"app-{n}", user_id=f"p{n}", session_id=f"s{n}", tags={"n": str(n)})
        for n in range(9)
    ]
    other.process(sent)
    bench.process([sent[n] for n in known])
    first, second = bench.process(sent[:4], sent[4:])
    assert first.accepted + second.accepted == 9 - len(known)
    assert first.duplicates + second.duplicates == len(known)
    for ours, theirs in zip(said(bench), said(other), strict=True):
        assert ours == [{**row, "tenant": tenant} for row in theirs]


def test_tenants_are_written_together_each_with_words_of_its_own(
    bench: Any, tenant: str, event: Any, workspace: Any
) -> None:
    others = [f"{tenant}-{n}" for n in range(3)]
    for n, other in enumerate(others):
        apps = [{"app": f"app-{n}", "owner": "o"}]
        bench.workspaces[other] = workspace(tenant=other, organisation={"currency": "USD"}, apps=apps)
    batches = [
        bench.batch([event((n, k), app=f"app-{(n + k) % 2}", team=f"team-{n}") for k in range(4)], other)
        for n, other in enumerate(others)
    ]
    bench.process(*batches, [event("own", "feedback")])
    assert bench.database.inserts == ["usage", "feedback"]
    for n, other in enumerate(others):
        rows = bench.rows("usage", other)
        assert sorted(row["app"] for row in rows) == ["app-0"] * 2 + ["app-1"] * 2
        assert {(row["team"], row["currency"]) for row in rows} == {(f"team-{n}", "USD")}
    assert bench.heard == [
        Written(others[0], usage=4, unauthorised=2),
        Written(others[1], usage=4, unauthorised=2),
        Written(others[2], usage=4, unauthorised=4),
        Written(tenant, feedback=1),
    ]
