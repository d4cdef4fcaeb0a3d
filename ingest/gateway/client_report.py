"""What an SDK says of itself, in three headers beside each batch."""

from __future__ import annotations

import re
from collections.abc import Mapping

from uptake.schemas.batch import ClientReport

CLIENT_ID = "Uptake-Client-Id"
ACCEPTED = "Uptake-Client-Accepted"
DROPPED = "Uptake-Client-Dropped"

_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_COUNT = re.compile(r"[0-9]{1,18}")


class BadReport(ValueError):  # noqa: N818 - named for what it is
    """The headers are there and cannot be used."""


def read_report(headers: Mapping[str, str]) -> ClientReport | None:
    """The report in `headers` (names in any case), None when there is none. Raises BadReport.

    A bad report is no reason to lose a good batch: the gateway counts it and takes the events without it.
    """
    texts = [headers.get(name) for name in (CLIENT_ID, ACCEPTED, DROPPED)]
    if texts == [None, None, None]:
        return None
    client_id, accepted, dropped = (text or "" for text in texts)
    if not (_ID.fullmatch(client_id) and _COUNT.fullmatch(accepted) and _COUNT.fullmatch(dropped)):
        raise BadReport(f"{CLIENT_ID}, {ACCEPTED} and {DROPPED} come together: an id and two counts")
    return ClientReport(client_id, int(accepted), int(dropped))
