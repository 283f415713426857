"""The invisible mark: found again after what happens to pictures, never where it is not, and too faint to see."""

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy import ndimage

from synth.errors import RequestError
from synth.imaging import window_level
from synth.provenance import payload as words
from synth.provenance.cutout import Box
from synth.provenance.search import Transform
from synth.provenance.watermark import TRIALS, State, detect, detect_aligned, embed, psnr
from tests.phantoms import axial_slice, film

KEY, OTHER = b"a key for tests only", b"another key for tests"
PAYLOAD = 0x0123_4567_89AB_CDEF
Picture = npt.NDArray[np.uint8]


def jpeg(pixels: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(pixels: Picture, factor: float) -> Picture:
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def turned(pixels: Picture, degrees: float) -> Picture:
    return np.asarray(Image.fromarray(pixels).rotate(degrees, Image.Resampling.BICUBIC))


def noisy(pixels: Picture) -> Picture:
    noise = np.random.default_rng(1).normal(0, 5, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)


def on_a_page(pixels: Picture, grey: int = 14) -> Picture:
    page = np.full((900, 1440), grey, np.uint8)
    page[120 : 120 + pixels.shape[0], 300 : 300 + pixels.shape[1]] = pixels
    page[40:60, 300:700:5] = 200  # strokes of a title
    return page


def twelve_bit(size_px: int) -> npt.NDArray[np.uint16]:
    return (axial_slice(size_px) + 1024).astype(np.uint16)


ATTACKS: dict[str, Callable[[Picture], Picture]] = {
    "jpeg 50": lambda p: jpeg(p, 50),
    "jpeg 95": lambda p: jpeg(p, 95),
    "half": lambda p: resized(p, 0.5),
    "double": lambda p: resized(p, 2.0),
    "window": lambda p: window_level(p, 128, 180),
    "gamma": lambda p: np.rint(255 * (p / 255) ** 0.7).astype(np.uint8),
    "noise": noisy,
    "blur": lambda p: ndimage.gaussian_filter(p, 1.0),
    "shift": lambda p: np.roll(p, (3, -3), (0, 1)),
    "mirrored": lambda p: p[:, ::-1],
    "inverted": lambda p: 255 - p,
    "cropped": lambda p: resized(p[13:-13, 13:-13], 256 / 230),
    "turned": lambda p: turned(p, 2.0),
    "a quarter": lambda p: np.rot90(p),
    "a quarter, mirrored": lambda p: p.T,
    "on a page": lambda p: on_a_page(resized(p, 1.7)),
    "small on a slide": lambda p: on_a_page(resized(p, 0.8), 255),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_mark_outlives_what_happens_to_films(attack: str) -> None:
    found = detect(ATTACKS[attack](embed(film(256, 3), PAYLOAD, KEY)), KEY)
    assert (found.state, found.payload) == (State.DETECTED, PAYLOAD)


@pytest.mark.parametrize("picture", [film(256), film(301), film(512)[:, 40:-17], twelve_bit(256), twelve_bit(512)])
def test_payload_comes_back_and_the_change_is_faint(picture: npt.NDArray[np.uint8]) -> None:
    marked = embed(picture, PAYLOAD.to_bytes(8, "big"), KEY)
    full = 255 if picture.dtype == np.uint8 else int(np.ptp(picture))
    assert (marked.shape, marked.dtype) == (picture.shape, picture.dtype)
    assert detect_aligned(marked, KEY).payload == PAYLOAD
    assert psnr(picture, marked, full) >= 45.0


def test_another_key_finds_nothing() -> None:
    assert detect(embed(film(256), PAYLOAD, KEY), OTHER).state is not State.DETECTED


def test_unmarked_pictures_give_no_alarm() -> None:
    states = [detect_aligned(film(256, seed), KEY).state for seed in range(200)]
    assert states.count(State.DETECTED) == 0


def test_the_protected_area_changes_less_and_black_not_at_all() -> None:
    picture, area = film(256), np.zeros((256, 256), bool)
    area[100:160, 60:120] = True
    picture[:30] = 0
    marked = embed(picture, PAYLOAD, KEY, area)
    change = np.abs(marked.astype(int) - picture)
    assert change[area].mean() < 0.6 * np.abs(embed(picture, PAYLOAD, KEY).astype(int) - picture)[area].mean()
    assert change[:20].max() == 0
    assert np.array_equal(marked, embed(picture, PAYLOAD, KEY, area))


def test_code_refuses_noise() -> None:
    soft = np.random.default_rng(0).normal(size=words.CODE_BITS)
    assert words.decode(soft) is None
    assert words.decode(2.0 * words.encode(PAYLOAD) - 1.0) == PAYLOAD


@pytest.mark.parametrize(
    ("pixels", "payload", "key", "says"),
    [
        (film(64), 1, KEY, "64 x 64 px"),
        (film(256).astype(np.float32), 1, KEY, "float32"),
        (film(256), 1 << 64, KEY, "64 bits"),
        (film(256), 1, b"short", "5 bytes"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(
    pixels: npt.NDArray[np.uint8], payload: int, key: bytes, says: str
) -> None:
    with pytest.raises(RequestError, match=says):
        embed(pixels, payload, key)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda p: p, Transform()),
        (lambda p: 255 - p, Transform(inverted=True)),
        (lambda p: p[:, ::-1], Transform(mirrored=True)),
        (lambda p: p[::-1, ::-1], Transform(mirrored=True, upside_down=True)),
        (lambda p: np.roll(p, (5, -3), (0, 1)), Transform(shift_px=(5.0, 253.0))),
        (lambda p: np.roll(p[:, ::-1], (5, -3), (0, 1)), Transform(mirrored=True, shift_px=(5.0, 253.0))),
        (lambda p: turned(p, -2.0), Transform(turn_deg=2.0)),
        (lambda p: np.rot90(p, 3), Transform(turn_deg=90.0)),
    ],
)
def test_what_was_done_is_told(change: Callable[[Picture], Picture], found: Transform) -> None:
    assert detect(change(embed(film(256, 3), PAYLOAD, KEY)), KEY).transform == found


def test_the_place_on_a_page_is_told() -> None:
    page = on_a_page(resized(embed(film(256, 3), PAYLOAD, KEY), 1.5))
    assert detect(page, KEY).box == Box(120, 300, 120 + 384, 300 + 384)


def test_the_bound_counts_all_that_was_looked_at() -> None:
    """Half a step of every grid, 512 x 512 shifts, four mirrors, two signs, five pictures, two quarter turns."""
    shifts = 512 * 512 * 4 * 2
    assert (3 * 9 * 25 * 4 * 2, 3 * 5 * 2 * 9 * shifts, 3 * 5 * (2 * 44 + 1) * (2 * 13 + 1) * shifts) == TRIALS
    place = detect(embed(film(256, 3), PAYLOAD, KEY), KEY)
    expected = (np.log(TRIALS[0]) - place.score**2 / 2) / np.log(10)
    assert place.log10_p == pytest.approx(expected)
