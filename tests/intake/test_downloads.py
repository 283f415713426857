"""Open collections end to end: from a bucket into the library with whose each image is, through stop and restart."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synth.errors import RequestError, StoreError
from synth.intake.defaults import CAREFUL
from synth.intake.downloads import Downloads
from synth.intake.importer import Importer
from synth.intake.transfers import Stage, Transfer, Transfers
from synth.library import download
from synth.store import Import, ImportState, Outcome, Search, Store
from tests.intake.bucket import Bucket, opened

Ended = Callable[[str], Import]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setattr(download, "FIRST_WAIT_S", 0.01)
    with opened() as gate:
        yield gate


@pytest.fixture
def transfers() -> Iterator[Transfers]:
    made = Transfers()
    yield made
    made.close()


@pytest.fixture
def downloads(store: Store, importer: Importer, transfers: Transfers, home: Path, bucket: Bucket) -> Downloads:
    return Downloads(store, importer, transfers, home, bucket.url)


def over(transfers: Transfers, name: str) -> Transfer:
    until = time.monotonic() + 30
    while (one := transfers.get(name)) is None or one.live:
        assert time.monotonic() < until, one
        time.sleep(0.02)
    return one


def stopped_half_way(downloads: Downloads, transfers: Transfers, bucket: Bucket) -> Transfer:
    """A download of which some files have arrived."""
    bucket.let = 2
    name = downloads.start(bucket.series, "two series", CAREFUL, "ada")
    until = time.monotonic() + 30
    while len(bucket.asked) <= 2:
        assert time.monotonic() < until
        time.sleep(0.02)
    time.sleep(0.3)  # what passed the gate is written
    transfers.stop(name)
    time.sleep(0.5)  # the watch hands it on
    bucket.let = 1_000_000
    bucket.gate.set()
    return over(transfers, name)


def test_chosen_series_are_in_the_library_with_origin_licence_and_attribution_of_each(
    downloads: Downloads, transfers: Transfers, store: Store, bucket: Bucket, ended: Ended, home: Path
) -> None:
    one = over(transfers, downloads.start(bucket.series, "two series", CAREFUL, "ada"))
    size = sum(series.size_bytes for series in bucket.series)
    assert (one.stage, one.done, one.total, one.done_bytes, one.total_bytes, one.sentence) == (
        Stage.DONE, 7, 7, size, size, "7 files arrived.",
    )  # fmt: skip
    made = ended(one.import_id)
    assert (made.state, made.counts, made.order["title"]) == (ImportState.DONE, {Outcome.ADDED: 7}, "two series")
    _, held = store.holdings.search(Search(), 100)
    told = {(h.image.modality, h.image.origin, h.image.licence, h.image.attribution, h.image.body_part) for h in held}
    assert told == {
        (series.modality, series.title, series.licence, series.attribution, series.body_part)
        for series in bucket.series
    }
    assert all("Fedorov" in attribution and "https://doi.org/10.1/" in attribution for *_, attribution, _ in told)
    assert downloads.unfinished() == []
    until = time.monotonic() + 10
    while list((home / "arriving").iterdir()):
        assert time.monotonic() < until
        time.sleep(0.02)
    (event,) = (event for event in store.events(100) if event.action == "library.download")
    assert event.detail == {"series": 2, "bytes": size, "collections": ["films", "lung"]}


def test_a_stopped_download_goes_on_and_fetches_only_the_rest(
    downloads: Downloads, transfers: Transfers, store: Store, bucket: Bucket, ended: Ended
) -> None:
    one = stopped_half_way(downloads, transfers, bucket)
    assert one.stage is Stage.STOPPED and one.sentence.endswith("it can go on where it was.")
    (left,) = downloads.unfinished()
    assert (left.title, left.user, left.series, left.of_files) == ("two series", "ada", 2, 7)
    assert 2 <= left.files < 7 and left.size_bytes < left.of_bytes
    assert store.imports.latest(10) == []
    bucket.asked.clear()
    again = over(transfers, downloads.resume(left.name, "ada"))
    assert (again.stage, len(bucket.asked)) == (Stage.DONE, 7 - left.files)
    assert ended(again.import_id).counts == {Outcome.ADDED: 7} and downloads.unfinished() == []


def test_a_download_goes_on_after_the_server_was_killed(
    downloads: Downloads,
    transfers: Transfers,
    store: Store,
    bucket: Bucket,
    open_importer: Callable[[], Importer],
    ended: Ended,
    home: Path,
) -> None:
    stopped_half_way(downloads, transfers, bucket)
    (half,) = (home / "arriving").glob("idc-*")
    (half / "aaaa" / "0003.dcm.part").write_bytes(b"half")
    later = Transfers()  # another process: it knows nothing but the folder
    second = Downloads(store, open_importer(), later, home, bucket.url)
    (left,) = second.unfinished()
    one = over(later, second.resume(left.name, "ada"))
    assert ended(one.import_id).counts == {Outcome.ADDED: 7}
    later.close()


def test_what_is_here_can_be_imported_without_the_rest(
    downloads: Downloads, transfers: Transfers, store: Store, bucket: Bucket, ended: Ended
) -> None:
    stopped_half_way(downloads, transfers, bucket)
    (left,) = downloads.unfinished()
    made = ended(downloads.import_arrived(left.name, "ada"))
    assert made.counts == {Outcome.ADDED: left.files} and downloads.unfinished() == []
    assert all(held.image.attribution for held in store.holdings.search(Search(), 10)[1])


def test_an_unfinished_download_can_be_discarded(
    downloads: Downloads, transfers: Transfers, bucket: Bucket, home: Path
) -> None:
    stopped_half_way(downloads, transfers, bucket)
    (left,) = downloads.unfinished()
    downloads.discard(left.name, "ada")
    assert downloads.unfinished() == [] and not list((home / "arriving").iterdir())
    for gone in (left.name, "../../etc", "idc-"):
        with pytest.raises(RequestError, match="is not there any more"):
            downloads.discard(gone, "ada")
        with pytest.raises(RequestError, match="is not there any more"):
            downloads.resume(gone, "ada")


def test_a_file_that_fails_leaves_the_download_unfinished_and_says_which(
    downloads: Downloads, transfers: Transfers, store: Store, bucket: Bucket, ended: Ended
) -> None:
    bucket.failing = "aaaa/0002"
    one = over(transfers, downloads.start(bucket.series, "two series", CAREFUL, "ada"))
    assert (one.stage, one.import_id) == (Stage.FAILED, "")
    assert one.sentence == "1 files or series did not arrive; Resume asks for them again."
    assert len(one.problems) == 1 and one.problems[0].startswith("idc-open-data/aaaa/0002.dcm could not be fetched: ")
    bucket.failing = ""
    (left,) = downloads.unfinished()
    assert left.files == 6
    assert ended(over(transfers, downloads.resume(left.name, "ada")).import_id).counts == {Outcome.ADDED: 7}


def test_a_disk_that_is_too_small_is_told_before_anything_travels(
    downloads: Downloads, transfers: Transfers, bucket: Bucket, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = shutil.disk_usage(home)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: full)
    with pytest.raises(StoreError, match=r"The disk is too small: 0\.0 GB are needed"):
        downloads.start(bucket.series, "two series", CAREFUL, "ada")
    with pytest.raises(RequestError, match="0 series are chosen; it must be 1 to 5,000"):
        downloads.start([], "none", CAREFUL, "ada")
    assert (bucket.asked, transfers.latest("download"), downloads.unfinished()) == ([], [], [])


def test_a_bucket_that_cannot_be_reached_is_one_sentence(
    store: Store, importer: Importer, transfers: Transfers, home: Path, bucket: Bucket
) -> None:
    cut_off = Downloads(store, importer, transfers, home, "http://127.0.0.1:1")
    one = over(transfers, cut_off.start(bucket.series, "two series", CAREFUL, "ada"))
    assert (one.stage, one.sentence) == (
        Stage.FAILED,
        "The bucket of the open collections cannot be reached; check the connection to the internet.",
    )
    assert [left.files for left in cut_off.unfinished()] == [0]
