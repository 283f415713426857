"""What becomes of each attribute: Table E.1-1 of PS3.15 as data, and the short lists of what may stay beyond it."""

from __future__ import annotations

import re
from enum import StrEnum

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as annex_e
from pydicom.datadict import tag_for_keyword

from synth.dicom.taken import Retain


class Action(StrEnum):
    """What the table asks for; where it leaves a choice by type (X/D, X/Z/D, Z/D) the attribute stays with a dummy."""

    DUMMY = "D"
    EMPTY = "Z"
    REMOVE = "X"
    MAP = "U"
    CLEAN = "C"  # a sequence that stays, its items cleaned


def _numbers(tags: list[tuple[int, ...]]) -> list[int]:
    return [tag[0] << 16 | tag[1] for tag in tags if len(tag) == 2]


def tags(*keywords: str) -> frozenset[int]:
    """Tags of keywords of the data dictionary. Raises ValueError for a word that is none."""
    found = {word: tag_for_keyword(word) for word in keywords}
    unknown = [word for word, tag in found.items() if tag is None]
    if unknown:
        raise ValueError(f"The data dictionary has no {', '.join(unknown)}; see PS3.6.")
    return frozenset(tag for tag in found.values() if tag is not None)


# Sequences of references: their items hold UIDs only, which are mapped (X/Z/U*, X/Z/D, X/Z).
REFERENCES = tags(
    "ReferencedImageSequence", "SourceImageSequence", "ReferencedPerformedProcedureStepSequence",
    "ReferencedStudySequence",
)  # fmt: skip

TABLE: dict[int, Action] = {
    **dict.fromkeys(_numbers(annex_e.X_TAGS), Action.REMOVE),
    **dict.fromkeys(_numbers(annex_e.Z_TAGS + annex_e.X_Z_TAGS), Action.EMPTY),
    **dict.fromkeys(_numbers(annex_e.D_TAGS + annex_e.Z_D_TAGS + annex_e.X_D_TAGS + annex_e.X_Z_D_TAGS), Action.DUMMY),
    **dict.fromkeys(_numbers(annex_e.U_TAGS), Action.MAP),
    **dict.fromkeys(REFERENCES, Action.CLEAN),
}
# Curves, overlays, pixels of another kind, signatures: whole groups that no picture needs.
REMOVED_GROUPS = (0x5000, 0x6000)  # with any even number in the lower byte (PS3.5 7.6)
REMOVED = tags(
    "IconImageSequence", "DigitalSignaturesSequence", "MACParametersSequence", "EncryptedAttributesSequence",
    "DataSetTrailingPadding", "ExtendedOffsetTable", "ExtendedOffsetTableLengths", "OriginalAttributesSequence",
    "DeidentificationMethodCodeSequence", "DeidentificationMethod", "PatientIdentityRemoved",
    "SpectroscopyData", "ICCProfile", "SelectorUNValue",
)  # fmt: skip

# E.3.6: dates that tell the order of images; moved by the days of the patient, or kept under FULL_DATES. All other
# dates of the table go by its basic action, stricter than the option: birth, menstruation, installation, GPS.
TEMPORAL = tags(
    "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate", "StudyTime", "SeriesTime",
    "AcquisitionTime", "ContentTime", "InstanceCreationTime", "AcquisitionDateTime", "FrameAcquisitionDateTime",
    "FrameReferenceDateTime", "StartAcquisitionDateTime", "EndAcquisitionDateTime", "DecayCorrectionDateTime",
    "RadiopharmaceuticalStartTime", "RadiopharmaceuticalStopTime", "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStopDateTime", "ContrastBolusStartTime", "ContrastBolusStopTime", "DateOfSecondaryCapture",
    "TimeOfSecondaryCapture", "PerformedProcedureStepStartDate", "PerformedProcedureStepStartTime",
    "PerformedProcedureStepEndDate", "PerformedProcedureStepEndTime",
)  # fmt: skip

KEPT: dict[Retain, frozenset[int]] = {
    Retain.PATIENT_CHARACTERISTICS: tags("PatientSex", "PatientAge", "PatientSize", "PatientWeight"),
    Retain.DEVICE_IDENTITY: tags(
        "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "StationName", "DeviceSerialNumber", "PlateID",
        "GeneratorID", "CassetteID", "GantryID", "UniqueDeviceIdentifier", "DetectorID", "XRayDetectorID",
        "XRaySourceID", "SecondaryCaptureDeviceID", "DateOfLastCalibration", "TimeOfLastCalibration",
        "DateOfLastDetectorCalibration", "TimeOfLastDetectorCalibration", "DeviceUID",
    ),
    Retain.INSTITUTION_IDENTITY: tags(
        "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "InstitutionCodeSequence",
        "InstitutionalDepartmentTypeCodeSequence",
    ),
    Retain.FULL_DATES: TEMPORAL | tags("TimezoneOffsetFromUTC"),
}  # fmt: skip

# Text that may stay beyond the table, each by what it may say: a name in a harmless place is not among it. All other
# text (LO, SH, ST, LT, UC, UT, UR, AE) is removed, which is stricter than the profile.
_VENDOR = (
    r"(SIEMENS|GE|PHILIPS|TOSHIBA|CANON|HITACHI|FUJI|FUJIFILM|AGFA|AGFA-GEVAERT|CARESTREAM|KODAK|EASTMAN KODAK|KONICA|"
    r"KONICA MINOLTA|SHIMADZU|SAMSUNG|HOLOGIC|VAREX|VARIAN|ELEKTA|ESAOTE|MINDRAY|UIH|UNITED IMAGING|NEUSOFT|SWISSRAY|"
    r"MARCONI|PICKER|ELSCINT|LODOX|OLDELFT|DEL|RADPOINT|VIDAR|LUMISYS|IMAGING DYNAMICS|SIEMENS NIXDORF|ACUSON|ALOKA)"
)
_COMPANY = r"( (MEDICAL|SYSTEMS?|HEALTHCARE|HEALTHINEERS|HEALTH|ELECTRONICS?|CORPORATION|CORP\.?|INC\.?|CO\.?,?|LTD\.?|"
_COMPANY += r"GMBH|AG|NV|COMPANY|NUCLEAR|DIGITAL|ULTRASOUND|PHOTO|FILM|MEC|MEDISON|TECHNOLOGY|PACS|GROUP)){0,5}"
_PATTERNS = {
    "Manufacturer": _VENDOR + _COMPANY,
    "ConvolutionKernel": r"[A-Z]{1,3}\d{1,3}[A-Z]{0,2}|STANDARD|STND|STD|STD\+|BONE|BONEPLUS|LUNG|SOFT|DETAIL|EDGE|"
    r"CHEST|SHARP|SMOOTH|BODY|HEAD|BRAIN|[A-D]|[A-Z][a-z]\d{2}[a-z]?",
    "FilterType": r"NONE|STRIP|WEDGE|BUTTERFLY|MULTIPLE|FLAT|BODY|HEAD|BODY FILTER|HEAD FILTER|LARGE|SMALL|[A-Z]|\d",
    "WindowCenterWidthExplanation": r"(WINDOW|ALGO|NORMAL|HARDER|SOFTER|LUNG|BONE|BRAIN|MEDIASTINUM|ABDOMEN|CHEST)\d?",
    "RescaleType": r"HU|US|OD|MGML|PCT|Z_EFF|ED|EDW|HU_MOD|NORMALIZED|SUV|BQML|CNTS|OPTICAL DENSITY",
    "ModalityLUTType": r"HU|US|OD|MGML|PCT|Z_EFF|ED|EDW|HU_MOD|OPTICAL DENSITY",
    "PositionReferenceIndicator": r"SN|XY|OM|[A-Z]{2}",
    "Radiopharmaceutical": r"FDG|F-?18[ -]?FDG|FLUORODEOXYGLUCOSE.{0,8}|FLUDEOXYGLUCOSE|SOLUTION|PSMA|NAF|DOTATATE",
}
TEXT: dict[int, re.Pattern[str]] = {
    min(tags(word)): re.compile(pattern, re.IGNORECASE) for word, pattern in _PATTERNS.items()
}
# Refused text is emptied where the attribute must be there (type 2), and this is said where it must not be empty.
EMPTIED = tags("Manufacturer", "PositionReferenceIndicator")
INSTEAD = {
    **dict.fromkeys(tags("RescaleType", "ModalityLUTType"), "US"),  # unspecified, PS3.3 C.11.1.1.2
    **dict.fromkeys(tags("ManufacturerModelName", "SoftwareVersions"), "REMOVED"),  # type 1 of enhanced objects
}
DUMMY_TEXT = "REMOVED"

# Bytes that a picture needs; every other OB, OW, OF, OD, OL, OV and UN is removed.
BINARY = tags(
    "PixelData", "RedPaletteColorLookupTableData", "GreenPaletteColorLookupTableData",
    "BluePaletteColorLookupTableData", "LUTData",
)  # fmt: skip

# E.3.10, Table E.3.10-1: numbers only of private elements known to be safe, by creator and the last byte of the tag.
SAFE_PRIVATE: dict[tuple[int, str, int], str] = {
    (0x7053, "Philips PET Private Group", 0x00): "DS",  # SUV factor
    (0x7053, "Philips PET Private Group", 0x09): "DS",  # activity concentration factor
    (0x00E1, "ELSCINT1", 0x21): "DS",  # DLP
    (0x01E1, "ELSCINT1", 0x50): "DS",  # acquisition duration
    (0x01F1, "ELSCINT1", 0x07): "DS",  # table velocity
    (0x01F1, "ELSCINT1", 0x26): "DS",  # pitch
    (0x01F1, "ELSCINT1", 0x27): "DS",  # rotation time
    (0x0019, "GEMS_ACQU_01", 0x23): "DS",  # table speed
    (0x0019, "GEMS_ACQU_01", 0x24): "DS",  # mid scan time
    (0x0019, "GEMS_ACQU_01", 0x27): "DS",  # rotation speed
    (0x0025, "GEMS_SERS_01", 0x07): "SL",  # images in series
    (0x0043, "GEMS_PARM_01", 0x39): "IS",  # b-value
    (0x0045, "GEMS_HELIOS_01", 0x01): "SS",  # macro rows in detector
    (0x0045, "GEMS_HELIOS_01", 0x02): "FL",  # macro width at isocentre
    (0x2001, "Philips Imaging DD 001", 0x03): "FL",  # b-factor
    (0x0019, "SIEMENS MR HEADER", 0x0C): "IS",  # b-value
    (0x0019, "SIEMENS MR HEADER", 0x0E): "FD",  # gradient direction
    (0x0019, "SIEMENS MR HEADER", 0x27): "FD",  # b-matrix
}
