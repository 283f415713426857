"""De-identification by the Basic Application Level Confidentiality Profile (PS3.15 Annex E) and its options.

Stricter than the profile in these: free text and codes of private schemes go wherever they stand, unless one of the
short lists of `deidentify_table` names them; so do person names, retired and unknown attributes, bytes that no picture
needs, overlays as a whole, and values that their type does not allow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID

from synth.dicom import codes, pseudonyms
from synth.dicom import deidentify_table as table
from synth.dicom.deidentify_walk import OLDEST, Walk, age_text, day, names
from synth.dicom.encode import uid
from synth.dicom.taken import Retain, Rules
from synth.errors import DicomError

METHOD = ("PS3.15 Annex E basic profile, table of 2026c", "Beyond it: no free text, no unknown attributes")
IMPLEMENTATION = "SYNTHREAD_DOOR"  # who wrote the kept file, which shows no synthetic image
MEANINGS = {  # PS3.16 CID 7050
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
OPTIONS = {
    Retain.PATIENT_CHARACTERISTICS: "113108",
    Retain.DEVICE_IDENTITY: "113109",
    Retain.UIDS: "113110",
    Retain.SAFE_PRIVATE: "113111",
    Retain.INSTITUTION_IDENTITY: "113112",
}
_AGE = re.compile(r"\d{3}[DWMY]")


@dataclass(frozen=True, slots=True, eq=False)
class Deidentified:
    """A cleaned copy with file meta information of its own, and what was done to it."""

    dataset: Dataset
    patient: str  # pseudonym
    original: str  # keyed hash (hex) of the SOP Instance UID as it came, "" without one
    done: tuple[str, ...]
    codes: tuple[str, ...]  # of CID 7050


def deidentify(ds: Dataset, rules: Rules) -> Deidentified:
    """A de-identified copy of the dataset; the pixels are those of `ds`, which stays as it was.

    Taking the result again with the same key changes nothing. Raises DicomError without a SOP Class UID.
    """
    identity, sop_class = _identity(ds), str(ds.get("SOPClassUID") or "")
    if not sop_class:
        raise DicomError("The file has no SOP Class UID, so nobody can tell what it is; one of PS3.4 B.5 is needed.")
    walk = Walk(rules, _kept_tags(rules), pseudonyms.shift_days(rules.key, identity), names(ds))
    clean = walk.dataset(ds, 0)
    came = str(ds.get("SOPInstanceUID") or "")
    if not came:
        clean.SOPInstanceUID = pseudonyms.new_uid(rules.key, hashlib.sha256(ds.get("PixelData", b"")).hexdigest())
    patient = pseudonyms.new_patient(rules.key, identity)
    clean.PatientName = clean.PatientID = patient
    clean.SpecificCharacterSet = "ISO_IR 192"
    _retain_age(ds, clean, rules)
    said = _say(ds, clean, rules)
    clean.file_meta = _file_meta(clean, UID(ds.file_meta.TransferSyntaxUID))
    original = pseudonyms.digest(rules.key, "original", came).hex() if came else ""
    return Deidentified(clean, patient, original, _sentences(walk.removed, rules), said)


def years(ds: Dataset) -> int | None:
    """Age in whole years from Patient's Age, or from birth and study date; 90 for all above 89, None where unknown."""
    said = str(ds.get("PatientAge") or "").strip()
    if _AGE.fullmatch(said):
        found = int(said[:3]) // {"Y": 1, "M": 12, "W": 52, "D": 365}[said[3]]
    else:
        born, seen = day(str(ds.get("PatientBirthDate") or "")), day(str(ds.get("StudyDate") or ""))
        if born is None or seen is None or born > seen:
            return None
        found = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    return found if found <= OLDEST else OLDEST + 1


def _identity(ds: Dataset) -> str:
    """Who the patient is: issuer and id, without one the name and birth date, without these the study alone."""
    own = str(ds.get("PatientID") or "").strip()
    if own:
        issuer = str(ds.get("IssuerOfPatientID") or "").strip()
        return f"{issuer}:{own}" if issuer else own
    name = str(ds.get("PatientName") or "").strip(" ^")
    if name:
        return f"name:{name}:{ds.get('PatientBirthDate') or ''}"
    return f"study:{ds.get('StudyInstanceUID') or ds.get('SOPInstanceUID') or ''}"


def _kept_tags(rules: Rules) -> frozenset[int]:
    return frozenset().union(*(table.KEPT.get(option, frozenset()) for option in rules.retain))


def _retain_age(ds: Dataset, clean: Dataset, rules: Rules) -> None:
    """The birth date goes; where it told the age and ages may stay, the age is written instead."""
    age = years(ds)
    if Retain.PATIENT_CHARACTERISTICS in rules.retain and age is not None and not clean.get("PatientAge"):
        clean.PatientAge = age_text(f"{age:03d}Y")


def _say(ds: Dataset, clean: Dataset, rules: Rules) -> tuple[str, ...]:
    """Writes into the file that and how it was de-identified (PS3.3 C.7.1.1, C.12.1); gives the codes."""
    full = Retain.FULL_DATES in rules.retain
    options = {code for option, code in OPTIONS.items() if option in rules.retain}
    said = ("113100", *sorted(options | {"113106" if full else "113107"}))
    clean.PatientIdentityRemoved = "YES"
    clean.DeidentificationMethod = list(METHOD)
    clean.DeidentificationMethodCodeSequence = [codes.code(code, "DCM", MEANINGS[code]) for code in said]
    untouched = full and str(ds.get("LongitudinalTemporalInformationModified") or "") != "MODIFIED"
    clean.LongitudinalTemporalInformationModified = "UNMODIFIED" if untouched else "MODIFIED"
    return said


def _file_meta(clean: Dataset, syntax: UID) -> FileMetaDataset:
    """File meta information (PS3.10 7.1) with nothing of the old one but the transfer syntax."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = clean.SOPClassUID
    meta.MediaStorageSOPInstanceUID = clean.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = uid(IMPLEMENTATION, "implementation")
    meta.ImplementationVersionName = IMPLEMENTATION
    return meta


def _sentences(removed: Mapping[str, int], rules: Rules) -> tuple[str, ...]:
    kept = ", ".join(sorted(option.value.replace("_", " ") for option in rules.retain)) or "nothing"
    counts = "; ".join(f"{count} {what}" for what, count in sorted(removed.items()))
    dates = "Dates stay." if Retain.FULL_DATES in rules.retain else "Dates moved, intervals of the patient stay."
    return (
        f"De-identified by the basic profile of PS3.15 Annex E; retained: {kept}.",
        dates,
        *([f"Removed or emptied: {counts}."] if counts else []),
    )
