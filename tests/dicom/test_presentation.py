"""The outline of the drawn lesion as DICOM GSPS: the polylines come back, and a validator finds nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth import masks
from synth.dicom.encode import encode
from synth.dicom.presentation import encode_presentation
from synth.errors import DicomError
from tests.dicom.test_encode import SENTENCE, read, validated
from tests.dicom.test_segmentation import ILL, LESION

LINES = masks.outline(LESION)


def test_the_polylines_come_back_and_the_file_names_its_image() -> None:
    state, source = read(encode_presentation(ILL, LINES, SENTENCE)), read(encode(ILL, SENTENCE))
    (annotation,) = state.GraphicAnnotationSequence
    drawn = [np.array(part.GraphicData).reshape(-1, 2) for part in annotation.GraphicObjectSequence]
    assert len(drawn) == 2  # the border and the hole
    assert all(np.array_equal(line, back) for line, back in zip(LINES, drawn, strict=True))
    assert {part.GraphicAnnotationUnits for part in annotation.GraphicObjectSequence} == {"PIXEL"}
    (named,) = annotation.ReferencedImageSequence
    assert named.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert (state.StudyInstanceUID, state.SyntheticData) == (source.StudyInstanceUID, "YES")
    assert state.SeriesInstanceUID != source.SeriesInstanceUID


def test_the_validator_finds_nothing_in_it(tmp_path: Path) -> None:
    validated(encode_presentation(ILL, LINES, SENTENCE), tmp_path)


def test_equal_outlines_give_equal_uids() -> None:
    first, again = (read(encode_presentation(ILL, LINES, SENTENCE)) for _ in range(2))
    assert first.SOPInstanceUID == again.SOPInstanceUID


def test_no_outline_is_one_sentence() -> None:
    with pytest.raises(DicomError, match="mask is empty"):
        encode_presentation(ILL, [], SENTENCE)
