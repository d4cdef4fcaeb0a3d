"""The catalogue refuses a KPI whose description and query do not agree."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from uptake.errors import UsageError
from uptake.sql.catalogue import check_people_with, load_catalogue, read_definition

GOOD = {
    "title": {"en": "Things", "fr": "Choses"},
    "unit": "count",
    "direction": "none",
    "cadence": "weekly",
    "formula": "All things.",
    "extras": {"large": "things that are large"},
    "definition_version": 1,
    "example": "Two things are 2.",
}
QUERY = "SELECT team, count() AS numerator, countIf(large) AS extra_large FROM things GROUP BY team"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "things"
    folder.mkdir()
    (folder / "query.sql").write_text(QUERY)
    (folder / "kpi.yaml").write_text(yaml.safe_dump(GOOD))
    return folder


def test_the_path_is_the_name(folder: Path) -> None:
    assert read_definition(folder).name == "things"


def test_a_column_that_is_not_explained_is_refused(folder: Path) -> None:
    (folder / "query.sql").write_text(QUERY.replace("FROM", ", 1 AS excluded_small FROM"))
    with pytest.raises(UsageError, match=r"things/kpi\.yaml: .* differ in excluded_small"):
        read_definition(folder)


@pytest.mark.parametrize(
    "given",
    [
        {"numerator_of": ["small"]},
        {"extras_of_part": {"large": "small"}},
        {"people": "extra_small"},
    ],
)
def test_a_name_that_is_no_part_or_extra_is_refused(folder: Path, given: dict[str, object]) -> None:
    (folder / "kpi.yaml").write_text(yaml.safe_dump({**GOOD, **given}))
    with pytest.raises(UsageError, match=r"things/kpi\.yaml: .*small"):
        read_definition(folder)


def test_an_explanation_without_a_column_is_refused(folder: Path) -> None:
    (folder / "kpi.yaml").write_text(yaml.safe_dump({**GOOD, "excludes": {"small": "small ones"}}))
    with pytest.raises(UsageError, match="differ in excluded_small"):
        read_definition(folder)


@pytest.mark.parametrize(
    "broken",
    [
        {**GOOD, "unit": "parsec"},
        {**GOOD, "example": ""},
        {**GOOD, "colour": "blue"},
        {key: value for key, value in GOOD.items() if key != "formula"},
        ["not", "a", "mapping"],
    ],
)
def test_a_description_that_is_wrong_is_refused_with_its_file(folder: Path, broken: object) -> None:
    (folder / "kpi.yaml").write_text(yaml.safe_dump(broken))
    with pytest.raises(UsageError, match=r"sql/kpis/things/kpi\.yaml"):
        read_definition(folder)


def test_a_missing_query_is_refused(folder: Path) -> None:
    (folder / "query.sql").unlink()
    with pytest.raises(UsageError, match=r"sql/kpis/things/kpi\.yaml"):
        read_definition(folder)


def test_every_kpi_says_what_it_is_in_both_languages() -> None:
    catalogue = load_catalogue()
    assert {"adoption", "override_rate", "spend", "tokens", "unauthorised_share"} <= set(catalogue)
    titles = [title for kpi in catalogue.values() for title in (kpi.title.en, kpi.title.fr)]
    assert all(titles)
    assert all(kpi.unit == "share" for kpi in catalogue.values() if kpi.interval == "wilson")
    assert all(kpi.denominated for kpi in catalogue.values() if kpi.people == "denominator")


@pytest.mark.parametrize(
    ("kpi", "said", "error"),
    [
        ("stickiness", {"people_with": "adopton"}, "there is no KPI 'adopton'"),
        ("stickiness", {"people_with": "spend"}, "spend counts no people"),
        ("spend", {"people_with": "adoption"}, "spend counts no people"),
        ("adoption", {"people_with": "seats"}, "adoption -> seats -> lifecycle -> active_users -> adoption"),
        ("stickiness", {"people_within": {"people": ["activ"]}}, "adoption has no part activ"),
        ("stickiness", {"people_within": {"everybody": ["numerator"]}}, "people_within names everybody"),
        ("habits", {"people_within": {"power": ["power"]}}, "people_within names power"),
        ("stickiness", {"people_with": ""}, "people_within without people_with"),
    ],
)
def test_people_who_are_decided_with_others_name_those_and_their_parts(
    kpi: str, said: dict[str, object], error: str
) -> None:
    catalogue = load_catalogue()
    wrong = catalogue[kpi].model_copy(update=said)
    check_people_with(catalogue[kpi], catalogue)
    with pytest.raises(UsageError, match=rf"kpis/{kpi}/kpi\.yaml: .*{error}"):
        check_people_with(wrong, {**catalogue, kpi: wrong})
