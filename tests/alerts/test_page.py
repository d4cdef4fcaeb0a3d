"""The page as markup: what stands first, what can be shown on demand, what a name may do to its neighbours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from uptake.alerts.message import Chart, Message, Series, Table, Text
from uptake.alerts.render import chart, html, text

Build = Callable[..., Message]

COMMAND = "uptake kpi adoption --from 2026-11-09 --to 2026-11-15 --team 'قسم' --explain"
TABLE = Table(
    caption="KPIs", columns=("KPI", "This week"), rows=(("Adoption", "63%"),), references=(COMMAND,)
)
BARS = Chart(
    kind="bar",
    title="Spend by app",
    labels=("letters", "קבוצה", "idle"),
    series=(Series(name="Spend", values=(720.5, 100.0, None)),),
    unit="money",
    currency="EUR",
    summary="letters cost most.",
)


def test_a_notice_stands_before_everything_else(a_message: Build) -> None:
    message = a_message(notice="Restated: adoption 63% → 64%", title="The title")
    for drawn in (html.article(message, "m1"), text.render(message)):
        assert drawn.index("Restated: adoption 63% → 64%") < drawn.index("The title")
    assert 'role="note"' in html.article(message, "m1")


def test_details_stand_below_a_heading_of_their_own(a_message: Build) -> None:
    message = a_message(details=(Text(text="behind it"), TABLE), locale="fr")
    page = html.page([message], "t")
    assert page.index("<h2 id=") < page.index(">Détails</h2>") < page.index("behind it")
    drawn = text.render(message)
    assert drawn.index("— Détails —") < drawn.index("behind it") < drawn.index("KPIs"), (
        "captions are headings there"
    )


def test_each_figure_leads_to_its_definition_on_demand(a_message: Build) -> None:
    message = a_message(blocks=(TABLE,))
    page = html.page([message], "t")
    assert "<summary>How each number is computed</summary>" in page
    assert re.sub(r"</?bdi>", "", page).count(COMMAND.replace("'", "&#x27;")) == 1
    assert COMMAND not in text.render(message)
    assert f"Adoption  {COMMAND}" in text.render(message, explain=True), (
        "a command is copied: nothing is put into it"
    )


def test_the_figures_of_a_chart_stand_below_it(a_message: Build) -> None:
    page = html.page([a_message(blocks=(BARS,))], "t")
    assert "<summary>The figures</summary>" in page
    assert re.search(r"<bdi>קבוצה</bdi></th><td[^>]*>€100</td>", page)
    assert re.search(r">idle</th><td[^>]*>–</td>", page), "not known is not zero"


def test_bars_have_names_and_values_in_a_terminal(a_message: Build) -> None:
    lines = text.render(a_message(blocks=(BARS,))).splitlines()
    [letters] = [each for each in lines if each.startswith("letters  ")]
    [other] = [each for each in lines if "קבוצה" in each]
    [idle] = [each for each in lines if each.startswith("idle")]
    assert letters.endswith("€721")
    assert letters.count("█") > 6 * other.count("█") > 0
    assert idle.split() == ["idle", "·"]


def test_bars_lie_so_that_their_names_can_be_read() -> None:
    spec = chart.spec(BARS)
    assert spec["mark"]["type"] == "bar"
    assert spec["encoding"]["y"]["sort"] == ["letters", "\u2068קבוצה\u2069", "idle"]
    assert spec["encoding"]["x"]["axis"]["title"] == "EUR"


def test_names_that_are_cut_alike_stay_two_in_a_drawing() -> None:
    long = "a very long name of a team in Lyon"
    labels = (f"{long} one", f"{long} two")
    spec = chart.spec(
        BARS.model_copy(update={"labels": labels, "series": (Series(name="s", values=(1.0, 2.0)),)})
    )
    first, second = spec["encoding"]["y"]["sort"]
    assert first != second
    assert first.endswith("…")


def test_more_series_than_colours_are_still_drawn() -> None:
    many = tuple(Series(name=f"s{n}", values=(0.1, 0.2)) for n in range(9))
    drawn = chart.svg(Chart(title="t", labels=("a", "b"), series=many, summary="s"), "x")
    assert drawn.startswith("<svg")


def test_an_image_of_a_chart_is_a_png_on_white() -> None:
    drawn = chart.png(BARS)
    assert drawn.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = int.from_bytes(drawn[16:20], "big"), int.from_bytes(drawn[20:24], "big")
    assert 700 < width < 2000
    assert 150 < height < 2000


def test_many_messages_have_contents_that_lead_to_each(a_message: Build) -> None:
    page = html.page([a_message(f"m{n}") for n in range(4)], "All")
    links = re.findall(r'<a href="#(\w+)">', page)
    assert links == ["m1", "m2", "m3", "m4"]
    assert all(f'<article id="{anchor}"' in page for anchor in links)
    assert "<nav" not in html.page([a_message("m1")], "One")


def test_a_name_from_right_to_left_stands_apart(a_message: Build) -> None:
    page = html.page([a_message(title="קבוצה <b> · 63%", blocks=(Text(text="in קבוצה 12%"),))], "קבוצה 1")
    assert "<bdi>קבוצה</bdi> &lt;b&gt; · 63%" in page
    assert "in <bdi>קבוצה</bdi> 12%" in page
    assert "<title>\u2068קבוצה\u2069 1</title>" in page


@pytest.mark.parametrize(
    ("cadence", "word"), [("weekly", "hebdomadaire"), ("monthly", "mensuel"), ("quarterly", "trimestriel")]
)
def test_a_digest_is_called_by_its_cadence(a_message: Build, cadence: str, word: str) -> None:
    assert f'<p class="kind">Point {word}</p>' in html.page([a_message(cadence=cadence, locale="fr")], "t")


def test_nothing_moves_and_what_has_the_focus_is_seen() -> None:
    css = (Path(html.__file__).parent / "page.css").read_text()
    assert not re.search(r"animation|transition|@keyframes", css), (
        "nothing for prefers-reduced-motion to stop"
    )
    assert ":focus-visible { outline: 3px" in css


def test_all_text_has_contrast_on_every_ground_it_stands_on() -> None:
    """WCAG 2.2, 1.4.3, by the variables of page.css: light, dark, and paper."""
    css = (Path(html.__file__).parent / "page.css").read_text()
    themes = [
        dict(re.findall(r"--(\w+): (#\w{6})", re.sub(r"#(\w)(\w)(\w)\b(?!\w)", r"#\1\1\2\2\3\3", part)))
        for part in (css.split("@media")[0], css.split("@media")[1], css.split("@media print")[1])
    ]
    assert all(set(theme) == set(themes[0]) for theme in themes)
    for theme in themes:
        for ink, grounds in {
            "ink": ("paper", "card", "wash", "notice"),
            "soft": ("paper", "card", "wash"),
            "digest": ("paper", "card"),
            "budget": ("card",),
            "finding": ("card",),
        }.items():
            for ground in grounds:
                assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
        for shade in chart.COLOURS:
            assert contrast(shade, theme["card"]) >= 3, f"1.4.11: {shade}"


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two sRGB colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
