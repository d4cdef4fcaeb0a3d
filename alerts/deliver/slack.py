"""Slack through slack-sdk: one request a call, and every outcome named.

slack-sdk's own retries are off: it retries lost connections, and a lost connection may have posted. The fact's
identity travels as message metadata, which is how a message in doubt is found again in the channel's history.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from uptake.alerts.deliver import DeliveryError, LaterError, RefusedError, UnsureError
from uptake.alerts.message import Message
from uptake.alerts.render import slack

EVENT_TYPE = "uptake_fact"
TIMEOUT_SECONDS = 10
CLOCK_SKEW = timedelta(minutes=10)  # between this machine and Slack, when looking back
PAGE = 200
PAGES = 50

_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")

# What to do about the refusals that people meet. Slack's codes: https://docs.slack.dev/reference/methods
_REMEDIES: Mapping[str, str] = {
    "channel_not_found": "check the channel in channels.yaml; invite the app if it is private",
    "not_in_channel": "invite the app into the channel",
    "is_archived": "unarchive the channel or name another one in channels.yaml",
    "invalid_auth": "set UPTAKE_SLACK_TOKEN to a valid bot token",
    "not_authed": "set UPTAKE_SLACK_TOKEN to a valid bot token",
    "account_inactive": "the app was removed from the workspace: install it again and set UPTAKE_SLACK_TOKEN",
    "token_revoked": "install the app again and set UPTAKE_SLACK_TOKEN",
    "token_expired": "set UPTAKE_SLACK_TOKEN to a current bot token",
    "missing_scope": "give the app chat:write, channels:history, channels:read (groups:* for private channels)",
    "restricted_action": "a policy of the Slack workspace forbids posting there",
}
_BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"}
)
_LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"})
_UNSURE = frozenset(
    {"fatal_error", "internal_error", "request_timeout"}
)  # Slack: part of it may have succeeded


class SlackDeliverer:
    """Posts as the bot of `token`. `base_url` is where Slack's Web API is, ending in a slash."""

    def __init__(
        self, token: str, base_url: str = "https://slack.com/api/", timeout: int = TIMEOUT_SECONDS
    ) -> None:
        self._client = WebClient(token=token, base_url=base_url, timeout=timeout, retry_handlers=[])
        self._ids: dict[str, str] = {}

    def send(self, channel: str, message: Message) -> str:
        """Post the message; returns ``channel/ts``. Blocks that Slack refuses are tried plainer, then as text."""
        if not channel:
            raise RefusedError("no Slack channel is set for this message", "name one in channels.yaml")
        metadata = {
            "event_type": EVENT_TYPE,
            "event_payload": {"identity": message.identity, "kind": message.kind},
        }
        refused: RefusedError | None = None
        for payload in _forms(message):
            post = partial(
                self._client.chat_postMessage,
                channel=channel,
                metadata=metadata,
                unfurl_links=False,
                unfurl_media=False,
                **payload,
            )
            try:
                answer = self._call(post)
            except _BlocksRefusedError as error:
                refused = error
                continue
            return f"{answer['channel']}/{answer['ts']}"
        raise refused or RefusedError("Slack refused every form of the message")

    def find(self, channel: str, identity: str, since: datetime | None = None) -> str | None:
        """Look through the channel's history for the message with this identity.

        None only after all of the history since `since` was read. Needs the history scope of the channel.
        """
        where = self._channel_id(channel)
        oldest = str((since - CLOCK_SKEW).timestamp()) if since else None
        for page in self._pages(
            lambda cursor: self._client.conversations_history(
                channel=where, cursor=cursor, oldest=oldest, limit=PAGE, include_all_metadata=True
            ),
            "the channel's history is too long to look through",
        ):
            for post in page.get("messages", []):
                metadata = post.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == EVENT_TYPE and payload.get("identity") == identity:
                    return f"{where}/{post['ts']}"
        return None

    def _channel_id(self, channel: str) -> str:
        """Posting takes a name, the history only an id."""
        if _CHANNEL_ID.fullmatch(channel):
            return channel
        name = channel.removeprefix("#")
        if not name:
            raise RefusedError("no Slack channel is set for this message", "name one in channels.yaml")
        if name not in self._ids:
            for page in self._pages(
                lambda cursor: self._client.conversations_list(
                    cursor=cursor, limit=PAGE, types="public_channel,private_channel"
                ),
                "the workspace has too many channels to look through",
            ):
                self._ids.update({c["name"]: c["id"] for c in page.get("channels", [])})
                if name in self._ids:
                    break
        if name not in self._ids:
            raise RefusedError(
                f"Slack lists no channel {channel!r}, so nobody can tell whether the message is there",
                "write the channel's id (C…) into channels.yaml, look into the channel, then retry",
            )
        return self._ids[name]

    def _pages(self, get: Callable[[str | None], Any], too_long: str) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        for _ in range(PAGES):
            page = self._call(partial(get, cursor))
            yield page
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
            if cursor is None:
                return
        raise RefusedError(too_long, "look into the channel yourself, then mark or retry the message")

    def _call(self, request: Callable[[], Any]) -> Mapping[str, Any]:
        """One request; whatever goes wrong becomes a DeliveryError that says whether it may have posted."""
        try:
            data = request().data
        except SlackApiError as error:
            raise _named(error) from None  # the chain would carry the whole response
        except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
            raise _connection(error) from None
        except (ValueError, AttributeError, TypeError) as error:
            raise UnsureError(f"Slack's answer cannot be read ({type(error).__name__})") from None
        return data if isinstance(data, Mapping) else {}


class _BlocksRefusedError(RefusedError):
    pass


def _forms(message: Message) -> Iterator[dict[str, Any]]:
    rich = slack.render(message, native=True)
    yield rich
    plain = slack.render(message, native=False)
    if plain != rich:
        yield plain
    yield {"text": slack.fallback(message)}


def _named(error: SlackApiError) -> DeliveryError:
    response = error.response
    data = response.data if isinstance(response.data, Mapping) else {}
    code = str(data.get("error", ""))[:100]
    if response.status_code == 429 or code in ("ratelimited", "rate_limited"):
        return LaterError("Slack asks to slow down", seconds=_seconds(response.headers))
    if response.status_code >= 500 or code in _UNSURE or not code.replace("_", "").isalnum():
        return UnsureError(
            f"Slack answered {response.status_code}", "the message is looked for before it is sent again"
        )
    if code in _LATER:
        return LaterError(f"Slack says {code}")
    if code in _BLOCKS_REFUSED:
        return _BlocksRefusedError(
            f"Slack says {code}", "report this: a message was drawn that Slack does not take"
        )
    return RefusedError(f"Slack says {code}", _REMEDIES.get(code, "see Slack's documentation of this error"))


def _seconds(headers: Mapping[str, Any]) -> float | None:
    for name, value in headers.items():
        if name.lower() == "retry-after":
            value = value[0] if isinstance(value, list | tuple) and value else value
            try:
                return max(float(value), 1.0)
            except (TypeError, ValueError):
                return None
    return None


def _connection(error: Exception) -> DeliveryError:
    """Only a connection that was never made is certain not to have posted."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    hint = "check the network and UPTAKE_SLACK_BASE_URL"
    if isinstance(cause, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return LaterError(f"Slack cannot be reached ({type(cause).__name__})", hint)
    return UnsureError(f"the connection to Slack was lost ({type(cause).__name__})", hint)
