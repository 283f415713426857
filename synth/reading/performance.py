"""What one reader achieves by yes and no: proportions with their intervals, d' and criterion, reading times.

Every interval holds 95 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from synth.errors import RequestError
from synth.reading.readings import as_scores, as_truth

LEVEL = 0.95
Z = float(stats.norm.ppf(0.5 + LEVEL / 2))


@dataclass(frozen=True, slots=True)
class Interval:
    """Lower and upper bound of a 95 % confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Proportion:
    """Share in [0, 1] with its Wilson interval and the counts behind it."""

    value: float
    interval: Interval
    successes: int
    total: int


@dataclass(frozen=True, slots=True)
class Performance:
    """Sensitivity over positive cases, specificity over negative ones, accuracy over all; None without cases."""

    sensitivity: Proportion | None
    specificity: Proportion | None
    accuracy: Proportion | None


@dataclass(frozen=True, slots=True)
class SignalDetection:
    """d' in standard deviations of the noise; criterion c, negative where the reader leans to "positive"."""

    d_prime: float
    criterion: float


@dataclass(frozen=True, slots=True)
class ReadingTimes:
    """Quartiles of the time per case, in s."""

    lower_quartile: float
    median: float
    upper_quartile: float
    count: int


def wilson(successes: float, total: int) -> Interval:
    """The score interval (Wilson, J Am Stat Assoc 22, 1927, 209-212) of a proportion, `total` above 0."""
    share, weight = successes / total, Z**2 / total
    centre = (share + weight / 2) / (1 + weight)
    half = Z * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    # at 0 and 1 the bound is exact; rounding must not push it past the share
    return Interval(0.0 if successes == 0 else centre - half, 1.0 if successes == total else centre + half)


def clopper_pearson(successes: float, total: int) -> Interval:
    """The exact binomial interval (Clopper & Pearson, Biometrika 26, 1934, 404-413), `total` above 0.

    Its form by quantiles of the beta distribution also takes half successes, as ties give them.
    """
    tail, failures = (1 - LEVEL) / 2, total - successes
    low = float(stats.beta.ppf(tail, successes, failures + 1)) if successes > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, successes + 1, failures)) if failures > 0 else 1.0
    return Interval(low, high)


def proportion(successes: int, total: int) -> Proportion | None:
    """Share of successes with its Wilson interval; None where `total` is 0.

    Raises RequestError unless 0 <= successes <= total.
    """
    if not 0 <= successes <= total:
        raise RequestError(f"{successes} of {total} is no proportion.")
    if total == 0:
        return None
    return Proportion(successes / total, wilson(successes, total), int(successes), int(total))


def performance(truth: npt.ArrayLike, called: npt.ArrayLike) -> Performance:
    """Of calls (N,), 1 "positive" or 0 "negative", against the truth (N,), 1 or 0.

    Raises RequestError where they differ in length or hold anything else.
    """
    positive, called_positive = _pair(truth, called)
    right = positive == called_positive
    return Performance(
        proportion(int(right[positive].sum()), int(positive.sum())),
        proportion(int(right[~positive].sum()), int((~positive).sum())),
        proportion(int(right.sum()), right.size),
    )


def signal_detection(truth: npt.ArrayLike, called: npt.ArrayLike) -> SignalDetection | None:
    """d' = z(H) - z(F) and c = -(z(H) + z(F)) / 2 of calls (N,) against the truth (N,); None where a class is missing.

    Hit rate H and false-alarm rate F carry the log-linear correction, always, so that rates of 0 and 1 stay finite:
    half a count more in each cell (Hautus, Behav Res Methods Instrum Comput 27, 1995, 46-51). Raises RequestError as
    `performance` does.
    """
    positive, called_positive = _pair(truth, called)
    if positive.all() or not positive.any():
        return None
    groups = [called_positive[positive], called_positive[~positive]]
    hits, false_alarms = (float(stats.norm.ppf((group.sum() + 0.5) / (group.size + 1))) for group in groups)
    return SignalDetection(hits - false_alarms, -(hits + false_alarms) / 2)


def reading_times(seconds: npt.ArrayLike) -> ReadingTimes | None:
    """Median and quartiles, interpolated linearly, of times (N,) in s; None where there are none.

    Raises RequestError where a time is negative or not a number.
    """
    values = np.asarray(seconds, np.float64)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any():
        raise RequestError("Reading times are seconds from 0 on, one for each case.")
    if values.size == 0:
        return None
    lower, median, upper = np.percentile(values, (25, 50, 75))
    return ReadingTimes(float(lower), float(median), float(upper), values.size)


def _pair(truth: npt.ArrayLike, called: npt.ArrayLike) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    positive = as_truth(truth)
    return positive, as_truth(as_scores(called, positive.size))
