"""What resaving does to a picture is no change; what somebody draws into it is one, and is told where it lies."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy import ndimage

from synth import imaging
from synth.verify.changes import Change, change
from tests.phantoms import axial_slice, film

Picture = npt.NDArray[np.uint8]


def left(picture: Picture) -> Picture:
    return imaging.to_uint8(imaging.mark(picture))


def jpeg(pixels: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(pixels: Picture, factor: float) -> Picture:
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def lesion(pixels: Picture, radius: float, levels: float) -> Picture:
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
    bump = levels * np.exp(-((y - 90) ** 2 + (x - 170) ** 2) / (2 * (radius / 1.5) ** 2))
    return np.clip(np.rint(pixels + bump), 0, 255).astype(np.uint8)


RESAVED: dict[str, Callable[[Picture], Picture]] = {
    "nothing": lambda p: p,
    "jpeg 30": lambda p: jpeg(p, 30),
    "half jpeg 60": lambda p: jpeg(resized(p, 0.5), 60),
    "double": lambda p: resized(p, 2.0),
    "window": lambda p: imaging.window_level(p, 120, 150),
    "gamma": lambda p: np.rint(255 * (p / 255) ** 0.7).astype(np.uint8),
    "inverted": lambda p: 255 - p,
    "blur": lambda p: ndimage.gaussian_filter(p, 1.0),
}


@pytest.mark.parametrize("kind", RESAVED)
@pytest.mark.parametrize(
    "picture", [film(256, 1), film(256, 7), imaging.window_level(axial_slice(256), -600, 1500)], ids=["a", "b", "ct"]
)
def test_resaving_is_no_change(kind: str, picture: Picture) -> None:
    found = change(RESAVED[kind](left(picture)), left(picture))
    assert found is not None and not found.altered


@pytest.mark.parametrize("picture", [film(256, 1), film(256, 7)])
@pytest.mark.parametrize(("radius", "levels"), [(8, 30), (12, -25), (20, 20)])
def test_a_lesion_that_was_drawn_in_is_found_where_it_lies(picture: Picture, radius: float, levels: float) -> None:
    found = change(jpeg(lesion(left(picture), radius, levels), 80), left(picture))
    assert found is not None and found.altered
    assert abs(found.x - 170 / 256) < 0.05 and abs(found.y - 90 / 256) < 0.05


def test_a_visible_mark_that_was_taken_out_is_a_change_at_the_lower_left() -> None:
    found = change(film(256, 1), left(film(256, 1)))
    assert found is not None and found.altered and found.x < 0.4 and found.y > 0.9


def test_pictures_of_other_shapes_are_not_compared() -> None:
    assert change(film(256)[:200], left(film(256))) is None


def test_a_flat_picture_is_one_tone_of_anything() -> None:
    flat = np.full((256, 256), 9, np.uint8)
    assert change(flat, left(flat)) == Change(0.0, 0.0, 0.0)
