"""AUC, its variance and its intervals, also where data are few or readers perfect."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from synth.errors import RequestError
from synth.reading.performance import Interval
from synth.reading.roc import (
    Auc,
    RocPoint,
    auc,
    auc_difference,
    delong_covariance,
    pooled_auc,
    roc_curve,
)

# One positive and one negative case at least, scores 1 to 6.
READERS = st.tuples(
    st.lists(st.integers(1, 6), min_size=1, max_size=12), st.lists(st.integers(1, 6), min_size=1, max_size=12)
)
TRUTH = np.array([0, 0, 0, 0, 1, 1, 1])
SCORES = np.array([1, 2, 2, 4, 2, 5, 6])  # of 12 pairs: 9 won, 2 tied, 1 lost


def joined(groups: tuple[list[int], list[int]]) -> tuple[list[int], list[int]]:
    positives, negatives = groups
    return [1] * len(positives) + [0] * len(negatives), positives + negatives


def psi(positive: float, negative: float) -> float:
    return 1.0 if positive > negative else 0.5 if positive == negative else 0.0


def test_auc_of_a_table_small_enough_for_paper() -> None:
    found = auc(TRUTH, SCORES)
    assert found is not None
    assert found.value == pytest.approx(10 / 12)
    # placements of positives 2/4, 1, 1 and of negatives 1, 5/6, 5/6, 2/3
    by_hand = np.var([0.5, 1, 1], ddof=1) / 3 + np.var([1, 5 / 6, 5 / 6, 2 / 3], ddof=1) / 4
    assert found.variance == pytest.approx(by_hand)
    half = 1.959964 * math.sqrt(by_hand) / (10 / 12 * 2 / 12)
    assert found.interval.low == pytest.approx(1 / (1 + math.exp(half - math.log(5))))
    assert found.interval.high == pytest.approx(1 / (1 + math.exp(-half - math.log(5))))
    assert (found.method, found.positives, found.negatives) == ("DeLong, logit", 3, 4)


@given(READERS)
def test_auc_is_that_of_scikit_learn(groups: tuple[list[int], list[int]]) -> None:
    truth, scores = joined(groups)
    found = auc(truth, scores)
    assert found is not None
    assert found.value == pytest.approx(roc_auc_score(truth, scores))


@given(READERS)
def test_the_interval_is_honest_and_mirrors_with_the_scale(groups: tuple[list[int], list[int]]) -> None:
    truth, scores = joined(groups)
    found, mirrored = auc(truth, scores), auc(truth, [-score for score in scores])
    assert found is not None and mirrored is not None
    assert 0 <= found.interval.low <= found.value <= found.interval.high <= 1
    assert found.interval.high - found.interval.low > 0.02
    assert mirrored.value == pytest.approx(1 - found.value)
    assert mirrored.interval.low == pytest.approx(1 - found.interval.high, abs=1e-9)
    assert mirrored.method == found.method


@given(READERS)
def test_the_curve_is_that_of_scikit_learn_and_encloses_the_area(groups: tuple[list[int], list[int]]) -> None:
    truth, scores = joined(groups)
    curve = roc_curve(truth, scores)
    fpr, tpr, thresholds = sklearn_roc_curve(truth, scores, drop_intermediate=False)
    assert [(p.fpr, p.tpr, p.threshold) for p in curve] == [
        pytest.approx(point) for point in zip(fpr, tpr, thresholds, strict=True)
    ]
    found = auc(truth, scores)
    assert found is not None
    assert np.trapezoid([p.tpr for p in curve], [p.fpr for p in curve]) == pytest.approx(found.value)


def test_a_curve_has_a_point_for_every_step_of_the_scale() -> None:
    assert roc_curve([0, 0, 1, 1], [1, 3, 3, 6]) == (
        RocPoint(0.0, 0.0, math.inf),
        RocPoint(0.0, 0.5, 6.0),
        RocPoint(0.5, 1.0, 3.0),
        RocPoint(1.0, 1.0, 1.0),
    )


def test_a_perfect_reader_has_an_exact_bound_below_one() -> None:
    found = auc([0] * 30 + [1] * 20, [1] * 30 + [6] * 20)
    assert found == Auc(1.0, None, Interval(pytest.approx(0.025 ** (1 / 20)), 1.0), "exact", 20, 30)
    worst = auc([0] * 30 + [1] * 20, [6] * 30 + [1] * 20)
    assert worst == Auc(0.0, None, Interval(0.0, pytest.approx(1 - 0.025 ** (1 / 20))), "exact", 20, 30)


def test_a_reader_who_always_answers_the_same_is_at_a_half_within_wide_bounds() -> None:
    found = auc([0, 0, 0, 1, 1, 1], [3] * 6)
    assert found is not None
    assert (found.value, found.method) == (0.5, "exact")
    assert found.interval.low < 0.1 and found.interval.high > 0.9


def test_a_single_positive_case_proves_little() -> None:
    found = auc([0] * 50 + [1], [*range(50), 39.5])
    assert found is not None
    assert (found.value, found.method) == (0.8, "exact")
    assert found.interval.low < 0.05 and found.interval.high > 0.99


@pytest.mark.parametrize("truth", [[], [0, 0, 0], [1, 1]])
def test_without_one_of_the_classes_there_is_no_auc(truth: list[int]) -> None:
    scores = [float(k) for k in range(len(truth))]
    assert auc(truth, scores) is None
    assert pooled_auc(truth, scores, range(len(truth))) is None
    assert auc_difference(truth, scores, scores) is None
    assert roc_curve(truth, scores) == ()


@pytest.mark.parametrize(
    ("truth", "scores", "sentence"),
    [
        ([0, 2], [1, 2], "truth of each case must be 0"),
        ([0, 1], [1, 2, 3], "There are 2 cases"),
        ([0, 1], [1, math.nan], "missing or not a number"),
        ([0, 1], [[1, 2]], "One score for each case"),
    ],
)
def test_wrong_input_is_a_sentence(truth: list[int], scores: list[float], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        auc(truth, scores)


def test_delong_covariance_is_that_of_its_formula_written_out() -> None:
    rng = np.random.default_rng(5)
    truth = np.array([1] * 9 + [0] * 13, bool)
    ratings = rng.integers(1, 7, (3, 22)).astype(float) + truth
    aucs, covariance = delong_covariance(truth, ratings)
    for r, s in product(range(3), repeat=2):
        parts = []
        for mine, other in ((truth, ~truth), (~truth, truth)):
            places = [
                [
                    np.mean([psi(*(pair if mine is truth else pair[::-1])) for pair in product([x], row[other])])
                    for x in own
                ]
                for row, own in ((ratings[k], ratings[k][mine]) for k in (r, s))
            ]
            spread = sum((a - aucs[r]) * (b - aucs[s]) for a, b in zip(*places, strict=True)) / (mine.sum() - 1)
            parts.append(spread / mine.sum())
        assert covariance[r, s] == pytest.approx(sum(parts), abs=1e-14)


@given(READERS)
def test_a_reader_who_answers_twice_adds_no_evidence(groups: tuple[list[int], list[int]]) -> None:
    truth, scores = joined(groups)
    once = auc(truth, scores)
    twice = pooled_auc(truth * 2, scores * 2, [*range(len(truth))] * 2)
    assert once is not None and twice is not None
    assert twice.value == pytest.approx(once.value)
    assert (twice.interval.low, twice.interval.high) == pytest.approx((once.interval.low, once.interval.high))
    assert (twice.positives, twice.negatives, twice.method) == (2 * once.positives, 2 * once.negatives, once.method)


def test_pooling_different_readers_gains_less_than_as_many_cases_would() -> None:
    rng = np.random.default_rng(1)
    truth = np.repeat([0, 1], 40)
    common = rng.normal(size=80) + 1.5 * truth
    scores = np.concatenate([common + rng.normal(size=80) for _ in range(4)])
    pooled = pooled_auc(np.tile(truth, 4), scores, [*range(80)] * 4)
    alone, naive = auc(truth, scores[:80]), auc(np.tile(truth, 4), scores)
    assert pooled is not None and alone is not None and naive is not None
    assert pooled.value == naive.value
    assert naive.variance < pooled.variance < alone.variance


def test_a_case_cannot_be_positive_and_negative() -> None:
    with pytest.raises(RequestError, match="positive in one reading and negative in another"):
        pooled_auc([0, 1], [1, 2], ["a", "a"])
    with pytest.raises(RequestError, match="there must be 2 cases"):
        pooled_auc([0, 1], [1, 2], ["a"])


def test_the_difference_of_two_aucs_is_tested_with_their_covariance() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat([0, 1], 30)
    first = rng.normal(size=60) + truth
    second = first + rng.normal(size=60) / 2 + truth / 2
    found = auc_difference(truth, first, second)
    aucs, covariance = delong_covariance(truth == 1, np.array([first, second]))
    error = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert found is not None
    assert found.value == pytest.approx(aucs[1] - aucs[0])
    assert found.interval.low == pytest.approx(found.value - 1.959964 * error)
    assert found.p_value == pytest.approx(math.erfc(found.value / error / math.sqrt(2)))
    back = auc_difference(truth, second, first)
    assert back is not None
    assert (back.value, back.p_value) == (pytest.approx(-found.value), pytest.approx(found.p_value))


def test_two_perfect_rounds_leave_room_for_a_difference() -> None:
    truth, scores = [0] * 10 + [1] * 10, [1] * 10 + [6] * 10
    found = auc_difference(truth, scores, scores)
    assert found is not None
    room = pytest.approx(1 - 0.025 ** (1 / 10))
    assert (found.value, found.interval.high, -found.interval.low) == (0.0, room, room)
    assert (found.p_value, found.method) == (None, "square-and-add")


def test_reaching_perfection_is_no_certainty() -> None:
    truth = [0] * 6 + [1] * 6
    found = auc_difference(truth, [1, 4, 3, 2, 6, 5, 2, 3, 5, 4, 6, 5], [1] * 6 + [6] * 6)
    assert found is not None
    assert found.method == "square-and-add"
    assert found.interval.low < found.value < found.interval.high <= 1
