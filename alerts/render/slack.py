"""A message as Slack payloads: blocks as plain dicts, and a text for notifications and screen readers.

The message is one post, its details are replies in the post's thread (`render`, `render_details`). What a post may
hold is shared out part by part, and so that every form of a post holds the same parts: the n-th reply is about the
same in each form, and a workspace that takes no native tables gets the n-th plain one.

`native` uses Slack's own tables and charts: https://docs.slack.dev/reference/block-kit/blocks/data-table-block
and https://docs.slack.dev/reference/block-kit/blocks/data-visualization-block; without it, a message uses
only blocks that every workspace takes. With `images` a chart is an uploaded image, or text where it has none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from uptake.alerts.message import Block, Buttons, Chart, Message, Table
from uptake.alerts.render import text as terminal
from uptake.alerts.render.plain import fit, line, size
from uptake.alerts.render.slack_blocks import Drawing
from uptake.alerts.render.slack_parts import MAX_CELLS, Chunk, Images, Json, escape
from uptake.alerts.render.words import continues_word, details_word, parts_left_out, piece_of

MAX_BLOCKS = 50
MAX_CHARTS = 2
MAX_TEXT = 3900
MAX_SUMMARY = 500
MAX_REPLY_TEXT = 12_000  # Slack cuts a text at 40,000
MAX_REPLIES = 12  # Slack takes about one a second into a channel
MAX_WEIGHT = 12_000
"""What a post weighs at most without its tables: its text, and 130 for each block. Slack documents no such limit, and
refuses posts from about 13,300 on: https://github.com/slackapi/bolt-js/issues/2509"""
BLOCK_WEIGHT = 130
ROOM = 4  # blocks that a post needs besides its parts: headers, and what it says of the rest

__all__ = ["Json", "charts", "escape", "fallback", "fallback_details", "render", "render_details"]


def render(
    message: Message, native: bool = True, interactive: bool = False, images: Images | None = None
) -> Json:
    """``{"text", "blocks", "mrkdwn"}`` for chat.postMessage: the message without its details.

    Buttons are drawn only if `interactive`: until something answers them, a button would be a promise that
    nobody keeps. What one post cannot hold moves to the thread, and the post says so.
    """
    [post, *_] = _posts(message, interactive)
    said = f"{line(message.notice)} " if message.notice else ""
    return _payload(post, f"{line(message.title)}: {said}{line(message.summary)}", message, native, images)


def render_details(
    message: Message, native: bool = True, interactive: bool = False, images: Images | None = None
) -> list[Json]:
    """The replies in the thread of `render`, in order: what it could not hold, the details, and how each number is
    computed. Empty for a message that has nothing more to say."""
    _, *replies = _posts(message, interactive)
    title = f"{line(message.title)}: {details_word(message.locale)}"
    return [
        _payload(post, piece_of(title, n, len(replies), message.locale), message, native, images)
        for n, post in enumerate(replies, 1)
    ]


def charts(message: Message, part: int = 0) -> tuple[Chart, ...]:
    """The charts of a post, the message (0) or the n-th reply: what its `images` may hold."""
    return tuple(piece.chart for piece in _posts(message, interactive=False)[part] if piece.chart)


def fallback(message: Message) -> str:
    """The message as text, for a workspace that takes none of its blocks; without its details."""
    bare = message.model_copy(update={"details": ()})
    return fit(terminal.render(bare, width=100).rstrip("\n"), MAX_TEXT, message.locale, escape) or "–"


def fallback_details(message: Message) -> list[str]:
    """The replies of `render_details` as text."""
    _, *replies = _posts(message, interactive=False)
    texts = ["\n\n".join(part.text for part in post if part.text) for post in replies]
    return [fit(text, MAX_REPLY_TEXT, message.locale, escape) for text in texts]


def _payload(post: Sequence[Chunk], said: str, message: Message, native: bool, images: Images | None) -> Json:
    blocks = [block for part in post for block in part.blocks(native, images)]
    return {"text": fit(said, MAX_SUMMARY, message.locale, escape), "blocks": blocks, "mrkdwn": False}


@lru_cache(maxsize=4)
def _posts(message: Message, interactive: bool) -> Sequence[Sequence[Chunk]]:
    """What stands in the message, then what stands in each reply: laid out once, however many posts are asked for."""
    drawing = Drawing(message.locale)
    first = [drawing.notice(message.notice)] if message.notice else []
    first += [drawing.header(message.title), *_drawn(drawing, message.blocks, interactive)]
    [parent, *rest] = _packed(first, MAX_CHARTS)
    if rest:
        parent.append(drawing.context(continues_word(message.locale)))
    tables = [block for block in (*message.blocks, *message.details) if isinstance(block, Table)]
    more = [*_drawn(drawing, message.details, interactive), *drawing.references(tables)]
    replies = rest + (_packed(more, MAX_CHARTS) if more else [])
    if len(replies) > MAX_REPLIES:
        left_out = sum(len(post) for post in replies[MAX_REPLIES:])
        replies = replies[:MAX_REPLIES]
        replies[-1].append(drawing.context(parts_left_out(left_out, message.locale)))
    title = details_word(message.locale)
    return [
        parent,
        *(
            [drawing.header(piece_of(title, n, len(replies), message.locale)), *post]
            for n, post in enumerate(replies, 1)
        ),
    ]


def _drawn(drawing: Drawing, blocks: Sequence[Block], interactive: bool) -> Iterator[Chunk]:
    for block in blocks:
        if interactive or not isinstance(block, Buttons):
            yield from drawing.block(block)


def _packed(parts: Sequence[Chunk], most: int) -> list[list[Chunk]]:
    """Parts in order, in as few posts as every form of them fits into."""
    posts: list[list[Chunk]] = [[]]
    for part in parts:
        if posts[-1] and not _fits([*posts[-1], part], most):
            posts.append([])
        posts[-1].append(part)
    return posts


def _fits(post: Sequence[Chunk], most: int) -> bool:
    """Whether every form of the post does."""
    forms = (
        [block for part in post for block in part.native],
        [block for part in post for block in part.plain],
        [block for part in post for block in ((part.image,) if part.chart else part.native)],
        [block for part in post for block in ((part.image,) if part.chart else part.plain)],
    )
    return sum(part.chart is not None for part in post) <= most and all(map(_holds, forms))


def _holds(blocks: Sequence[Json]) -> bool:
    tables = [block for block in blocks if block["type"] == "data_table"]
    others = [block for block in blocks if block["type"] != "data_table"]
    cells = sum(size(cell["text"]) for table in tables for row in table["rows"] for cell in row)
    weight = sum(_weight(block) + BLOCK_WEIGHT for block in others)
    return len(blocks) <= MAX_BLOCKS - ROOM and cells <= MAX_CELLS and weight <= MAX_WEIGHT


def _weight(value: Any) -> int:
    """The text in a block."""
    if isinstance(value, str):
        return size(value)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return sum(_weight(each) for each in inner)
