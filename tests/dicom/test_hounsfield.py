"""Which files hold HU, and which of our own say so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from synth.dicom.decode import decode, display, values
from synth.dicom.encode import encode
from synth.imaging import window_level
from synth.library.folders import shown
from synth.types import Edit, GenerationRequest, Modality, Sex, View
from tests.dicom.test_encode import SENTENCE, generated, read, validated
from tests.phantoms import axial_slice, dicom_bytes, film

SLICE = axial_slice(256)
LUNG = window_level(SLICE, -600, 1500)
CT = GenerationRequest(modality=Modality.CT, view=View.AXIAL, sex=Sex.MALE)
EDIT = Edit("variation", "0" * 64, "real:a", strength=0.5)
PLAIN = {
    "film": GenerationRequest(),
    "edit of a CT in another window": replace(CT, edit=EDIT, lung_window=False),
    "translated CT": replace(
        CT, view=None, edit=Edit("translate", "0" * 64, "upload:a", source="MR"), lung_window=False
    ),
    "translated MR": replace(
        CT, modality=Modality.MR, view=None, edit=Edit("translate", "0" * 64, "upload:a", source="CT")
    ),
}


@pytest.mark.parametrize("request_", [CT, replace(CT, edit=EDIT)])
def test_greys_of_the_lung_window_come_back_as_hu(request_: GenerationRequest) -> None:
    image = generated(LUNG, request_)
    ds = read(encode(image, SENTENCE))
    said = {
        "SOPClassUID": SecondaryCaptureImageStorage,
        "Modality": "CT",
        "RescaleType": "HU",
        "RescaleIntercept": -1350,
        "WindowCenter": -600,
        "WindowWidth": 1500,
        "BitsStored": 8,
        "BodyPartExamined": "CHEST",
    }
    assert {keyword: ds[keyword].value for keyword in said} == said
    assert "nominal" in ds.DerivationDescription
    decoded = decode(encode(image, SENTENCE), "x.dcm")
    unmarked = slice(0, 200)  # the mark is below
    inside = (SLICE > -1350) & (SLICE < 149)
    assert decoded.hounsfield
    assert np.abs(values(decoded) - SLICE)[unmarked][inside[unmarked]].max() < 4  # half a step of 5.9 HU
    assert values(decoded).max() == 150
    assert np.array_equal(shown(decoded), decoded.pixels) and np.array_equal(display(decoded), decoded.pixels)


@pytest.mark.parametrize("name", PLAIN)
def test_where_no_hu_are_meant_the_file_is_plainly_eight_bit(name: str) -> None:
    ds = read(encode(generated(film(), PLAIN[name]), SENTENCE))
    assert (ds.Modality, ds.WindowCenter, ds.WindowWidth) == ("OT", 128, 256)
    assert not {"RescaleSlope", "RescaleIntercept", "RescaleType"} & {element.keyword for element in ds}
    assert ds.BodyPartExamined == ("BRAIN" if "translated" in name else "CHEST")
    decoded = decode(encode(generated(film(), PLAIN[name]), SENTENCE), "x.dcm")
    assert not decoded.hounsfield
    assert np.array_equal(shown(decoded), decoded.pixels)


def test_what_the_ct_of_another_model_means_is_not_known() -> None:
    image = generated(LUNG, CT)
    other = replace(image, provenance=replace(image.provenance, model_id="owner/ct-diffusion"))
    assert read(encode(other, SENTENCE)).Modality == "OT"


@pytest.mark.parametrize("request_", [CT, *PLAIN.values()])
def test_dciodvfy_finds_nothing_but_the_tag_that_it_does_not_know(request_: GenerationRequest, tmp_path: Path) -> None:
    lines = validated(encode(generated(film(), request_), SENTENCE), tmp_path)
    known = ("(0x0008,0x001c)", "this is a Standard Extended SOP Class")
    assert [line for line in lines if not any(words in line for words in known)] == []


@pytest.mark.parametrize(
    ("changes", "hounsfield"),
    [
        ({}, True),
        ({"RescaleType": "HU"}, True),
        ({"RescaleType": "US"}, False),
        ({"Modality": "MR"}, False),
        ({"SOPClassUID": SecondaryCaptureImageStorage}, False),
        ({"SOPClassUID": SecondaryCaptureImageStorage, "RescaleType": "HU"}, True),
    ],
)
def test_only_a_file_that_says_so_is_in_hu(changes: dict[str, str], hounsfield: bool) -> None:
    assert decode(dicom_bytes(SLICE, **changes), "x.dcm").hounsfield is hounsfield


def test_a_ct_screenshot_of_eight_bit_is_shown_as_it_is() -> None:
    capture = dicom_bytes(LUNG, Modality="CT", SOPClassUID=SecondaryCaptureImageStorage)
    assert np.array_equal(shown(decode(capture, "x.dcm")), LUNG)
