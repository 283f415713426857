"""Drawn areas: growing, softening, finding the patient, and the sentences of what cannot be edited."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth import masks
from synth.errors import RequestError
from tests.phantoms import film


def disc(y: float, x: float, radius: float, size: int = 256) -> masks.Area:
    rows, columns = np.ogrid[:size, :size]
    return np.asarray((rows - y) ** 2 + (columns - x) ** 2 <= radius**2)


def test_a_dot_grows_to_a_disc_on_the_pixel_grid() -> None:
    dot = np.zeros((256, 256), np.float32)
    dot[128, 128] = 1
    assert masks.grown(dot, 5).sum() == 81
    assert np.array_equal(masks.grown(dot, 0), dot > 0)
    assert not masks.grown(np.zeros((9, 9)), 5).any()


def test_the_edit_area_is_the_grown_lesion_less_what_is_kept() -> None:
    lesion, keep = disc(100, 100, 20), disc(100, 130, 15)
    area = masks.edit_area(lesion, keep, 8)
    assert np.array_equal(area, disc(100, 100, 28) & ~keep) or (area ^ (disc(100, 100, 28) & ~keep)).sum() < 40
    assert not (area & keep).any()


@given(st.integers(20, 230), st.integers(20, 230), st.integers(3, 60))
def test_a_change_sets_in_inside_the_area_and_never_outside(y: int, x: int, radius: int) -> None:
    area = disc(y, x, radius)
    weight = masks.feathered(area)
    assert weight[~area].max(initial=0.0) == 0.0
    assert weight[area].min() > 0.0
    assert weight.max() <= 1.0
    if radius > masks.FEATHER_PX + 1:
        assert weight[y, x] == 1.0


def test_an_area_over_everything_is_not_softened_at_the_border_of_the_picture() -> None:
    assert masks.feathered(np.ones((32, 32), bool)).min() == 1.0


def test_the_patient_is_found_and_dark_lungs_belong_to_him() -> None:
    pixels = np.zeros((256, 256), np.uint8)
    pixels[disc(128, 128, 100)] = 180
    pixels[disc(128, 90, 30)] = 0  # a lung, as dark as the air around
    body = masks.body(pixels)
    assert body[128, 90]
    assert body[128, 200]
    assert not body[5, 5]
    assert masks.body(np.full((64, 64), 9, np.uint8)).all()  # without any air all is patient


@pytest.mark.parametrize(
    ("lesion", "keep", "margin_px", "sentence"),
    [
        (np.zeros((256, 256), bool), None, 8, "No lesion is drawn; draw its area on the picture first."),
        (disc(128, 128, 1), None, 8, "No lesion is drawn"),
        (np.ones((256, 256), bool), None, 0, "The edit covers 100% of the picture; draw a smaller lesion or margin"),
        (disc(128, 128, 100), None, 30, "The edit covers "),
        (disc(10, 10, 8), None, 8, "Only 0% of the lesion lies on the patient; draw it inside the body."),
        (disc(128, 128, 10), disc(128, 128, 30), 4, "The keep mask covers the whole lesion, so nothing could change"),
    ],
)
def test_what_cannot_be_edited_is_said_in_one_sentence(
    lesion: masks.Area, keep: masks.Area | None, margin_px: int, sentence: str
) -> None:
    pixels = np.zeros((256, 256), np.uint8)
    pixels[disc(128, 128, 100)] = 180
    with pytest.raises(RequestError) as caught:
        masks.check(lesion, keep, margin_px, pixels)
    assert str(caught.value).startswith(sentence)


def test_a_lesion_in_the_lung_of_a_film_passes() -> None:
    masks.check(disc(120, 80, 20), None, 8, film())
