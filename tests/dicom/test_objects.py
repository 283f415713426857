"""Synthetic images as DX and CT objects, and how they lie together in studies."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest

from synth.dicom.decode import decode, display, values
from synth.dicom.encode import encode
from synth.dicom.objects import Kind, Study, encode_as, study_of
from synth.dicom.presentation import encode_presentation
from synth.dicom.segmentation import encode_segmentation
from synth.errors import DicomError
from synth.imaging import mark, to_uint8
from synth.types import Edit, GeneratedImage, GenerationRequest, Modality, Restoration, Sex, View
from tests.dicom.test_encode import REQUEST, SENTENCE, generated, read

CUT = GenerationRequest(modality=Modality.CT, view=View.AXIAL, seed=5)
EDIT = Edit("variation", "0" * 64, "synthetic:a1b2")
LINE = np.array([[1.0, 1.0], [9.0, 1.0], [9.0, 9.0], [1.0, 1.0]])
REQUESTS = {Kind.SECONDARY_CAPTURE: REQUEST, Kind.DX: REQUEST, Kind.CT: CUT}


def film(kind: Kind = Kind.DX, name: str = "a1b2", **changes: object) -> GeneratedImage:
    return generated(request=replace(REQUESTS[kind], **changes), name=name)


def square(image: GeneratedImage, side_px: int = 9) -> np.ndarray:
    lesion = np.zeros(image.pixels.shape, bool)
    lesion[5 : 5 + side_px, 5:20] = True
    return lesion


def exported(image: GeneratedImage, kind: Kind, study: Study | None = None) -> pydicom.Dataset:
    return read(encode_as(image, SENTENCE, kind, study))


def test_the_default_object_is_the_secondary_capture_of_encode() -> None:
    assert encode_as(film(), SENTENCE, Kind.SECONDARY_CAPTURE) == encode(film(), SENTENCE)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("grouped", [False, True])
def test_every_object_says_everywhere_that_it_is_synthetic(kind: Kind, grouped: bool) -> None:
    image = film(kind)
    ds = exported(image, kind, study_of(image) if grouped else None)
    assert (ds.SyntheticData, ds.BurnedInAnnotation, ds.ImageType[:2]) == ("YES", "YES", ["DERIVED", "SECONDARY"])
    assert ds.StudyDescription == ds.SeriesDescription == "SYNTHETIC - NOT FOR DIAGNOSIS"
    assert str(ds.PatientName).startswith("SYNTHETIC^") and ds.PatientID.startswith("SYN-")
    assert "shows no patient" in ds.DerivationDescription and ds.ImageComments == SENTENCE
    (item,) = ds.ContributingEquipmentSequence
    assert item.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Synthesizing Equipment"
    assert (ds.AccessionNumber, ds.PatientBirthDate, ds.ReferringPhysicianName) == ("", "", "")
    assert "Laterality" not in ds


@pytest.mark.parametrize("kind", list(Kind))
def test_pixels_and_greys_come_back_as_they_were(kind: Kind) -> None:
    image = film(kind)
    marked = mark(to_uint8(image.pixels))
    decoded = decode(encode_as(image, SENTENCE, kind), "x")
    plain = decode(encode(image, SENTENCE), "x")
    assert np.array_equal(decoded.pixels, marked) and np.array_equal(display(decoded), display(plain))
    assert np.array_equal(values(decoded), values(plain))
    assert (decoded.synthetic, decoded.hounsfield) == (True, kind is Kind.CT)
    assert decoded.modality == {Kind.SECONDARY_CAPTURE: "OT", Kind.DX: "DX", Kind.CT: "CT"}[kind]


def test_a_film_is_a_dx_for_presentation() -> None:
    ds = exported(film(), Kind.DX)
    assert (ds.SOPClassUID, ds.Modality, ds.PresentationIntentType) == (
        "1.2.840.10008.5.1.4.1.1.1.1",
        "DX",
        "FOR PRESENTATION",
    )
    assert (ds.ViewPosition, ds.ViewCodeSequence[0].CodeValue, ds.ImageLaterality) == ("PA", "399348003", "U")
    assert ds.file_meta.MediaStorageSOPClassUID == ds.SOPClassUID and "ConversionType" not in ds
    assert ds.file_meta.MediaStorageSOPInstanceUID == ds.SOPInstanceUID


def test_a_slice_is_a_ct_image_whose_values_are_hu() -> None:
    ds = exported(film(Kind.CT), Kind.CT)
    assert (ds.SOPClassUID, ds.Modality, ds.BitsAllocated) == ("1.2.840.10008.5.1.4.1.1.2", "CT", 16)
    assert (ds.ImageType[2], ds.RescaleType, float(ds.RescaleIntercept)) == ("AXIAL", "HU", -1350.0)


@pytest.mark.parametrize(("kind", "keyword"), [(Kind.DX, "ImagerPixelSpacing"), (Kind.CT, "PixelSpacing")])
def test_a_spacing_is_there_because_it_must_be_and_nobody_measures_with_it(kind: Kind, keyword: str) -> None:
    image = film(kind)
    data = encode_as(image, SENTENCE, kind)
    ds = read(data)
    assert float(ds[keyword].value[0]) == pytest.approx(350 / image.pixels.shape[1], abs=1e-6)
    assert ds.DerivationDescription.endswith(
        "Pixel spacing is nominal (350 mm a width) because DICOM demands one; nothing may be measured."
    )
    assert decode(data, "x").spacing_mm is None
    assert "PixelSpacing" not in exported(film(), Kind.DX)


RESTORED = Edit("restore", "0" * 64, "synthetic:a", restoration=Restoration("blur"))


@pytest.mark.parametrize(
    ("kind", "changes", "told"),
    [
        (Kind.CT, {"modality": Modality.DX, "view": View.PA}, "Only a CT slice whose greys stand for HU"),
        (Kind.CT, {"lung_window": False}, "Only a CT slice whose greys stand for HU"),
        (Kind.CT, {"model_id": "other"}, None),
        (Kind.DX, {"modality": Modality.CT, "view": View.AXIAL}, "Only a PA or AP film"),
        (Kind.DX, {"view": None}, "Only a PA or AP film"),
        (Kind.DX, {"edit": RESTORED}, "A restored image cannot be a DX object"),
        (Kind.CT, {"edit": replace(EDIT, mode="translate")}, "A translated image cannot be a CT object"),
    ],
)
def test_a_kind_that_the_image_cannot_be_is_refused(kind: Kind, changes: dict[str, object], told: str | None) -> None:
    image = film(kind, **changes)
    if told is None:  # another model's CT: what its greys stand for is not known
        origin = replace(image.provenance, model_id="other")
        image, told = replace(image, provenance=origin), "Only a CT slice whose greys stand for HU"
    with pytest.raises(DicomError, match=told):
        encode_as(image, SENTENCE, kind)


def test_images_of_one_prompt_and_day_share_a_study_and_a_series() -> None:
    images = [film(name=f"n{seed}", seed=seed) for seed in (3, 4, 5)]
    sets = [exported(image, Kind.DX, study_of(image)) for image in images]
    assert len({ds.StudyInstanceUID for ds in sets}) == len({ds.SeriesInstanceUID for ds in sets}) == 1
    assert len({ds.SOPInstanceUID for ds in sets}) == 3
    assert [ds.InstanceNumber for ds in sets] == [4, 5, 6]
    shared = (
        "PatientID",
        "PatientName",
        "PatientSex",
        "PatientAge",
        "StudyDate",
        "StudyTime",
        "StudyID",
        "SeriesNumber",
    )
    assert len({tuple(str(ds[keyword].value) for keyword in shared) for ds in sets}) == 1


def test_another_prompt_or_day_is_another_study_of_another_patient() -> None:
    first, other = film(), film(sex=Sex.FEMALE)
    made = first.provenance.created_at + timedelta(days=1)
    later = replace(first, provenance=replace(first.provenance, created_at=made))
    sets = [exported(image, Kind.DX, study_of(image)) for image in (first, other, later)]
    assert len({ds.StudyInstanceUID for ds in sets}) == len({ds.PatientID for ds in sets}) == 3
    assert len({ds.SOPInstanceUID for ds in sets}) == 3


def test_the_pair_before_and_after_an_edit_lies_in_one_study() -> None:
    before, after = film(), film(name="after", sex=Sex.FEMALE, age=None, edit=EDIT)
    study = study_of(after, root=before)
    assert study == study_of(before)
    first, second = exported(before, Kind.DX, study), exported(after, Kind.DX, study)
    assert first.StudyInstanceUID == second.StudyInstanceUID and first.PatientID == second.PatientID
    assert (second.PatientSex, second.PatientAge) == ("M", "065Y")  # of the patient that the study began with
    assert first.SeriesInstanceUID != second.SeriesInstanceUID
    assert (first.SeriesNumber, second.SeriesNumber) == (11, 16)


def test_kinds_lie_in_series_of_their_own_and_slices_never_stack() -> None:
    image = film()
    kinds = [exported(image, kind, study_of(image)) for kind in (Kind.SECONDARY_CAPTURE, Kind.DX)]
    assert len({ds.SeriesInstanceUID for ds in kinds}) == len({ds.SOPInstanceUID for ds in kinds}) == 2
    cuts = [exported(cut, Kind.CT, study_of(cut)) for cut in (film(Kind.CT, "c1", seed=1), film(Kind.CT, "c2", seed=2))]
    assert len({ds.StudyInstanceUID for ds in cuts}) == 1
    assert len({ds.SeriesInstanceUID for ds in cuts}) == len({ds.FrameOfReferenceUID for ds in cuts}) == 2


@pytest.mark.parametrize("kind", list(Kind))
def test_masks_and_outlines_refer_to_the_object_that_is_exported(kind: Kind) -> None:
    image = film(kind)
    study = study_of(image)
    source = exported(image, kind, study)
    segmentation = read(encode_segmentation(image, square(image), SENTENCE, kind, study))
    outline = read(encode_presentation(image, [LINE], SENTENCE, kind, study))
    referred = [
        segmentation.ReferencedSeriesSequence[0].ReferencedInstanceSequence[0],
        outline.ReferencedSeriesSequence[0].ReferencedImageSequence[0],
    ]
    assert {(item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) for item in referred} == {
        (source.SOPClassUID, source.SOPInstanceUID)
    }
    for ds in (segmentation, outline):
        assert (ds.StudyInstanceUID, ds.PatientID) == (source.StudyInstanceUID, source.PatientID)
        assert ds.SyntheticData == "YES"
    assert [segmentation.SeriesNumber, outline.SeriesNumber] == [source.SeriesNumber + 1, source.SeriesNumber + 2]


def test_another_mask_is_another_object() -> None:
    image = film()
    uids = [read(encode_segmentation(image, square(image, side), SENTENCE)).SOPInstanceUID for side in (5, 6, 6)]
    assert uids[0] != uids[1] == uids[2]


def test_dciodvfy_finds_nothing_but_the_tag_that_it_does_not_know(tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        assert not os.environ.get("CI"), "dciodvfy is missing on CI; apt-get install dicom3tools"
        pytest.skip("dciodvfy is not installed (apt-get install dicom3tools)")
    files: dict[str, bytes] = {}
    for kind in Kind:
        image = film(kind)
        for study in (None, study_of(image)):
            name = f"{kind}-{'grouped' if study else 'alone'}"
            files[name] = encode_as(image, SENTENCE, kind, study)
            files[f"{name}-mask"] = encode_segmentation(image, square(image), SENTENCE, kind, study)
            files[f"{name}-outline"] = encode_presentation(image, [LINE], SENTENCE, kind, study)
    files["ap"] = encode_as(film(view=View.AP, sex=None, age=None), SENTENCE, Kind.DX)
    found: dict[str, tuple[int, list[str]]] = {}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        done = subprocess.run(["dciodvfy", tmp_path / name], capture_output=True, text=True, timeout=60, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        faults = [line for line in lines if line.startswith(("Error", "Warning")) and "(0x0008,0x001c)" not in line]
        found[name] = (done.returncode, [line for line in faults if "Standard Extended SOP Class" not in line])
    assert found == dict.fromkeys(files, (0, []))
