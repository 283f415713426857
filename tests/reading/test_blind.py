"""Blind pictures: one size and one look whatever the source, letters and bars gone, lesions where they were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from synth import imaging
from synth.errors import RequestError
from synth.reading import look
from synth.reading.blind import FRAME, SHIFT, SIDE_PX, blinded
from synth.reading.clutter import body, without_letters
from synth.terms import Modality
from tests.phantoms import axial_slice, film

Picture = npt.NDArray[np.uint8]
SHOWN = FRAME == 1


def disc(shape: tuple[int, ...], y: float, x: float, radius: float) -> npt.NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def lettered(picture: Picture, text: str, at: tuple[int, int], height: int) -> Picture:
    drawn = Image.fromarray(picture)
    ImageDraw.Draw(drawn).text(at, text, fill=255, font=ImageFont.load_default(height))
    return np.asarray(drawn)


def smooth() -> Picture:
    return np.rint(ndimage.gaussian_filter(film(256).astype(float), 4)).astype(np.uint8)


def window(hu: npt.NDArray[np.int16]) -> Picture:
    return imaging.window_level(hu, imaging.LUNG_CENTER_HU, imaging.LUNG_WIDTH_HU)


def assert_bright(pixels: Picture, area: npt.NDArray[np.bool_]) -> None:
    """The area, all of it and no more, is brighter than the ring around it."""
    ring = ndimage.binary_dilation(area, iterations=8) & ~ndimage.binary_dilation(area, iterations=4)
    level = (np.median(pixels[area]) + np.median(pixels[ring])) / 2
    assert area.sum() > 100
    assert np.median(pixels[area]) > np.median(pixels[ring]) + 40
    assert (pixels[ndimage.binary_erosion(area, iterations=2)] > level).mean() > 0.95
    assert (pixels[ring] < level).mean() > 0.6  # vessels and ribs lie in it


@pytest.mark.parametrize("shape", [(1024, 1024), (1024, 841), (500, 700), (256, 256), (64, 64), (64, 128)])
@pytest.mark.parametrize("modality", [Modality.DX, Modality.CT])
def test_every_source_becomes_a_picture_of_one_size_and_one_frame(shape: tuple[int, int], modality: Modality) -> None:
    source = film(1024)[: shape[0], : shape[1]]
    shown = blinded(source, 1, modality).pixels
    assert (shown.shape, shown.dtype) == ((SIDE_PX, SIDE_PX), np.uint8)
    assert not shown[FRAME == 0].any()
    assert shown[SHOWN].min() >= 1 and shown.max() <= 254
    assert not any(rim.any() for rim in (shown[:7], shown[-7:], shown[:, :7], shown[:, -7:]))


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_same_picture_and_seed_give_the_same_bytes_and_another_seed_gives_others(seed: int) -> None:
    source = film(256)
    source.flags.writeable = False
    first, again, other = blinded(source, seed), blinded(source.copy(), seed), blinded(source, seed + 1)
    assert np.array_equal(first.pixels, again.pixels) and first.square == again.square
    assert not np.array_equal(first.pixels, other.pixels) and first.square != other.square


@settings(max_examples=20)
@given(
    y=st.floats(0.35, 0.6), x=st.floats(0.66, 0.74), seed=st.integers(0, 2**16),
    shape=st.sampled_from([(256, 256), (1024, 841), (700, 1000)]),
)  # fmt: skip
def test_an_area_of_a_film_lies_on_its_lesion(y: float, x: float, seed: int, shape: tuple[int, int]) -> None:
    source = np.asarray(Image.fromarray(film(512)).resize(shape[::-1]))
    lesion = disc(shape, y * shape[0], x * shape[1], 0.06 * min(shape))
    source = np.where(lesion, 250, source).astype(np.uint8)
    blind = blinded(source, seed)
    area = blind.area(lesion)
    assert (area.shape, area.dtype) == ((SIDE_PX, SIDE_PX), bool)
    assert_bright(blind.pixels, area)


@settings(max_examples=10)
@given(y=st.floats(-0.1, 0.1), x=st.floats(0.4, 0.46), seed=st.integers(0, 2**16))
def test_an_area_of_a_slice_lies_on_its_nodule(y: float, x: float, seed: int) -> None:
    hu = axial_slice(512, seed)
    nodule = disc(hu.shape, 256 + 256 * y, 256 + 256 * x, 25)
    hu[nodule] = 40
    blind = blinded(window(hu), seed, Modality.CT)
    area = blind.area(nodule)
    assert_bright(blind.pixels, area)


def test_an_area_ends_at_the_edge_of_the_source_and_at_the_frame() -> None:
    blind = blinded(film(256), 5)
    whole = blind.area(np.ones((256, 256), bool))
    assert not (whole & (FRAME < 0.5)).any() and whole.sum() > 0.97 * (FRAME >= 0.5).sum()
    assert not blind.area(disc((256, 256), 0, 0, 20)).any()  # under the frame
    assert not blind.area(np.zeros((256, 256), bool)).any()


def test_an_area_of_another_size_is_refused() -> None:
    with pytest.raises(RequestError, match=r"^The lesion mask has 200 x 100 px; its picture has 256 x 256 px\.$"):
        blinded(film(256), 5).area(np.ones((100, 200), bool))


@pytest.mark.parametrize(("grey", "sides"), [(0, "td"), (0, "lr"), (255, "tdlr"), (7, "t")])
def test_bars_are_cut_off(grey: int, sides: str) -> None:
    plain = film(512)
    bars = [(60 * ("t" in sides), 60 * ("d" in sides)), (60 * ("l" in sides), 60 * ("r" in sides))]
    barred = np.pad(plain, bars, constant_values=grey)
    square = blinded(barred, 2).square
    slack = (SHIFT + 0.03) * 512
    assert bars[0][0] - slack <= square.top and square.top + square.side <= bars[0][0] + 512 + slack
    assert bars[1][0] - slack <= square.left and square.left + square.side <= bars[1][0] + 512 + slack
    assert square.side >= 0.8 * 512


def test_letters_at_the_rim_vanish_and_what_is_no_letter_stays() -> None:
    plain = smooth()
    marked = lettered(lettered(plain, "L", (215, 60), 24), "PORTABLE", (60, 18), 12)
    cleaned = without_letters(marked.astype(np.float32))
    written = marked != plain
    assert np.abs(cleaned - plain)[written].mean() < 0.15 * np.abs(marked.astype(float) - plain)[written].mean()
    assert np.abs(cleaned - plain).max() < 90 and (cleaned != plain).mean() < 0.06
    assert np.array_equal(without_letters(plain.astype(np.float32)), plain)


def test_a_letter_in_the_middle_of_the_chest_is_left_as_a_lesion_may_look_so() -> None:
    marked = lettered(smooth(), "O", (120, 110), 24).astype(np.float32)
    assert np.array_equal(without_letters(marked), marked)


def test_table_and_air_about_a_body_become_one_dark_grey() -> None:
    hu = axial_slice(512)
    rows, columns = np.mgrid[:512, :512]
    hu[np.abs(rows - 470 + (columns - 256) ** 2 / 4000) < 3] = 300  # the table
    hu[(rows - 256) ** 2 + (columns - 256) ** 2 > 256**2] = -2000  # outside the field of view
    blind = blinded(window(hu), 4, Modality.CT)
    around = ~ndimage.binary_dilation(blind.area(hu > -900), iterations=6) & SHOWN
    around &= ~ndimage.binary_dilation(ndimage.binary_fill_holes(blind.area(axial_slice(512) > 0)), iterations=6)
    assert around.sum() > 1000
    assert np.percentile(blind.pixels[around], 99) < look.AIR + 5 * look.LOOKS[Modality.CT].grain


def test_a_body_holds_its_lungs_and_is_all_where_no_wall_is_seen() -> None:
    hu = axial_slice(256)
    inside = body(window(hu).astype(np.float32))
    assert inside[(hu == -850) | (hu == 0)].all() and inside.mean() < 1.1 * (hu > -1000).mean()
    assert body(np.full((256, 256), 60, np.float32)).all()


def test_grey_ends_sharpness_and_grain_come_to_one_look() -> None:
    """Films of four kinds of processing have, once blind, the same ends of the histogram and the same fine spectrum."""
    sharp = film(1024)
    kinds = [
        sharp,
        imaging.resize(sharp, 256),
        np.rint(90 + 0.3 * ndimage.gaussian_filter(sharp.astype(float), 6)).astype(np.uint8),
        (np.clip(sharp.astype(int) + np.random.default_rng(1).normal(0, 12, sharp.shape), 0, 255)).astype(np.uint8),
    ]
    ends, energies = [], []
    for kind in kinds:
        shown = [blinded(kind, seed).pixels for seed in range(6)]
        ends.append(np.mean([np.percentile(p[SHOWN], (1, 50, 99)) for p in shown], axis=0))
        energies.append(np.mean([np.log(ndimage.laplace(p.astype(float))[SHOWN].std()) for p in shown]))
    assert np.ptp(ends, axis=0).max() < 25
    assert np.ptp(energies) < 0.3


@pytest.mark.parametrize("grey", [0, 100, 255])
@pytest.mark.parametrize("modality", [Modality.DX, Modality.CT])
def test_a_picture_of_one_grey_shows_grain_alone(grey: int, modality: Modality) -> None:
    shown = blinded(np.full((300, 300), grey, np.uint8), 1, modality).pixels[SHOWN]
    assert 1 < shown.std() < 8 and 20 < shown.mean() < 240


SENTENCES = [
    (np.zeros((256, 1), np.uint8), Modality.DX, "The picture has 1 x 256 px; 64 or more a side are read blind."),
    (np.zeros((0, 0), np.uint8), Modality.DX, "The picture has 0 x 0 px; 64 or more a side are read blind."),
    (film(256)[:100], Modality.DX, "The picture is a strip of 256 x 100 px; a whole film or slice is read blind."),
    (film(256), Modality.MR, "MR is not read blind; only films and CT slices of the chest are."),
    (
        film(256).astype(np.uint16),
        Modality.DX,
        "A picture of (256, 256) uint16 is not read blind; it must be grey of 8 bit.",
    ),
    (
        np.zeros((64, 64, 3), np.uint8),
        Modality.CT,
        "A picture of (64, 64, 3) uint8 is not read blind; it must be grey of 8 bit.",
    ),
]


@pytest.mark.parametrize(("pixels", "modality", "sentence"), SENTENCES)
def test_what_cannot_be_read_blind_is_refused_in_one_sentence(
    pixels: Picture, modality: Modality, sentence: str
) -> None:
    with pytest.raises(RequestError) as said:
        blinded(pixels, 1, modality)
    assert str(said.value) == sentence
