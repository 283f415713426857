"""The drawn lesion as DICOM SEG: highdicom reads the same mask back, and a validator finds nothing."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import highdicom
import numpy as np
import pytest

from synth.dicom.encode import encode
from synth.dicom.segmentation import encode_segmentation
from synth.errors import DicomError
from synth.types import Finding, Side
from tests.dicom.test_encode import REQUEST, SENTENCE, generated, read, validated

LESION = np.zeros((256, 256), bool)
LESION[100:130, 60:95] = True
LESION[110:115, 70:75] = False
ILL = generated(request=replace(REQUEST, findings=(Finding("pleural_effusion", Side.LEFT),)))


def test_highdicom_reads_the_same_mask_back_and_the_file_names_its_image(tmp_path: Path) -> None:
    path = tmp_path / "seg.dcm"
    path.write_bytes(encode_segmentation(ILL, LESION, SENTENCE))
    seg = highdicom.seg.segread(path)
    source = read(encode(ILL, SENTENCE))
    back = seg.get_pixels_by_source_instance([source.SOPInstanceUID], ignore_spatial_locations=True)
    assert np.array_equal(back[0, ..., 0] > 0, LESION)
    described = seg.get_segment_description(1)
    assert described.segment_label == "pleural effusion"
    assert described.segmented_property_type.scheme_designator == "SCT"
    assert described.algorithm_type == highdicom.seg.SegmentAlgorithmTypeValues.MANUAL
    assert seg.SyntheticData == "YES"
    assert seg.StudyInstanceUID == source.StudyInstanceUID
    assert seg.SeriesInstanceUID != source.SeriesInstanceUID


def test_the_validator_finds_nothing_in_it(tmp_path: Path) -> None:
    validated(encode_segmentation(ILL, LESION, SENTENCE), tmp_path)


def test_equal_masks_give_equal_uids() -> None:
    first, again = (read(encode_segmentation(ILL, LESION, SENTENCE)) for _ in range(2))
    assert first.SOPInstanceUID == again.SOPInstanceUID
    assert first.PixelData == again.PixelData


@pytest.mark.parametrize(("mask", "sentence"), [(LESION[:128], "one size"), (LESION & False, "mask is empty")])
def test_a_mask_that_does_not_fit_is_one_sentence(mask: np.ndarray, sentence: str) -> None:
    with pytest.raises(DicomError, match=sentence):
        encode_segmentation(ILL, mask, SENTENCE)


def test_a_mask_without_a_finding_is_a_lesion() -> None:
    seg = highdicom.seg.segread(io.BytesIO(encode_segmentation(generated(), LESION, SENTENCE)))
    assert seg.get_segment_description(1).segment_label == "lesion"
