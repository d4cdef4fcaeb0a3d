"""Slack takes whatever is said: the worst digests, and any message at all, against the documented limits."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from slack_limits import check, length

from uptake.alerts.message import Actions, Block, Chart, Footer, Message, Series, Table, Text
from uptake.alerts.render import plain, slack

GOLDENS = Path(__file__).parent / "goldens"

WEEKS = tuple(f"W{n}" for n in range(35, 47))

# Names that people give: long, from right to left, with figures, emoji of several parts, heaps of accents, markup.
NAMES = (
    "قسم المطالبات 12",
    "צוות תביעות (צפון)",
    "👨‍👩‍👧‍👦 Family lines 🇫🇷🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "Z" + "\u0334\u0321\u0359\u0310" * 60 + "algo",
    "Équipe Sinistres & Règlements – Lyon, Saint-Étienne et Clermont-Ferrand (région Centre-Est)",
    "<!channel> @here <https://evil.example|click> `x` *b* _i_ ~s~ :rotating_light: &amp;",
    "W" * 200,
    "日本語チーム・損害査定",
)


def _teams(count: int) -> Iterator[str]:
    for n, name in zip(range(count), itertools.cycle(NAMES), strict=False):
        yield f"{name} {n}"


def worst() -> Message:
    """A digest of 60 teams, everything at its longest."""
    names = list(_teams(60))
    columns = ("Team", "Active", "Adoption", "Override rate", "Spend", "Change")
    rows = tuple((n, "52 of 82", "63%", "24% [21–27]", "€1,240", "+4 pts, no clear change") for n in names)
    table = Table(caption="Teams " + NAMES[0], columns=columns, rows=rows)
    values = tuple(n / 20 for n in range(12))
    lines = tuple(Series(name=n, values=values) for n in names[:4])
    chart = Chart(title=NAMES[4], labels=WEEKS, series=lines, summary=" ".join(names[:20]))
    kpis = tuple((f"KPI {n}", names[n], "≤ 15%", " ".join(names[n : n + 3])) for n in range(6))
    commands = tuple(f"uptake kpi adoption --from 2026-11-09 --team '{n}' --explain" for n in names)
    return Message(
        identity="digest/acme/acme/2026-W46/v1",
        kind="digest",
        tenant="acme",
        locale="fr",
        title=f"{names[0]} {names[4]} {names[6]} · semaine 2026-W46",
        summary=" ".join(names[:8]),
        notice=f"Corrigé mardi 24 novembre\xa0: {names[1]} 63\xa0% → 64\xa0%",
        blocks=(
            Text(text=" ".join(names[:5]), strong=True),
            Table(
                caption="KPI",
                columns=("KPI", "Valeur", "Cible", "Face à S45"),
                rows=kpis,
                references=commands[:6],
            ),
            Actions(title="À faire", items=tuple(" ".join(names[n : n + 6]) for n in range(3))),
            chart,
            Footer(text=" · ".join(names[:6])),
        ),
        details=(
            table.model_copy(update={"references": commands}),
            table,
            table,
            Chart(
                kind="bar",
                title="Dépense",
                labels=tuple(names),
                series=(Series(name="Dépense", values=tuple(float(n) for n in range(60))),),
                unit="money",
                currency="EUR",
                summary="…",
            ),
            *[chart] * 3,
        ),
    )


def _posts(message: Message, **form: Any) -> list[dict[str, Any]]:
    return [slack.render(message, **form), *slack.render_details(message, **form)]


def _forms(message: Message) -> Iterator[list[dict[str, Any]]]:
    parts = range(1 + len(slack.render_details(message)))
    charts = [chart for part in parts for chart in slack.charts(message, part)]
    files = {chart: f"F0{n:07}" for n, chart in enumerate(charts)}
    yield _posts(message)
    yield _posts(message, interactive=True)
    yield _posts(message, images=files)
    yield _posts(message, images={})
    yield _posts(message, native=False, images=files)
    yield _posts(message, native=False)
    yield [{"text": slack.fallback(message)}]


def test_every_golden_is_within_the_limits() -> None:
    paths = sorted(GOLDENS.glob("*.slack*.json"))
    assert paths
    for path in paths:
        payload = json.loads(path.read_text(encoding="utf-8"))
        for each in payload if isinstance(payload, list) else [payload]:
            check(each)


def test_a_digest_of_sixty_teams_with_the_worst_names_is_within_the_limits() -> None:
    for posts in _forms(worst()):
        for post in posts:
            check(post)


def test_no_row_and_no_name_of_the_worst_digest_is_left_out() -> None:
    message = worst()
    for native in (True, False):
        posts = _posts(message, native=native)
        said = json.dumps(posts, ensure_ascii=False).replace(plain.FIRST_STRONG, "").replace(plain.POP, "")
        assert "non affichées" not in said
        for n in range(60):
            found = re.findall(rf' {n}(?= |\\n|")', said)
            assert len(found) >= 3, f"team {n} is in each of the three tables"
        assert f"--team '{NAMES[0]} 48' --explain" in said, "the way to each figure"


def test_each_reply_has_the_same_parts_in_every_form() -> None:
    message = worst()
    counts = {len(posts) for posts in _forms(message) if len(posts) > 1}
    assert counts == {1 + len(slack.fallback_details(message))}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def test_a_name_from_right_to_left_moves_no_figure_beside_it() -> None:
    """In every text, letters from right to left stand inside of isolates, and every isolate is closed."""
    for posts in _forms(worst()):
        for text in _texts([post.get("blocks", post["text"]) for post in posts]):
            if "uptake kpi" in text or text.startswith("• "):
                continue  # a command, to be copied as it is
            depth = 0
            for c in text:
                depth += (c == plain.FIRST_STRONG) - (c == plain.POP)
                assert depth in (0, 1)
                assert depth or unicodedata.bidirectional(c) not in ("R", "AL", "AN"), text
            assert depth == 0, text


@pytest.mark.parametrize("cluster", ["👨‍👩‍👧‍👦", "🇫🇷", "👍🏽", "e\u0301", "1️⃣", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"])
def test_no_grapheme_is_cut_in_two(cluster: str) -> None:
    whole = cluster * 40
    for limit in range(1, 120):
        done = plain.cut(whole, limit, "en")
        assert length(done) <= limit
        assert (done == whole) == (length(whole) <= limit)
        kept = done.removesuffix(" … (cut)") if limit >= plain.SHORT else done.removesuffix("…")
        assert kept == cluster * (len(kept) // len(cluster))


def test_of_many_bars_the_first_are_drawn_and_the_others_named() -> None:
    bars = Chart(
        kind="bar",
        title="t",
        labels=tuple(f"team {n}" for n in range(30)),
        series=(Series(name="s", values=tuple(map(float, range(30)))),),
        summary="s",
    )
    message = worst().model_copy(update={"blocks": (bars,), "details": (), "locale": "en"})
    *_, drawn, note = slack.render(message)["blocks"]
    assert drawn["chart"]["axis_config"]["categories"] == [f"team {n}" for n in range(20)]
    assert note["elements"][0]["text"].startswith("not drawn: team 20, team 21")


def test_accents_are_not_piled_over_the_lines_around() -> None:
    assert plain.clean("Z" + "\u0334" * 50 + "algo") == "Z" + "\u0334" * plain.MARKS + "algo"
    assert plain.clean("Tiê\u0301ng Viê\u0323t, שָׁלוֹם") == "Tiê\u0301ng Viê\u0323t, שָׁלוֹם"


def test_runs_join_to_the_text_and_hold_figures_that_touch_a_name() -> None:
    assert plain.runs("קבוצה12 63%") == [("קבוצה12", True), (" 63%", False)]
    assert plain.runs("Claims 63%") == [("Claims 63%", False)]
    assert plain.isolate("of שלום עולם: 3") == "of \u2068שלום עולם\u2069: 3"


_words = st.text(max_size=4000)
_short = st.text(max_size=40)


def _chart_strategy(points: int) -> st.SearchStrategy[Chart]:
    values = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=points, max_size=points).map(tuple)
    return st.builds(
        Chart,
        kind=st.sampled_from(["line", "bar"]),
        title=st.text(max_size=80),
        labels=st.lists(_short, min_size=points, max_size=points).map(tuple),
        series=st.lists(st.builds(Series, name=_short, values=values), max_size=8).map(tuple),
        unit=st.sampled_from(["share", "count", "money"]),
        currency=st.sampled_from(["", "EUR"]),
        summary=st.text(max_size=3000),
    )


def _table_strategy(width: int) -> st.SearchStrategy[Table]:
    row = st.lists(st.text(max_size=30) | st.just("x" * 3000), min_size=width, max_size=width).map(tuple)
    table = st.builds(
        Table,
        caption=st.text(max_size=200),
        columns=st.lists(_short, min_size=width, max_size=width).map(tuple),
        rows=st.lists(row, max_size=130).map(tuple),
    )
    return table.map(
        lambda t: t.model_copy(update={"references": tuple(f"uptake kpi {row[0]}" for row in t.rows)})
    )


_blocks: st.SearchStrategy[Block] = st.one_of(
    st.builds(Text, text=_words, strong=st.booleans()),
    st.builds(Footer, text=_words),
    st.builds(Actions, title=_short, items=st.lists(_words, max_size=4).map(tuple)),
    st.integers(1, 22).flatmap(_table_strategy),
    st.integers(0, 25).flatmap(_chart_strategy),
)


@settings(deadline=None, max_examples=15, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    title=st.text(max_size=300),
    notice=st.just("") | _words,
    blocks=st.lists(_blocks, max_size=30),
    details=st.lists(_blocks, max_size=12),
    locale=st.sampled_from(["en", "fr"]),
)
def test_no_message_breaks_a_limit_of_slack(
    title: str, notice: str, blocks: list[Block], details: list[Block], locale: Any
) -> None:
    message = Message(
        identity="i",
        kind="digest",
        tenant="t",
        locale=locale,
        title=title,
        summary=title,
        notice=notice,
        blocks=tuple(blocks),
        details=tuple(details),
    )
    for posts in _forms(message):
        for post in posts:
            check(post)
    for text in slack.fallback_details(message):
        assert length(text) <= 40_000


def test_the_validator_refuses_what_slack_refuses(full_message: Message) -> None:
    """A check that cannot fail would be none."""
    good = slack.render(full_message)
    check(good)

    def broken(change: Callable[[list[Any]], object]) -> dict[str, Any]:
        blocks = json.loads(json.dumps(good["blocks"]))
        change(blocks)
        return {**good, "blocks": blocks}

    table = next(n for n, block in enumerate(good["blocks"]) if block["type"] == "data_table")
    chart = next(n for n, block in enumerate(good["blocks"]) if block["type"] == "data_visualization")
    for change in (
        lambda b: b.extend([b[0]] * 50),
        lambda b: b[0]["text"].update(text="x" * 151),
        lambda b: b[0]["text"].update(text="😀" * 76),
        lambda b: b[0].update(extra=1),
        lambda b: b[table]["rows"].extend([b[table]["rows"][0]] * 100),
        lambda b: b[table]["rows"][1].pop(),
        lambda b: b[table]["rows"][1][0].update(text=""),
        lambda b: b[table]["rows"][1][0].update(text="x" * 10_001),
        lambda b: b[chart]["chart"]["series"][0].update(name="x" * 21),
        lambda b: b[chart]["chart"]["series"][0]["data"].pop(),
        lambda b: b.extend([b[chart]] * 2),
    ):
        with pytest.raises((AssertionError, ValueError)):
            check(broken(change))
