"""The open collections in the index that is installed: found, counted and cited without a network."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from synth.errors import CollectionError
from synth.library.collections import CC_BY, Collections, Series, Wanted, licence_line

FILMS = Wanted(modalities=("DX", "CR"), body_parts=("CHEST",), licences=CC_BY)


@pytest.fixture(scope="module")
def listed() -> Collections:
    return Collections()


@pytest.mark.parametrize(
    ("name", "title", "modalities", "licence"),
    [
        ("lidc_idri", "LIDC-IDRI", {"CR", "CT", "DX"}, "CC BY 3.0"),
        ("covid_19_ar", "COVID-19-AR", {"CR", "CT", "DX"}, "CC BY 4.0"),
        ("covid_19_ny_sbu", "COVID-19-NY-SBU", {"CR", "CT", "DX"}, "CC BY 4.0"),
    ],
)
def test_the_chest_collections_are_found_with_modalities_and_licence(
    listed: Collections, name: str, title: str, modalities: set[str], licence: str
) -> None:
    (found,) = listed.collections(Wanted(collections=(name,)))
    assert found.title == title and found.description and "CHEST" in found.body_parts
    assert modalities <= set(found.modalities) and found.licences == (licence,)


def test_films_are_counted_before_anything_is_transferred(listed: Collections) -> None:
    found = {collection.id: collection for collection in listed.collections(FILMS)}
    films = found["lidc_idri"]
    assert films.modalities == ("CR", "DX") and films.body_parts == ("CHEST",)
    assert films.amount.patients >= 290 and films.amount.instances >= films.amount.series >= films.amount.patients
    assert 3e9 < films.amount.size_bytes < 7e9
    assert found["covid_19_ny_sbu"].amount.patients > 1000
    amount = listed.amount(Wanted(collections=("lidc_idri",), modalities=("DX", "CR"), body_parts=("CHEST",)))
    assert amount == films.amount


def test_a_licence_filter_leaves_out_what_is_not_for_every_use(listed: Collections) -> None:
    assert {licence for one in listed.collections(Wanted(licences=CC_BY)) for licence in one.licences} == set(CC_BY)
    barred = listed.amount(Wanted(licences=("CC BY-NC 4.0",)))
    assert 0 < barred.series < listed.amount(Wanted()).series


def test_every_word_must_occur_in_any_case(listed: Collections) -> None:
    covid = {collection.id for collection in listed.collections(Wanted(text="covid-19 STONY brook"))}
    assert "covid_19_ny_sbu" in covid and "lidc_idri" not in covid
    assert listed.amount(Wanted(text="covid zebra-crossing")).series == 0
    assert listed.amount(Wanted(text="100% o'brien _")).size_bytes == 0


def test_a_series_says_where_it_lies_and_how_to_cite_it(listed: Collections) -> None:
    wanted = Wanted(collections=("covid_19_ar",), modalities=("DX",))
    (series,) = listed.series(wanted, 1)
    assert series.bucket.startswith("idc-open-data") and len(series.folder) == 36 and series.size_bytes > 10_000
    assert (series.collection, series.modality, series.licence) == ("covid_19_ar", "DX", "CC BY 4.0")
    assert series.attribution == (
        "COVID-19-AR (https://doi.org/10.7937/tcia.2020.py71-5978), "
        f"CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); series {series.uid}; NCI Imaging Data Commons, "
        "Fedorov et al., RadioGraphics 2023;43(12):e230180, https://doi.org/10.1148/rg.230180, "
        f"release {listed.release}"
    )
    assert listed.series(Wanted(series=(series.uid,)), 5) == [series]


def test_pages_of_series_do_not_overlap_and_miss_nothing(listed: Collections) -> None:
    wanted = Wanted(collections=("covid_19_ar",), modalities=("DX", "CR"))
    pages = [listed.series(wanted, 100, offset) for offset in (0, 100, 200, 300)]
    uids = [series.uid for page in pages for series in page]
    assert len(uids) == len(set(uids)) == listed.amount(wanted).series
    assert pages[-1] == [] and listed.series(wanted, 100, 100) == pages[1]


def test_the_choices_of_a_form_come_most_frequent_first(listed: Collections) -> None:
    modalities = dict(listed.choices.modalities)
    assert {"CT", "DX", "CR", "MR"} <= set(modalities)
    assert list(modalities.values()) == sorted(modalities.values(), reverse=True)
    assert set(CC_BY) <= {name for name, _ in listed.choices.licences}


def test_a_question_is_answered_at_once(listed: Collections) -> None:
    listed.collections(FILMS)
    start = time.perf_counter()
    listed.collections(FILMS)
    listed.series(FILMS, 50)
    assert time.perf_counter() - start < 1.0  # 0.1 s on a machine that is not shared


def test_a_licence_that_is_not_creative_commons_stays_as_it_is() -> None:
    assert licence_line("CC BY-NC 3.0") == "CC BY-NC 3.0 (https://creativecommons.org/licenses/by-nc/3.0/)"
    assert licence_line("Terms of the library; 2019") == "Terms of the library; 2019"
    assert licence_line("") == "licence unknown"


def test_a_source_without_doi_is_named_by_its_title() -> None:
    series = Series("1.2", "c", "p", "1", "DX", "", "", "CC BY 4.0", "", 1, 1, "b", "f", "Title", "v1")
    assert series.attribution.startswith("Title, CC BY 4.0 (")


def test_a_missing_index_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CollectionError, match="The index of the open collections cannot be read") as caught:
        Collections(tmp_path).collections()
    assert "\n" not in str(caught.value)


def test_nothing_is_written_beside_the_app(
    listed: Collections, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Collections().amount(Wanted(text="lung"))
    assert list(tmp_path.iterdir()) == []
