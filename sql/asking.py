"""How the typed functions ask: a query by name, with only the parameters that it uses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from typing import Any

from uptake.clickhouse import TenantDatabase
from uptake.schemas.identity import id_range
from uptake.sql.catalogue import load_query

_OF_TEAMS = (files("uptake.sql") / "fragments" / "of_teams.sql").read_text("utf-8")
_QUERY = "/* query.sql */"
_PARAMETER = re.compile(r"\{\s*(\w+)\s*:")


def used_in(sql: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those parameters that the query names; the tenant is filled in by the database's choke point."""
    names = set(_PARAMETER.findall(sql)) - {"tenant"}
    return {name: parameters[name] for name in sorted(names)}


def ask(database: TenantDatabase, name: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of `sql/queries/<name>.sql`."""
    sql = load_query(name)
    return database.query(sql, used_in(sql, parameters))


def of_teams(sql: str) -> str:
    """A query's rows of the teams in the parameter `only_teams`."""
    return _OF_TEAMS.replace(_QUERY, sql)


def window(start: datetime, end: datetime) -> dict[str, Any]:
    """Parameters of [start, end), which need not be whole days."""
    id_from, id_to = id_range(start, end)
    return {"from_": start, "to_": end, "id_from": id_from, "id_to": id_to}
