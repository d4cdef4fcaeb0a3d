"""The pepper's file: made once, whole, for its owner only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from uptake.errors import UptakeError
from uptake.state.keys import MIN_PEPPER_LENGTH, load_pepper


def test_it_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pepper"
    first = load_pepper(path)
    assert len(first) >= MIN_PEPPER_LENGTH
    assert load_pepper(path) == first
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_else_is_left_beside_it(tmp_path: Path) -> None:
    load_pepper(tmp_path / "pepper")
    assert [file.name for file in tmp_path.iterdir()] == ["pepper"]


def test_two_places_do_not_share_one(tmp_path: Path) -> None:
    assert load_pepper(tmp_path / "a") != load_pepper(tmp_path / "b")


def test_those_who_start_together_get_the_same_one(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: load_pepper(tmp_path / "pepper"), range(32)))
    assert len(set(found)) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_one_that_others_may_read_is_refused_with_a_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "pepper"
    pepper = load_pepper(path)
    path.chmod(mode)
    with pytest.raises(UptakeError) as caught:
        load_pepper(path)
    assert str(path) in caught.value.message
    assert "chmod 600" in caught.value.hint
    assert pepper not in caught.value.message + caught.value.hint


def test_a_file_that_holds_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pepper"
    path.touch(0o600)
    with pytest.raises(UptakeError, match="holds no pepper"):
        load_pepper(path)
