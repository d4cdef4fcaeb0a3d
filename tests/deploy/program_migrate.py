"""Run by `run_as`: the migrations, twice, as `uptake migrate` runs them against a server."""

from __future__ import annotations

import json
import sys

import chdb

from uptake.clickhouse import Database
from uptake.engine_front import EngineFront
from uptake.ingest.gateway.serve import Server
from uptake.sql.migrate import migrate


def main() -> None:
    connection = chdb.connect(sys.argv[1])
    front = EngineFront(sys.argv[1])
    server = Server(front.app)
    database = Database.served(front.url(server.start()))
    applied = [migration.file for migration in migrate(database)]
    again = migrate(database)
    database.close()
    server.stop()
    front.close()
    connection.close()
    print(json.dumps(applied if not again else []))


main()
