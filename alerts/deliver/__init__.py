"""Ways out: where a message goes, and the three things that can be said when it did not arrive.

DeliveryError
├── LaterError     it was not posted; the same again later may work
├── RefusedError   it was not posted; the same again never works, a person has to mend something
└── UnsureError    it may have been posted: look before anything is sent again

Any other exception of a deliverer is a bug, and is treated like UnsureError: nothing is sent twice because of it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from uptake.alerts.message import Message
from uptake.errors import UptakeError


class DeliveryError(UptakeError):
    """A message did not certainly arrive."""


class LaterError(DeliveryError):
    """Not posted. `seconds` is how long the other side asked to wait, if it did."""

    def __init__(self, message: str, hint: str = "", seconds: float | None = None) -> None:
        super().__init__(message, hint)
        self.seconds = seconds


class RefusedError(DeliveryError):
    """Not posted, and trying again is pointless until somebody follows the hint."""


class UnsureError(DeliveryError):
    """The answer was lost: the message may be there."""


class Deliverer(Protocol):
    """Sends messages, and can say whether one is already there."""

    def send(self, channel: str, message: Message) -> str:
        """Send once, without retrying. Returns a reference to what was posted; raises DeliveryError."""
        ...

    def find(self, channel: str, identity: str, since: datetime | None = None) -> str | None:
        """The reference of the message about this fact if it was posted at or after `since`, else None.

        None means "certainly not posted"; if that cannot be known, DeliveryError is raised.
        """
        ...
