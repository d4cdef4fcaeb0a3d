"""Money is integers; nothing is lost on the way there and back."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.money import NANO, from_nano, to_nano

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(nano=INT64)
def test_nano_units_survive_the_way_there_and_back(nano: int) -> None:
    assert to_nano(from_nano(nano)) == nano


@given(amount=st.decimals(min_value=-999_999_999, max_value=999_999_999, places=9))
def test_an_amount_of_nine_places_is_exact(amount: Decimal) -> None:
    assert from_nano(to_nano(amount)) == amount


@pytest.mark.parametrize(
    ("amount", "nano"),
    [
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("0.0000000025", 2),
        ("-0.0000000015", -2),
        ("0.00000000051", 1),
    ],
)
def test_what_is_finer_is_rounded_half_to_even(amount: str, nano: int) -> None:
    assert to_nano(Decimal(amount)) == nano


@given(parts=st.lists(INT64.map(lambda n: n // 1000), max_size=20))
def test_sums_are_exact(parts: list[int]) -> None:
    assert to_nano(sum((from_nano(part) for part in parts), Decimal(0))) == sum(parts)


def test_one_unit_is_a_billion_nano_units() -> None:
    assert to_nano(Decimal(1)) == NANO == 1_000_000_000
