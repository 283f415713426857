"""The fast search against a slow one that follows the definition: every shift of a warped picture, one by one."""

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy import ndimage

from synth.provenance import payload as words
from synth.provenance import search
from synth.provenance.pattern import FRAME_PX, pattern
from synth.provenance.watermark import embed
from tests.phantoms import film

KEY = b"a key for tests only"


def marked(seed: int) -> npt.NDArray[np.uint8]:
    return np.asarray(embed(film(256, seed), 99, KEY), np.uint8)


def slow(whitened: npt.NDArray[np.float32], scale: float, turn_deg: float) -> tuple[float, tuple[int, int]]:
    """The best z over all whole shifts about the centre, and that shift, of an undistorted, unmirrored pattern."""
    keyed, angle = pattern(KEY), np.radians(turn_deg)
    back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale  # rows, columns
    inner, outer = (np.array(whitened.shape) - 1) / 2, np.array([FRAME_PX - 1, FRAME_PX - 1]) / 2
    canvas = ndimage.affine_transform(whitened, back, inner - back @ outer, (FRAME_PX, FRAME_PX), order=3)
    values = np.fft.fft2(canvas)[keyed.rows[: keyed.sync], keyed.columns[: keyed.sync]]
    values = values * np.abs(values) ** (search.GAMMA - 1) * keyed.vectors[: keyed.sync].conj()
    rows, columns = keyed.rows[: keyed.sync], keyed.columns[: keyed.sync]
    best = (0.0, (0, 0))
    for down in range(-8, 9):
        for right in range(-8, 9):
            real = (values * np.exp(2j * np.pi * (rows * down + columns * right) / FRAME_PX)).real
            best = max(best, (abs(float(real.sum() / np.sqrt((real * real).sum()))), (down, right)))
    return best


@pytest.mark.parametrize(("seed", "shift"), [(1, (0, 0)), (2, (5, -3)), (3, (-7, 6))])
def test_shifts_are_found_as_by_trying_them_all(seed: int, shift: tuple[int, int]) -> None:
    seen = search.whitened(search.framed(np.roll(marked(seed), shift, (0, 1))))
    score, at = slow(seen, 1.0, 0.0)
    keyed, values = pattern(KEY), search.spectrum(seen)
    found = search.matched(values, keyed, search.aligned(values, keyed), (128.0, 128.0))
    assert (found.transform.scale, found.transform.turn_deg) == (1.0, 0.0)
    assert found.transform.shift_px == (at[0] % 256, at[1] % 256) == (shift[0] % 256, shift[1] % 256)
    assert found.z == pytest.approx(score, rel=0.05)


@pytest.mark.parametrize(("degrees", "kept"), [(2.0, 256), (0.0, 230), (-1.5, 240)])
def test_a_turned_crop_scores_as_when_it_is_warped_back_pixel_by_pixel(degrees: float, kept: int) -> None:
    edge = (256 - kept) // 2
    picture = Image.fromarray(marked(4)).rotate(degrees, Image.Resampling.BICUBIC)
    seen = search.whitened(search.framed(np.asarray(picture)[edge : 256 - edge, edge : 256 - edge]))
    values, keyed = search.spectrum(seen), pattern(KEY)
    found = search.everywhere(values, keyed)
    assert found.scale == pytest.approx(kept / 256, rel=0.006) and found.turn_deg == pytest.approx(-degrees, abs=0.3)
    assert found.z == pytest.approx(slow(seen, found.scale, found.turn_deg)[0], rel=0.1)


def test_every_place_that_is_found_lies_on_the_lattice() -> None:
    values, keyed = search.spectrum(search.whitened(search.framed(film(256, 5)))), pattern(KEY)
    found = search.everywhere(values, keyed)
    steps = 2 * np.log(found.scale) / np.log(search.SCALE_STEP), 2 * found.turn_deg / search.TURN_STEP_DEG
    assert np.allclose(steps, np.rint(steps))
    assert 0 <= found.down < 512 and 0 <= found.right < 512 and found.mirror in range(4)


def test_the_payload_part_says_the_payload() -> None:
    values, keyed = search.spectrum(search.whitened(search.framed(marked(6)))), pattern(KEY)
    found = search.matched(values, keyed, search.in_place(values, keyed, (128.0, 128.0)), (128.0, 128.0))
    assert words.decode(found.soft_bits) == 99
