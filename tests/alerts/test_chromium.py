"""The page in a real browser: nothing is fetched, nothing overflows, everything has a name and can be read.

Needs Debian's chromium. Skipped without it, but not where UPTAKE_REQUIRE_SERVICES says that it must be there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import A4_WIDTH, Answer, Chromium

from uptake.alerts.message import Actions, Chart, Footer, Message, Series, Table, Text
from uptake.alerts.render import html

WIDTHS = {"watch": 320, "phone": 375, "zoomed": 600, "tablet": 768, "desk": 1200}
CHECKS = (Path(__file__).parent / "page_checks.js").read_text(encoding="utf-8")
WEEKS = tuple(f"W{n}" for n in range(35, 47))


def digest(full_message: Message) -> Message:
    """All that a digest may hold, with names that are long, from right to left, or heaped with accents."""
    names = (
        "Recovery",
        "قسم المطالبات 12",
        "Équipe Sinistres & Règlements – Lyon, Saint-Étienne et Clermont-Ferrand",
        "W" * 60,
        "Z" + "\u0334" * 40 + "algo",
    )
    columns = ("Team", "Active", "Cost an accepted answer", "Override rate", "Spend", "Change")
    rows = tuple((n, "52 of 82", "63%", "24% [21–27]", "€1,240", "+4 pts, no clear change") for n in names)
    wide = tuple(f"Column {n}" for n in range(12))
    bars = Chart(
        kind="bar",
        title="Spend by team",
        labels=names,
        series=(Series(name="Spend", values=(720.5, 310.0, None, 20.0, 1.0)),),
        unit="money",
        currency="EUR",
        summary="Recovery costs most.",
    )
    [chart] = [block for block in full_message.blocks if isinstance(block, Chart)]
    return full_message.model_copy(
        update={
            "title": "Claims · week 2026-W46, Mon 9 – Sun 15 Nov (Europe/Paris)",
            "notice": "Restated on Tue 24 Nov: adoption 63% → 64%.",
            "blocks": (
                *full_message.blocks[:2],
                Actions(title="Do next", items=("קבוצת שחזור (12): 9 people never started.",)),
                chart,
                Table(
                    caption="With references",
                    columns=("KPI", "This week"),
                    rows=(("Adoption", "63%"),),
                    references=("uptake kpi adoption --from 2026-11-09 --to 2026-11-15 --explain",),
                ),
                Footer(text="99.7% of events complete"),
            ),
            "details": (
                Text(text="Teams"),
                Table(caption="Teams", columns=columns, rows=rows),
                Table(caption="Wide", columns=wide, rows=(tuple("1,234,567" for _ in wide),)),
                bars,
            ),
        }
    )


@pytest.fixture
def chromium(tmp_path: Path) -> Chromium:
    program = Chromium.program()
    if program is None:
        if os.environ.get("UPTAKE_REQUIRE_SERVICES"):
            pytest.fail("chromium is missing: apt-get install chromium")
        pytest.skip("no Chromium: apt-get install chromium")
    return Chromium(program, tmp_path)


@pytest.fixture
def page(tmp_path: Path, full_message: Message) -> Path:
    path = tmp_path / "page.html"
    budget = full_message.model_copy(update={"kind": "budget", "locale": "fr"})
    finding = full_message.model_copy(update={"kind": "finding"})
    drawn = html.page([digest(full_message), budget, finding], "Digests of week 2026-W46", "Three of them")
    path.write_text(drawn, encoding="utf-8")
    return path


@pytest.fixture
def one(tmp_path: Path, full_message: Message) -> Path:
    path = tmp_path / "one.html"
    path.write_text(html.page([digest(full_message)], "A digest"), encoding="utf-8")
    return path


def _printed(page: Path) -> Path:
    """The page as on paper: its print rules hold on the screen."""
    path = page.with_name(f"printed-{page.name}")
    css = page.read_text(encoding="utf-8").replace("@media print", "@media all")
    path.write_text(css, encoding="utf-8")
    return path


def _unfolded(page: Path) -> Path:
    path = page.with_name(f"unfolded-{page.name}")
    path.write_text(page.read_text(encoding="utf-8").replace("<details>", "<details open>"), encoding="utf-8")
    return path


def _sound(answer: Answer) -> Iterator[tuple[str, dict[str, object]]]:
    """Each frame without a problem, a request, a message on the console, or anything that moves."""
    assert answer.console == []
    for name, found in answer.frames.items():
        assert found["problems"] == [], name
        assert found["requests"] == [], name
        assert found["scrolls"] <= 0, f"{name} scrolls sideways by {found['scrolls']} px"
        assert found["animated"] == 0, name
        assert found["texts"] > 60, "the page was there to be asked"
        yield name, found


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_can_be_read_at_every_width(chromium: Chromium, page: Path, one: Path, dark: bool) -> None:
    pages = {name: (page, width) for name, width in WIDTHS.items()}
    pages |= {f"{name}, all shown": (_unfolded(one), width) for name, width in WIDTHS.items()}
    backgrounds = set()
    for _, found in _sound(chromium.ask(pages, CHECKS, dark)):
        assert found["dark"] is dark
        backgrounds.add(found["background"])
        assert found["figure"]["left"] >= found["name"]["right"], "the figure stands after the name"  # type: ignore[index]
    assert backgrounds == {"rgb(18, 21, 27)" if dark else "rgb(246, 245, 241)"}


def test_on_paper_everything_is_there_and_nothing_is_cut(chromium: Chromium, page: Path, one: Path) -> None:
    pages = {"several": (_printed(page), A4_WIDTH), "one": (_printed(one), A4_WIDTH)}
    for name, found in _sound(chromium.ask(pages, CHECKS)):
        assert found["hidden"] == [], name
    drawn = chromium.pdf(one)
    boxes = {tuple(map(float, box.split())) for box in re.findall(rb"/MediaBox \[([\d. ]+)\]", drawn)}
    assert [(round(w), round(h)) for _, _, w, h in boxes] == [(595, 842)], "A4"


def test_the_checks_find_what_is_wrong(chromium: Chromium, one: Path) -> None:
    """A check that cannot fail would be none."""
    good = one.read_text(encoding="utf-8")
    wrong = {
        "contrast": good.replace("--soft: #566072", "--soft: #c0c0c0"),
        "no name": good.replace('role="img" aria-label=', 'role="img" data-label='),
        "th without scope": good.replace(' scope="col"', ""),
        "2 h1": good.replace("<main>", "<main><h1>again</h1>"),
        "reaches to": good.replace("overflow-wrap: anywhere", "white-space: nowrap"),
        "runs into": good.replace("display: flow-root", "display: block"),
        "no language": good.replace('<html lang="en">', "<html>"),
    }
    pages = {}
    for n, (name, content) in enumerate(wrong.items()):
        assert content != good, name
        path = one.with_name(f"wrong-{n}.html")
        path.write_text(content, encoding="utf-8")
        pages[name] = (path, 375)
    moved = one.with_name("moved.html")
    moved.write_text(good.replace("<bdi>", "").replace("</bdi>", ""), encoding="utf-8")
    blocked = one.with_name("blocked.html")
    blocked.write_text(good.replace("<main>", '<main><script>1</script><img src="x.png" alt="x">'))
    answer = chromium.ask({**pages, "moved": (moved, 1200), "blocked": (blocked, 375)}, CHECKS)
    for name in wrong:
        assert any(name in problem for problem in answer.frames[name]["problems"]), name
    assert answer.frames["moved"]["figure"]["left"] < answer.frames["moved"]["name"]["right"]
    assert len(answer.console) >= 2, "the policy of the page stops a script and an image"
