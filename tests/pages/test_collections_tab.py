"""The Open collections tab without a browser, on a small index and a bucket of phantoms."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from synth.errors import CollectionError
from synth.intake.defaults import CAREFUL
from synth.intake.downloads import Downloads
from synth.library import download
from synth.library.collections import Amount, Choices, Collection, Collections, Series, Wanted
from synth.store import ImportState, Search
from synth.ui import house, neighbours
from tests.intake.bucket import Bucket, opened

Visit = Callable[..., AppTest]
CUT_OFF = "The bucket of the open collections cannot be reached; check the connection to the internet."


class Index:
    """Two collections of the phantom bucket, asked as the real index is; the real one is tested with its files."""

    release = "v25"

    def __init__(self, series: list[Series]) -> None:
        self._series = series

    @property
    def choices(self) -> Choices:
        return Choices((("CT", 1), ("DX", 1)), (("CHEST", 1), ("LUNG", 1)), (("CC BY 3.0", 1), ("CC BY 4.0", 1)))

    def collections(self, wanted: Wanted) -> list[Collection]:
        made = []
        for one in self._fitting(wanted):
            amount = Amount(1, 1, 1, one.instances, one.size_bytes)
            kinds = ((one.modality,), (one.body_part,), (one.licence,))
            made.append(Collection(one.collection, one.title, "What it is about.", *kinds, amount))
        return made

    def amount(self, wanted: Wanted) -> Amount:
        found = self._fitting(wanted)
        files, size = sum(one.instances for one in found), sum(one.size_bytes for one in found)
        return Amount(len(found), len(found), len(found), files, size)

    def series(self, wanted: Wanted, limit: int, offset: int = 0) -> list[Series]:
        return self._fitting(wanted)[offset : offset + limit]

    def _fitting(self, wanted: Wanted) -> list[Series]:
        return [
            one
            for one in self._series
            if one.collection in (wanted.collections or (one.collection,))
            and one.modality in (wanted.modalities or (one.modality,))
            and all(word in one.title.lower() for word in wanted.text.lower().split())
        ]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.01)
    with opened() as gate:
        yield gate


@pytest.fixture
def tab(app: Visit, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the tab; the bucket stands for Amazon's and a small index for the whole one."""
    visited = app()
    made = Downloads(house.store(), house.importer(), house.transfers(), house.settings().home, bucket.url)
    monkeypatch.setattr(house, "downloads", lambda: made)
    index = Index(bucket.series)
    monkeypatch.setattr(house, "collections", lambda: index)

    def visit() -> AppTest:
        page = visited.switch_page("pages/library.py")
        page.query_params.clear()
        page.query_params["tab"] = "collections"
        return page.run()

    return visit


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label.startswith(label)).click().run()


def errors(page: AppTest) -> list[str]:
    assert not page.exception, page.exception
    return [error.value for error in page.error]


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def through() -> bool:
    """The one download is over and what it brought is imported."""
    (one,) = house.transfers().latest("download")
    return bool(one.import_id) and house.store().imports.get(one.import_id).state is ImportState.DONE


def test_the_collections_are_listed_with_their_size(tab: Callable[..., AppTest], bucket: Bucket) -> None:
    page = tab()
    assert errors(page) == []
    (table,) = page.dataframe
    assert list(table.value["Collection"]) == ["Phantom lungs", "Phantom films"]
    assert list(table.value["Images"]) == [6, 1] and list(table.value["Licence"]) == ["CC BY 4.0", "CC BY 3.0"]
    assert any(mark.value.startswith("**2** collections, 2 series, 0.1 MB") for mark in page.markdown)
    assert bucket.asked == []


def test_a_chosen_collection_comes_into_the_library_with_its_attribution(
    tab: Callable[..., AppTest], bucket: Bucket
) -> None:
    page = tab()
    page = page.multiselect(key="idc_modality").select("CT").run()
    assert len(page.dataframe) == 2  # the only collection that fits is chosen
    size = bucket.series[0].size_bytes / 1e6
    page = press(page, f"Download 1 series, {size:.1f} MB")
    assert errors(page) == []
    until(through)
    _, held = house.store().holdings.search(Search(), 10)
    assert [one.image.attribution for one in held] == [bucket.series[0].attribution] * 6
    assert neighbours.credit(held[0].image) == f"Phantom lungs. CC BY 4.0. {bucket.series[0].attribution}"
    page = page.run()
    assert "See its import" in [button.label for button in page.button]
    page = press(page, "See its import")
    assert errors(page) == [] and any("6 files added" in caption.value for caption in page.caption)


def test_words_that_fit_nothing_are_told(tab: Callable[..., AppTest]) -> None:
    page = tab()
    page = page.text_input(key="idc_text").set_value("unicorn \\ ' %").run()
    assert errors(page) == [] and "No collection fits; take a filter away." in [one.value for one in page.caption]


def test_an_unfinished_download_is_offered_and_goes_on(tab: Callable[..., AppTest], bucket: Bucket) -> None:
    page = tab()
    bucket.failing = "bbbb"
    name = house.downloads().start(bucket.series, "two series", CAREFUL, "ada")
    until(lambda: not getattr(house.transfers().get(name), "live", True))
    bucket.failing = ""
    page = page.run()
    assert "Unfinished: two series" in [mark.value for mark in page.markdown]
    assert any(caption.value.startswith("6 of 7 files, ") for caption in page.caption)
    page = press(page, "Resume")
    assert errors(page) == []
    until(lambda: house.store().holdings.search(Search(), 1)[0] == 7)
    page = page.run()
    assert not [mark for mark in page.markdown if mark.value.startswith("Unfinished")]


def test_an_unfinished_download_can_be_discarded(tab: Callable[..., AppTest], bucket: Bucket, tmp_path: Path) -> None:
    page = tab()
    bucket.failing = "bbbb"
    name = house.downloads().start(bucket.series, "two series", CAREFUL, "ada")
    until(lambda: not getattr(house.transfers().get(name), "live", True))
    page = press(page.run(), "Discard")
    assert errors(page) == [] and not list((tmp_path / "arriving").iterdir())


def test_an_index_that_cannot_be_read_is_one_sentence(
    tab: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(house, "collections", lambda: Collections(tmp_path / "nowhere"))
    (error,) = errors(tab())
    assert error.startswith("The index of the open collections cannot be read (")
    assert issubclass(CollectionError, Exception)
