"""Delivering one letter under its lease: look for what is in doubt, edit what is there, post what is missing.

Before each request but the first of a lease what is done so far is written down and the lease renewed, so that a
process that is killed between any two steps leaves at most one post in doubt: the next one of its letter.

1. a post in doubt is looked for
2. posts that show an older revision are edited: repeating that is harmless
3. what is missing is posted, one after the other
4. replies that the message has no longer are taken away

A message that cannot be edited is said anew: in its thread, or in the channel if it was deleted or takes no replies.
That is a further copy, with its own posts to be found by, and the older one stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from uptake.alerts.deliver import AnchorError, Deliverer, Placed, Post
from uptake.alerts.letter import Letter, Posted
from uptake.alerts.message import Message


class LostError(Exception):
    """The lease ran out, and what becomes of the letter is somebody else's."""


class Posting:
    """One letter on its way. `letter` is how far it is. `keep` writes that down and renews the lease, or returns
    False if the lease is lost; `now` is the time."""

    def __init__(
        self,
        deliverer: Deliverer,
        letter: Letter,
        message: Message,
        keep: Callable[[Letter], bool],
        now: Callable[[], datetime],
    ) -> None:
        self.letter = letter
        self._deliverer = deliverer
        self._message = message
        self._keep = keep
        self._now = now
        self._leased = True  # just now, and nothing has happened since

    def run(self) -> None:
        """Deliver it. Raises DeliveryError, with `letter` as far as it came, or LostError."""
        if self.letter.status == "ambiguous":
            self._look()
        count = self._deliverer.posts(self._message)
        if self.letter.posted.references and self.letter.shown < self.letter.revision:
            self._edit(count)
        while len(self.letter.posted.references) < count:
            self._send()
        while len(self.letter.posted.references) > count:
            self._remove()
        self._change(shown=self.letter.revision)

    def _look(self) -> None:
        self._before_request("ambiguous")
        try:
            found = self._find()
        except AnchorError as gone:
            if self.letter.posted.references:
                return self._anew(gone)
            # a copy that belonged into a thread which is there no more: then it went into the channel, or nowhere
            self._posted(below="")
            self._before_request("ambiguous")
            found = self._find()
        self._change(status="sending")
        self._leased = False
        if found is not None:
            self._placed(found)
        return None

    def _find(self) -> Placed | None:
        since = self.letter.posted.since or self.letter.created_at
        return self._deliverer.find(self.letter.channel, self._next(), since)

    def _edit(self, count: int) -> None:
        for part, reference in enumerate(self.letter.posted.references[:count]):
            if not reference:
                continue
            self._before_request(self.letter.status)
            post = replace(self._next(), part=part)
            try:
                self._deliverer.edit(self.letter.channel, reference, self._message, post)
            except AnchorError as error:
                if not (part and error.deleted):
                    return self._anew(error)
                kept = list(self.letter.posted.references)
                kept[part] = ""
                self._posted(references=tuple(kept))
        self._change(shown=self.letter.revision)
        return None

    def _send(self) -> None:
        self._before_request("sending")
        letter, post = self.letter, self._next()
        try:
            placed = self._deliverer.send(letter.channel, self._message, post)
        except AnchorError:
            if letter.posted.references or not letter.posted.below:
                raise
            return self._posted(below="")  # no thread takes it: into the channel, in the next round
        self._placed(replace(placed, revision=letter.revision))
        return None

    def _placed(self, placed: Placed) -> None:
        """Note where the next post is. A first post that did not get into its thread is a message of the channel."""
        posted = self.letter.posted
        if not posted.references:
            below = posted.below if placed.threaded else ""
            self._posted(references=(placed.reference,), below=below)
            self._change(shown=placed.revision)
        else:
            self._posted(references=(*posted.references, placed.reference))

    def _remove(self) -> None:
        *kept, last = self.letter.posted.references
        if last:
            self._before_request(self.letter.status)
            self._deliverer.remove(self.letter.channel, last)
        self._posted(references=tuple(kept))

    def _anew(self, error: AnchorError) -> None:
        """Begin a further copy, with nothing posted of it."""
        old = self.letter.posted
        below = "" if error.deleted else old.thread
        self._change(
            status="sending", shown=0, posted=Posted((), old.copy + 1, below, error.message, self._now())
        )
        self._leased = False

    def _next(self) -> Post:
        letter, posted = self.letter, self.letter.posted
        part = len(posted.references)
        return Post(letter.identity, part, posted.copy, letter.revision, posted.thread)

    def _before_request(self, status: str) -> None:
        changed = self.letter.status != status
        self._change(status=status)
        if (changed or not self._leased) and not self._keep(self.letter):
            raise LostError
        self._leased = False

    def _posted(self, **values: Any) -> None:
        self._change(posted=replace(self.letter.posted, **values))

    def _change(self, **values: Any) -> None:
        self.letter = replace(self.letter, **values)
