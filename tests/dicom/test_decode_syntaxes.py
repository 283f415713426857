"""Transfer syntaxes, bits, colour and frames: what was stored comes back, whole."""

import numpy as np
import pytest
from pydicom.encaps import encapsulate, get_frame
from pydicom.uid import (
    UID,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSNearLossless,
)

from synth.dicom.decode import decode, decode_frame, display, frame_count, opened, values
from synth.errors import DicomError
from tests.dicom.specimens import LOSSLESS, NATIVE, compressed, enhanced, jpeg, lossless_jpeg
from tests.phantoms import axial_slice, dicom_bytes, film

FILM, SLICE = film(48), axial_slice(48)
DEEP = FILM.astype(np.uint16) * 16
COLOUR = np.stack([FILM, 255 - FILM, FILM.T], axis=-1)
LUMA = np.rint(COLOUR @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)


@pytest.mark.parametrize("syntax", NATIVE)
@pytest.mark.parametrize("pixels", [FILM, DEEP, SLICE, FILM[:45, :45]])
def test_uncompressed_pixels_come_back(syntax: UID, pixels: np.ndarray) -> None:
    stored = pixels.astype(pixels.dtype.newbyteorder(">")) if syntax == ExplicitVRBigEndian else pixels
    decoded = decode(dicom_bytes(stored, syntax), "x.dcm")
    assert decoded.pixels.dtype == pixels.dtype and np.array_equal(decoded.pixels, pixels)
    assert not decoded.pixels.flags.writeable and decoded.pixels.dtype.isnative


@pytest.mark.parametrize("syntax", LOSSLESS)
@pytest.mark.parametrize(("pixels", "stored"), [(FILM, 8), (DEEP, 12), (DEEP, 16), (SLICE, 16)])
def test_losslessly_compressed_pixels_come_back(syntax: UID, pixels: np.ndarray, stored: int) -> None:
    data = dicom_bytes(pixels, syntax, compressed(pixels, syntax, stored), BitsStored=stored, HighBit=stored - 1)
    decoded = decode(data, "x.dcm")
    assert decoded.pixels.dtype == pixels.dtype and np.array_equal(decoded.pixels, pixels)


@pytest.mark.parametrize("syntax", [JPEGLosslessSV1, JPEGLossless])
@pytest.mark.parametrize(("pixels", "bits"), [(FILM, 8), (DEEP, 12), (DEEP * 15 + 3, 16)])
def test_lossless_jpeg_comes_back(syntax: UID, pixels: np.ndarray, bits: int) -> None:
    data = dicom_bytes(pixels, syntax, encapsulate([lossless_jpeg(pixels, bits)]), BitsStored=bits, HighBit=bits - 1)
    decoded = decode(data, "x.dcm")
    assert decoded.pixels.dtype == pixels.dtype and np.array_equal(decoded.pixels, pixels)


def test_lossless_jpeg_of_signed_values_keeps_their_sign() -> None:
    twelve_bits = (SLICE & 0xFFF).view(np.uint16)
    data = dicom_bytes(SLICE, JPEGLosslessSV1, encapsulate([lossless_jpeg(twelve_bits, 12)]), BitsStored=12, HighBit=11)
    assert np.array_equal(decode(data, "x.dcm").pixels, SLICE)


@pytest.mark.parametrize("syntax", [JPEGBaseline8Bit, JPEGExtended12Bit])
def test_lossy_jpeg_comes_back_nearly(syntax: UID) -> None:
    near = decode(dicom_bytes(FILM, syntax, encapsulate([jpeg(FILM, quality=95)])), "x.dcm").pixels
    assert near.dtype == np.uint8 and np.abs(near.astype(int) - FILM).max() < 16


def test_near_lossless_jpeg_ls_differs_by_no_more_than_it_says() -> None:
    data = dicom_bytes(FILM, JPEGLSNearLossless, compressed(FILM, JPEGLSNearLossless, 8, jls_error=2))
    assert np.abs(decode(data, "x.dcm").pixels.astype(int) - FILM).max() == 2


@pytest.mark.parametrize("pixels", [DEEP, SLICE])
def test_what_lies_above_the_stored_bits_is_not_of_the_image(pixels: np.ndarray) -> None:
    stored = np.bitwise_and(pixels, 0x0FFF) | np.array(0x5000, dtype=pixels.dtype)
    assert np.array_equal(decode(dicom_bytes(stored, BitsStored=12, HighBit=11), "x.dcm").pixels, pixels)


@pytest.mark.parametrize("pixels", [DEEP, SLICE])
def test_a_high_bit_at_the_top_moves_the_values_down(pixels: np.ndarray) -> None:
    stored = (pixels.astype(np.int64) << 4 | 0b1010).astype(pixels.dtype)
    assert np.array_equal(decode(dicom_bytes(stored, BitsStored=12, HighBit=15), "x.dcm").pixels, pixels)


def test_signed_values_of_8_bits_become_16() -> None:
    pixels = np.array([[-128, -1], [0, 127]], dtype=np.int8)
    decoded = decode(dicom_bytes(pixels, PixelRepresentation=1), "x.dcm")
    assert (decoded.pixels.dtype, decoded.pixels.tolist()) == (np.dtype(np.int16), [[-128, -1], [0, 127]])


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_is_kept_as_luma_with_a_note(planar: int) -> None:
    stored = COLOUR if planar == 0 else np.ascontiguousarray(COLOUR.transpose(2, 0, 1)).reshape(COLOUR.shape)
    decoded = decode(dicom_bytes(stored, PlanarConfiguration=planar), "x.dcm")
    assert np.array_equal(decoded.pixels, LUMA)
    share = f"{decoded.colour:.0%}"
    assert decoded.notes == (f"Colour (RGB) on {share} of the picture: only its brightness is kept.",)


def test_grey_stored_as_colour_has_no_note() -> None:
    grey = np.stack([FILM] * 3, axis=-1)
    decoded = decode(dicom_bytes(grey), "x.dcm")
    assert np.array_equal(decoded.pixels, FILM) and (decoded.colour, decoded.notes) == (0.0, ())


def test_the_luma_of_ybr_is_its_first_channel() -> None:
    ybr = np.stack([FILM, np.full_like(FILM, 128), np.full_like(FILM, 128)], axis=-1)
    assert np.array_equal(decode(dicom_bytes(ybr, PhotometricInterpretation="YBR_FULL"), "x.dcm").pixels, FILM)


@pytest.mark.parametrize(
    ("bits", "table"),
    [(16, np.array([0, 65535, 257], "<u2")), (8, np.array([0, 255, 1, 0], "u1"))],
    ids=["16 bits", "8 bits"],
)
def test_values_outside_a_palette_take_its_ends(bits: int, table: np.ndarray) -> None:
    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    palette = {f"{name}Descriptor": [3, 300, bits] for name in names} | {
        f"{name}Data": table.tobytes() for name in names
    }
    pixels = np.array([[0, 300, 301, 302, 900]], dtype=np.uint16)
    decoded = decode(dicom_bytes(pixels, PhotometricInterpretation="PALETTE COLOR", **palette), "x.dcm")
    assert display(decoded).tolist() == [[0, 0, 255, 1, 1]]


def test_a_palette_of_segments_is_expanded() -> None:
    # two values, a slope of 4 to 40, then both again: PS3.3 C.7.9.2
    segments = np.array([0, 2, 0, 20, 1, 4, 40, 2, 1, 0, 0], "<u2").tobytes()
    names = ("Red", "Green", "Blue")
    palette = {f"{name}PaletteColorLookupTableDescriptor": [8, 0, 16] for name in names}
    palette |= {f"Segmented{name}PaletteColorLookupTableData": segments for name in names}
    pixels = np.arange(8, dtype=np.uint8)[None]
    decoded = decode(dicom_bytes(pixels, PhotometricInterpretation="PALETTE COLOR", **palette), "x.dcm")
    assert decoded.pixels.tolist() == [[0, 20, 25, 30, 35, 40, 0, 20]]


def test_any_frame_can_be_asked_for_and_a_file_is_parsed_once() -> None:
    frames = np.stack([np.full((4, 4), level, dtype=np.uint8) for level in (10, 20, 30)])
    data = dicom_bytes(frames, NumberOfFrames=3)
    assert [int(decode(data, "x.dcm", number).pixels[0, 0]) for number in (1, 2, 3)] == [10, 20, 30]
    ds = opened(data, "x.dcm")
    assert frame_count(ds, "x.dcm") == 3
    assert [decode_frame(ds, "x.dcm", number).frame for number in (1, 2, 3, None)] == [1, 2, 3, 2]
    for number in (0, 4, -1):
        with pytest.raises(DicomError, match=rf"x\.dcm has 3 frames; there is no frame {number}\."):
            decode(data, "x.dcm", number)


@pytest.mark.parametrize("offsets", [True, False])
@pytest.mark.parametrize("syntax", LOSSLESS)
def test_frames_of_a_compressed_file_are_told_apart(syntax: UID, offsets: bool) -> None:
    frames = [FILM, 255 - FILM, FILM.T.copy()]
    pieces = [get_frame(compressed(frame, syntax, 8), 0, number_of_frames=1) for frame in frames]
    data = dicom_bytes(np.stack(frames), syntax, encapsulate(pieces, has_bot=offsets), NumberOfFrames=3)
    assert all(np.array_equal(decode(data, "x.dcm", 1 + n).pixels, frame) for n, frame in enumerate(frames))


def test_each_frame_of_an_enhanced_ct_has_its_own_unit_window_and_spacing() -> None:
    frames = np.stack([SLICE, SLICE + 1, SLICE + 2])
    ds = opened(enhanced(frames, SOPClassUID=EnhancedCTImageStorage), "ct.dcm")
    for number in (1, 2, 3):
        decoded = decode_frame(ds, "ct.dcm", number)
        assert (decoded.intercept, decoded.window_center, decoded.window_width) == (-number, 10 * number, 400)
        assert (decoded.spacing_mm, decoded.hounsfield) == ((number, number), True)
        assert np.array_equal(values(decoded), SLICE - 1)


def test_a_shared_group_counts_where_a_frame_says_nothing() -> None:
    ds = opened(enhanced(np.stack([SLICE, SLICE])), "ct.dcm")
    for item in ds.PerFrameFunctionalGroupsSequence:
        del item.FrameVOILUTSequence
    assert (decode_frame(ds, "x", 1).window_center, decode_frame(ds, "x", 2).window_width) == (7, 9)


def test_a_window_without_its_centre_is_none() -> None:
    assert decode(dicom_bytes(DEEP, ExplicitVRLittleEndian, WindowWidth=400), "x.dcm").window_width is None
