"""Kappa of Fleiss and of Cohen, and the calibration of confidence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, cohen_kappa_score

from synth.errors import RequestError
from synth.reading.agreement import CalibrationBin, calibration, cohen_kappa, fleiss_kappa, probability
from synth.reading.performance import proportion

# A worked example often printed: ten cases, fourteen readers, five categories; kappa 0.210, 0.378 against 0.213.
COUNTS = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip


def named(counts: tuple[int, ...]) -> list[str]:
    return [name for name, count in zip("ABCDE", counts, strict=True) for _ in range(count)]


def test_kappa_of_a_worked_example() -> None:
    found = fleiss_kappa([named(counts) for counts in COUNTS])
    assert (found.value, found.observed, found.expected) == pytest.approx((0.210, 0.378, 0.213), abs=5e-4)
    assert (found.cases, found.readers) == (10, 14)
    assert found.interval is not None
    assert found.interval.low < 0.210 < found.interval.high


def test_kappa_of_two_readers_by_hand() -> None:
    """Agreed on 3 of 4; shares 5/8 and 3/8, so 34/64 by chance."""
    found = fleiss_kappa([("real", "real"), ("real", "real"), ("real", "synthetic"), ("synthetic", "synthetic")])
    assert found.value == pytest.approx((0.75 - 34 / 64) / (1 - 34 / 64))


def test_full_agreement_is_one_and_one_category_is_undefined() -> None:
    assert fleiss_kappa([(0, 0, 0), (1, 1, 1)]).value == 1
    everywhere = fleiss_kappa([(1, 1), (1, 1), (1, 1)])
    assert (everywhere.value, everywhere.interval, everywhere.observed) == (None, None, 1)
    assert fleiss_kappa([(0, 1)]).value == -1


@pytest.mark.parametrize(
    ("ratings", "sentence"),
    [([], "two readers"), ([(1,)], "two readers"), ([(1, 2), (1, 2, 3)], "have 2 readings and others 3")],
)
def test_kappa_refuses_what_it_cannot_compare(ratings: list[tuple[int, ...]], sentence: str) -> None:
    with pytest.raises(RequestError, match=sentence):
        fleiss_kappa(ratings)


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=12))
def test_kappa_never_exceeds_one_and_lies_in_its_interval(ratings: list[list[int]]) -> None:
    found = fleiss_kappa(ratings)
    assert found.value is None or found.value <= 1
    if found.interval is not None:
        assert found.value is not None
        assert found.interval.low <= found.value <= found.interval.high


def test_confidence_stands_for_the_middle_of_its_sixth() -> None:
    assert [probability(score) for score in range(1, 7)] == pytest.approx([k / 12 for k in (1, 3, 5, 7, 9, 11)])


def test_calibration_by_hand() -> None:
    found = calibration([0, 0, 1, 1, 1], [1, 1, 1, 6, 6])
    assert found is not None
    assert found.brier == pytest.approx((2 * (1 / 12) ** 2 + (11 / 12) ** 2 + 2 * (1 / 12) ** 2) / 5)
    assert found.expected_error == pytest.approx(3 / 5 * (1 / 3 - 1 / 12) + 2 / 5 * (1 / 12))
    assert found.bins[0] == CalibrationBin(1, pytest.approx(1 / 12), proportion(1, 3))
    assert found.bins[1] == CalibrationBin(2, pytest.approx(3 / 12), None)
    assert len(found.bins) == 6
    assert calibration([], []) is None


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 6)), min_size=1, max_size=40))
def test_brier_score_is_that_of_scikit_learn(pairs: list[tuple[int, int]]) -> None:
    truth, scores = np.array(pairs).T
    found = calibration(truth, scores)
    assert found is not None
    assert found.brier == pytest.approx(brier_score_loss(truth, (scores - 0.5) / 6, pos_label=1))
    assert 0 <= found.expected_error <= 1


def test_confidence_off_the_scale_is_a_sentence() -> None:
    for score in (0, 3.5, 7):
        with pytest.raises(RequestError, match="whole number from 1 to 6"):
            calibration([1], [score])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=30), st.booleans())
def test_cohens_kappa_is_that_of_scikit_learn(pairs: list[tuple[int, int]], weighted: bool) -> None:
    first, second = ([pair[k] for pair in pairs] for k in (0, 1))
    kappa = cohen_kappa(first, second, 5, weighted)
    if kappa.value is None:
        assert len({*first, *second}) == 1
        return
    wanted = cohen_kappa_score(first, second, labels=range(5), weights="quadratic" if weighted else None)
    assert kappa.value == pytest.approx(wanted, abs=1e-12)
    assert (kappa.cases, kappa.readers) == (len(pairs), 2)


def test_cohens_kappa_of_a_worked_example() -> None:
    # Two readers, fifty cases: 20 yes and yes, 15 no and no, 5 and 10 apart; (0.7 - 0.5) / (1 - 0.5)
    pairs = [(1, 1)] * 20 + [(1, 0)] * 5 + [(0, 1)] * 10 + [(0, 0)] * 15
    kappa = cohen_kappa([one for one, _ in pairs], [other for _, other in pairs], 2)
    assert (kappa.value, kappa.observed, kappa.expected) == pytest.approx((0.4, 0.7, 0.5))
    assert kappa.interval is not None and kappa.interval.low < 0.4 < kappa.interval.high


def test_cohens_kappa_needs_the_same_cases() -> None:
    with pytest.raises(RequestError, match=r"^The readers have read 2 and 1 cases; agreement needs the same ones\.$"):
        cohen_kappa([0, 1], [0], 2)
