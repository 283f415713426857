"""Boxes and masks lie in the square of the viewer where they lie in the picture, and come back the same."""

from __future__ import annotations

import numpy as np
import pytest

from synth.imaging import fit_square
from synth.types import Box
from synth.ui import shelf_outlines


@pytest.mark.parametrize("shape", [(200, 100), (100, 200), (64, 64), (333, 500)])
def test_a_box_goes_into_the_square_and_back(shape: tuple[int, int]) -> None:
    box = Box("nodule", 0.25, 0.5, 0.5, 0.25)
    corners = shelf_outlines.corners(box, shape, 512)
    (left, top), (right, bottom) = corners[0] / 512, corners[2] / 512
    back = shelf_outlines.of_canvas((left, top, right - left, bottom - top), "nodule", shape, 512)
    assert back is not None
    assert np.allclose([back.x, back.y, back.width, back.height], [0.25, 0.5, 0.5, 0.25], atol=2e-4)


def test_a_box_over_the_bars_is_cut_and_one_on_them_is_none() -> None:
    assert shelf_outlines.of_canvas((0.0, 0.0, 1.0, 1.0), "mass", (200, 100), 512) == Box("mass", 0, 0, 1, 1)
    assert shelf_outlines.of_canvas((0.0, 0.0, 0.2, 1.0), "mass", (200, 100), 512) is None


def test_a_mask_lies_where_the_picture_is_bright_and_comes_back() -> None:
    area = np.zeros((200, 100), bool)
    area[40:80, 10:60] = True
    square = shelf_outlines.in_square(area, (200, 100), 400)
    assert np.array_equal(square, fit_square(np.uint8(255) * area, 400) > 127)
    assert np.array_equal(shelf_outlines.of_square(square, (200, 100)), area)
