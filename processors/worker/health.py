"""A worker's own small HTTP: /healthz, /readyz and /metrics. It serves nothing of what is in the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

Readiness = Callable[[], Mapping[str, str]]


class Exposed(Protocol):
    """What has metrics: a worker's, the scheduler's."""

    def exposition(self) -> tuple[bytes, str]:
        """Prometheus' text format, and its media type."""
        ...


def create_app(metrics: Exposed, readiness: Readiness) -> Starlette:
    """`readiness` gives component -> "ok", "ok, but …" where work goes on, or why it does not."""

    async def healthz(request: Request) -> Response:
        # The process is there. Whether it moves is the watchdog's to judge, and it ends what does not.
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        components = await run_in_threadpool(readiness)  # the scheduler's asks the database, which may hang
        ready = all(said.startswith("ok") for said in components.values())
        return JSONResponse({"ready": ready, "components": dict(components)}, 200 if ready else 503)

    async def exposition(request: Request) -> Response:
        body, media_type = await run_in_threadpool(metrics.exposition)
        return Response(body, media_type=media_type)

    return Starlette(
        routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]
    )
