"""Run by a test: ClickHouse's HTTP interface over the engine as one role has it, until it is ended. Its URL is its
only line on standard output; the arguments are what opens the engine, and a port."""

from __future__ import annotations

import sys

import chdb

from uptake.engine_front import EngineFront
from uptake.ingest.gateway.serve import Server


def main() -> None:
    connection = chdb.connect(sys.argv[1])
    front = EngineFront(sys.argv[1])
    server = Server(front.app, port=int(sys.argv[2]))
    url = front.url(server.start())
    server.run_until_signal(announce=lambda: print(url, flush=True))
    server.stop()
    front.close()
    connection.close()


main()
