"""Multi-reader multi-case analysis of AUCs by Obuchowski and Rockette, readers and cases both random.

Obuchowski & Rockette, Commun Stat Simul Comput 24, 1995, 285-308; degrees of freedom of Hillis, Stat Med 26, 2007,
596-619. T modalities (treatments), R readers, N cases; 95 % intervals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import stats

from synth.errors import RequestError
from synth.reading.performance import LEVEL, Interval, clopper_pearson
from synth.reading.readings import Scores, Truth, as_scores, as_truth
from synth.reading.roc import delong_covariance, placements

Matrix = npt.NDArray[np.float64]

COVARIANCES = ("jackknife", "delong")
_NONE = 1e-12  # a mean square or variance below is rounding


@dataclass(frozen=True, slots=True)
class ErrorCovariance:
    """Variance of an AUC over cases, and mean covariances of two AUCs.

    `cov1`: one reader, two modalities; `cov2`: two readers, one modality; `cov3`: both differ. Estimates may be
    negative; None with a single modality.
    """

    variance: float
    cov1: float | None
    cov2: float
    cov3: float | None


@dataclass(frozen=True, slots=True)
class ModalityAuc:
    """The readers' mean AUC in one modality, from the data of this modality alone."""

    value: float
    standard_error: float
    ddf: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class ModalityDifference:
    """Mean AUC of modality `first` less that of `second` (their places in the input), with t test."""

    first: int
    second: int
    value: float
    standard_error: float
    interval: Interval
    p_value: float


@dataclass(frozen=True, slots=True)
class ModalityTest:
    """F test that all modalities have the same mean AUC; `ddf` is Hillis's, infinite where readers do not interact."""

    f: float
    numerator_df: int
    ddf: float
    p_value: float
    ms_modality: float
    ms_interaction: float


@dataclass(frozen=True, slots=True)
class Mrmc:
    """AUC per modality and reader, mean per modality, and, from two modalities on, their comparison."""

    aucs: tuple[tuple[float, ...], ...]  # T x R
    modalities: tuple[ModalityAuc, ...]  # T
    covariance: ErrorCovariance
    test: ModalityTest | None  # None with a single modality
    differences: tuple[ModalityDifference, ...]  # every pair of modalities, in order


def mrmc(truth: npt.ArrayLike, scores: npt.ArrayLike, covariance: str = "jackknife") -> Mrmc:
    """Of scores (T, R, N), higher for positive, against the truth (N,), 1 or 0; a full factorial, nothing missing.

    `covariance`: how AUCs vary with the cases, by deleting one at a time ("jackknife") or by DeLong ("delong"). Raises
    RequestError for fewer than two readers, two positive or two negative cases, for missing scores, and, with several
    modalities, where the AUCs do not vary at all, as when every reader is perfect: then nothing can be tested.
    """
    positive, values = _checked(truth, scores, covariance)
    t, r, n = values.shape
    estimate = jackknife_covariance if covariance == "jackknife" else delong_covariance
    flat, matrix = estimate(positive, values.reshape(t * r, n))
    aucs, blocks = flat.reshape(t, r), matrix.reshape(t, r, t, r)
    fewer = int(min(positive.sum(), (~positive).sum()))
    singles = [_error_covariance(blocks[i : i + 1, :, i : i + 1]) for i in range(t)]
    modalities = tuple(_modality(row, single.cov2, fewer) for row, single in zip(aucs, singles, strict=True))
    errors = _error_covariance(blocks)
    test, differences = (None, ()) if t == 1 else _compare(aucs, errors)
    rows = tuple(tuple(float(value) for value in row) for row in aucs)
    return Mrmc(rows, modalities, errors, test, differences)


def jackknife_covariance(truth: Truth, scores: Scores) -> tuple[Matrix, Matrix]:
    """AUCs (K,) and their covariance (K, K) of K ratings (K, N), by leaving out one case at a time.

    Without case i the AUC is (P A - V10_i) / (P - 1), so no AUC is computed twice. Two cases in each class at least.
    """
    aucs, positives, negatives = placements(truth, scores)
    parts = [(v.shape[1] * aucs[:, None] - v) / (v.shape[1] - 1) for v in (positives, negatives)]
    left_out = np.concatenate(parts, axis=1)
    n = left_out.shape[1]
    return aucs, np.atleast_2d(np.cov(left_out)) * (n - 1) ** 2 / n


def _checked(truth: npt.ArrayLike, scores: npt.ArrayLike, covariance: str) -> tuple[Truth, Scores]:
    positive = as_truth(truth)
    values = as_scores(scores, positive.size)
    if values.ndim != 3 or values.shape[0] == 0:
        raise RequestError("Scores are needed for each modality, reader and case.")
    if values.shape[1] < 2:
        raise RequestError("A multi-reader analysis needs two readers; for one, see the difference of the two AUCs.")
    if min(positive.sum(), (~positive).sum()) < 2:
        raise RequestError("A multi-reader analysis needs at least two positive and two negative cases.")
    if covariance not in COVARIANCES:
        raise RequestError(f'The covariance is estimated by {" or ".join(COVARIANCES)}, not by "{covariance}".')
    return positive, values


def _error_covariance(blocks: Matrix) -> ErrorCovariance:
    """Means of a covariance (T, R, T, R) over pairs of a kind."""
    t, r = blocks.shape[:2]
    same_modality = np.eye(t, dtype=bool)[:, None, :, None]
    same_reader = np.eye(r, dtype=bool)[None, :, None, :]

    def mean(which: npt.NDArray[np.bool_]) -> float:
        return float(blocks[np.broadcast_to(which, blocks.shape)].mean())

    cov1, cov3 = (mean(~same_modality & which) if t > 1 else None for which in (same_reader, ~same_reader))
    return ErrorCovariance(mean(same_modality & same_reader), cov1, mean(same_modality & ~same_reader), cov3)


def _modality(aucs: Matrix, cov2: float, fewer: int) -> ModalityAuc:
    """Of the readers' AUCs (R,) in one modality, with its own ddf; the smaller class has `fewer` cases.

    Readers who are all perfect do not vary: then the interval is that of one of them, as in `roc.area`.
    """
    r = aucs.size
    ms_reader = float(aucs.var(ddof=1))
    total = ms_reader + r * max(cov2, 0.0)
    value, error, ddf = float(aucs.mean()), math.sqrt(total / r), _ddf(total, ms_reader, r - 1)
    interval = _interval(value, error, ddf) if total > _NONE else clopper_pearson(value * fewer, fewer)
    return ModalityAuc(value, error, ddf, Interval(max(interval.low, 0.0), min(interval.high, 1.0)))


def _compare(aucs: Matrix, errors: ErrorCovariance) -> tuple[ModalityTest, tuple[ModalityDifference, ...]]:
    """F = MS(T) / [MS(TR) + R max(Cov2 - Cov3, 0)] of AUCs (T, R), and the differences in units of its denominator."""
    t, r = aucs.shape
    means = aucs.mean(1)
    ms_modality = r * float(means.var(ddof=1))
    residuals = aucs - means[:, None] - aucs.mean(0) + aucs.mean()
    ms_interaction = float((residuals**2).sum()) / ((t - 1) * (r - 1))
    denominator = ms_interaction + r * max(errors.cov2 - (errors.cov3 or 0.0), 0.0)
    if denominator < _NONE:
        raise RequestError("The readers' AUCs do not vary between cases or readers, so no difference can be tested.")
    f, ddf = ms_modality / denominator, _ddf(denominator, ms_interaction, (t - 1) * (r - 1))
    p_value = stats.f.sf(f, t - 1, ddf) if math.isfinite(ddf) else stats.chi2.sf(f * (t - 1), t - 1)
    error = math.sqrt(2 * denominator / r)
    test = ModalityTest(f, t - 1, ddf, float(p_value), ms_modality, ms_interaction)
    return test, tuple(_difference(means, pair, error, ddf) for pair in combinations(range(t), 2))


def _difference(means: Matrix, pair: Sequence[int], error: float, ddf: float) -> ModalityDifference:
    first, second = pair
    value = float(means[first] - means[second])
    p_value = float(2 * stats.t.sf(abs(value) / error, ddf))
    return ModalityDifference(first, second, value, error, _interval(value, error, ddf), p_value)


def _ddf(total: float, mean_square: float, df: int) -> float:
    """Hillis's degrees of freedom of mean_square + covariances = total, where the mean square has `df`."""
    return total**2 / (mean_square**2 / df) if mean_square > _NONE else math.inf


def _interval(value: float, error: float, ddf: float) -> Interval:
    half = float(stats.t.ppf(0.5 + LEVEL / 2, ddf)) * error
    return Interval(value - half, value + half)
