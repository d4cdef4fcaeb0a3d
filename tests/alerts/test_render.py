"""Pure renderers, by golden files and by the rules of each medium.

The goldens are written again by ``UPTAKE_REFRESH_GOLDENS=1 pytest tests/alerts``; read the diff before it is
committed. The drawing inside the HTML is left out of them, because its measures follow the machine's fonts: the
chart's specification is the golden instead.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.cells import cell_len

from uptake.alerts.message import Chart, Footer, Message, Series, Table, Text
from uptake.alerts.render import chart, html, slack, text

GOLDENS = Path(__file__).parent / "goldens"
Build = Callable[..., Message]


def _golden(name: str, drawn: str) -> None:
    path = GOLDENS / name
    if os.environ.get("UPTAKE_REFRESH_GOLDENS"):
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def test_text_is_drawn_as_agreed(full_message: Message) -> None:
    _golden("full.txt", text.render(full_message))


def test_slack_is_drawn_as_agreed(full_message: Message) -> None:
    _golden("full.slack.json", _json(slack.render(full_message)))
    _golden("full.slack.plain.json", _json(slack.render(full_message, native=False)))


def test_html_is_drawn_as_agreed(full_message: Message) -> None:
    page = html.page([full_message], full_message.title)
    _golden("full.html", re.sub(r"<svg .*?</svg>", "<svg/>", page, flags=re.DOTALL))
    _golden("full.chart.json", _json(chart.spec(_chart_of(full_message))))


def _chart_of(message: Message) -> Chart:
    return next(block for block in message.blocks if isinstance(block, Chart))


# --- text ---


def test_columns_are_aligned_by_what_a_terminal_shows(full_message: Message) -> None:
    table = next(block for block in full_message.blocks if isinstance(block, Table))
    lines = text.table(table, 110)
    starts = {
        cell_len(row[: row.index(word)])
        for row, word in zip(lines, ("this", "63%", "24%", "€1,240"), strict=True)
    }
    assert len(starts) == 1, "the wide characters of the last row take two cells each"


def test_no_control_character_reaches_a_terminal(full_message: Message) -> None:
    drawn = text.render(full_message)
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn
    assert "\x1b[1m" in text.render(full_message, colour=True), "colours are ours, and only on request"


def test_a_gap_is_drawn_as_a_gap() -> None:
    assert text.sparkline((None, 0.0, 0.5, 1.0), 1.0) == "·▁▅█"
    assert text.sparkline((None, 0.0), 0.0) == "·▁"


def test_no_line_is_wider_than_asked_for(full_message: Message) -> None:
    assert max(cell_len(row) for row in text.render(full_message, width=80).split("\n")) <= 80


# --- slack ---


def test_what_is_cut_says_so(a_message: Build) -> None:
    long = a_message(title="T" * 200, blocks=(Text(text="word " * 1000), *[Text(text="x")] * 60))
    blocks = slack.render(long)["blocks"]
    assert blocks[0]["text"]["text"].endswith("… (cut)")
    assert blocks[1]["text"]["text"] == "T" * 200, (
        "a title that is too long for a header stands whole below it"
    )
    assert blocks[2]["text"]["text"].endswith("… (cut)")
    assert blocks[-1]["elements"][0]["text"] == "continues in the thread"
    shown = [b for post in (slack.render(long), *slack.render_details(long)) for b in post["blocks"]]
    assert sum(block.get("text", {}).get("text") == "x" for block in shown) == 60


def test_text_of_people_is_never_parsed_by_slack(full_message: Message) -> None:
    """Only mrkdwn is parsed; there is one such element, in the plainer form, and the notification text."""
    for native in (True, False):
        payload = slack.render(full_message, native=native)
        parsed = [payload["text"]]
        for block in payload["blocks"]:
            body = block.get("text")
            if isinstance(body, dict) and body["type"] == "mrkdwn":
                parsed.append(body["text"])
        assert len(parsed) == (1 if native else 2)
        for drawn in parsed:
            assert "<" not in drawn
            assert not re.search(r"&(?!amp;|lt;|gt;)", drawn)
    assert "@channel" not in slack.fallback(full_message)
    assert "https://" not in slack.fallback(full_message)
    assert slack.render(full_message)["mrkdwn"] is False


def test_escaping_leaves_no_entity_mention_or_link() -> None:
    assert slack.escape("<!channel> & @here") == "&lt;!channel&gt; &amp; @\u2060here"
    assert slack.escape("https://evil.example") == "https\u2060://evil.example"


def test_labels_that_cannot_be_drawn_are_named(full_message: Message) -> None:
    blocks = slack.render(full_message)["blocks"]
    at = next(i for i, block in enumerate(blocks) if block["type"] == "data_visualization")
    assert blocks[at + 1]["elements"][0]["text"] == "not drawn: W35, W41"
    assert "W41" not in blocks[at]["chart"]["axis_config"]["categories"]


def test_a_button_is_drawn_only_where_something_answers_it(full_message: Message) -> None:
    def kinds(**options: bool) -> set[str]:
        return {block["type"] for block in slack.render(full_message, **options)["blocks"]}

    assert "actions" not in kinds()
    assert "actions" in kinds(interactive=True)


# --- html ---


class _Checker(HTMLParser):
    """Collects tags and attributes, and fails on one that is not closed."""

    void = frozenset({"meta", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.void:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag


@pytest.fixture(scope="session")
def parse() -> Callable[[str], _Checker]:
    def parsed(page: str) -> _Checker:
        checker = _Checker()
        checker.feed(page)
        assert checker.stack == []
        return checker

    return parsed


def test_a_page_is_self_contained(full_message: Message, parse: Callable[[str], _Checker]) -> None:
    page = html.page([full_message, full_message], "Two messages", "a lead")
    for tag, attributes in parse(page).tags:
        assert tag not in ("script", "link", "img", "iframe", "object")
        assert not {"src", "xlink:href", "onload", "onclick"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(http" not in page
    assert "@import" not in page


def test_text_of_people_is_no_markup(full_message: Message, parse: Callable[[str], _Checker]) -> None:
    evil = '"><script>alert(1)</script><b onmouseover="x">'
    chart_of_evil = Chart(
        title=evil, labels=(evil, "b"), series=(Series(name=evil, values=(0.1, 0.2)),) * 2, summary=evil
    )
    message = full_message.model_copy(
        update={
            "title": evil,
            "blocks": (*full_message.blocks, Text(text=evil), Footer(text=evil), chart_of_evil),
        }
    )
    tags = parse(html.page([message], evil)).tags
    assert not {tag for tag, _ in tags} & {"script", "b"}
    assert not any("onmouseover" in attributes for _, attributes in tags)


def test_tables_and_charts_speak_to_those_who_cannot_see_them(
    full_message: Message, parse: Callable[[str], _Checker]
) -> None:
    tags = parse(html.page([full_message], "One")).tags
    headers = [attributes for tag, attributes in tags if tag == "th"]
    assert headers
    assert all(attributes.get("scope") in ("col", "row") for attributes in headers)
    (drawing,) = [attributes for tag, attributes in tags if tag == "svg"]
    assert drawing["role"] == "img"
    assert "Adoption rose" in (drawing["aria-label"] or "")
    assert ("html", {"lang": "en"}) in tags


def test_names_inside_drawings_are_unique_on_a_page(full_message: Message) -> None:
    page = html.page([full_message, full_message], "Two")
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_what_one_post_cannot_hold_moves_to_the_thread(a_message: Build, full_message: Message) -> None:
    row = ("x" * 20, "y" * 20, "z" * 20)
    table = Table(caption="big", columns=("a", "b", "c"), rows=(row,) * 100)
    message = a_message(blocks=(table, table, *[_chart_of(full_message)] * 3))
    first, *replies = [slack.render(message), *slack.render_details(message)]
    kinds = [[block["type"] for block in post["blocks"]] for post in (first, *replies)]
    assert kinds[0] == ["header", "data_table", "context"]
    assert sum(post.count("data_table") for post in kinds) == 2
    assert [post.count("data_visualization") for post in kinds if "data_visualization" in post] == [2, 1]
