"""ClickHouse's HTTP interface in front of the embedded engine, as far as clickhouse-connect speaks it.

chDB is one engine a process and locks its directory, so while `uptake up` runs no other process can open the
database. This front lets other commands (and, in tests, other processes) use the ordinary client against the
same engine: loopback only, with a password made at each start that stands in a file only the owner can read.
It serves the owner of the data and nobody else: it has no users and no row policies.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import tempfile
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import chdb
from clickhouse_connect.driver.binding import quote_identifier
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from uptake import engine
from uptake.clickhouse import DATABASE
from uptake.errors import UnavailableError
from uptake.perthread import PerThread

USER = "uptake"
MAX_FIELD_BYTES = 64 * 2**20

_SETTING = re.compile(r"[a-z][a-z0-9_]*")
_INSERT = re.compile(rb"(?is)\s*(INSERT\s+INTO\s.+?)\s+FORMAT\s+(\w+)\s*(?:\n|$)")
_TRAILING_FORMAT = re.compile(rb"(?is)\bFORMAT\s+(\w+)\s*;?\s*$")
# What changes something without reserving space for it, as inserts and merges do.
_UNRESERVED = re.compile(
    rb"(?is)(?:\s|--[^\n]*\n|/\*.*?\*/)*(CREATE|ALTER|DROP|DELETE|UPDATE|TRUNCATE|RENAME|EXCHANGE|ATTACH|DETACH)\b"
)
_ERROR_CODE = re.compile(r"Code: (\d+)")

# What clickhouse-connect sends for the HTTP server itself; the engine would refuse it as an unknown setting.
_TRANSPORT = frozenset(
    {
        *("query", "database", "buffer_size", "session_id", "session_timeout", "session_check", "query_id"),
        *("quota_key", "compress", "decompress", "wait_end_of_query", "client_protocol_version", "role"),
        *("send_progress_in_http_headers", "http_headers_progress_interval_ms", "enable_http_compression"),
    }
)


class EngineFront:
    """The front's application, and the address file that lets the owner's other processes find it."""

    def __init__(self, address: str, password: str | None = None) -> None:
        """`address` is what this process has opened the engine by already (`engine.address`), or ``:memory:``."""
        self.password = password or secrets.token_urlsafe(24)
        self._address = address
        self._connections: PerThread[Any] = PerThread(self._connect, lambda connection: connection.close())
        self.app = Starlette(
            routes=[Route("/ping", self._ping), Route("/", self._handle, methods=["GET", "POST"])]
        )

    def url(self, base_url: str) -> str:
        """The ``clickhouse://`` URL of this front, served at `base_url` (``http://127.0.0.1:port``)."""
        return f"clickhouse://{USER}:{self.password}@{base_url.removeprefix('http://')}/{DATABASE}"

    def announce(self, file: Path, base_url: str) -> None:
        """Write the URL where `Home` looks for it, readable by the owner only, whole or not at all."""
        handle, temporary = tempfile.mkstemp(dir=file.parent)
        with os.fdopen(handle, "w") as out:
            out.write(self.url(base_url))
        Path(temporary).replace(file)

    def close(self) -> None:
        self._connections.close()

    async def _ping(self, _request: Request) -> Response:
        return PlainTextResponse("Ok.\n")

    async def _handle(self, request: Request) -> Response:
        if not self._is_owner(request.headers.get("authorization", "")):
            return _failure("Code: 516. DB::Exception: Authentication failed", 403)
        parameters = dict(request.query_params)
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            async with request.form(max_part_size=MAX_FIELD_BYTES) as form:
                parameters.update({name: value for name, value in form.items() if isinstance(value, str)})
            body = b""
        else:
            body = await request.body()
        return await run_in_threadpool(self._run, parameters.get("query", "").encode(), body, parameters)

    def _is_owner(self, authorization: str) -> bool:
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = b64decode(encoded, validate=True)
        except (BadBase64, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given, f"{USER}:{self.password}".encode())

    def _run(self, statement: bytes, body: bytes, parameters: Mapping[str, str]) -> Response:
        whole = statement + b"\n" + body if statement and body else statement or body
        bound = {name[6:]: value for name, value in parameters.items() if name.startswith("param_")}
        settings = {
            name: value
            for name, value in parameters.items()
            if name not in _TRANSPORT and not name.startswith("param_") and _SETTING.fullmatch(name)
        }
        if _UNRESERVED.match(whole):
            try:
                engine.need_room(engine.path(self._address))
            except UnavailableError as error:  # as the engine says it of what reserves its space
                return _failure(f"Code: 243. DB::Exception: {error.message}. (NOT_ENOUGH_SPACE)", 500)
        try:
            connection = self._connection(parameters.get("database", ""))
            try:
                for name, value in settings.items():
                    connection.query(f"SET {name} = {_quoted(value)}")
                return self._execute(connection, whole, bound)
            finally:
                for name in settings:
                    connection.query(f"SET {name} = DEFAULT")
        except RuntimeError as error:  # what chdb raises for everything that the engine refuses
            return _failure(str(error), 500)

    def _execute(self, connection: Any, whole: bytes, bound: dict[str, str]) -> Response:
        insert = _INSERT.match(whole)
        if insert and insert[2].upper() != b"VALUES":
            with tempfile.NamedTemporaryFile(prefix="uptake-insert-") as file:
                file.write(whole[insert.end() :])
                file.flush()
                connection.query(
                    f"{insert[1].decode()} FROM INFILE {_quoted(file.name)} FORMAT {insert[2].decode()}"
                )
            return Response(b"")
        named = _TRAILING_FORMAT.search(whole)
        format_name = named[1].decode() if named else "TabSeparated"
        answer = connection.query(whole.decode(), format_name, params=bound).bytes()
        return Response(answer or b"", headers={"X-ClickHouse-Format": format_name})

    def _connect(self) -> Any:
        return chdb.connect(self._address)  # type: ignore[no-untyped-call]

    def _connection(self, database: str) -> Any:
        connection = self._connections.get()
        connection.query(f"USE {quote_identifier(database or 'default')}")
        return connection


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _failure(message: str, status: int) -> Response:
    code = _ERROR_CODE.search(message)
    return PlainTextResponse(
        message, status, headers={"X-ClickHouse-Exception-Code": code[1] if code else "1002"}
    )
