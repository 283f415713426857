"""Hits, overlap, LROC and weighted AFROC curves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import RequestError
from synth.reading.localisation import (
    FreeResponse,
    LocalisationPoint,
    Mark,
    dice,
    distance_px,
    free_response,
    hit_rate,
    lroc_area,
    lroc_curve,
    wafroc_area,
    wafroc_curve,
)
from synth.reading.performance import Interval, proportion
from synth.reading.roc import auc

CONFIDENCE = st.integers(1, 6).map(float)
DISEASED = st.builds(
    FreeResponse,
    st.lists(st.none() | CONFIDENCE, min_size=1, max_size=3).map(tuple),
    st.lists(CONFIDENCE, max_size=2).map(tuple),
)
HEALTHY = st.builds(FreeResponse, st.just(()), st.lists(CONFIDENCE, max_size=3).map(tuple))
STUDY = st.tuples(st.lists(DISEASED, min_size=1, max_size=8), st.lists(HEALTHY, min_size=1, max_size=8)).map(
    lambda groups: groups[0] + groups[1]
)


def square(y: int, x: int, size: int) -> np.ndarray:
    area = np.zeros((40, 50), bool)
    area[y : y + size, x : x + size] = True
    return area


def enclosed(curve: tuple[LocalisationPoint, ...]) -> float:
    return float(np.trapezoid([p.localised_fraction for p in curve], [p.false_positive_fraction for p in curve]))


def test_dice_of_shifted_squares() -> None:
    assert dice(square(10, 10, 8), square(10, 10, 8)) == 1
    assert dice(square(10, 10, 8), square(10, 14, 8)) == pytest.approx(2 * 32 / 128)
    assert dice(square(10, 10, 8), square(30, 30, 8)) == 0
    assert dice(square(0, 0, 0), square(0, 0, 0)) == 1
    assert dice(square(0, 0, 0), square(10, 10, 8)) == 0
    with pytest.raises(RequestError, match="different size"):
        dice(square(0, 0, 4), np.zeros((3, 3)))


def test_distance_is_to_the_nearest_pixel() -> None:
    lesion = square(10, 20, 5)  # rows 10-14, columns 20-24
    assert distance_px(22, 12, lesion) == 0
    assert distance_px(27, 18, lesion) == pytest.approx(5)
    assert math.isinf(distance_px(1, 1, square(0, 0, 0)))


def test_marks_belong_to_the_nearest_lesion_within_the_tolerance() -> None:
    lesions = [square(5, 5, 6), square(25, 30, 6)]
    marks = [Mark(7, 7, 3), Mark(12, 8, 5), Mark(40, 5, 2), Mark(41, 30, 6)]
    assert free_response(marks, lesions, 2) == FreeResponse((5.0, None), (2, 6))
    assert free_response(marks, lesions, 6) == FreeResponse((5.0, 6), (2,))
    assert free_response(marks, [], 6) == FreeResponse((), (3, 5, 2, 6))
    assert free_response([], lesions, 6) == FreeResponse((None, None))
    with pytest.raises(RequestError, match="distance in px"):
        free_response(marks, lesions, -1)
    with pytest.raises(RequestError, match="a place and a confidence"):
        Mark(math.nan, 3, 1)


def test_hit_rate_counts_lesions() -> None:
    cases = [FreeResponse((5.0, None)), FreeResponse((1.0,)), FreeResponse((), (4.0,))]
    assert hit_rate(cases) == proportion(2, 3)
    assert hit_rate(cases[2:]) is None


def test_lroc_by_hand() -> None:
    """Positives 6 in place, 5 misplaced, 3 in place; negatives 4, 3, 1."""
    study = ([1, 1, 1, 0, 0, 0], [6, 5, 3, 4, 3, 1], [1, 0, 1, 0, 0, 0])
    third = pytest.approx(1 / 3)
    assert lroc_curve(*study) == (
        LocalisationPoint(0, 0, math.inf),
        LocalisationPoint(0, third, 6),
        LocalisationPoint(third, third, 4),
        LocalisationPoint(pytest.approx(2 / 3), pytest.approx(2 / 3), 3),
        LocalisationPoint(1, pytest.approx(2 / 3), 1),
    )
    found = lroc_area(*study)
    assert found is not None
    assert found.value == pytest.approx((3 + 0 + 1.5) / 9)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 6), st.integers(0, 1)), max_size=20))
def test_lroc_encloses_its_area_and_never_exceeds_the_roc(rows: list[tuple[int, int, int]]) -> None:
    truth, scores, localised = np.array(rows, int).reshape(-1, 3).T
    found, plain = lroc_area(truth, scores, localised), auc(truth, scores)
    if found is None or plain is None:
        assert found is plain and lroc_curve(truth, scores, localised) == ()
        return
    assert enclosed(lroc_curve(truth, scores, localised)) == pytest.approx(found.value)
    assert found.value <= plain.value + 1e-12
    assert found.interval.low <= found.value <= found.interval.high
    everywhere = lroc_area(truth, scores, np.ones_like(truth))
    assert everywhere == plain


def test_wafroc_by_hand() -> None:
    """Lesions 5 and none in one case, 3 in another; negatives: 4 and 2, nothing."""
    study = [FreeResponse((5.0, None), (6.0,)), FreeResponse((3.0,)), FreeResponse((), (2.0, 4.0)), FreeResponse(())]
    assert wafroc_curve(study) == (
        LocalisationPoint(0, 0, math.inf),
        LocalisationPoint(0, 0.25, 5),
        LocalisationPoint(0.5, 0.25, 4),
        LocalisationPoint(0.5, 0.75, 3),
        LocalisationPoint(1, 1, -math.inf),
    )
    found = wafroc_area(study)
    assert found is not None
    # (lesion 5: 1, 1; missed: 0, 0.5) / 2 and (3: 0, 1)
    assert found.value == pytest.approx(((1 + 0) / 2 + (1 + 0.5) / 2 + 0 + 1) / 4)
    assert (found.positives, found.negatives) == (2, 2)


@given(STUDY)
def test_wafroc_encloses_its_area(study: list[FreeResponse]) -> None:
    found = wafroc_area(study)
    assert found is not None
    assert enclosed(wafroc_curve(study)) == pytest.approx(found.value)
    assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1


def test_with_one_lesion_and_a_mark_for_every_case_afroc_is_roc() -> None:
    truth, scores = [1, 1, 1, 0, 0, 0, 0], [6.0, 2.0, 4.0, 3.0, 1.0, 2.0, 5.0]
    study = [
        FreeResponse((score,)) if positive else FreeResponse((), (score,))
        for positive, score in zip(truth, scores, strict=True)
    ]
    assert wafroc_area(study) == auc(truth, scores)


def test_whoever_marks_nothing_is_at_a_half_and_whoever_finds_all_is_perfect() -> None:
    blind = wafroc_area([FreeResponse((None,))] * 9 + [FreeResponse(())] * 9)
    sure = wafroc_area([FreeResponse((6.0,))] * 9 + [FreeResponse(())] * 9)
    assert blind is not None and sure is not None
    assert (blind.value, blind.method) == (0.5, "exact")
    assert (sure.value, sure.interval) == (1.0, Interval(pytest.approx(0.025 ** (1 / 9)), 1.0))
    assert wafroc_area([FreeResponse((6.0,))]) is None
    assert wafroc_curve([FreeResponse(())]) == ()
