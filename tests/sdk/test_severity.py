"""How much of a draft was changed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.ingest.sdk import severity
from uptake.ingest.sdk.severity import edit_severity

words = st.lists(st.sampled_from("abcde"), max_size=30).map(" ".join)


def distance(before: list[str], after: list[str]) -> int:
    """Levenshtein's recurrence, written down."""
    row = list(range(len(after) + 1))
    for i, left in enumerate(before, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(after, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
    return row[-1]


@pytest.mark.parametrize(
    ("draft", "final", "expected"),
    [
        ("", "", (0.0, 0, 0)),
        (" \n ", "", (0.0, 0, 0)),
        ("a b c d", "a b c d", (0.0, 4, 4)),
        ("a b c d", "  a  b\nc d ", (0.0, 4, 4)),
        ("a b c d", "a b x d", (0.25, 4, 4)),
        ("a b", "", (1.0, 2, 0)),
        ("", "a b c", (1.0, 0, 3)),
        ("a b c d", "x a b c d", (0.2, 4, 5)),
        ("a a a", "a a", (1 / 3, 3, 2)),
    ],
)
def test_severity_is_the_share_of_tokens_that_changed(
    draft: str, final: str, expected: tuple[float, int, int]
) -> None:
    assert edit_severity(draft, final) == expected


@given(words, words)
def test_it_is_levenshtein_over_the_longer_text(draft: str, final: str) -> None:
    before, after = draft.split(), final.split()
    expected = distance(before, after) / max(len(before), len(after), 1)
    assert edit_severity(draft, final) == (expected, len(before), len(after))


@given(words, words, st.integers(1, 7))
def test_blocks_never_understate_and_leave_the_untouched_untouched(
    draft: str, final: str, block: int
) -> None:
    exact = edit_severity(draft, final)[0]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(severity, "BLOCK", block)
        blocked = edit_severity(draft, final)[0]
        assert edit_severity(draft, draft)[0] == 0.0
    assert exact <= blocked <= 1.0


def test_what_is_longer_than_a_block_is_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert edit_severity("1 2 3 4 5 6", "2 3 4 5 6 1")[0] == 2 / 6
    monkeypatch.setattr(severity, "BLOCK", 2)
    assert edit_severity("1 2 3 4 5 6", "2 3 4 5 6 1")[0] == 1.0


def test_a_long_text_with_scattered_edits_is_measured_closely_in_blocks() -> None:
    chance = random.Random(7)
    draft = [str(chance.randrange(500)) for _ in range(30_000)]
    final = ["changed" if chance.random() < 0.1 else token for token in draft if chance.random() < 0.999]
    measured, before, after = edit_severity(" ".join(draft), " ".join(final))
    assert (before, after) == (len(draft), len(final))
    assert 0.09 < measured < 0.12
