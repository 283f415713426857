import io

import numpy as np
import pytest
from PIL import Image

from synth.dicom.deidentify import deidentify
from synth.dicom.encode import part10
from synth.dicom.headers import HIDDEN, Line, plain, safe_header
from synth.dicom.taken import Rules
from synth.errors import DicomError
from tests.dicom.patients import KEY, ct, dx, stuffed, written

pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom grumbles about the stuffed values


def lines(data: bytes) -> dict[str, str]:
    return {line.keyword: line.value for line in safe_header(data) if line.depth == 0}


def test_a_kept_header_is_shown_with_the_pseudonym() -> None:
    kept = deidentify(ct(), Rules(KEY))
    shown = lines(part10(kept.dataset))
    wanted = {
        "PatientID": kept.patient, "Modality": "CT", "Rows": "64", "Manufacturer": "SIEMENS", "StationName": "REMOVED",
        "ImageType": "ORIGINAL \\ PRIMARY \\ AXIAL", "DeidentificationMethodCodeSequence": "3 items",
        "AccessionNumber": "", "FileMetaInformationVersion": "<2 bytes>",
    }  # fmt: skip
    assert {keyword: shown[keyword] for keyword in wanted} == wanted
    assert HIDDEN not in shown.values() and "PixelData" not in shown


def test_identifiers_of_a_file_that_was_not_cleaned_are_not_shown() -> None:
    text = " ".join(line.value for line in safe_header(part10(ct())))
    shown = lines(part10(ct()))
    assert [word for word in ("MUSTER", "Erika", "4711", "19610515", "Nowhere", "HAUSARZT") if word in text] == []
    hidden = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyDescription", "StudyInstanceUID")
    assert [shown[keyword] for keyword in hidden] == [HIDDEN] * 6


def test_private_and_unknown_elements_have_no_value() -> None:
    found = [line for line in safe_header(stuffed()) if line.keyword == ""]
    assert found and {line.value for line in found} == {"(not shown: KeyError)"}


def test_sequences_are_listed_with_their_depth() -> None:
    listed = [line for line in safe_header(part10(dx())) if line.keyword in ("AnatomicRegionSequence", "CodeValue")]
    assert listed[0] == Line("(0008,2218)", "AnatomicRegionSequence", "SQ", "1 item", 0)
    assert listed[1] == Line("(0008,0100)", "CodeValue", "SH", "51185008", 1)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Siemens", "Siemens"),
        ("<b>bold</b>\x00\x1b[31m", "(b)bold(/b) [31m"),
        ("two\nlines\u202e", "two lines"),
        ("x" * 81, "x" * 79 + "…"),
    ],
)
def test_values_are_plain_and_short(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_a_hostile_value_reaches_the_screen_as_plain_text() -> None:
    ds = ct()
    ds.add_new("ContrastBolusIngredient", "CS", "<SCRIPT>\x07")
    assert lines(written(ds))["ContrastBolusIngredient"] == "(SCRIPT)"


def test_a_picture_has_no_header_and_damage_is_a_sentence() -> None:
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(buffer, "PNG")
    assert safe_header(buffer.getvalue()) == ()
    with pytest.raises(DicomError, match="The header is damaged"):
        safe_header(bytes(128) + b"DICM\x08\0\x05\0SQ\0\0\xff\xff\xff\x0f\xfe\xff\0\xe0\x99")
