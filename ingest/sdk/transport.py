"""One POST over urllib3: keep-alive and time limits; no redirects, no proxies from the environment, no own retries."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from uptake.ingest.sdk.answers import Answer

MAX_ANSWER_BYTES = 1024 * 1024
_CONNECT_SECONDS = 5.0


class Unreached(Exception):  # noqa: N818 - named for what happened
    """No whole answer came: the events may or may not have arrived. `str()` is the kind of failure, no more."""


class Transport(Protocol):
    """What the sender needs of the network. Used by one thread at a time."""

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        """The answer to `body`. Raises Unreached when there is none within about `seconds`."""

    def close(self) -> None: ...


NewTransport = Callable[[], Transport]


class HttpTransport:
    """Posts to one address and nowhere else: a redirect is an answer, so the key never goes to another host."""

    def __init__(self, url: str) -> None:
        import urllib3  # imported late, on the sender's thread: it costs 70 ms

        self._url = url
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False)
        self._timeout = urllib3.Timeout

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        end = time.monotonic() + seconds
        timeout = self._timeout(connect=min(_CONNECT_SECONDS, seconds), read=seconds)
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers=dict(headers),
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                told = b""
                while part := response.read1(65_536):
                    told += part
                    if len(told) > MAX_ANSWER_BYTES or time.monotonic() > end:
                        raise Unreached("the answer is too long or too slow")
            except BaseException:
                response.close()  # half an answer: the connection cannot serve another request
                raise
            response.release_conn()
        except Unreached:
            raise
        except Exception as problem:
            raise Unreached(type(problem).__name__) from problem
        return Answer(response.status, {k.lower(): v for k, v in response.headers.items()}, told)

    def close(self) -> None:
        self._pool.clear()
