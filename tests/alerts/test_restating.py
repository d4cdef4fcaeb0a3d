"""What a restatement is, and what its notice says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest

from uptake.alerts.message import Actions, Chart, Footer, Message, Series, Table, Text
from uptake.alerts.restating import APART, SETTLED_AFTER, WAITS_AT_MOST, Waiting, figures, restated

pytestmark = pytest.mark.both_stores

Build = Callable[..., Message]
NOW = datetime(2026, 11, 24, 8, 12, tzinfo=UTC)
ZONE = "Europe/Paris"
COLUMNS = ("KPI", "This week", "Target", "Against W45")
ADOPTION = ("Adoption", "63% (52 of 82)", "70%", "+4 pts, no clear change")
SPEND = ("Spend", "€1,240", "€2,000 a month", "€1,100 in W45")


def digest(*rows: tuple[str, ...], locale: Literal["en", "fr"] = "en", **changes: Any) -> Message:
    given = {
        "identity": "digest/acme/claims/2026-W46/v1",
        "kind": "digest",
        "tenant": "acme",
        "locale": locale,
        "title": "Claims · week 2026-W46",
        "summary": "Adoption holds.",
        "blocks": (
            Text(text="Adoption holds.", strong=True),
            Table(caption="Key figures of the week", columns=COLUMNS, rows=rows),
            Footer(text="99.7% of events complete"),
        ),
    }
    return Message(**{**given, **changes})


FIRST = digest(ADOPTION, SPEND)


def notice(new: Message, first: Message = FIRST, last: Message | None = None) -> str | None:
    message = restated(first, last or first, new, NOW, ZONE)
    assert message is None or message.model_copy(update={"notice": ""}) == new
    return message and message.notice


def test_the_notice_names_each_value_that_changed_with_what_it_was() -> None:
    adoption = ("Adoption", "64% (53 of 82)", *ADOPTION[2:])
    spend = ("Spend", "€1,262", *SPEND[2:])
    assert notice(digest(adoption, spend)) == (
        "Restated Tue 24 Nov 09:12 after late or corrected data: "
        "Adoption 63% (52 of 82) → 64% (53 of 82); Spend €1,240 → €1,262."
    )


def test_the_notice_is_written_in_french() -> None:
    before = digest(("Adoption", "63\xa0% (52 sur 82)", "", ""), locale="fr")
    after = digest(("Adoption", "64\xa0% (53 sur 82)", "", ""), locale="fr")
    assert notice(after, before) == (
        "Chiffres révisés mar. 24 nov. 09:12 après des données tardives ou rectifiées\xa0: "
        "Adoption 63\xa0% (52 sur 82) → 64\xa0% (53 sur 82)."
    )


def test_where_the_value_stays_the_notice_names_the_column_that_changed() -> None:
    compared = (*ADOPTION[:3], "+5 pts, no clear change")
    assert str(notice(digest(compared, SPEND))).endswith("data: Adoption (Against W45).")


def test_a_row_that_came_or_went_is_named() -> None:
    assert str(notice(digest(ADOPTION))).endswith("data: Spend €1,240 → –.")
    assert str(notice(FIRST, digest(ADOPTION))).endswith("data: Spend – → €1,240.")


def test_what_changed_below_the_table_is_said_to_be_there() -> None:
    footer = (*digest(ADOPTION, SPEND).blocks[:2], Footer(text="99.8% of events complete"))
    assert str(notice(digest(blocks=footer))).endswith("data: figures below the table.")


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "Claims and Recovery · week 2026-W46"},
        {"summary": "Adoption stays."},
        {"notice": "Restated before."},
        {"details": (Text(text="By team"),)},
    ],
)
def test_other_words_alone_are_no_restatement(changes: dict[str, Any]) -> None:
    assert notice(digest(ADOPTION, SPEND, **changes)) is None


def test_another_language_alone_is_no_restatement_and_with_figures_names_no_rows() -> None:
    french = ("Dépenses", "1\u202f240\xa0€", "2\u202f000\xa0€ par mois", "1\u202f100\xa0€ en S45")
    assert figures(digest(french, locale="fr"))[:2] == ("1", "240")
    moved = ("Adoption", "64\xa0% (53 sur 82)", *ADOPTION[2:])
    assert "→" not in str(notice(digest(moved, SPEND, locale="fr")))


def test_a_sign_is_a_figure() -> None:
    assert figures(digest(("Adoption", "", "", "+1 pt"))) != figures(digest(("Adoption", "", "", "−1 pt")))


def test_every_place_of_a_message_shows_figures() -> None:
    chart = Chart(
        title="12 weeks",
        labels=("W45", "W46"),
        series=(Series(name="a", values=(None, 0.5)),),
        summary="5 to 6",
    )
    parts = (Text(text="1"), Table(caption="2", columns=("3",), rows=(("4",),)), Footer(text="7"))
    message = digest(blocks=parts, details=(Actions(title="8", items=("9 seats",)), chart))
    assert figures(message) == ("1", "4", "7", "9", "5", "6", "0", "5"), "without captions and headings"


def test_the_notice_is_against_what_was_said_first_however_often_it_was_restated() -> None:
    between = digest(("Adoption", "64% (53 of 82)", *ADOPTION[2:]), SPEND, notice="Restated earlier.")
    final = digest(("Adoption", "65% (54 of 82)", *ADOPTION[2:]), SPEND)
    assert notice(final, FIRST, between) == notice(final, FIRST, FIRST)
    assert "63% (52 of 82) → 65% (54 of 82)" in str(notice(final, FIRST, between))


def test_figures_that_are_back_are_said_to_be() -> None:
    between = digest(("Adoption", "64% (53 of 82)", *ADOPTION[2:]), SPEND)
    assert notice(FIRST, FIRST, between) == (
        "Restated Tue 24 Nov 09:12 after late or corrected data: the figures are again those first sent."
    )


def test_nothing_is_said_until_the_events_have_stayed_for_two_minutes() -> None:
    waiting = Waiting()
    assert not waiting
    assert not waiting.settled("f1", "a", NOW)
    assert waiting
    assert not waiting.settled("f1", "b", NOW + timedelta(minutes=1))
    assert not waiting.settled("f1", "b", NOW + timedelta(minutes=2))
    assert waiting.settled("f1", "b", NOW + timedelta(minutes=1) + SETTLED_AFTER)
    waiting.settled("f2", "a", NOW)
    waiting.done("f1")
    waiting.keep(["f2"])
    assert waiting
    waiting.keep(["f3"])
    assert not waiting, "a week that is restated no more is waited for no more"


def test_stragglers_that_never_end_are_waited_for_an_hour_and_no_longer() -> None:
    waiting = Waiting()
    minutes = [m for m in range(0, 90) if waiting.settled("f1", str(m), NOW + timedelta(minutes=m))]
    assert minutes[0] == WAITS_AT_MOST // timedelta(minutes=1)
    assert APART == WAITS_AT_MOST
