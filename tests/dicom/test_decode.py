import io

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit

from synth.dicom.decode import decode, display, values
from synth.imaging import png_bytes, window_level
from tests.phantoms import axial_slice, dicom_bytes, film

FILM, SLICE = film(64), axial_slice(64)


def compressed(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("pixels", [FILM, FILM.astype(np.uint16) * 16, SLICE, axial_slice(65)])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_dicom_pixels_come_back_as_stored(pixels: np.ndarray, syntax: str) -> None:
    decoded = decode(dicom_bytes(pixels, syntax), "x.dcm")
    assert decoded.pixels.dtype == pixels.dtype and np.array_equal(decoded.pixels, pixels)
    assert (decoded.spacing_mm, decoded.frame, decoded.frames, decoded.synthetic) == ((0.7, 0.7), 1, 1, False)
    with pytest.raises(ValueError, match="read-only"):
        decoded.pixels[0, 0] = 1


def test_rescale_gives_hu_and_the_first_window_is_shown() -> None:
    stored = (SLICE.astype(np.int32) + 1024).astype(np.uint16)
    data = dicom_bytes(
        stored, Modality="CT", RescaleSlope=1, RescaleIntercept=-1024, WindowCenter=[-600, 40], WindowWidth=[1500, 400]
    )
    decoded = decode(data, "ct.dcm")
    assert (decoded.modality, decoded.slope, decoded.intercept) == ("CT", 1.0, -1024.0)
    assert np.array_equal(values(decoded), SLICE)
    assert np.array_equal(display(decoded), window_level(SLICE, -600, 1500))


def test_monochrome1_is_inverted_for_display_only() -> None:
    decoded = decode(dicom_bytes(FILM, PhotometricInterpretation="MONOCHROME1"), "x.dcm")
    assert np.array_equal(decoded.pixels, FILM)
    assert np.array_equal(display(decoded), 255 - FILM)


def test_without_a_window_16_bit_is_shown_from_lowest_to_highest() -> None:
    decoded = decode(dicom_bytes(np.array([[100, 200], [300, 500]], dtype=np.uint16)), "x.dcm")
    assert display(decoded).tolist() == [[0, 64], [128, 255]]


@pytest.mark.parametrize(("function", "shown"), [("LINEAR_EXACT", [0, 128, 255]), ("SIGMOID", [30, 128, 225])])
def test_the_voi_function_of_the_file_is_used(function: str, shown: list[int]) -> None:
    pixels = np.array([[0, 100, 200]], dtype=np.uint16)
    data = dicom_bytes(pixels, WindowCenter=100, WindowWidth=200, VOILUTFunction=function)
    assert display(decode(data, "x.dcm")).tolist() == [shown]


def lut(keyword: str, table: list[int]) -> dict[str, list[Dataset]]:
    item = Dataset()
    item.LUTDescriptor, item.ModalityLUTType = [len(table), 0, 16], "US"
    item.add_new("LUTData", "OW", np.array(table, dtype="<u2").tobytes())
    return {keyword: [item]}


def test_a_modality_lut_replaces_slope_and_intercept() -> None:
    pixels = np.array([[0, 1, 2, 3]], dtype=np.uint16)
    decoded = decode(dicom_bytes(pixels, **lut("ModalityLUTSequence", [9, 7, 5, 1000])), "x.dcm")
    assert (decoded.pixels.tolist(), decoded.slope, decoded.intercept) == ([[9, 7, 5, 1000]], 1.0, 0.0)


def test_a_voi_lut_is_shown_where_there_is_no_window() -> None:
    pixels = np.array([[0, 1, 2, 3]], dtype=np.uint16)
    decoded = decode(dicom_bytes(pixels, **lut("VOILUTSequence", [0, 16384, 32768, 65535])), "x.dcm")
    assert display(decoded).tolist() == [[0, 64, 128, 255]]


def test_of_several_frames_the_middle_one_is_read_and_its_number_told() -> None:
    frames = np.stack([np.full((4, 4), level, dtype=np.uint8) for level in (10, 20, 30)])
    decoded = decode(dicom_bytes(frames, NumberOfFrames=3), "x.dcm")
    assert (decoded.pixels.tolist(), decoded.frame, decoded.frames) == ([[20] * 4] * 4, 2, 3)


def test_colour_becomes_luma() -> None:
    colour = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], dtype=np.uint8)
    assert decode(dicom_bytes(colour), "x.dcm").pixels.tolist() == [[76, 150, 29, 255]]
    assert decode(compressed(colour, "PNG"), "x.png").pixels.tolist() == [[76, 150, 29, 255]]


def test_a_palette_is_looked_up() -> None:
    table = np.array([0, 65535], dtype=np.uint16).tobytes()
    palette = {f"{name}PaletteColorLookupTableDescriptor": [2, 0, 16] for name in ("Red", "Green", "Blue")}
    palette |= {f"{name}PaletteColorLookupTableData": table for name in ("Red", "Green", "Blue")}
    data = dicom_bytes(np.array([[0, 1]], dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR", **palette)
    assert display(decode(data, "x.dcm")).tolist() == [[0, 255]]


def test_jpeg_and_jpeg2000_inside_dicom_are_read() -> None:
    lossless = encapsulate([compressed(FILM, "JPEG2000", no_jp2=True)])
    assert np.array_equal(decode(dicom_bytes(FILM, JPEG2000Lossless, lossless), "x.dcm").pixels, FILM)
    lossy = encapsulate([compressed(FILM, "JPEG", quality=95)])
    near = decode(dicom_bytes(FILM, JPEGBaseline8Bit, lossy), "x.dcm").pixels
    assert np.abs(near.astype(int) - FILM).max() < 16


@pytest.mark.parametrize("pixels", [FILM, FILM.astype(np.uint16) * 257])
def test_png_of_8_and_16_bit_comes_back_identical(pixels: np.ndarray) -> None:
    decoded = decode(compressed(pixels, "PNG"), "x.png")
    assert decoded.pixels.dtype == pixels.dtype and np.array_equal(decoded.pixels, pixels)
    assert (decoded.modality, decoded.spacing_mm, decoded.window_center) == (None, None, None)


def test_jpeg_is_read_by_its_content_whatever_its_name() -> None:
    near = display(decode(compressed(FILM, "JPEG", quality=95), "film.dcm"))
    assert np.abs(near.astype(int) - FILM).max() < 16


@pytest.mark.parametrize(("said", "synthetic"), [({"SyntheticData": "YES"}, True), ({"Title": "film"}, False)])
def test_a_png_that_says_it_is_synthetic_is_known(said: dict[str, str], synthetic: bool) -> None:
    assert decode(png_bytes(FILM, said), "x.png").synthetic is synthetic
