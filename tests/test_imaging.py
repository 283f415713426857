import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_windowing

from synth import imaging
from tests.phantoms import film

GREY_8 = arrays.arrays(np.uint8, st.tuples(st.integers(64, 90), st.integers(64, 90)))
GREY_16 = arrays.arrays(np.uint16, st.tuples(st.integers(1, 20), st.integers(1, 20)))


def test_floats_are_clipped_and_rounded_to_8_bit() -> None:
    values = np.array([[-0.2, 0.0, 0.5, 1.0, 1.7]])
    assert imaging.to_uint8(values).tolist() == [[0, 0, 128, 255, 255]]


def test_16_bit_becomes_8_bit_over_the_whole_range() -> None:
    values = np.array([[0, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    assert imaging.to_uint8(values).tolist() == [[0, 0, 1, 1, 128, 255]]


@given(GREY_8)
def test_8_bit_survives_the_way_through_floats(pixels: np.ndarray) -> None:
    assert np.array_equal(imaging.to_uint8(pixels.astype(np.float32) / 255), pixels)


@pytest.mark.parametrize("values", [np.array([[np.nan]]), np.array([[np.inf]]), np.array([[3]])])
def test_values_that_are_no_grey_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="pixels"):
        imaging.to_uint8(values)


def test_lung_window_maps_its_ends_and_middle() -> None:
    hu = np.array([[-3000, -1350, -600, 150, 3000]], dtype=np.int16)
    assert imaging.window_level(hu, -600, 1500).tolist() == [[0, 0, 128, 255, 255]]


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("center", "width"), [(-600.0, 1500.0), (40.0, 400.0), (0.5, 20.0)])
def test_window_level_agrees_with_pydicom(function: str, center: float, width: float) -> None:
    ds = Dataset()
    ds.PhotometricInterpretation, ds.BitsStored, ds.PixelRepresentation = "MONOCHROME2", 16, 1
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = center, width, function
    hu = np.arange(-1400, 1400, 7, dtype=np.int16).reshape(20, 20)
    expected = (apply_windowing(hu, ds) + 32768) / 65535 * 255
    assert np.abs(imaging.window_level(hu, center, width, function) - expected).max() <= 0.51


def test_width_of_one_is_a_threshold() -> None:
    assert imaging.window_level(np.array([[9, 10, 11]]), 10.0, 1.0).tolist() == [[0, 255, 255]]


@pytest.mark.parametrize(("center", "width"), [(0.0, 0.0), (0.0, -5.0), (np.nan, 100.0), (0.0, np.inf)])
def test_impossible_windows_are_refused(center: float, width: float) -> None:
    with pytest.raises(ValueError, match="window"):
        imaging.window_level(np.zeros((2, 2)), center, width)


@given(GREY_16, st.integers(1, 40))
def test_resize_keeps_type_range_and_longer_side(pixels: np.ndarray, size_px: int) -> None:
    small = imaging.resize(pixels, size_px)
    assert (small.dtype, max(small.shape)) == (np.uint16, size_px)
    assert pixels.min() <= small.min() and small.max() <= pixels.max()


def test_resize_keeps_16_bit_levels_apart() -> None:
    pixels = np.repeat(np.array([[30000, 30001]], dtype=np.uint16), 2, axis=0).repeat(8, axis=0).repeat(8, axis=1)
    assert imaging.resize(pixels, 4)[:, [0, -1]].tolist() == [[30000, 30001]] * 4


def test_resize_is_antialiased() -> None:
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (64, 32))
    assert np.abs(imaging.resize(stripes, 16)[:, 1:-1].astype(int) - 128).max() <= 8


def test_fit_square_centres_a_wide_picture_between_black_bars() -> None:
    square = imaging.fit_square(np.full((2, 4), 9, dtype=np.uint8), 4)
    assert square.tolist() == [[0] * 4, [9] * 4, [9] * 4, [0] * 4]


def test_fit_square_fills_signed_bars_with_the_lowest_value() -> None:
    square = imaging.fit_square(np.array([[-1000], [40], [40]], dtype=np.int16), 3)
    assert square.tolist() == [[-1000, -1000, -1000], [-1000, 40, -1000], [-1000, 40, -1000]]


@settings(max_examples=20, deadline=None)
@given(GREY_8, st.sampled_from(["SYNTHETIC", "REAL"]))
def test_the_mark_touches_only_the_lower_left_corner(pixels: np.ndarray, text: str) -> None:
    before = pixels.copy()
    marked = imaging.mark(pixels, text)
    assert np.array_equal(pixels, before) and np.array_equal(marked, imaging.mark(pixels, text))
    changed = np.argwhere(marked != pixels)
    assert changed[:, 0].min(initial=pixels.shape[0]) >= pixels.shape[0] - 20
    assert np.array_equal(marked[: pixels.shape[0] - 20], pixels[: pixels.shape[0] - 20])


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_the_mark_is_readable_on_any_background(level: int, kind: type) -> None:
    white = np.iinfo(kind).max
    background = np.full((256, 256), level * (white // 255), dtype=kind)
    marked = imaging.mark(background)
    strip = marked[-12:, :60].astype(float) / white
    assert strip.max() == 1.0 and strip.min() <= 0.21
    assert 0.15 < (strip > 0.6).mean() < 0.6


def test_synthetic_and_real_marks_differ() -> None:
    black = np.zeros((256, 256), dtype=np.uint8)
    assert not np.array_equal(imaging.mark(black), imaging.mark(black, "REAL"))


def test_an_image_too_small_for_the_mark_is_refused() -> None:
    with pytest.raises(ValueError, match="32 x 40 px; a mark needs 64"):
        imaging.mark(np.zeros((40, 32), dtype=np.uint8))


@pytest.mark.parametrize("pixels", [film(64), film(64).astype(np.uint16) * 200])
def test_png_keeps_pixels_and_text(pixels: np.ndarray) -> None:
    data = imaging.png_bytes(pixels, {"SyntheticData": "YES", "Prompt": "PA, 65 years, ≥ 1 nodule"})
    with Image.open(io.BytesIO(data)) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
        assert picture.info == {"SyntheticData": "YES", "Prompt": "PA, 65 years, ≥ 1 nodule"}
    assert data == imaging.png_bytes(pixels, {"Prompt": "PA, 65 years, ≥ 1 nodule", "SyntheticData": "YES"})


def test_histogram_covers_the_range_of_the_type() -> None:
    counts, edges = imaging.histogram(np.array([[0, 63, 64, 255]], dtype=np.uint8), bins=4)
    assert (counts.tolist(), edges.tolist()) == ([2, 1, 0, 1], [0, 64, 128, 192, 256])


@given(GREY_16, st.integers(1, 300))
def test_histogram_counts_every_pixel(pixels: np.ndarray, bins: int) -> None:
    counts, edges = imaging.histogram(pixels, bins)
    assert (counts.sum(), len(edges)) == (pixels.size, bins + 1)


def test_difference_is_mid_grey_where_equal() -> None:
    first, second = np.array([[0, 255, 7, 9]], dtype=np.uint8), np.array([[255, 0, 7, 7]], dtype=np.uint8)
    assert imaging.difference(first, second).tolist() == [[1, 255, 128, 129]]
    assert imaging.difference(first, second, 8).tolist() == [[1, 255, 128, 160]]


def test_difference_of_unequal_shapes_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be subtracted"):
        imaging.difference(np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8))


def test_an_overlaid_area_shows_its_border_in_its_colour_and_nothing_else() -> None:
    pixels, area = np.full((64, 64), 90, np.uint8), np.zeros((32, 32), bool)
    area[8:16, 8:16] = True
    shown = imaging.overlaid(pixels, [(area, (255, 90, 90))])
    line = (shown == (255, 90, 90)).all(-1)
    assert line.sum() == 16 * 16 - 14 * 14
    assert (shown[~line] == 90).all()
    assert imaging.png_bytes(shown, {}).startswith(b"\x89PNG")
