"""Rounding never says what is not so; every phrase exists, whole, in both languages."""

from __future__ import annotations

import string
from datetime import UTC, datetime

import pytest

from uptake.alerts import formats, phrases
from uptake.alerts.formats import Language
from uptake.calendar import IsoWeek, month_of
from uptake.schemas.taxonomy import REASONS

NANO = 10**9


@pytest.mark.parametrize(
    ("nano", "english", "french"),
    [
        (1_240_400_000_000, "€1,240", "1\u202f240\xa0€"),
        (1_200_000, "€0.0012", "0,0012\xa0€"),
        (12_500_000_000, "€12.50", "12,50\xa0€"),
        (-60 * NANO, "−€60.00", "−60,00\xa0€"),
        (0, "€0.00", "0,00\xa0€"),
    ],
)
def test_money_keeps_what_matters_of_it(nano: int, english: str, french: str) -> None:
    assert formats.money(nano, "EUR", "en") == english
    assert formats.money(nano, "EUR", "fr") == french


def test_a_tenth_of_a_cent_does_not_print_as_nothing() -> None:
    assert formats.money(NANO // 1000, "EUR", "en") == "€0.001"


def test_amounts_that_differ_do_not_look_equal() -> None:
    assert formats.spent_of(2000 * NANO - NANO // 2, 2000 * NANO, "EUR", "en") == ("€1,999.50", "€2,000.00")
    assert formats.spent_of(2004 * NANO, 2000 * NANO, "EUR", "en") == ("€2,004", "€2,000")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.63, "63%"),
        (0.018, "1.8%"),
        (0.05, "5%"),
        (1.0, "100%"),
        (0.99999, "99.9%"),
        (0.996, "99.6%"),
        (0.0, "0%"),
        (0.00001, "< 0.1%"),
        (1.043, "104%"),
    ],
)
def test_a_share_is_never_rounded_to_nothing_or_to_all(value: float, shown: str) -> None:
    assert formats.share(value, "en") == shown


@pytest.mark.parametrize(
    ("difference", "shown"), [(0.041, "+4"), (-0.0042, "−0.4"), (0.0001, "±0"), (0.0, "±0"), (-0.091, "−9")]
)
def test_points_are_signed_and_small_ones_keep_a_place(difference: float, shown: str) -> None:
    assert formats.points(difference, "en") == shown


def test_days_name_month_and_year_once_where_that_is_clear() -> None:
    zone = "Europe/Paris"
    assert formats.days(IsoWeek(2026, 46).period(zone), "en") == "Mon 9 – Sun 15 Nov"
    assert formats.days(IsoWeek(2026, 49).period(zone), "en") == "Mon 30 Nov – Sun 6 Dec"
    assert formats.days(IsoWeek(2026, 53).period(zone), "en") == "Mon 28 Dec 2026 – Sun 3 Jan 2027"
    assert formats.days(IsoWeek(2026, 46).period(zone), "fr") == "lun. 9 – dim. 15 nov."


def test_a_moment_is_shown_on_the_tenants_wall_clock() -> None:
    at = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    assert formats.moment(at, "Europe/Paris", "en") == "Tue 1 Dec 00:00"


def test_a_period_has_a_name() -> None:
    assert formats.period_name(IsoWeek(2026, 46).period("UTC"), "en") == "week 2026-W46"
    assert formats.period_name(month_of(IsoWeek(2026, 46).monday(), "UTC"), "fr") == "novembre"


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    for key, (english, french) in phrases.PHRASES.items():
        assert isinstance(english, str) == isinstance(french, str), key
        forms = [english] if isinstance(english, str) else list(english)
        forms += [french] if isinstance(french, str) else list(french)
        assert all(_fields(form) == _fields(forms[0]) for form in forms), key
        assert all(
            form == form.strip() or key.startswith(("budget.days", "finding.with", "next.", "verdict.on_day"))
            for form in forms
        )


def test_french_is_set_as_french_is() -> None:
    for key, (_, french) in phrases.PHRASES.items():
        for form in [french] if isinstance(french, str) else french:
            for at, sign in enumerate(form):
                if sign in ":;?!%" and at and not form[:at].endswith(("\xa0", "{moment", "{week")):
                    assert "{" in form[max(0, form.rfind("{", 0, at)) : at], (key, form)
            assert "'" not in form, key


def test_every_standard_reason_has_a_name() -> None:
    for code in REASONS:
        for locale in ("en", "fr"):
            assert phrases.say(f"reason.{code}", locale)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("locale", "number", "text"),
    [("en", 0, "0 people"), ("en", 1, "1 person"), ("fr", 0, "0 personne"), ("fr", 2, "2 personnes")],
)
def test_plurals_follow_the_language(locale: Language, number: int, text: str) -> None:
    assert phrases.counted("people", locale, number) == text


def test_a_phrase_is_used_as_what_it_is() -> None:
    with pytest.raises(TypeError, match="plural"):
        phrases.say("people", "en")
    with pytest.raises(TypeError, match="no plural"):
        phrases.counted("people.few", "en", 3)


@pytest.mark.parametrize(
    ("nano", "english"),
    [
        (61_234_567, "€0.0612"),
        (61_484_567, "€0.0615"),
        (1_234_567, "€0.00123"),
        (999_600_000, "€1.00"),
        (-61_234_567, "−€0.0612"),
        (0, "€0.00"),
        (1_234_000_000, "€1.23"),
        (123_400_000_000, "€123"),
    ],
)
def test_prices_of_an_item_keep_three_digits(nano: int, english: str) -> None:
    assert formats.unit_money(nano, "EUR", "en") == english


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (61_240_000, 61_310_000, ("€0.0612", "€0.0613")),
        (4_042_300_000_000, 4_042_400_000_000, ("€4,042.30", "€4,042.40")),
        (26_671_000_000, 26_674_000_000, ("€26.671", "€26.674")),
        (26_671_000_000, 26_671_000_000, ("€26.67", "€26.67")),
    ],
)
def test_amounts_that_differ_are_told_apart_however_little(
    first: int, second: int, shown: tuple[str, str]
) -> None:
    assert formats.spent_of(first, second, "EUR", "en") == shown


def test_a_share_that_rounds_to_another_can_be_written_finer() -> None:
    assert formats.share(164 / 235, "en") == "70%"
    assert formats.share(164 / 235, "en", finer=True) == "69.8%"
