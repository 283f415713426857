"""Every attack does what its name says, to known pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest

from synth.evaluation import attacks, screens
from synth.evaluation.attacks import ATTACKS, Marked
from synth.provenance.watermark import embed
from tests.phantoms import film

KEY = b"a key for tests only"


def item(number: int = 0) -> Marked:
    clean = film(256, number)
    return Marked(clean, np.asarray(embed(clean, 7, KEY), np.uint8), 7, KEY, number)


def after(name: str, number: int = 0) -> npt.NDArray[np.uint8]:
    return next(a for a in ATTACKS if a.name == name).apply([item(number)])[0]


def test_all_give_eight_bit_pictures_and_the_same_ones_twice() -> None:
    for attack in ATTACKS:
        first, again = attack.apply([item()])[0], attack.apply([item()])[0]
        assert first.dtype == np.uint8 and first.ndim == 2 and np.array_equal(first, again), attack.name


def test_names_are_told_apart_and_goals_are_those_of_the_requirement() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
    goals = {attack.name: attack.goal for attack in ATTACKS}
    assert {name for name, goal in goals.items() if goal == 0.95} == {"crop", "shift", "rotate"}
    assert {name.split()[0] for name, goal in goals.items() if goal == 0.99} == (
        {"none", "JPEG", "resize", "narrow", "wide", "gamma", "noise", "blur"}
    )


@pytest.mark.parametrize(("name", "shape"), [("resize 0.5", (128, 128)), ("resize 2.0", (512, 512))])
def test_resizing_resizes(name: str, shape: tuple[int, int]) -> None:
    assert after(name).shape == shape


def test_a_crop_is_a_part_of_the_picture_a_tenth_smaller_each_way() -> None:
    assert np.array_equal(after("crop"), item().marked[8:238, 8:238])


def test_a_shift_moves_down_and_left_and_leaves_black() -> None:
    moved, marked = after("shift"), item().marked
    assert np.array_equal(moved[11:, :-17], marked[:-11, 17:])
    assert moved[:11].max() == 0 and moved[:, -17:].max() == 0


def test_flip_quarter_turn_and_invert_keep_every_pixel() -> None:
    marked = item().marked
    assert np.array_equal(after("flip")[:, ::-1], marked)
    assert np.array_equal(np.rot90(after("quarter turn"), 3), marked)
    assert np.array_equal(255 - after("invert"), marked)


def test_noise_has_its_deviation_and_differs_between_pictures() -> None:
    grey = np.full((256, 256), 128, np.uint8)
    first, second = attacks.noisy(grey, 0), attacks.noisy(grey, 1)
    assert np.std(first.astype(float) - grey) == pytest.approx(5.0, abs=0.1)
    assert not np.array_equal(first, second)


def test_gamma_is_a_power() -> None:
    assert attacks.gamma(np.array([[0, 64, 255]], np.uint8), 0.7).tolist() == [[0, round(255 * (64 / 255) ** 0.7), 255]]


def test_the_twelve_bit_file_stores_twelve_bits() -> None:
    stored = np.arange(4096, dtype=np.uint16).reshape(64, 64)
    ds = pydicom.dcmread(io.BytesIO(attacks.twelve_bit_file(stored)))
    assert (ds.BitsAllocated, ds.BitsStored, ds.HighBit) == (16, 12, 11)
    assert np.array_equal(ds.pixel_array, stored)


@pytest.mark.browser
@pytest.mark.skipif(screens.chromium() is None, reason="No Chromium here: apt-get install chromium.")
def test_a_screenshot_shows_the_film_at_its_size_on_a_dark_page(tmp_path: Path) -> None:
    [shot] = screens.shots([(film(256, 1), 4)], film(256, 2), tmp_path)
    side = screens.side_of(4)
    assert shot.shape == (900, 1440) and shot[800, 1400] < 20
    shown = shot[110 : 110 + side, 290 : 290 + side][side // 2 :: 8, ::8].astype(float)
    small = np.asarray(attacks.resized(film(256, 1), side / 256))[side // 2 :: 8, ::8]
    assert np.corrcoef(shown[:-8].ravel(), small[:-8].ravel())[0, 1] > 0.99
