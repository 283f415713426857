"""Agreement among readers, and of a reader's confidence with the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from synth.errors import RequestError
from synth.reading.performance import Interval, Proportion, proportion
from synth.reading.readings import as_scores, as_truth

SCALE = 6  # steps of confidence, 1 surely negative to 6 surely positive, none in the middle


@dataclass(frozen=True, slots=True)
class Kappa:
    """Fleiss' kappa, at most 1, and what it comes from: observed and expected share of agreeing pairs, in [0, 1].

    `value` is None where all readers always name one category, and `interval` where it cannot be estimated.
    """

    value: float | None
    interval: Interval | None
    observed: float
    expected: float
    cases: int
    readers: int


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """One step of the scale: the probability it stands for, and how often its cases were positive."""

    score: int
    probability: float
    frequency: Proportion | None  # None where the step was never used


@dataclass(frozen=True, slots=True)
class Calibration:
    """Brier score and expected calibration error, both in [0, 1] and 0 at best, with the bins behind them."""

    brier: float
    expected_error: float
    bins: tuple[CalibrationBin, ...]


def fleiss_kappa(ratings: Sequence[Sequence[Hashable]]) -> Kappa:
    """Kappa (Fleiss, Psychol Bull 76, 1971, 378-382) of the categories that readers named, one sequence for each case.

    The readers need not be the same from case to case, their number must: at least two. The 95 % interval is the
    delete-one-case jackknife's with Student's t. Raises RequestError where there is no case, fewer than two readers, or
    another number of readers.
    """
    numbers = {len(case) for case in ratings}
    if not numbers or min(numbers) < 2:
        raise RequestError("Agreement needs cases that two readers at least have read.")
    if len(numbers) > 1:
        raise RequestError(
            f"Some cases have {min(numbers)} readings and others {max(numbers)}; agreement needs one number for all."
        )
    readers = numbers.pop()
    categories = list(dict.fromkeys(category for case in ratings for category in case))
    counts = np.array([[Counter(case)[category] for category in categories] for case in ratings])
    observed, expected = _agreement(counts)
    return Kappa(_kappa(counts), _jackknife_interval(counts), observed, expected, len(counts), readers)


def cohen_kappa(first: Sequence[int], second: Sequence[int], categories: int, weighted: bool = False) -> Kappa:
    """Kappa of two readers (Cohen, Educ Psychol Meas 20, 1960, 37-46), whole numbers from 0 below `categories`.

    `weighted`: a disagreement counts by the square of its distance (Cohen, Psychol Bull 70, 1968, 213-220). The 95 %
    interval is that of `fleiss_kappa`. Raises RequestError where the readers have not read the same cases, or none.
    """
    if not first or len(first) != len(second):
        raise RequestError(
            f"The readers have read {len(first)} and {len(second)} cases; agreement needs the same ones."
        )
    table = np.array([first, second])
    observed, expected = _shares(table, categories, weighted)
    value = _cohen(table, categories, weighted)
    without = [_cohen(np.delete(table, k, 1), categories, weighted) for k in range(len(first))]
    return Kappa(value, _jackknife(value, without), observed, expected, len(first), 2)


def probability(score: float) -> float:
    """What a step of the scale stands for: the middle of its sixth, (score - 0.5) / 6, so 1/12 to 11/12."""
    return (score - 0.5) / SCALE


def calibration(truth: npt.ArrayLike, scores: npt.ArrayLike) -> Calibration | None:
    """Of scores (N,), whole numbers from 1 to 6, against the truth (N,), 0 or 1; None where there are none.

    Each step of the scale is a bin. Brier score: mean squared difference of probability and truth (Brier, Mon Weather
    Rev 78, 1950, 1-3). Expected calibration error: mean over the cases of |probability - frequency in the bin| (Naeini
    et al., AAAI 2015). Raises RequestError where a score is not on the scale.
    """
    positive = as_truth(truth)
    values = as_scores(scores, positive.size)
    if not np.isin(values, np.arange(1, SCALE + 1)).all():
        raise RequestError(f"Confidence is a whole number from 1 to {SCALE}.")
    if values.size == 0:
        return None
    bins = []
    error = 0.0
    for score in range(1, SCALE + 1):
        chosen = values == score
        frequency = proportion(int(positive[chosen].sum()), int(chosen.sum()))
        bins.append(CalibrationBin(score, probability(score), frequency))
        if frequency is not None:
            error += frequency.total / values.size * abs(frequency.value - probability(score))
    brier = float(np.square((values - 0.5) / SCALE - positive).mean())
    return Calibration(brier, error, tuple(bins))


def _agreement(counts: npt.NDArray[np.int_]) -> tuple[float, float]:
    """Observed and expected share of agreeing pairs of counts (cases, categories)."""
    readers = int(counts[0].sum())
    observed = ((counts**2).sum(1) - readers) / (readers * (readers - 1))
    shares = counts.sum(0) / counts.sum()
    return float(observed.mean()), float((shares**2).sum())


def _kappa(counts: npt.NDArray[np.int_]) -> float | None:
    observed, expected = _agreement(counts)
    return None if (counts.sum(0) > 0).sum() == 1 else (observed - expected) / (1 - expected)


def _shares(table: npt.NDArray[np.int_], categories: int, weighted: bool) -> tuple[float, float]:
    """Observed and expected agreement of (2, cases), each in [0, 1]; near misses count in part where weighted."""
    distance = np.abs(np.subtract.outer(np.arange(categories), np.arange(categories)))
    agree = 1 - (distance / max(categories - 1, 1)) ** 2 if weighted else distance == 0
    shares = [np.bincount(row, minlength=categories) / table.shape[1] for row in table]
    return float(agree[table[0], table[1]].mean()), float((np.outer(shares[0], shares[1]) * agree).sum())


def _cohen(table: npt.NDArray[np.int_], categories: int, weighted: bool) -> float | None:
    """None without cases, or where both readers always name one category."""
    if not table.size or np.unique(table).size == 1:
        return None
    observed, expected = _shares(table, categories, weighted)
    return (observed - expected) / (1 - expected)


def _jackknife_interval(counts: npt.NDArray[np.int_]) -> Interval | None:
    without = [_kappa(np.delete(counts, k, 0)) for k in range(len(counts))] if len(counts) > 2 else []
    return _jackknife(_kappa(counts), without)


def _jackknife(whole: float | None, without: Sequence[float | None]) -> Interval | None:
    """None for fewer than three cases, or where one case alone brings in a second category."""
    n = len(without)
    known = [value for value in without if value is not None]
    if whole is None or n < 3 or len(known) < n:
        return None
    error = np.sqrt((n - 1) / n * np.square(np.array(known) - np.mean(known)).sum())
    half = float(stats.t.ppf(0.975, n - 1) * error)
    return Interval(max(whole - half, -1.0), min(whole + half, 1.0))
