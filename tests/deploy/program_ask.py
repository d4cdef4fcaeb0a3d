"""Run by `run_as`: SQL statements (a JSON list on standard input) against the engine, one after the other."""

from __future__ import annotations

import json
import re
import sys

import chdb

ERROR_NAME = re.compile(r"\(([A-Z_]+)\)")


def main() -> None:
    connection = chdb.connect(sys.argv[1])
    answers: list[dict[str, object]] = []
    for statement in json.load(sys.stdin):
        try:
            said = connection.query(statement, "JSONCompactEachRow").bytes().decode()
            answers.append({"rows": [json.loads(line) for line in said.splitlines()]})
        except RuntimeError as error:
            answers.append({"error": ERROR_NAME.findall(str(error))[-1], "said": str(error)[:500]})
    print(json.dumps(answers))


main()
