"""What Slack documents that it takes, checked strictly: every block, element and field that is not expected is wrong.

Written from the documentation and not from the renderer, and counting characters as UTF-16 code units, the strictest
way to read it. The pages: https://docs.slack.dev/reference/block-kit/blocks (one for each block),
https://docs.slack.dev/reference/methods/chat.postMessage,
https://docs.slack.dev/reference/block-kit/composition-objects/text-object.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

FILE_ID = 9  # characters of the shortest id: the pattern is ^F[A-Z0-9]{8,}$
PARSED = ("mrkdwn",)


def length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def check(payload: Mapping[str, Any]) -> None:
    """Raise AssertionError for a chat.postMessage payload that breaks a documented limit."""
    assert set(payload) <= {
        "text", "blocks", "mrkdwn", "channel", "metadata", "unfurl_links", "unfurl_media", "thread_ts"
    }  # fmt: skip
    assert 0 < length(payload["text"]) <= 4000, "best practice; Slack cuts at 40,000"
    if "blocks" in payload:
        _check_blocks(payload["blocks"])
    if "metadata" in payload:
        assert set(payload["metadata"]) == {"event_type", "event_payload"}


def _check_blocks(blocks: Sequence[Mapping[str, Any]]) -> None:
    assert 1 <= len(blocks) <= 50
    for block in blocks:
        _BLOCKS[block["type"]](block)
    tables = [block for block in blocks if block["type"] == "data_table"]
    cells = sum(length(cell["text"]) for table in tables for row in table["rows"] for cell in row)
    assert cells <= 10_000, "in all tables of one message"
    assert sum(block["type"] == "data_visualization" for block in blocks) <= 2
    outside = sum(_written(block) for block in blocks if block["type"] != "data_table")
    assert outside <= 13_000, "not documented: https://github.com/slackapi/bolt-js/issues/2509"


def _written(value: object) -> int:
    if isinstance(value, str):
        return length(value)
    if isinstance(value, Mapping):
        return sum(_written(each) for each in value.values())
    return sum(_written(each) for each in value) if isinstance(value, list) else 0


def _fields(block: Mapping[str, Any], *needed: str, optional: Sequence[str] = ()) -> None:
    assert set(needed) | {"type"} <= set(block) <= {"type", *needed, *optional}, sorted(block)


def _text(value: Mapping[str, Any], limit: int, kinds: Sequence[str] = ("plain_text",)) -> None:
    assert value["type"] in kinds
    _fields(value, "text", optional=["verbatim"] if value["type"] in PARSED else ["emoji"])
    assert 0 < length(value["text"]) <= limit
    if value["type"] in PARSED:
        assert "<" not in value["text"]
        assert value["verbatim"] is True


def _header(block: Mapping[str, Any]) -> None:
    _fields(block, "text")
    _text(block["text"], 150)


def _section(block: Mapping[str, Any]) -> None:
    _fields(block, "text")
    _text(block["text"], 3000, ("plain_text", "mrkdwn"))


def _context(block: Mapping[str, Any]) -> None:
    _fields(block, "elements")
    assert 1 <= len(block["elements"]) <= 10
    for element in block["elements"]:
        _text(element, 2000)


def _image(block: Mapping[str, Any]) -> None:
    _fields(block, "alt_text", "slack_file", optional=["title"])
    assert 0 < length(block["alt_text"]) <= 2000
    _text(block["title"], 2000)
    assert set(block["slack_file"]) == {"id"}
    identity = block["slack_file"]["id"]
    assert identity.startswith("F")
    assert identity.isalnum()
    assert len(identity) >= FILE_ID


def _actions(block: Mapping[str, Any]) -> None:
    _fields(block, "elements")
    assert 1 <= len(block["elements"]) <= 25
    for button in block["elements"]:
        assert button["type"] == "button"
        _fields(button, "text", "action_id", "value", optional=["style"])
        _text(button["text"], 75)
        assert 0 < length(button["action_id"]) <= 255
        assert length(button["value"]) <= 2000
        assert button.get("style", "primary") in ("primary", "danger")


def _data_table(block: Mapping[str, Any]) -> None:
    _fields(block, "caption", "rows", "page_size", "row_header_column_index")
    assert block["caption"]
    assert 2 <= len(block["rows"]) <= 101, "a header, and 1 to 100 rows"
    assert 1 <= block["page_size"] <= 100
    [width] = {len(row) for row in block["rows"]}
    assert 1 <= width <= 20
    assert 0 <= block["row_header_column_index"] < width
    for row in block["rows"]:
        for cell in row:
            assert cell["type"] == "raw_text"
            _fields(cell, "text")
            assert cell["text"]


def _data_visualization(block: Mapping[str, Any]) -> None:
    _fields(block, "title", "chart")
    assert 0 < length(block["title"]) <= 50
    chart = block["chart"]
    assert chart["type"] in ("line", "bar", "area")
    _fields(chart, "series", "axis_config")
    axis = chart["axis_config"]
    assert {"categories"} <= set(axis) <= {"categories", "x_label", "y_label"}
    assert all(0 < length(axis[name]) <= 50 for name in ("x_label", "y_label") if name in axis)
    categories = axis["categories"]
    assert 1 <= len(categories) <= 20
    assert len(set(categories)) == len(categories)
    assert all(0 < length(category) <= 20 for category in categories)
    assert 1 <= len(chart["series"]) <= 6
    assert len({series["name"] for series in chart["series"]}) == len(chart["series"])
    for series in chart["series"]:
        assert set(series) == {"name", "data"}
        assert 0 < length(series["name"]) <= 20
        assert [point["label"] for point in series["data"]] == categories
        assert all(set(point) == {"label", "value"} for point in series["data"])
        assert all(isinstance(p["value"], int | float) and math.isfinite(p["value"]) for p in series["data"])


def _rich_text(block: Mapping[str, Any]) -> None:
    """Slack documents no length; a message as a whole has one."""
    _fields(block, "elements")
    assert block["elements"]
    for element in block["elements"]:
        if element["type"] == "rich_text_list":
            _fields(element, "style", "elements")
            assert element["style"] in ("ordered", "bullet")
            assert element["elements"]
            for item in element["elements"]:
                assert item["type"] == "rich_text_section"
                _spans(item)
        else:
            assert element["type"] in ("rich_text_section", "rich_text_quote")
            _spans(element)


def _spans(element: Mapping[str, Any]) -> None:
    _fields(element, "elements")
    assert element["elements"]
    for span in element["elements"]:
        assert span["type"] == "text", "a link, a mention and an emoji are other types"
        _fields(span, "text", optional=["style"])
        assert span["text"]
        assert set(span.get("style", {})) <= {"bold", "code"}


_BLOCKS = {
    "header": _header,
    "section": _section,
    "context": _context,
    "image": _image,
    "actions": _actions,
    "data_table": _data_table,
    "data_visualization": _data_visualization,
    "rich_text": _rich_text,
}
