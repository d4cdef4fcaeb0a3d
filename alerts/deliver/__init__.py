"""Ways out: where a message goes, and the things that can be said when it did not arrive.

DeliveryError
├── LaterError      it was not posted; the same again later may work
├── RefusedError    it was not posted; the same again never works, a person has to mend something
│   └── AnchorError    nor will it: the message to edit, or the thread to answer in, takes it no more
└── UnsureError     it may have been posted: look before anything is sent again

Any other exception of a deliverer is a bug, and is treated like UnsureError: nothing is sent twice because of it.

A message is one post, or a post and replies in its thread: a deliverer says how many (`posts`). Each is sent for
itself and can be found again by what `Post` says of it.
"""

from __future__ import annotations

from dataclasses import dataclass
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


class AnchorError(RefusedError):
    """What it hangs on does not take it: `deleted` if that is there no more, else it may not be changed."""

    def __init__(self, message: str, hint: str = "", *, deleted: bool) -> None:
        super().__init__(message, hint)
        self.deleted = deleted


class UnsureError(DeliveryError):
    """The answer was lost: the message may be there."""


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a message: by this it is found again. `part` 0 is the message, the others its details, in order.

    `copy` is raised when a message has to be posted anew; `revision` is what it says. `below` is the reference of the
    post whose thread it belongs into, "" for one that belongs into the channel.
    """

    identity: str
    part: int = 0
    copy: int = 1
    revision: int = 1
    below: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a post is, which revision it shows, and whether it is in the thread it was meant for."""

    reference: str
    revision: int = 1
    threaded: bool = True


class Deliverer(Protocol):
    """Sends messages, can say whether one is already there, and can edit what it sent."""

    def posts(self, message: Message) -> int:
        """How many posts the message takes here: the message, and one for each reply with its details."""
        ...

    def send(self, channel: str, message: Message, post: Post) -> Placed:
        """Send one post of the message, once, without retrying. Raises DeliveryError."""
        ...

    def find(self, channel: str, post: Post, since: datetime | None = None) -> Placed | None:
        """This post if it was sent at or after `since`, else None.

        None means "certainly not posted"; if that cannot be known, DeliveryError is raised, and AnchorError if the
        thread is there no more.
        """
        ...

    def edit(self, channel: str, reference: str, message: Message, post: Post) -> None:
        """Let a post say what it says of the message now. May be repeated. Raises DeliveryError."""
        ...

    def remove(self, channel: str, reference: str) -> None:
        """Take a post away; one that is there no more is no error. May be repeated. Raises DeliveryError."""
        ...
