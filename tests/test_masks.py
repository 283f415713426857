"""Drawn areas: growing, softening, finding the patient, and the sentences of what cannot be edited."""

from __future__ import annotations

import itertools

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


def everywhere() -> masks.Area:
    return np.ones((256, 256), bool)


@given(st.integers(3, 6), st.floats(0.3, 3.0), st.integers(8, 40))
def test_the_stages_of_a_course_lie_in_each_other_and_their_sizes_are_in_equal_ratios(
    count: int, share: float, radius: int
) -> None:
    lesion = disc(128, 100, radius)
    stages = masks.course(lesion, count, share, everywhere())
    assert len(stages) == count
    assert np.array_equal(stages[0], lesion)
    small_first = stages if share >= 1.0 else stages[::-1]
    assert all((a <= b).all() for a, b in itertools.pairwise(small_first))
    for number, stage in enumerate(stages):
        wanted = max(lesion.sum() * share ** (number / (count - 1)), masks.SMALLEST_PX)
        assert abs(stage.sum() - wanted) <= 0.02 * wanted + 8


def test_a_course_grows_only_within_the_patient() -> None:
    patient = disc(128, 128, 60)
    lesion = disc(128, 80, 20)
    stages = masks.course(lesion, 4, 3.0, patient)
    assert not any((stage & ~patient & ~lesion).any() for stage in stages)
    assert stages[-1].sum() > 2.9 * lesion.sum()


def test_a_course_of_nothing_is_one_sentence() -> None:
    with pytest.raises(RequestError, match="No lesion is drawn"):
        masks.course(np.zeros((64, 64), bool), 3, 2.0, np.ones((64, 64), bool))


def test_the_outline_of_a_box_is_its_four_corners_and_that_of_a_hole_runs_the_other_way() -> None:
    area = np.zeros((20, 20), bool)
    area[4:12, 3:15] = True
    area[6:8, 5:9] = False
    border, hole = masks.outline(area)
    assert border.tolist() == [[3, 4], [15, 4], [15, 12], [3, 12], [3, 4]]
    assert {tuple(point) for point in hole.tolist()} == {(5, 6), (9, 6), (9, 8), (5, 8)}
    assert (turning(border), turning(hole)) == (96.0, -8.0)
    assert masks.outline(np.zeros((9, 9), bool)) == []


def turning(line: np.ndarray) -> float:
    """The area that a closed line encloses, negative where it runs against the clock (y down)."""
    (x, y), (x2, y2) = line[:-1].T, line[1:].T
    return float((x * y2 - x2 * y).sum() / 2)


@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.8))
def test_the_lines_around_any_area_enclose_exactly_its_pixels(seed: int, share: float) -> None:
    area = np.random.default_rng(seed).random((24, 24)) < share
    lines = masks.outline(area)
    assert sum(turning(line) for line in lines) == area.sum()
    assert all((line[0] == line[-1]).all() for line in lines)
