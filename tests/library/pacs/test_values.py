"""What one asks of a PACS and what one is told."""

from __future__ import annotations

import warnings
from datetime import date

import pytest
from pydicom import Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import BaseTag

from synth.errors import ArchiveError, Cancelled, DicomError, RequestError
from synth.library.pacs import Outcome, Query, SeriesRow, State, StudyRow, Transfer
from synth.library.pacs.receiving import Delivery
from synth.library.pacs.retry import Refused, Unreachable, again
from synth.library.pacs.rows import series_row, study_row


def test_dates_are_written_as_dicom_wants_them() -> None:
    first, last = date(2026, 5, 4), date(2026, 6, 1)
    asked = [Query(), Query(date_from=first), Query(date_to=last), Query(date_from=first, date_to=last)]
    assert [query.dates for query in asked] == ["", "20260504-", "-20260601", "20260504-20260601"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"patient_name": "A\\B"}, "no backslash"),
        ({"description": "A\nB"}, "printable"),
        ({"accession": "x" * 65}, "at most 64"),
        ({"limit": 0}, "must be 1 to 1000"),
        ({"limit": 1001}, "must be 1 to 1000"),
        ({"date_from": date(2026, 2, 1), "date_to": date(2026, 1, 1)}, "exchange the dates"),
    ],
)
def test_an_impossible_query_is_told(fields: dict[str, object], told: str) -> None:
    with pytest.raises(RequestError, match=told):
        Query(**fields)


def test_rows_that_contradict_the_query_are_left_out_where_the_archive_ignored_a_key() -> None:
    row = StudyRow("1.2", date=date(2026, 5, 4), modalities=("CT", "SEG"), description="Chest CT", accession="A7")
    kept = [
        Query(description="chest*"),
        Query(modality="SEG"),
        Query(accession="A?"),
        Query(date_from=date(2026, 5, 4), date_to=date(2026, 5, 4)),
    ]
    dropped = [
        Query(description="chest"),
        Query(modality="DX"),
        Query(accession="B*"),
        Query(date_from=date(2026, 5, 5)),
        Query(date_to=date(2026, 5, 3)),
    ]
    assert [query.matches(row) for query in (*kept, *dropped)] == [True] * 4 + [False] * 5
    assert [query.matches(StudyRow("1.2")) for query in (*kept, *dropped)] == [True] * 9  # nothing said, nothing wrong


def test_answers_become_rows_and_strange_values_are_left_out() -> None:
    ds = Dataset()
    ds.StudyInstanceUID, ds.PatientName, ds.PatientID, ds.StudyDate = "1.2.3", "Doe^J", "7", "20260504"
    ds.ModalitiesInStudy = ["CT", "SEG"]
    ds.StudyDescription, ds.NumberOfStudyRelatedSeries = "Chest", "3"
    assert study_row(ds) == StudyRow(
        "1.2.3", "Doe^J", "7", "", date(2026, 5, 4), ("CT", "SEG"), "Chest", "", series=3, instances=None
    )
    strange = Dataset()
    strange.StudyInstanceUID = "1.2.3"
    for tag, vr, raw in ((0x00201206, "IS", b"many"), (0x00080020, "DA", b"soon"), (0x00100020, "LO", b"7")):
        strange[tag] = RawDataElement(BaseTag(tag), vr, len(raw), raw, 0, False, True)
    with warnings.catch_warnings(action="ignore"):
        assert study_row(strange) == StudyRow("1.2.3", patient_id="7")
    empty = Dataset()
    empty.SeriesInstanceUID = "1.2"
    assert series_row(empty, "1.2.3") == SeriesRow("1.2.3", "1.2")
    with pytest.raises(ArchiveError, match="'' is not a study UID"):
        study_row(Dataset())


def test_a_transfer_says_what_became_of_each_file() -> None:
    moved, present = Outcome("1", State.MOVED), Outcome("2", State.PRESENT)
    done = Transfer((moved, present))
    assert (done.expected, done.moved, done.present, done.failed, done.complete) == (2, 1, 1, (), True)
    assert done.sentence == "1 of 2 files were transferred, 1 were there before."
    lost = Outcome("3", State.FAILED, "The line broke.")
    half = Transfer((moved, present, lost))
    assert (half.expected, half.failed, half.complete) == (3, (lost,), False)
    assert half.sentence == ("1 of 3 files were transferred, 1 were there before, 1 are missing: The line broke.")


def test_only_a_failure_of_the_line_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synth.library.pacs.retry.FIRST_PAUSE_S", 0.001)
    calls: list[int] = []

    def fails(error: Exception, times: int) -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return len(calls)

    assert again(lambda: fails(Unreachable("down"), 2), 2, lambda: False) == 3
    calls.clear()
    with pytest.raises(Unreachable):
        again(lambda: fails(Unreachable("down"), 9), 2, lambda: False)
    assert len(calls) == 3
    calls.clear()
    with pytest.raises(Refused):
        again(lambda: fails(Refused("no"), 9), 2, lambda: False)
    assert len(calls) == 1
    calls.clear()
    with pytest.raises(Cancelled):
        again(lambda: fails(Unreachable("down"), 9), 2, lambda: True)
    assert len(calls) == 1


def test_a_delivery_takes_each_file_once_and_none_unasked() -> None:
    kept: list[bytes] = []
    delivery = Delivery(["1", "2", "3"], {"1"}.__contains__, kept.append, lambda: False)
    taken = [delivery.take(uid, uid.encode()) for uid in ("2", "2", "1", "9")]
    assert (taken, kept, delivery.missing) == ([True, True, True, False], [b"2"], ("3",))
    assert delivery.result("It did not come.").outcomes == (
        Outcome("1", State.PRESENT),
        Outcome("2", State.MOVED),
        Outcome("3", State.FAILED, "It did not come."),
    )


def test_a_delivery_tells_files_that_cannot_be_kept() -> None:
    def refuse(data: bytes) -> None:
        raise DicomError("No good.")

    delivery = Delivery(["1", "2"], lambda uid: False, refuse, lambda: False)
    assert [delivery.take("1", b""), delivery.take("1", b"")] == [False, False]
    assert (delivery.missing, delivery.stopped) == (("2",), False)
    assert delivery.result("It did not come.").failed[0] == Outcome("1", State.FAILED, "No good.")
