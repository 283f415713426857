from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.dicom.burnt_in import mask, text_bands
from synth.dicom.decode import decode
from synth.dicom.shown import brightest, shown
from tests.dicom.patients import lettered
from tests.phantoms import film

FILM = film(1024)
# what somebody sees who looks at all of them: PORTABLE in seven, ERECT in two
WRITTEN_ON = {
    "real-009",
    "real-015",
    "real-020",
    "real-021",
    "real-032",
    "real-043",
    "real-044",
    "real-052",
    "real-053",
}


def covered(pixels: np.ndarray, plain: np.ndarray) -> float:
    """The share of the changed pixels, the letters, that would be blackened."""
    letters = pixels != plain
    return float(mask(pixels.shape, text_bands(pixels))[letters].mean())


@pytest.mark.parametrize("size", [10, 16, 24, 40, 60])
@pytest.mark.parametrize("at", [(12, 8), (180, 400), (420, 10)])
@pytest.mark.parametrize("text", ["DOE JOHN 12.03.1961", "Muster, Erika"])
def test_a_name_in_white_is_covered(size: int, at: tuple[int, int], text: str) -> None:
    assert covered(lettered(FILM, text, size, at), FILM) > 0.98


@pytest.mark.parametrize("size", [12, 24, 48])
def test_a_name_in_black_on_a_white_label_is_covered(size: int) -> None:
    label = FILM.copy()
    label[20 : 40 + 2 * size, 100:900] = 255
    assert covered(lettered(label, "CANARY NAME 4711", size, (120, 30), 0), label) > 0.98


@pytest.mark.parametrize("turns", [1, 3])
def test_a_name_along_the_side_is_covered(turns: int) -> None:
    upright = np.rot90(FILM, -turns)
    turned = np.ascontiguousarray(np.rot90(lettered(upright, "DOE JOHN 1961", 24, (40, 12)), turns))
    assert covered(turned, FILM) > 0.98


@pytest.mark.parametrize("side", [600, 1024, 2500, 3300])
def test_boxes_are_in_pixels_of_the_picture_itself(side: int) -> None:
    black = np.zeros((side, side // 2), np.uint8)
    assert covered(lettered(black, "DOE JOHN 12.03.1961", side / 40, (side // 20, side // 3)), black) > 0.98


@pytest.mark.parametrize("text", ["L", "R", "PA", "AP", "1 2"])
def test_a_marker_of_the_side_is_no_text(text: str) -> None:
    assert text_bands(lettered(FILM, text, 60, (40, 40))) == ()


def test_a_film_without_letters_has_none() -> None:
    assert [text_bands(film(side, seed)) for side, seed in ((256, 0), (700, 1), (1024, 2))] == [(), (), ()]


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (900, 3), (16, 17), (40, 40)])
def test_any_shape_is_looked_at(shape: tuple[int, int]) -> None:
    assert text_bands(np.zeros(shape, np.uint8)) == ()


def test_noise_is_a_texture() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (512, 512), dtype=np.uint8)
    assert text_bands(noise) == ()


@given(st.lists(st.tuples(*[st.integers(-20, 80)] * 2, *[st.integers(1, 60)] * 2), max_size=4))
def test_the_mask_covers_the_boxes_and_their_margin(boxes: list[tuple[int, int, int, int]]) -> None:
    black = mask((64, 64), boxes)
    for top, left, high, wide in boxes:
        assert black[max(top, 0) : max(top + high, 0), max(left, 0) : max(left + wide, 0)].all()
    assert black.any() or not boxes or all(t + h < 0 or w + left < 0 or t > 60 or left > 60 for t, left, h, w in boxes)


def test_everything_outside_the_regions_is_masked() -> None:
    black = mask((10, 10), (), ((2, 3, 4, 5),))
    assert black.sum() == 100 - 20 and not black[2:6, 3:8].any()


def test_real_films_with_words_are_found_and_no_others(real_library: Path) -> None:
    found = set()
    for path in sorted(real_library.rglob("real-*.*")):
        decoded = decode(path.read_bytes(), path.name)
        if text_bands(brightest(decoded) if decoded.hounsfield else shown(decoded)):
            found.add(path.stem if path.suffix == ".jpg" else path.name)
    assert found == WRITTEN_ON
