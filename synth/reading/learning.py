"""Before and after: how much the same reader gained on the same cases. `roc.auc_difference` is its partner for the AUC.

Cases seen before are remembered: without other cases between, or other readers beside, a gain is not yet learning.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy.typing as npt
from scipy import stats

from synth.reading.performance import Interval, Proportion, proportion
from synth.reading.readings import as_scores, as_truth


@dataclass(frozen=True, slots=True)
class AccuracyChange:
    """Accuracy after less accuracy before, in [-1, 1], its 95 % interval, and McNemar's exact two-sided p."""

    value: float
    interval: Interval
    p_value: float
    before: Proportion
    after: Proportion


@dataclass(frozen=True, slots=True)
class Week:
    """The answers of one ISO week, from the Monday on; weeks without any are left out."""

    monday: date
    right: Proportion


def weeks(answers: Iterable[tuple[datetime, bool]]) -> tuple[Week, ...]:
    """Answers, when given and whether right, by ISO week, the earliest first."""
    found: dict[date, list[bool]] = {}
    for at, right in answers:
        found.setdefault(at.date() - timedelta(days=at.weekday()), []).append(right)
    shares = [(monday, proportion(sum(found[monday]), len(found[monday]))) for monday in sorted(found)]
    return tuple(Week(monday, share) for monday, share in shares if share is not None)


def accuracy_change(before: npt.ArrayLike, after: npt.ArrayLike) -> AccuracyChange | None:
    """From answers (N,) to the same cases before and after, 1 right or 0 wrong; None where there are none.

    Interval: square-and-add of the two Wilson intervals with the continuity-corrected correlation (Newcombe, Stat Med
    17, 1998, 2635-2650, method 10). Test: exact binomial on the changed answers (McNemar, Psychometrika 12, 1947,
    153-157). Raises RequestError where the two differ in length or hold anything but 0 and 1.
    """
    first = as_truth(before)
    second = as_truth(as_scores(after, first.size))
    n = first.size
    one, two = proportion(int(first.sum()), n), proportion(int(second.sum()), n)
    if one is None or two is None:
        return None
    gained, lost = int((second & ~first).sum()), int((first & ~second).sum())
    correlation = _correlation(int((first & second).sum()), gained, lost, n)
    value = (gained - lost) / n
    low = value - _joined(two.value - two.interval.low, one.interval.high - one.value, correlation)
    high = value + _joined(two.interval.high - two.value, one.value - one.interval.low, correlation)
    changed = gained + lost
    p_value = float(stats.binomtest(gained, changed).pvalue) if changed else 1.0
    return AccuracyChange(value, Interval(low, high), p_value, one, two)


def _correlation(both: int, gained: int, lost: int, n: int) -> float:
    """Phi of the fourfold table, shrunk by n / 2 where positive (Newcombe's continuity correction)."""
    neither = n - both - gained - lost
    margins = math.prod((both + gained, both + lost, neither + gained, neither + lost))
    product = both * neither - gained * lost
    if margins == 0:
        return 0.0
    return (max(product - n / 2, 0) if product > 0 else product) / math.sqrt(margins)


def _joined(a: float, b: float, correlation: float) -> float:
    return math.sqrt(max(a * a + b * b - 2 * correlation * a * b, 0.0))
