"""The front over the embedded engine as a process of its own: `python -m uptake.local.front DIRECTORY --port N`.

Its password is in UPTAKE_FRONT_PASSWORD. For tests and trials of the distributed mode without a ClickHouse server.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from uptake import engine
from uptake.clickhouse import Database
from uptake.engine_front import EngineFront
from uptake.ingest.gateway.serve import Server


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m uptake.local.front", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=8123)
    options = parser.parse_args()
    password = os.environ.get("UPTAKE_FRONT_PASSWORD", "")
    if not password:
        parser.error("UPTAKE_FRONT_PASSWORD is not set")
    database = Database.embedded(options.directory)
    front = EngineFront(engine.address(options.directory), password)
    server = Server(front.app, port=options.port)
    server.start()
    server.run_until_signal()
    server.stop()
    front.close()
    database.close()


if __name__ == "__main__":
    main()
