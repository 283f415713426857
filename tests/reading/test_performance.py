"""Proportions, d', reading times, and the change of accuracy from before to after."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import RequestError
from synth.reading.learning import accuracy_change
from synth.reading.performance import (
    Performance,
    ReadingTimes,
    clopper_pearson,
    performance,
    proportion,
    reading_times,
    signal_detection,
    wilson,
)


# Newcombe, Stat Med 17, 1998, 857-872, table I, methods 3 (Wilson) and 5 (Clopper-Pearson).
@pytest.mark.parametrize(
    ("successes", "total", "score", "exact"),
    [
        (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
        (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
        (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
        (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
    ],
)
def test_intervals_are_the_published_ones(
    successes: int, total: int, score: tuple[float, float], exact: tuple[float, float]
) -> None:
    found, safe = wilson(successes, total), clopper_pearson(successes, total)
    assert (found.low, found.high) == pytest.approx(score, abs=5e-5)
    assert (safe.low, safe.high) == pytest.approx(exact, abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_an_interval_holds_its_share_and_mirrors(counts: tuple[int, int]) -> None:
    successes, total = counts
    for method in (wilson, clopper_pearson):
        found, mirrored = method(successes, total), method(total - successes, total)
        assert 0 <= found.low <= successes / total <= found.high <= 1
        assert found.low < found.high
        assert mirrored.low == pytest.approx(1 - found.high, abs=1e-9)


def test_sensitivity_specificity_and_accuracy_count_their_own_cases() -> None:
    found = performance([1, 1, 1, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0, 0, 1])
    assert found == Performance(proportion(2, 3), proportion(4, 5), proportion(6, 8))
    assert performance([1, 1], [1, 0]) == Performance(proportion(1, 2), None, proportion(1, 2))
    assert performance([], []) == Performance(None, None, None)


def test_d_prime_and_criterion_of_hautus_correction() -> None:
    truth, called = [1] * 9 + [0] * 9, [1] * 8 + [0] + [1] * 1 + [0] * 8
    found = signal_detection(truth, called)  # corrected rates 8.5 / 10 and 1.5 / 10
    assert found is not None
    assert (found.d_prime, found.criterion) == (pytest.approx(2 * 1.0364334), pytest.approx(0, abs=1e-12))
    biased = signal_detection(truth, [1] * 18)  # calls everything positive: 9.5 / 10 twice
    assert biased is not None
    assert (biased.d_prime, biased.criterion) == (pytest.approx(0), pytest.approx(-1.6448536))
    assert signal_detection([1, 1], [1, 0]) is None


def test_d_prime_of_a_perfect_reader_is_finite_and_grows_with_the_cases() -> None:
    few, many = (signal_detection([1] * n + [0] * n, [1] * n + [0] * n) for n in (5, 50))
    assert few is not None and many is not None
    assert 2 < few.d_prime < many.d_prime < 6


def test_reading_times_have_quartiles() -> None:
    assert reading_times([40, 10, 20, 30, 50]) == ReadingTimes(20.0, 30.0, 40.0, 5)
    assert reading_times([7.5]) == ReadingTimes(7.5, 7.5, 7.5, 1)
    assert reading_times([]) is None
    with pytest.raises(RequestError, match="seconds"):
        reading_times([3, -1])


def test_impossible_counts_and_answers_are_sentences() -> None:
    with pytest.raises(RequestError, match="3 of 2"):
        proportion(3, 2)
    with pytest.raises(RequestError, match="There are 2 cases"):
        performance([0, 1], [1])
    with pytest.raises(RequestError, match="0 \\(negative\\) or 1"):
        signal_detection([0, 1], [1, 0.5])


def answers(both: int, gained: int, lost: int, neither: int) -> tuple[list[int], list[int]]:
    before = [1] * both + [0] * gained + [1] * lost + [0] * neither
    return before, [1] * both + [1] * gained + [0] * lost + [0] * neither


def test_a_change_of_accuracy_has_the_published_interval() -> None:
    """Airway hyper-responsiveness of Bentur et al. 2009 in Fagerland et al., Stat Med 33, 2014, 2850-2875."""
    found = accuracy_change(*answers(1, 7, 1, 12))
    assert found is not None
    assert (found.interval.low, found.interval.high) == pytest.approx((0.026, 0.507), abs=5e-4)
    assert found.value == pytest.approx(6 / 21)
    assert found.p_value == pytest.approx(2 * (1 + 8) / 2**8)
    assert (found.before, found.after) == (proportion(2, 21), proportion(8, 21))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=40))
def test_a_change_of_accuracy_lies_in_its_interval_and_reverses(pairs: list[tuple[int, int]]) -> None:
    before, after = np.array(pairs).T
    found, reverse = accuracy_change(before, after), accuracy_change(after, before)
    assert found is not None and reverse is not None
    assert -1 <= found.interval.low <= found.value <= found.interval.high <= 1
    assert (reverse.value, reverse.p_value) == (pytest.approx(-found.value), pytest.approx(found.p_value))
    assert reverse.interval.low == pytest.approx(-found.interval.high)


def test_nothing_changed_is_no_certainty() -> None:
    found = accuracy_change([1] * 20, [1] * 20)
    assert found is not None
    assert (found.value, found.p_value) == (0, 1)
    assert found.interval.high == -found.interval.low > 0.1
    assert accuracy_change([], []) is None
    with pytest.raises(RequestError, match="There are 2 cases"):
        accuracy_change([0, 1], [1])
