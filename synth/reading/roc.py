"""ROC curves and the area under them, with intervals that stay honest for few cases and for perfect readers.

Areas of LROC and AFROC curves (`synth.reading.localisation`) are two-sample U-statistics too and come from `area`.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from synth.errors import RequestError
from synth.reading.performance import Interval, Z, clopper_pearson
from synth.reading.readings import Scores, Truth, as_scores, as_truth

Kernel = npt.NDArray[np.float64]  # (P, N): 1 where the positive beats the negative, 0.5 where they tie, 0 else


@dataclass(frozen=True, slots=True)
class Auc:
    """Area in [0, 1], its 95 % interval and how that was found: "DeLong, logit" or "exact".

    `variance` is DeLong's, None where it cannot be had or would be 0. Counts are of cases, or of lesions for AFROC.
    """

    value: float
    variance: float | None
    interval: Interval
    method: str
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True)
class RocPoint:
    """False and true positive rate, in [0, 1], of calling everything from `threshold` upwards positive."""

    fpr: float
    tpr: float
    threshold: float  # infinite at (0, 0)


@dataclass(frozen=True, slots=True)
class AucDifference:
    """Second AUC less the first, its 95 % interval, and how that was found: "DeLong" or "square-and-add".

    `p_value` is two-sided, None where the variance collapses and no test is possible.
    """

    value: float
    interval: Interval
    p_value: float | None
    method: str


def roc_curve(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[RocPoint, ...]:
    """One point for every distinct score, from (0, 0) to (1, 1); empty where a class is missing.

    truth (N,) of 0 and 1; scores (N,), ordinal, higher for positive. Raises RequestError where they are not.
    """
    positive, values = _checked(truth, scores)
    if positive.all() or not positive.any():
        return ()
    points = [RocPoint(0.0, 0.0, math.inf)]
    for threshold in np.unique(values)[::-1]:
        called = values >= threshold
        points.append(RocPoint(float(called[~positive].mean()), float(called[positive].mean()), float(threshold)))
    return tuple(points)


def auc(truth: npt.ArrayLike, scores: npt.ArrayLike) -> Auc | None:
    """Area under the ROC curve of one reader: Mann-Whitney's U over the number of pairs, ties count half.

    truth (N,) of 0 and 1; scores (N,), higher for positive. None where a class is missing. The variance is that of
    DeLong et al. (Biometrics 44, 1988, 837-845); for the interval see `area`. Raises RequestError where the input is
    not so.
    """
    positive, values = _checked(truth, scores)
    return area(wins(values[positive], values[~positive]))


def pooled_auc(truth: npt.ArrayLike, scores: npt.ArrayLike, cases: Sequence[Hashable]) -> Auc | None:
    """AUC of several readers' scores (N,) thrown together, where `cases` (N,) names the case that each score is of.

    Scores of one case are not independent: the variance is that of clustered data (Obuchowski, Biometrics 53, 1997,
    567-578). It speaks of these readers only; readers who use the scale differently lower the value. None where a class
    is missing. Raises RequestError as `auc` does, and where a case is positive here and negative there.
    """
    positive, values = _checked(truth, scores)
    if len(cases) != positive.size:
        raise RequestError(f"There are {positive.size} scores, so there must be {positive.size} cases.")
    number = {case: k for k, case in enumerate(dict.fromkeys(cases))}
    clusters = np.array([number[case] for case in cases], int)
    if np.intersect1d(clusters[positive], clusters[~positive]).size:
        raise RequestError("A case is positive in one reading and negative in another.")
    return area(wins(values[positive], values[~positive]), clusters[positive], clusters[~positive])


def wins(positives: Scores, negatives: Scores) -> Kernel:
    """Mann-Whitney's kernel of scores (P,) and (N,): (P, N), 1 above, 0.5 equal, 0 below; -inf is equal to itself."""
    above, equal = positives[:, None] > negatives, positives[:, None] == negatives
    return np.where(above, 1.0, np.where(equal, 0.5, 0.0))


def area(
    kernel: Kernel,
    positive_clusters: npt.NDArray[np.int_] | None = None,
    negative_clusters: npt.NDArray[np.int_] | None = None,
) -> Auc | None:
    """The mean of a kernel (P, N) in [0, 1] as an area with its interval; None where P or N is 0.

    Rows or columns of one cluster, numbered (P,) and (N,), are not independent; without clusters all are. The interval
    is Wald's on the logit scale, carried back (Pepe, The Statistical Evaluation of Medical Tests, 2003, ch. 5); with a
    handful of cases in a class it is a little narrow. Where the variance collapses (all pairs alike, as for AUC 1, or
    one cluster in a class) it is that of Clopper and Pearson for m pairs, m being the number of clusters in the smaller
    class: so many disjoint pairs are independent trials that succeed with a probability of AUC. That needs no
    assumption, is exact for AUC 0 and 1 and wide: for AUC 1 the lower bound is 0.025 ** (1 / m).
    """
    if kernel.size == 0:
        return None
    value = float(kernel.mean())
    sides = []
    for components, clusters in ((kernel.mean(1), positive_clusters), (kernel.mean(0), negative_clusters)):
        sides.append(_cluster_sums(components - value, clusters))
    counts = [side.size for side in sides]
    variance = None
    if min(counts) > 1 and max(np.abs(side).max() for side in sides) > 1e-12:
        shares = (n / (n - 1) * float((s**2).sum()) / k**2 for s, n, k in zip(sides, counts, kernel.shape, strict=True))
        variance = sum(shares)
    interval, method = clopper_pearson(value * min(counts), min(counts)), "exact"
    if variance is not None and 0 < value < 1:
        interval, method = _logit_interval(value, variance), "DeLong, logit"
    return Auc(value, variance, interval, method, *kernel.shape)


def delong_covariance(truth: Truth, scores: Scores) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """AUCs (K,) and their covariance (K, K) of K ratings (K, N) of the same cases (DeLong et al. 1988).

    truth (N,) with two cases in each class at least.
    """
    aucs, positives, negatives = placements(truth, scores)
    covariance = np.cov(positives) / positives.shape[1] + np.cov(negatives) / negatives.shape[1]
    return aucs, np.atleast_2d(covariance)


def placements(
    truth: Truth, scores: Scores
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """AUCs (K,) of ratings (K, N), and DeLong's structural components V10 (K, P) of positives, V01 (K, N - P) of
    negatives: the share of the other class that each case beats or is beaten by.
    """
    kernels = [wins(row[truth], row[~truth]) for row in scores]
    aucs, positives, negatives = ([kernel.mean(axis) for kernel in kernels] for axis in (None, 1, 0))
    return np.array(aucs), np.array(positives), np.array(negatives)


def auc_difference(truth: npt.ArrayLike, first: npt.ArrayLike, second: npt.ArrayLike) -> AucDifference | None:
    """AUC of `second` less that of `first`, scores (N,) of the same cases, e.g. before and after; None without a class.

    Interval and test by the normal approximation with DeLong's covariance. Where a variance collapses the two single
    intervals are joined as if independent, which is the wider (square-and-add: Zou & Donner, Stat Med 27, 2008,
    1693-1702). Raises RequestError as `auc` does.
    """
    one, two = auc(truth, first), auc(truth, second)
    if one is None or two is None:
        return None
    value = two.value - one.value
    if "exact" not in (one.method, two.method):
        _, covariance = delong_covariance(as_truth(truth), np.array([first, second], np.float64))
        variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
        if variance > 1e-12:
            error = math.sqrt(variance)
            p_value = float(2 * stats.norm.sf(abs(value) / error))
            interval = Interval(max(value - Z * error, -1.0), min(value + Z * error, 1.0))
            return AucDifference(value, interval, p_value, "DeLong")
    low = value - math.hypot(two.value - two.interval.low, one.interval.high - one.value)
    high = value + math.hypot(two.interval.high - two.value, one.value - one.interval.low)
    return AucDifference(value, Interval(max(low, -1.0), min(high, 1.0)), None, "square-and-add")


def _checked(truth: npt.ArrayLike, scores: npt.ArrayLike) -> tuple[Truth, Scores]:
    positive = as_truth(truth)
    values = as_scores(scores, positive.size)
    if values.ndim != 1:
        raise RequestError("One score for each case is needed.")
    return positive, values


def _cluster_sums(deviations: npt.NDArray[np.float64], clusters: npt.NDArray[np.int_] | None) -> Scores:
    if clusters is None:
        return deviations
    return np.asarray(np.bincount(np.unique(clusters, return_inverse=True)[1], deviations), np.float64)


def _logit_interval(value: float, variance: float) -> Interval:
    centre = math.log(value / (1 - value))
    half = Z * math.sqrt(variance) / (value * (1 - value))
    return Interval(float(special.expit(centre - half)), float(special.expit(centre + half)))
