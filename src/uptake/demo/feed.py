"""The apps: one SDK client each, fed with the plan. What the gateway loses or refuses is noticed, never assumed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from uptake.demo.calls import Call
from uptake.errors import UptakeError
from uptake.ingest.sdk.answers import Answer, Retry
from uptake.ingest.sdk.client import Client
from uptake.ingest.sdk.transport import HttpTransport, Transport, Unreached

_FLUSH_SECONDS = 30.0


class ForgetfulNetwork:
    """A network that delivers, and can lose the answer of one delivery: the SDK must then send the same again."""

    def __init__(self, url: str) -> None:
        self._inner: Transport = HttpTransport(url)
        self.lose_next = False
        self.lost = 0

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        answer = self._inner.post(body, headers, seconds)
        if self.lose_next:
            self.lose_next = False
            self.lost += 1
            raise Unreached("the demo lost this answer on purpose")
        return answer

    def close(self) -> None:
        self._inner.close()


class Apps:
    """The organisation's apps. `new_key` gives the API key of an app. Close it when done."""

    def __init__(
        self, apps: Iterable[str], endpoint: str, new_key: Callable[[str], str], pseudonym_key: str
    ) -> None:
        # The SDK's warnings would be about what is planted; whatever else is lost, `lost` tells.
        logging.getLogger("uptake").addHandler(logging.NullHandler())
        self._networks: dict[str, ForgetfulNetwork] = {}
        self._clients: dict[str, Client] = {}
        for app in apps:
            network = self._networks[app] = ForgetfulNetwork(f"{endpoint}/v1/events")
            self._clients[app] = Client(
                endpoint,
                new_key(app),
                app,
                "production",
                pseudonym_key,
                # The demo decides when to send: a slice goes out whole, when its last call was made.
                linger=_FLUSH_SECONDS,
                retry=Retry(base=0.05),
                transport=_just(network),
            )
        self._senders = ThreadPoolExecutor(max_workers=len(self._clients), thread_name_prefix="demo-flush")

    def lose_next_answer(self, app: str) -> None:
        """The next delivery of `app` arrives, and its answer does not."""
        self._networks[app].lose_next = True

    @property
    def answers_lost(self) -> int:
        return sum(network.lost for network in self._networks.values())

    def send(self, calls: Iterable[Call]) -> None:
        """Make the calls and wait until all of them are settled. Raises UptakeError when they are not."""
        for call in calls:
            _say(self._clients[call.app], call)
        settled = self._senders.map(lambda client: client.flush(_FLUSH_SECONDS), self._clients.values())
        if not all(settled):
            raise UptakeError(
                f"the gateway did not take the demo's events within {_FLUSH_SECONDS:.0f} s",
                "the machine is very busy: run the demo again when it is not",
            )

    @property
    def accepted(self) -> int:
        return sum(client.stats().accepted for client in self._clients.values())

    def lost(self) -> dict[str, int]:
        """Events that will not arrive, by reason, over all apps."""
        by_reason: dict[str, int] = {}
        for client in self._clients.values():
            stats = client.stats()
            for reason, count in [*stats.dropped.items(), *stats.refused.items()]:
                by_reason[reason] = by_reason.get(reason, 0) + count
        return by_reason

    def close(self) -> None:
        self._senders.shutdown()
        for client in self._clients.values():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _just(network: ForgetfulNetwork) -> Callable[[], Transport]:
    return lambda: network


def _say(client: Client, call: Call) -> None:
    fields: dict[str, Any] = {**call.fields, "occurred_at": call.at}
    if call.user:
        fields["user"] = call.user
    match call.verb:
        case "usage":
            client.usage(**fields)
        case "thumb":
            client.thumb(fields.pop("thumb"), **fields)
        case "edit":
            client.edit(fields.pop("draft"), fields.pop("final"), **fields)
        case "decision":
            client.decision(fields.pop("decision"), reviewer=call.user or None, **fields)
        case "survey":
            client.survey(fields.pop("score"), **fields)
        case "cost":
            client.cost(**fields)
