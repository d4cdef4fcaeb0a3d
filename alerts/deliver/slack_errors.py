"""What Slack's answers mean, and those that never came: whether a request may have done something, and who must act."""

from __future__ import annotations

import socket
import ssl
import urllib.error
from collections.abc import Mapping
from typing import Any

from slack_sdk.errors import SlackApiError

from uptake.alerts.deliver import AnchorError, DeliveryError, LaterError, RefusedError, UnsureError

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
    "is_inactive": "the channel is archived or frozen: nothing in it can be edited",
}
_BLOCKS_REFUSED = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "block_mismatch"}
)
_LATER = frozenset({"ratelimited", "rate_limited", "service_unavailable", "team_added_to_org"})
_UNSURE = frozenset(
    {"fatal_error", "internal_error", "request_timeout", "update_failed"}
)  # Slack: part of it may have succeeded
# What a message or its thread says to an edit or a reply; the value is whether it is there no more.
_ANCHOR: Mapping[str, bool] = {
    "message_not_found": True,
    "thread_not_found": True,
    "edit_window_closed": False,
    "cant_update_message": False,
    "cannot_reply_to_message": False,
    "restricted_action_thread_locked": False,
}


class BlocksRefusedError(RefusedError):
    """Slack does not take these blocks; it may take plainer ones."""


def named(error: SlackApiError) -> DeliveryError:
    """What a refusal means. Nothing of the answer but its code gets into it."""
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
        return BlocksRefusedError(
            f"Slack says {code}", "report this: a message was drawn that Slack does not take"
        )
    if code in _ANCHOR:
        return AnchorError(f"Slack says {code}", "it has to be said anew", deleted=_ANCHOR[code])
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


def lost(error: Exception) -> DeliveryError:
    """Only a connection that was never made is certain not to have posted."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    hint = "check the network and UPTAKE_SLACK_BASE_URL"
    if isinstance(cause, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError):
        return LaterError(f"Slack cannot be reached ({type(cause).__name__})", hint)
    return UnsureError(f"the connection to Slack was lost ({type(cause).__name__})", hint)
