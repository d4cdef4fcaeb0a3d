"""The same person is the same pseudonym everywhere, and nobody without the key can tell who."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.schemas.pseudonym import MIN_KEY_LENGTH, is_pseudonym, pseudonym

KEY = "k" * MIN_KEY_LENGTH
PEOPLE = st.text(min_size=1).filter(lambda text: text.strip() != "")


def test_a_pseudonym_is_the_same_in_every_release() -> None:
    assert pseudonym(KEY, "jane.doe@example.com") == "p_73c0b190911205cb079aa3e2f1bf1f3b"


@given(person=PEOPLE)
def test_a_pseudonym_looks_like_one_and_stays_as_it_is(person: str) -> None:
    once = pseudonym(KEY, person)
    assert is_pseudonym(once)
    assert pseudonym(KEY, once) == once


@pytest.mark.parametrize(
    "written", ["Jane.Doe@Example.com", "  jane.doe@example.com\n", "JANE.DOE@EXAMPLE.COM"]
)
def test_case_and_surrounding_space_do_not_matter(written: str) -> None:
    assert pseudonym(KEY, written) == pseudonym(KEY, "jane.doe@example.com")


def test_the_two_ways_of_writing_an_accent_are_the_same_person() -> None:
    assert pseudonym(KEY, "Zoe\u0308") == pseudonym(KEY, "zo\u00eb") == pseudonym(KEY, "ZO\u00cb")


def test_damaged_text_has_a_pseudonym_too() -> None:
    assert is_pseudonym(pseudonym(KEY, "jane\ud83d"))


@given(one=st.emails(), other=st.emails())
def test_people_are_told_apart(one: str, other: str) -> None:
    assert (pseudonym(KEY, one) == pseudonym(KEY, other)) == (one.casefold() == other.casefold())


def test_another_key_gives_another_pseudonym() -> None:
    assert pseudonym(KEY, "jane") != pseudonym("K" * MIN_KEY_LENGTH, "jane")


def test_a_short_key_is_refused_without_being_shown() -> None:
    with pytest.raises(ValueError, match="at least 16 characters") as caught:
        pseudonym("hunter2", "jane")
    assert "hunter2" not in str(caught.value)
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "p_", "p_" + "0" * 31, "p_" + "0" * 33, "p_" + "G" * 32, "P_" + "0" * 32, "p_" + "0" * 32 + "\n"],
)
def test_what_only_resembles_a_pseudonym_is_not_one(text: str) -> None:
    assert not is_pseudonym(text)
