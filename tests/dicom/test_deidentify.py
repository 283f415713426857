import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from synth.dicom import deidentify_table as table
from synth.dicom.deidentify import deidentify, years
from synth.dicom.deidentify_table import Action
from synth.dicom.encode import part10
from synth.dicom.taken import Retain, Rules
from synth.errors import DicomError
from tests.dicom.patients import KEY, coded, ct, dx, read, stuffed

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom grumbles about the values that are to be cleaned
STRICT = Rules(KEY, retain=frozenset())
CANARIES: dict[str, Any] = {
    "PN": "CANARY^NAME", "AE": "CANARY", "CS": "CANARY", "DA": "19010203", "DT": "19010203112233.123456",
    "TM": "112233.123456", "AS": "077Y", "DS": "77.7077", "IS": "770770", "US": 7707, "UI": "1.2.77.0770",
    "OB": b"CANARY NAME ", "OW": b"CANARY NAME ", "UN": b"CANARY NAME ",
}  # fmt: skip
TRACES = (b"CANARY", b"1901", b"77.7077", b"770770", b"1.2.77", b"077Y")


def vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag).split(" or ")[0]
    except KeyError:
        return "LO"


def item() -> Dataset:
    inner = Dataset()
    inner.PatientName, inner.PatientComments, inner.ReferencedSOPInstanceUID = "CANARY^NAME", "CANARY", "1.2.77.1"
    return inner


def every_row() -> Dataset:
    """All attributes of Table E.1-1 but those of the file meta and of commands, each with a value of its type."""
    ds = Dataset()
    for tag in table.TABLE:
        if tag >> 16 in (0x0000, 0x0002):
            continue
        vr = vr_of(tag)
        ds.add_new(tag, vr, [item()] if vr == "SQ" else CANARIES.get(vr, "CANARY NAME"))
    return ds


def leaks(ds: Dataset, where: str = "") -> Iterator[str]:
    """Attributes that are not what the table asks for."""
    for element in ds:
        action, name = table.TABLE.get(element.tag), where + (element.keyword or str(element.tag))
        if element.VR == "SQ":
            for inner in element.value:
                yield from leaks(inner, f"{name}.")
            continue
        if action is None or element.tag in table.TEMPORAL or name in ("PatientID", "PatientName"):
            continue
        same = element.value == CANARIES.get(element.VR, "CANARY NAME")
        if same or action is Action.REMOVE or (action is Action.EMPTY and not element.is_empty):
            yield name


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_no_row_of_the_table_comes_through_at_any_depth(depth: int) -> None:
    ds = ct()
    rows = every_row()
    for _ in range(depth):
        outer = Dataset()
        outer.CTExposureSequence = [rows]
        rows = outer
    if depth:
        ds.CTExposureSequence = rows.CTExposureSequence
    else:
        ds.update({element.tag: element for element in rows if element.tag != 0x00080018})
    clean = deidentify(ds, STRICT).dataset
    assert list(leaks(clean)) == []
    for tag in table.TEMPORAL:  # moved, not removed: intervals stay
        for element in clean.iterall():
            if element.tag == tag and element.VR == "TM" and not element.is_empty:
                element.value = ""
    data = part10(clean)
    assert [trace for trace in TRACES if trace in data] == []


def test_a_header_stuffed_in_odd_places_comes_out_without_a_trace() -> None:
    source = stuffed()
    assert source.count(b"CANARY") > 30
    clean = deidentify(read(source), Rules(KEY))
    data = part10(clean.dataset)
    assert b"CANARY" not in data.upper() and b"MUSTER" not in data.upper() and b"NAME" not in data.upper()
    region = clean.dataset.AnatomicRegionSequence[0]
    assert (region.CodeValue, region.CodeMeaning) == ("51185008", "Thoracic structure (body structure)")
    assert clean.dataset.RescaleType == "US" and clean.dataset.Manufacturer in ("", None)
    assert clean.dataset.FrameOfReferenceUID.startswith("2.25.")


def test_the_file_says_how_it_was_deidentified() -> None:
    found = deidentify(ct(), Rules(KEY))
    ds = found.dataset
    said = [(code.CodeValue, code.CodingSchemeDesignator) for code in ds.DeidentificationMethodCodeSequence]
    assert said == [("113100", "DCM"), ("113107", "DCM"), ("113108", "DCM")]
    assert found.codes == ("113100", "113107", "113108")
    assert (ds.PatientIdentityRemoved, ds.LongitudinalTemporalInformationModified) == ("YES", "MODIFIED")
    assert ds.PatientName == ds.PatientID == found.patient and found.patient.startswith("ANON-")
    assert found.done[0] == "De-identified by the basic profile of PS3.15 Annex E; retained: patient characteristics."


def test_the_source_stays_as_it_was() -> None:
    ds = ct()
    before = part10(ds)
    deidentify(ds, Rules(KEY))
    assert part10(ds) == before


def test_references_and_intervals_hold_over_a_study_and_between_imports() -> None:
    first, second = ct(1, "20200310"), ct(2, "20200425")
    second.ReferencedImageSequence = [Dataset()]
    second.ReferencedImageSequence[0].ReferencedSOPClassUID = first.SOPClassUID
    second.ReferencedImageSequence[0].ReferencedSOPInstanceUID = first.SOPInstanceUID
    one, two, again = (deidentify(ds, Rules(KEY)).dataset for ds in (first, second, first))
    assert part10(one) == part10(again)
    assert one.StudyInstanceUID == two.StudyInstanceUID != first.StudyInstanceUID
    assert one.SOPInstanceUID == two.ReferencedImageSequence[0].ReferencedSOPInstanceUID != two.SOPInstanceUID
    assert two.ReferencedImageSequence[0].ReferencedSOPClassUID == first.SOPClassUID
    assert one.PatientID == two.PatientID and one.FrameOfReferenceUID == two.FrameOfReferenceUID
    days = [date(int(ds.StudyDate[:4]), int(ds.StudyDate[4:6]), int(ds.StudyDate[6:])) for ds in (one, two)]
    assert (days[1] - days[0]).days == 46 and 1 <= (date(2020, 3, 10) - days[0]).days <= 3650
    assert one.StudyTime == "101112"


def test_another_key_and_another_patient_map_elsewhere() -> None:
    mine, theirs = (deidentify(ct(), Rules(key)) for key in (KEY, b"another" * 5))
    other = deidentify(ct(patient="0815"), Rules(KEY))
    assert len({mine.patient, theirs.patient, other.patient}) == 3
    assert len({mine.dataset.StudyDate, theirs.dataset.StudyDate, other.dataset.StudyDate}) == 3
    assert mine.dataset.SOPInstanceUID != theirs.dataset.SOPInstanceUID
    assert mine.original != theirs.original and mine.original == other.original and len(mine.original) == 64


def test_a_patient_without_an_id_is_known_by_name_and_birth_and_else_by_study() -> None:
    def patient(**changes: str) -> str:
        ds = ct(patient="")
        for keyword, value in changes.items():
            setattr(ds, keyword, value)
        return deidentify(ds, Rules(KEY)).patient

    assert patient() == patient() != patient(PatientBirthDate="19700101")
    assert patient(PatientName="") == patient(PatientName="") != patient(PatientName="", StudyInstanceUID="1.2.9")


@pytest.mark.parametrize("retain", [(), (Retain.PATIENT_CHARACTERISTICS,), tuple(Retain)])
def test_cleaning_what_is_clean_changes_nothing(retain: tuple[Retain, ...]) -> None:
    rules = Rules(KEY, retain=frozenset(retain))
    for source in (ct(), dx(), read(stuffed())):
        once = deidentify(source, rules).dataset
        assert part10(deidentify(read(part10(once)), rules).dataset) == part10(once)


def rich() -> Dataset:
    """A slice with something for every option."""
    ds = ct()
    ds.PatientAge, ds.PatientSize, ds.PatientWeight, ds.EthnicGroup = "058Y", "1.71", "70", "CANARY"
    ds.DeviceSerialNumber, ds.SoftwareVersions, ds.DetectorID = "SN-1234", "VB40", "D-77"
    ds.InstitutionAddress, ds.InstitutionalDepartmentName = "Road 1", "Radiology"
    ds.TimezoneOffsetFromUTC = "+0100"
    ds.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x27, "DS", "0.7")
    ds.private_block(0x0009, "GEMS_IDEN_01", create=True).add_new(0x02, "SH", "SUITE 5")
    return ds


OPTIONS = {
    Retain.PATIENT_CHARACTERISTICS: {"PatientAge", "PatientSize", "PatientWeight", "PatientSex"},
    Retain.DEVICE_IDENTITY: {
        "DeviceSerialNumber", "SoftwareVersions", "DetectorID", "StationName", "ManufacturerModelName",
    },
    Retain.INSTITUTION_IDENTITY: {"InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"},
    Retain.UIDS: {
        "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "FrameOfReferenceUID",
    },
    Retain.FULL_DATES: {"StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "TimezoneOffsetFromUTC"},
    Retain.SAFE_PRIVATE: {"(0019,0010)", "(0019,1027)"},
}  # fmt: skip


@pytest.mark.parametrize("option", list(Retain))
def test_an_option_keeps_its_attributes_and_nothing_else(option: Retain) -> None:
    source = rich()
    bare = deidentify(source, STRICT).dataset
    kept = deidentify(source, Rules(KEY, retain=frozenset({option}))).dataset
    said = {"DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified"}

    def name(tag: int) -> str:
        return keyword_for_tag(tag) or f"({tag >> 16:04x},{tag & 0xFFFF:04x})"

    changed = {name(tag) for tag in {*bare.keys(), *kept.keys()} if bare.get(tag) != kept.get(tag)} - said
    assert changed == OPTIONS[option]
    assert {tag for tag in map(Tag, kept.keys()) if name(tag) in changed and kept[tag] != source[tag]} == set()


@pytest.mark.parametrize(
    ("age", "born", "written", "told"),
    [
        ("058Y", "19610515", "058Y", 58),
        ("090Y", "", "090Y", 90),
        ("104Y", "", "090Y", 90),
        ("006M", "", "006M", 0),
        ("", "19610515", "058Y", 58),
        ("", "19000101", "090Y", 90),
        ("", "", None, None),
        ("CANARY", "", None, None),
    ],
)
def test_ages_above_89_are_one_and_a_birth_date_becomes_an_age(
    age: str, born: str, written: str | None, told: int | None
) -> None:
    ds = ct()
    ds.add_new("PatientAge", "AS", age)
    ds.PatientBirthDate = born
    assert years(ds) == told
    clean = deidentify(ds, Rules(KEY)).dataset
    assert (clean.get("PatientAge") or None, clean.PatientBirthDate or "") == (written, "")
    assert not deidentify(ds, STRICT).dataset.get("PatientAge")


def test_a_file_without_a_sop_class_is_one_sentence() -> None:
    ds = ct()
    del ds.SOPClassUID
    with pytest.raises(DicomError, match="has no SOP Class UID"):
        deidentify(ds, Rules(KEY))


def test_local_codes_go_and_public_ones_keep_the_meaning_of_the_dictionary() -> None:
    ds = dx()
    ds.ViewCodeSequence = [coded("R-10206", "SRT", "AP of CANARY"), coded("77", "99CANARY", "x")]
    clean = deidentify(ds, Rules(KEY)).dataset
    assert [(one.CodeValue, "CANARY" in one.CodeMeaning) for one in clean.ViewCodeSequence] == [("R-10206", False)]


def test_a_name_among_code_strings_goes_and_the_others_stay() -> None:
    ds = ct()
    ds.ImageType, ds.BodyPartExamined = ["ORIGINAL", "PRIMARY", "AXIAL", "MUSTER"], "ERIKA_CHEST"
    clean = deidentify(ds, Rules(KEY)).dataset
    assert list(clean.ImageType) == ["ORIGINAL", "PRIMARY", "AXIAL", ""] and not clean.BodyPartExamined


def errors(data: bytes, folder: Path) -> set[str]:
    if shutil.which("dciodvfy") is None:
        assert not os.environ.get("CI"), "dciodvfy is missing on CI; apt-get install dicom3tools"
        pytest.skip("dciodvfy is not installed (apt-get install dicom3tools)")
    path = folder / "image.dcm"
    path.write_bytes(data)
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, check=False)
    return {line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")}


@pytest.mark.parametrize("source", [ct(), dx(), rich()], ids=["ct", "dx", "rich"])
@pytest.mark.parametrize("retain", [(), tuple(Retain)], ids=["strict", "all kept"])
def test_dciodvfy_finds_no_error_that_the_source_had_not(
    source: Dataset, retain: tuple[Retain, ...], tmp_path: Path
) -> None:
    before = errors(part10(source), tmp_path)
    after = errors(part10(deidentify(source, Rules(KEY, retain=frozenset(retain))).dataset), tmp_path)
    assert after - before == set()


def test_dciodvfy_finds_no_new_error_in_real_slices(real_library: Path, tmp_path: Path) -> None:
    for path in sorted(real_library.rglob("*.dcm"))[::8]:
        source = read(path.read_bytes())
        after = errors(part10(deidentify(source, Rules(KEY)).dataset), tmp_path)
        assert after - errors(path.read_bytes(), tmp_path) == set(), path.name
