"""What may be uploaded to be translated, and the one sentence for everything else."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.uid import SecondaryCaptureImageStorage

from synth.errors import DicomError, RequestError, SynthError
from synth.imaging import window_level
from synth.library.slices import read_slice
from synth.types import Modality
from tests.phantoms import cat, dicom_bytes, png


def head(size_px: int = 256, tone: float = 0.6) -> np.ndarray:
    """A head on black, (size_px, size_px) in [0, 1]: a bright ring, grey inside, two darker ventricles."""
    y, x = np.mgrid[-1 : 1 : size_px * 1j, -1 : 1 : size_px * 1j]
    r = np.hypot(x / 0.7, y / 0.85)
    inside = np.where(np.hypot((np.abs(x) - 0.12) / 0.06, y / 0.2) < 1, 0.3, tone)
    return np.asarray(np.where(r < 0.9, inside, np.where(r < 1.0, 1.0, 0.0)))


GREY = np.rint(head() * 255).astype(np.uint8)
DEEP = np.rint(head() * 4000).astype(np.uint16)
HU = np.where(head() == 0, -1000, np.where(head() == 1, 900, np.where(head() < 0.5, 5, 35))).astype(np.int16)


def test_a_png_is_what_its_reader_says() -> None:
    brain = read_slice(png(GREY), "x.png", Modality.PET)
    assert np.array_equal(brain.pixels, GREY)
    assert (brain.modality, brain.remarks) == (Modality.PET, ())


def test_a_dicom_file_says_it_itself_and_hu_are_brought_to_the_brain_window() -> None:
    brain = read_slice(dicom_bytes(HU), "ct.dcm", None)
    assert brain.modality is Modality.CT
    assert np.array_equal(brain.pixels, window_level(HU, 40, 100))
    assert 100 <= np.median(brain.pixels[HU == 35]) <= 125  # as in the training slices
    assert brain.remarks == ("Shown in the brain window 100/40 HU.",)


def test_a_ct_without_hu_is_taken_as_it_is() -> None:
    capture = dicom_bytes(GREY, Modality="CT", SOPClassUID=SecondaryCaptureImageStorage)
    brain = read_slice(capture, "ct.dcm", Modality.CT)
    assert np.array_equal(brain.pixels, GREY)
    assert brain.remarks == ("Without HU: taken as it is, as if in a brain window.",)


@pytest.mark.parametrize("modality", ["MR", "PT"])
def test_sixteen_bit_and_monochrome1_become_bright_on_black(modality: str) -> None:
    plain = read_slice(dicom_bytes(DEEP, Modality=modality), "x.dcm", None)
    inverted = read_slice(
        dicom_bytes(4000 - DEEP, Modality=modality, PhotometricInterpretation="MONOCHROME1"), "x.dcm", None
    )
    assert np.array_equal(plain.pixels, GREY)
    assert np.abs(inverted.pixels.astype(int) - GREY).max() <= 1  # a half rounds the other way


@pytest.mark.parametrize(("side", "done"), [(64, "enlarged"), (128, "enlarged"), (4000, "reduced")])
def test_small_and_large_pictures_are_brought_to_256_and_it_is_said(side: int, done: str) -> None:
    brain = read_slice(png(np.rint(head(side) * 255).astype(np.uint8)), "x.png", Modality.MR)
    assert brain.remarks == (f"{side} x {side} pixels, {done} to 256.",)
    assert np.abs(brain.pixels.astype(int) - GREY).mean() < 6


def test_a_grey_picture_saved_as_colour_is_taken() -> None:
    for kind in ("PNG", "JPEG"):
        assert read_slice(png(np.stack([GREY] * 3, axis=-1), kind), "x", Modality.MR).modality is Modality.MR


SENTENCES = [
    (png(cat()), None, "x does not say what it is; choose CT, MRI or PET."),
    (png(cat()), Modality.MR, "x is a colour picture; a grey slice of the brain is needed."),
    (png(cat(), "JPEG"), Modality.MR, "x is a colour picture; a grey slice of the brain is needed."),
    (
        dicom_bytes(np.asarray(cat()), Modality="PT"),
        None,
        "x is a colour picture; a grey slice of the brain is needed.",
    ),
    (png(cat().convert("L")), Modality.MR, "x is bright at its border; a slice of a head on black"),
    (png(GREY[::8, ::8]), Modality.MR, "x has 32 x 32 pixels; 64 or more a side are needed."),
    (png(np.zeros((256, 256), np.uint8)), Modality.MR, "x has one grey level only; there is nothing to translate."),
    (png(GREY[100:140]), Modality.MR, "x is a strip of 256 x 40 pixels; a whole slice is needed."),
    (dicom_bytes(DEEP, Modality="MR"), Modality.CT, "x says that it is MRI, but CT was chosen; choose MRI."),
    (dicom_bytes(HU), Modality.PET, "x says that it is CT, but PET was chosen; choose CT."),
    (dicom_bytes(GREY), Modality.MR, "x is of modality DX; a brain slice of CT, MRI or PET is needed."),
    (dicom_bytes(GREY, Modality="NM"), None, "x is of modality NM; a brain slice of CT, MRI or PET is needed."),
]


@pytest.mark.parametrize(("data", "chosen", "sentence"), SENTENCES)
def test_everything_else_is_one_sentence(data: bytes, chosen: Modality | None, sentence: str) -> None:
    with pytest.raises(RequestError) as said:
        read_slice(data, "x", chosen)
    assert str(said.value).startswith(sentence) and "\n" not in str(said.value)


@pytest.mark.parametrize("data", [b"", b"Dear colleague", png(GREY)[:-300], png(np.zeros((7000, 7000), bool))])
def test_what_is_no_picture_at_all_is_one_sentence_too(data: bytes) -> None:
    with pytest.raises(DicomError) as said:
        read_slice(data, "x", Modality.MR)
    assert isinstance(said.value, SynthError) and "\n" not in str(said.value)
