"""Answers of an archive, as DICOM datasets from either protocol, made into rows."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.multival import MultiValue

from synth.library.pacs.values import SeriesRow, StudyRow, checked_uid, day, whole

STUDY_KEYS = (
    "StudyInstanceUID", "PatientName", "PatientID", "PatientSex", "StudyDate", "ModalitiesInStudy", "StudyDescription",
    "AccessionNumber", "NumberOfStudyRelatedSeries", "NumberOfStudyRelatedInstances",
)  # fmt: skip
SERIES_KEYS = (
    "StudyInstanceUID", "SeriesInstanceUID", "Modality", "SeriesNumber", "SeriesDescription", "BodyPartExamined",
    "NumberOfSeriesRelatedInstances",
)  # fmt: skip
INSTANCE_KEYS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")


def study_row(ds: Dataset) -> StudyRow:
    """One match at the level STUDY (PS3.4 C.6.2.1). Raises ArchiveError where its UID is not one."""
    return StudyRow(
        study_uid=checked_uid(_text(ds, "StudyInstanceUID"), "study UID"),
        patient_name=_text(ds, "PatientName"),
        patient_id=_text(ds, "PatientID"),
        patient_sex=_text(ds, "PatientSex"),
        date=day(_text(ds, "StudyDate")),
        modalities=_texts(ds, "ModalitiesInStudy"),
        description=_text(ds, "StudyDescription"),
        accession=_text(ds, "AccessionNumber"),
        series=whole(_text(ds, "NumberOfStudyRelatedSeries")),
        instances=whole(_text(ds, "NumberOfStudyRelatedInstances")),
    )


def series_row(ds: Dataset, study_uid: str) -> SeriesRow:
    """One match at the level SERIES of a known study."""
    return SeriesRow(
        study_uid=study_uid,
        series_uid=checked_uid(_text(ds, "SeriesInstanceUID"), "series UID"),
        modality=_text(ds, "Modality"),
        number=whole(_text(ds, "SeriesNumber")),
        description=_text(ds, "SeriesDescription"),
        body_part=_text(ds, "BodyPartExamined"),
        instances=whole(_text(ds, "NumberOfSeriesRelatedInstances")),
    )


def instance_uid(ds: Dataset) -> str:
    """The SOP Instance UID of one match at the level IMAGE."""
    return checked_uid(_text(ds, "SOPInstanceUID"), "SOP instance UID")


def _texts(ds: Dataset, keyword: str) -> tuple[str, ...]:
    try:
        value = ds.get(keyword)
    except (ValueError, TypeError, LookupError, NotImplementedError):  # read only now: not of its VR, or no charset
        return ()
    if value is None or value == "":
        return ()
    return tuple(str(part) for part in value) if isinstance(value, MultiValue | list) else (str(value),)


def _text(ds: Dataset, keyword: str) -> str:
    return "\\".join(_texts(ds, keyword))
