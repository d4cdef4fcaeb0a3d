"""Where nothing is broken the oracle and the service agree: prices, teams, tokens and money were worked out twice."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from uptake_chaos.ask import Asker
from uptake_chaos.oracle import Oracle
from uptake_chaos.sender import Sender
from uptake_chaos.world import TENANTS, price_list, write_workspace

from uptake.home import Home
from uptake.local.process import ChildProcess, accepts, free_port
from uptake.settings import Settings

SECONDS = 2.0


def test_the_oracle_and_the_embedded_service_agree_to_the_last_nano(tmp_path: Path) -> None:
    today, port = datetime.now(UTC).date(), free_port()
    write_workspace(tmp_path / "workspace", today)
    settings = Settings(workspace=tmp_path / "workspace", data=tmp_path / "data")
    with Home(settings) as home:
        tokens = {tenant.name: home.keys.create(tenant.name, "chaos").token for tenant in TENANTS}
    service = ChildProcess(
        "uptake up",
        [str(Path(sys.executable).with_name("uptake")), "up", "--port", str(port)],
        tmp_path / "up.log",
        {"UPTAKE_WORKSPACE": str(settings.workspace), "UPTAKE_DATA": str(settings.data), "UPTAKE_KAFKA": ""},
    )
    service.start(lambda: accepts(port), 60)
    try:
        oracle = Oracle()
        sender = Sender(f"http://127.0.0.1:{port}", tokens, oracle, 7, rate=1_500)
        sender.start()
        threading.Event().wait(SECONDS)
        sender.finish(60)
        asker = Asker((settings.data / "clickhouse.url").read_text())
        difference = oracle.difference(asker.sums(), asker.ids(), price_list(0, today))
        assert not difference, str(difference)
        assert len(oracle.made) > 1_000
        assert sender.said.doubled_events > 10
        assert asker.rows("SELECT count() AS n FROM dead_letters FINAL")[0]["n"] == 0
    finally:
        service.kill()
