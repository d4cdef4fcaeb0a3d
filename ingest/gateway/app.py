"""The gateway: takes batches of events over HTTP and answers when they are durable.

POST /v1/events   a batch; the answer says what became of each event
GET /healthz      the process is alive
GET /readyz       it can take events now (each component, and why not)
GET /metrics      Prometheus' text format
GET /openapi.json the description of all this
"""

from __future__ import annotations

import asyncio
import math
import random
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from uptake.clock import Clock
from uptake.ingest.gateway.answers import answer, status_of
from uptake.ingest.gateway.client_report import BadReport, read_report
from uptake.ingest.gateway.limits import Limits, Memory, RateLimiter
from uptake.ingest.gateway.metrics import MetricName, Metrics
from uptake.ingest.gateway.openapi import openapi_document
from uptake.ingest.gateway.problems import MEDIA_TYPE, Problem, ProblemKind, malformed, unavailable
from uptake.ingest.gateway.quiet import where
from uptake.ingest.gateway.request import Body, ClientGone, authenticate, body_encoding
from uptake.ingest.gateway.sink import NotTaken, Outcome, Sink
from uptake.schemas.batch import (
    MAX_BATCH_EVENTS,
    Batch,
    ClientReport,
    MalformedBatch,
    Receipt,
    StoreUnavailable,
)
from uptake.state.keys import KeyStore

_log = structlog.get_logger(__name__)

Readiness = Callable[[], Mapping[str, str]]
"""Component -> "ok" or "ok, but …" (events can be taken), or why they cannot. May wait (it is called in a thread);
holds no secrets."""

REQUEST_ID = "Uptake-Request-Id"
_Handler = Callable[[Request], Awaitable[Response]]


class Gateway:
    """The routes, and what they share."""

    def __init__(
        self,
        sink: Sink,
        keys: KeyStore,
        clock: Clock,
        limits: Limits,
        readiness: Readiness,
        metrics: Metrics,
        monotonic: Callable[[], float],
    ) -> None:
        self._sink = sink
        self._keys = keys
        self._clock = clock
        self._limits = limits
        self._readiness = readiness
        self._metrics = metrics
        self._rate = RateLimiter(limits.requests_per_second, limits.burst_requests, monotonic)
        self._memory = Memory(limits.bodies_bytes)
        metrics.watch(MetricName.WAITING_EVENTS, "Events taken and not yet durable (about)", sink.waiting)
        metrics.watch(MetricName.WAITING_BYTES, "Memory of the bodies in hand", lambda: self._memory.used)

    def routes(self) -> list[Route]:
        return [
            Route("/v1/events", self._counted("/v1/events", self.events), methods=["POST"]),
            Route("/healthz", self._counted("/healthz", self.healthz), methods=["GET"]),
            Route("/readyz", self._counted("/readyz", self.readyz), methods=["GET"]),
            Route("/metrics", self._counted("/metrics", self.metrics), methods=["GET"]),
            Route("/openapi.json", self._counted("/openapi.json", self.openapi), methods=["GET"]),
        ]

    async def events(self, request: Request) -> Response:
        # 1. Who sends it: before a byte of the body is read.
        caller = await authenticate(request.headers, self._keys, self._metrics)
        wait = self._rate.wait_of(caller.key_id)
        if wait:
            self._metrics.rate_limited.inc()
            raise _too_fast(wait)
        # 2. In what form.
        encoding = body_encoding(request.headers)
        report = self._report(request)
        # 3. The body, under limits that are counted while it streams.
        body = Body(self._memory)
        try:
            data = await body.read(request.receive, request.headers, encoding, self._limits)
            self._metrics.body_bytes.observe(len(data))
            # 4. Hand over, and wait until it is durable. 5. Only then answer.
            batch = Batch(caller.tenant, data, self._clock.now(), "http", report)
            receipt = await self._durable(batch)
        finally:
            body.release()
        self._metrics.receipt(receipt)
        return Response(answer(receipt).model_dump_json(), status_of(receipt), media_type="application/json")

    async def healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(self, _: Request) -> Response:
        components = dict(await run_in_threadpool(self._readiness))
        ready = all(state == "ok" or state.startswith("ok, but ") for state in components.values())
        content = {"status": "ok" if ready else "not ready", "components": components}
        return JSONResponse(content, 200 if ready else 503, None if ready else {"Retry-After": "5"})

    async def metrics(self, _: Request) -> Response:
        content, media_type = self._metrics.exposition()
        return Response(content, headers={"Content-Type": media_type})

    async def openapi(self, _: Request) -> Response:
        return Response(openapi_document(), media_type="application/json")

    async def refused(self, request: Request, error: Exception) -> Response:
        """Whatever is raised outside of a route: unknown paths and methods."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        if status == 405:
            allow = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
            problem = Problem(
                ProblemKind.METHOD_NOT_ALLOWED,
                "Method not allowed",
                "this path does not take this method",
                "the Allow header lists those it takes",
                allow,
            )
        else:
            problem = Problem(
                ProblemKind.NOT_FOUND,
                "Not found",
                "there is nothing at this path",
                "GET /openapi.json lists the paths",
            )
        self._metrics.requests.labels("other", str(int(problem.status))).inc()
        return _problem_response(problem, _request_id())

    def _counted(self, route: str, handler: _Handler) -> _Handler:
        """`handler` with a request id, its problems answered, its bugs logged without people's data, all counted."""

        async def counted(request: Request) -> Response:
            request_id = _request_id()
            try:
                response = await handler(request)
                response.headers[REQUEST_ID] = request_id
            except ClientGone:
                self._metrics.abandoned.inc()
                return Response(status_code=499)  # nobody reads it; not counted as an answer
            except Problem as problem:
                response = _problem_response(problem, request_id)
            except Exception as error:  # noqa: BLE001 - the last place before the server would log its message
                _log.error(
                    "request failed",
                    route=route,
                    request_id=request_id,
                    error=type(error).__name__,
                    where=where(error),
                )
                response = _problem_response(_bug(), request_id)
            self._metrics.requests.labels(route, str(response.status_code)).inc()
            return response

        return counted

    def _report(self, request: Request) -> ClientReport | None:
        try:
            return read_report(request.headers)
        except BadReport:
            self._metrics.bad_reports.inc()
            return None

    async def _durable(self, batch: Batch) -> Receipt:
        """Returns once the batch is durable. Raises a `Problem` for everything else: then it was not acknowledged."""
        try:
            future: Future[Outcome] = self._sink.submit(batch)
        except NotTaken as error:
            raise unavailable(str(error), 1) from None
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                outcome = await asyncio.wrap_future(future)
            if isinstance(outcome, StoreUnavailable):
                raise outcome
        except StoreUnavailable:
            raise unavailable("the events could not be made durable now", 2) from None
        except TimeoutError:
            seconds = f"{self._limits.answer_seconds:g}"
            raise unavailable(f"the events were not durable after {seconds} seconds", 5) from None
        if isinstance(outcome, MalformedBatch):
            raise malformed(str(outcome), f"send a JSON array of at most {MAX_BATCH_EVENTS} events")
        return outcome


def _request_id() -> str:
    """A random UUID. From the process's own generator: it is a name and no secret, and asking the system for
    randomness hands the interpreter to another thread at every request."""
    return str(uuid.UUID(int=random.getrandbits(128), version=4))


def _too_fast(wait: float) -> Problem:
    return Problem(
        ProblemKind.TOO_MANY_REQUESTS,
        "Too many requests",
        "this API key sends requests faster than it may",
        "wait as long as Retry-After says, and send larger batches",
        {"Retry-After": str(math.ceil(wait))},
    )


def _bug() -> Problem:
    return Problem(
        ProblemKind.BUG,
        "An error of the gateway",
        "the request could not be handled; nothing of it was acknowledged",
        "send it again; if it stays, report the number in `instance`",
    )


def _problem_response(problem: Problem, request_id: str) -> Response:
    headers = {**problem.headers, REQUEST_ID: request_id}
    return Response(problem.body(request_id), int(problem.status), headers, media_type=MEDIA_TYPE)


def _always_ready() -> Mapping[str, str]:
    return {}


def create_app(
    sink: Sink,
    keys: KeyStore,
    clock: Clock,
    limits: Limits | None = None,
    readiness: Readiness = _always_ready,
    metrics: Metrics | None = None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Starlette:
    """The gateway as an ASGI app. `sink` is owned, started and stopped by the caller, after the server."""
    gateway = Gateway(sink, keys, clock, limits or Limits(), readiness, metrics or Metrics(), monotonic)
    app = Starlette(routes=gateway.routes(), exception_handlers={HTTPException: gateway.refused})
    app.router.redirect_slashes = False  # a redirected POST loses its body in many clients
    return app
