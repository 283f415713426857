import io
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.dicom.decode import decode, display
from synth.dicom.encode import encode, uid
from synth.errors import DicomError
from synth.imaging import mark, to_uint8
from synth.types import GeneratedImage, GenerationRequest, Modality, Pixels, Provenance, Sex, View
from tests.phantoms import film

SENTENCE = "PA chest film of a 65-year-old man with pneumonia."
REQUEST = GenerationRequest(sex=Sex.MALE, age=65, seed=17)


def generated(pixels: Pixels | None = None, request: GenerationRequest = REQUEST, name: str = "a1b2") -> GeneratedImage:
    made = datetime(2026, 11, 22, 12, 30, 5, tzinfo=UTC)
    origin = Provenance(
        request_digest=request.digest(),
        model_id="synthread-256",
        model_revision="r1",
        weights_hash="a" * 64,
        sampler="dpmpp_2m",
        seed=17,
        device="cpu",
        dtype="float32",
        versions={"torch": "2.13"},
        created_at=made,
        requested_by="me",
        seconds=1.0,
    )
    return GeneratedImage(name, film() if pixels is None else pixels, request, origin)


def read(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def test_the_file_says_everywhere_that_it_is_synthetic() -> None:
    ds = read(encode(generated(), SENTENCE))
    marks = {
        "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7",
        "SyntheticData": "YES",
        "ConversionType": "SYN",
        "ImageType": ["DERIVED", "SECONDARY"],
        "Modality": "OT",
        "StudyDescription": "SYNTHETIC - NOT FOR DIAGNOSIS",
        "SeriesDescription": "SYNTHETIC - NOT FOR DIAGNOSIS",
        "BurnedInAnnotation": "YES",
        "PatientName": "SYNTHETIC^a1b2",
        "PatientID": "SYN-a1b2",
        "PatientBirthDate": "",
        "AccessionNumber": "",
        "ImageComments": SENTENCE,
        "BodyPartExamined": "CHEST",
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsStored": 8,
    }
    assert {keyword: ds[keyword].value for keyword in marks} == marks
    assert "Laterality" not in ds and "PixelSpacing" not in ds
    assert "shows no patient" in ds.DerivationDescription


def test_the_model_is_named_as_synthesizing_equipment_and_the_user_is_not() -> None:
    data = encode(generated(), SENTENCE)
    (item,) = read(data).ContributingEquipmentSequence
    (purpose,) = item.PurposeOfReferenceCodeSequence
    assert (purpose.CodeValue, purpose.CodingSchemeDesignator, purpose.CodeMeaning) == (
        "109100",
        "DCM",
        "Synthesizing Equipment",
    )
    assert (item.ManufacturerModelName, item.SoftwareVersions) == ("synthread-256", "torch 2.13")
    assert item.ContributionDescription == (
        f"model synthread-256 r1; weights sha256 {'a' * 64}; request sha256 {REQUEST.digest()}; seed 17; "
        "dpmpp_2m, 20 steps, guidance 2"
    )


def test_sex_and_age_stand_only_where_they_were_asked_for() -> None:
    asked = read(encode(generated(), SENTENCE))
    free = read(encode(generated(request=GenerationRequest()), SENTENCE))
    assert (asked.PatientSex, asked.PatientAge) == ("M", "065Y")
    assert free.PatientSex == "" and "PatientAge" not in free


@pytest.mark.parametrize(
    ("view", "orientation"), [(View.PA, ["L", "F"]), (View.AP, ["L", "F"]), (View.AXIAL, ["L", "P"]), (None, None)]
)
def test_rows_run_to_the_patients_left(view: View | None, orientation: list[str] | None) -> None:
    ds = read(encode(generated(request=replace(REQUEST, view=view)), SENTENCE))
    assert (ds.PatientOrientation or None) == orientation


@pytest.mark.parametrize("pixels", [film(), film(65), film(64).astype(np.uint16) * 257])
def test_pixels_come_back_identical_with_the_mark(pixels: Pixels) -> None:
    decoded = decode(encode(generated(pixels), SENTENCE), "image.dcm")
    assert np.array_equal(decoded.pixels, mark(to_uint8(pixels)))
    assert np.array_equal(display(decoded), decoded.pixels)
    assert (decoded.synthetic, decoded.modality, decoded.frames, decoded.spacing_mm) == (True, "OT", 1, None)


def test_the_same_image_gives_the_same_bytes_and_another_id_other_uids() -> None:
    first, again, other = (encode(generated(name=name), SENTENCE) for name in ("one", "one", "two"))
    assert first == again
    keywords = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
    assert len({read(data)[keyword].value for data in (first, other) for keyword in keywords}) == 6


@settings(max_examples=30)
@given(st.text(max_size=50), st.text(max_size=10))
def test_uids_are_uuids_under_2_25(identity: str, purpose: str) -> None:
    made = uid(identity, purpose)
    assert made.is_valid and made.startswith("2.25.") and made == uid(identity, purpose)
    number = int(made.removeprefix("2.25."))
    assert (number >> 76 & 0xF, number >> 62 & 0x3) == (8, 2)


@pytest.mark.parametrize(
    ("image", "sentence", "why"),
    [
        (generated(name="DOE^JOHN"), SENTENCE, r"'DOE\^JOHN' does not fit"),
        (generated(name="x" * 49), SENTENCE, "does not fit"),
        (generated(), "x" * 10_241, "10241 characters"),
        (generated(request=replace(REQUEST, modality=Modality.MR)), SENTENCE, "Modality MR cannot be exported"),
    ],
)
def test_what_does_not_fit_into_dicom_is_refused(image: GeneratedImage, sentence: str, why: str) -> None:
    with pytest.raises(DicomError, match=why):
        encode(image, sentence)


def validated(data: bytes, folder: Path) -> list[str]:
    """What dciodvfy prints about a file that it finds valid (exit status 0)."""
    if shutil.which("dciodvfy") is None:
        assert not os.environ.get("CI"), "dciodvfy is missing on CI; apt-get install dicom3tools"
        pytest.skip("dciodvfy is not installed (apt-get install dicom3tools)")
    path = folder / "image.dcm"
    path.write_bytes(data)
    done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip() != "SCImage"]


@pytest.mark.parametrize("request_", [REQUEST, GenerationRequest(modality=Modality.CT, view=View.AXIAL)])
def test_dciodvfy_finds_nothing_but_the_tag_that_it_does_not_know(request_: GenerationRequest, tmp_path: Path) -> None:
    lines = validated(encode(generated(request=request_), SENTENCE), tmp_path)
    assert [line for line in lines if "(0x0008,0x001c)" not in line] == [
        "Warning - Dicom dataset contains attributes not present in standard DICOM IOD - "
        "this is a Standard Extended SOP Class"  # the one attribute again
    ]
    assert [line for line in lines if line.startswith("Error")] == [
        "Error - Attribute with an even group number is not a recognized standard attribute - (0x0008,0x001c)  ?"
    ]
