"""Searching, fetching and sending with a real Orthanc, over DICOMweb and over DIMSE."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pydicom
import pytest

from synth.dicom.decode import decode
from synth.errors import ArchiveError, DicomError, PolicyError, StoreError
from synth.library.pacs import Archive, Listener, Query, State, archive
from tests.servers.pacs.conftest import Shelf
from tests.servers.pacs.orthanc import Orthanc

pytestmark = pytest.mark.server

MARKS = ("SyntheticData", "BurnedInAnnotation", "StudyDescription", "SeriesDescription", "PatientName", "SOPClassUID")


Stock = Callable[[list[bytes]], None]


def never() -> bool:
    return False


def nothing(uid: str) -> bool:
    return False


def silent(done: int, total: int) -> None:
    pass


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def content(data: bytes) -> tuple[object, ...]:
    """What must survive the way there and back."""
    ds = read(data)
    return (ds.SOPInstanceUID, *(str(ds.get(keyword)) for keyword in MARKS), ds.PixelData)


def test_an_echo_tells_how_long_it_took(sender: Archive) -> None:
    assert 0 < sender.echo() < 10


def test_what_was_sent_comes_back_with_pixels_and_marks(
    sender: Archive, source: Archive, mixed: list[bytes], shelf: Shelf
) -> None:
    steps: list[tuple[int, int]] = []
    sent = sender.send(mixed, lambda done, total: steps.append((done, total)), never)
    assert [outcome.state for outcome in sent.outcomes] == [State.MOVED] * 4
    assert steps == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    for study_uid in dict.fromkeys(str(read(data).StudyInstanceUID) for data in mixed):
        assert source.retrieve(study_uid, None, nothing, shelf.put, never).complete
    assert sorted(map(content, shelf.files)) == sorted(map(content, mixed))
    films = [data for data in shelf.files if "Segmentation" not in read(data).SOPClassUID.name]
    assert [decode(data, "x").synthetic for data in films] == [True] * 3


def test_the_same_files_are_not_sent_twice(
    sender: Archive, orthanc: Orthanc, batch: Callable[..., list[bytes]]
) -> None:
    files = batch(3)
    first = sender.send([files[0], files[0]], silent, never)
    second = sender.send(files, silent, never)
    third = sender.send(files, silent, never)
    assert [(t.moved, t.present, t.expected) for t in (first, second, third)] == [(1, 0, 1), (2, 1, 3), (0, 3, 3)]
    assert (orthanc.arrivals(), orthanc.instances()) == (3, 3)


def test_studies_are_found_by_each_of_their_words(sender: Archive, batch: Callable[..., list[bytes]]) -> None:
    files = batch(2)
    assert sender.send(files, silent, never).complete
    ds = read(files[0])
    queries = [
        Query(),
        Query(patient_name="SYNTHETIC*"),
        Query(patient_id=ds.PatientID),
        Query(date_from=date(2026, 5, 4), date_to=date(2026, 5, 4)),
        Query(date_from=date(2026, 5, 4)),
        Query(modality="OT"),
        Query(description="SYNTHETIC*"),
        Query(description="SYNTHETIC - NOT FOR DIAGNOSIS"),
        Query(patient_name=str(ds.PatientName)),
        Query(patient_name="S?NTHETIC*"),
    ]
    found = [sender.find_studies(query) for query in queries]
    assert [len(rows) for rows in found] == [1] * len(queries)
    (row,) = {row for rows in found for row in rows}
    assert (row.study_uid, row.patient_name, row.patient_id) == (
        ds.StudyInstanceUID,
        str(ds.PatientName),
        ds.PatientID,
    )
    assert (row.date, row.modalities, row.description, row.series, row.instances) == (
        date(2026, 5, 4),
        ("OT",),
        "SYNTHETIC - NOT FOR DIAGNOSIS",
        1,
        2,
    )
    others = [Query(patient_name="DOE*"), Query(date_to=date(2026, 5, 3)), Query(modality="CT"), Query(accession="7")]
    assert [sender.find_studies(query) for query in others] == [()] * 4
    (series,) = sender.find_series(row.study_uid)
    assert (series.series_uid, series.modality, series.number, series.body_part) == (
        ds.SeriesInstanceUID,
        "OT",
        1,
        "CHEST",
    )


def test_a_search_ends_at_its_limit(sender: Archive, batch: Callable[..., list[bytes]]) -> None:
    files = [batch(1, age=age)[0] for age in (30, 40, 50)]
    assert sender.send(files, silent, never).complete
    assert [len(sender.find_studies(Query(limit=limit))) for limit in (1, 2, 3)] == [1, 2, 3]


def test_one_series_is_fetched_alone_and_known_files_stay_where_they_are(
    source: Archive, stock: Stock, mixed: list[bytes], batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(5)
    stock([*files, *mixed[1:]])
    ds, held = read(files[0]), {str(read(data).SOPInstanceUID) for data in files[1:4]}
    done = source.retrieve(ds.StudyInstanceUID, ds.SeriesInstanceUID, held.__contains__, shelf.put, never)
    assert (done.expected, done.present, done.moved) == (5, 3, 2)
    assert {str(read(data).SOPInstanceUID) for data in shelf.files} == {
        str(read(data).SOPInstanceUID) for data in (files[0], files[4])
    }


def test_unknown_studies_and_series_are_told(source: Archive, batch: Callable[..., list[bytes]], shelf: Shelf) -> None:
    with pytest.raises(ArchiveError, match="does not know this study"):
        source.retrieve("1.2.3.4", None, nothing, shelf.put, never)
    with pytest.raises(ArchiveError, match="does not know this study"):
        source.find_series("1.2.3.4")
    with pytest.raises(ArchiveError, match="is not a study UID"):
        source.find_series("../../system")


def test_an_unknown_series_of_a_known_study_is_told(
    source: Archive, stock: Stock, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(1)
    stock(files)
    with pytest.raises(ArchiveError, match="does not know this series"):
        source.retrieve(read(files[0]).StudyInstanceUID, "1.2.3.4", nothing, shelf.put, never)


def test_files_that_cannot_be_kept_are_told_one_by_one(
    source: Archive, stock: Stock, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(3)
    stock(files)
    bad = str(read(files[1]).SOPInstanceUID)

    def refuse(data: bytes) -> None:
        if read(data).SOPInstanceUID == bad:
            raise DicomError("This file is no good.")

    shelf.on_file = refuse
    done = source.retrieve(read(files[0]).StudyInstanceUID, None, nothing, shelf.put, never)
    assert [(outcome.instance_uid, outcome.reason) for outcome in done.failed] == [(bad, "This file is no good.")]
    assert done.sentence == ("2 of 3 files were transferred, 0 were there before, 1 are missing: This file is no good.")


def test_a_full_disk_ends_the_transfer(
    source: Archive, stock: Stock, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(4)
    stock(files)

    def full(data: bytes) -> None:
        if len(shelf.files) == 2:
            raise OSError(28, "No space left on device")

    shelf.on_file = full
    done = source.retrieve(read(files[0]).StudyInstanceUID, None, nothing, shelf.put, never)
    assert (done.moved, {outcome.reason for outcome in done.failed}) == (
        2,
        {"The files cannot be kept: No space left on device."},
    )


def test_a_bug_in_the_taker_is_not_swallowed(
    source: Archive, stock: Stock, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(1)
    stock(files)

    def broken(data: bytes) -> None:
        raise ZeroDivisionError

    shelf.on_file = broken
    with pytest.raises(ZeroDivisionError):
        source.retrieve(read(files[0]).StudyInstanceUID, None, nothing, shelf.put, never)


def test_the_user_can_stop_fetching_and_go_on_later(
    source: Archive, stock: Stock, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(6)
    stock(files)
    study = read(files[0]).StudyInstanceUID
    done = source.retrieve(study, None, nothing, shelf.put, lambda: len(shelf.files) >= 2)
    assert (done.cancelled, done.moved, done.failed[0].reason) == (True, 2, "The transfer was cancelled.")
    held = {str(read(data).SOPInstanceUID) for data in shelf.files}
    rest = source.retrieve(study, None, held.__contains__, shelf.put, never)
    assert (rest.cancelled, rest.present, rest.moved) == (False, 2, 4)
    assert sorted(map(content, shelf.files)) == sorted(map(content, files))


def test_the_user_can_stop_sending(sender: Archive, orthanc: Orthanc, batch: Callable[..., list[bytes]]) -> None:
    seen: list[int] = []
    done = sender.send(batch(4), lambda number, total: seen.append(number), lambda: len(seen) > 2)
    assert (done.cancelled, done.moved, len(done.failed), orthanc.instances()) == (True, 2, 2, 2)


def test_real_images_and_closed_nodes_send_nothing(
    sender: Archive, orthanc: Orthanc, batch: Callable[..., list[bytes]]
) -> None:
    files = batch(2)
    real = read(files[1])
    del real.SyntheticData
    buffer = io.BytesIO()
    real.save_as(buffer)
    with pytest.raises(PolicyError, match="real images are never sent"):
        sender.send([files[0], buffer.getvalue()], silent, never)
    with pytest.raises(DicomError, match="not a readable DICOM file"):
        sender.send([files[0], b"no DICOM"], silent, never)
    for node in (orthanc.web(allow_push=False), orthanc.dimse(allow_push=False)):
        with pytest.raises(PolicyError, match="would need allow_push = true"):
            archive(node).send(files, silent, never)
    assert orthanc.instances() == 0


def test_c_move_needs_the_listener_and_a_destination_that_the_archive_knows(
    stock: Stock, orthanc: Orthanc, listener: Listener, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(1)
    stock(files)
    study = read(files[0]).StudyInstanceUID
    with pytest.raises(ArchiveError, match="needs the listener"):
        archive(orthanc.dimse(retrieve="move")).retrieve(study, None, nothing, shelf.put, never)
    strange = Listener(replace(listener.settings, aet="STRANGER", port=0), lambda data, caller: None)
    strange.start()
    try:
        done = archive(orthanc.dimse(retrieve="move", retries=0), strange).retrieve(
            study, None, nothing, shelf.put, never
        )
    finally:
        strange.stop()
    assert (done.moved, len(done.failed)) == (0, 1)
    assert done.failed[0].reason


def test_a_store_that_refuses_for_a_reason_keeps_its_sentence(
    source: Archive, stock: Stock, batch: Callable[..., list[bytes]], shelf: Shelf
) -> None:
    files = batch(2)
    stock(files)

    def refuse(data: bytes) -> None:
        raise StoreError("The store is closed.")

    shelf.on_file = refuse
    done = source.retrieve(read(files[0]).StudyInstanceUID, None, nothing, shelf.put, never)
    assert [outcome.reason for outcome in done.failed] == ["The store is closed."] * 2
