"""Did the reader look at the right place: hits, overlap of outlines, LROC and weighted AFROC curves.

Points are (x, y) in px, (0, 0) being the centre of the upper left pixel; areas are (H, W), True inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.errors import RequestError
from synth.reading import shapes
from synth.reading.performance import Proportion, proportion
from synth.reading.readings import Scores, as_scores, as_truth
from synth.reading.roc import Auc, area, wins

Area = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a reader saw a lesion, in px, and how sure: a higher confidence speaks for a lesion."""

    x: float
    y: float
    confidence: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in (self.x, self.y, self.confidence)):
            raise RequestError("A mark needs a place and a confidence.")


@dataclass(frozen=True, slots=True)
class FreeResponse:
    """The marks of one case, scored: highest confidence on each lesion (None: missed), and of all marks elsewhere."""

    lesions: tuple[float | None, ...]
    false_marks: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalisationPoint:
    """At a threshold: shares of negative cases called positive, and of lesions or positive cases found in place."""

    false_positive_fraction: float
    localised_fraction: float
    threshold: float  # infinite at the start of a curve, minus infinite at the end of an AFROC curve


def dice(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Overlap of two areas (H, W) in [0, 1], 2 |A and B| / (|A| + |B|) (Dice, Ecology 26, 1945, 297-302).

    Two empty areas agree: 1. Raises RequestError where they differ in size.
    """
    one, two = np.asarray(first, bool), np.asarray(second, bool)
    if one.shape != two.shape:
        raise RequestError("The two outlines are of pictures of different size.")
    return shapes.dice(one, two) if one.any() or two.any() else 1.0


def distance_px(x: float, y: float, area_of_lesion: npt.ArrayLike) -> float:
    """From a point to the centre of the nearest pixel of an area (H, W), in px; infinite where the area is empty."""
    rows, columns = np.nonzero(np.asarray(area_of_lesion, bool))
    return float(np.hypot(rows - y, columns - x).min()) if rows.size else math.inf


def free_response(marks: Sequence[Mark], lesions: Sequence[npt.ArrayLike], tolerance_px: float) -> FreeResponse:
    """Scores the marks of a case with these lesions, areas (H, W); none for a negative case.

    A mark belongs to the nearest lesion, if within `tolerance_px` of its pixels: 0.5 asks for the area itself. A second
    mark on a lesion is neither found nor false. Raises RequestError where the tolerance is negative.
    """
    if tolerance_px < 0:
        raise RequestError("The tolerance is a distance in px, 0 or more.")
    best: list[float | None] = [None] * len(lesions)
    false_marks = []
    for mark in marks:
        distances = [distance_px(mark.x, mark.y, lesion) for lesion in lesions]
        nearest = int(np.argmin(distances)) if distances else -1
        if nearest < 0 or distances[nearest] > tolerance_px:
            false_marks.append(mark.confidence)
        else:
            known = best[nearest]
            best[nearest] = mark.confidence if known is None else max(known, mark.confidence)
    return FreeResponse(tuple(best), tuple(false_marks))


def hit_rate(cases: Sequence[FreeResponse]) -> Proportion | None:
    """Share of lesions with a mark on them, whatever its confidence; None without lesions."""
    lesions = [found for case in cases for found in case.lesions]
    return proportion(sum(found is not None for found in lesions), len(lesions))


def lroc_curve(truth: npt.ArrayLike, scores: npt.ArrayLike, localised: npt.ArrayLike) -> tuple[LocalisationPoint, ...]:
    """Localisation ROC (Starr et al., Radiology 116, 1975, 533-538): one place and one score for each case.

    truth (N,) of 0 and 1; scores (N,), higher for positive; localised (N,), 1 where the place is right, read for
    positive cases only. One point for every distinct score from (0, 0) to (1, share localised); empty where a class is
    missing. Raises RequestError where the input is not so.
    """
    positives, negatives = _located(truth, scores, localised)
    if not positives.size or not negatives.size:
        return ()
    thresholds = np.unique(np.concatenate([positives[np.isfinite(positives)], negatives]))[::-1]
    rates = [(float((negatives >= t).mean()), float((positives >= t).mean()), float(t)) for t in thresholds]
    return tuple(LocalisationPoint(*rate) for rate in [(0.0, 0.0, math.inf), *rates])


def lroc_area(truth: npt.ArrayLike, scores: npt.ArrayLike, localised: npt.ArrayLike) -> Auc | None:
    """Area under the LROC curve (Swensson, Med Phys 23, 1996, 1709-1725), input as for `lroc_curve`.

    The chance that a positive case is localised *and* outscores a negative one, ties half: guessing does not give 0.5
    but nearly 0. Variance by the structural components of this U-statistic. None where a class is missing.
    """
    positives, negatives = _located(truth, scores, localised)
    return area(wins(positives, negatives))  # negative cases all have a score, so -inf never ties


def wafroc_curve(cases: Sequence[FreeResponse]) -> tuple[LocalisationPoint, ...]:
    """Weighted alternative free-response ROC (Chakraborty & Zhai, Med Phys 43, 2016, 2548-2557).

    Across: negative cases whose surest mark reaches the threshold. Up: lesions marked that surely, each weighing one
    share of its case, so that a case with many counts as one with a single lesion (then it is the plain AFROC curve).
    From (0, 0) to (1, 1), the last step being the straight line to what was never marked; empty where a class is
    missing. False marks on positive cases do not count, as in AFROC.
    """
    positives, negatives = _responses(cases)
    if not positives or not negatives.size:
        return ()
    marked = np.concatenate([*positives, negatives])
    points = [LocalisationPoint(0.0, 0.0, math.inf)]
    for threshold in [*np.unique(marked[np.isfinite(marked)])[::-1], -math.inf]:
        found = float(np.mean([(lesions >= threshold).mean() for lesions in positives]))
        points.append(LocalisationPoint(float((negatives >= threshold).mean()), found, float(threshold)))
    return tuple(points)


def wafroc_area(cases: Sequence[FreeResponse]) -> Auc | None:
    """Area under `wafroc_curve`: the chance that a lesion is marked more surely than a negative case, ties and pairs
    without any mark half (Chakraborty & Berbaum, Med Phys 31, 2004, 2313-2330, for JAFROC). Counts are of cases. None
    where a class is missing. A reader who marks nothing gets 0.5.
    """
    positives, negatives = _responses(cases)
    if not positives or not negatives.size:
        return None
    return area(np.array([wins(lesions, negatives).mean(0) for lesions in positives]))


def _located(truth: npt.ArrayLike, scores: npt.ArrayLike, localised: npt.ArrayLike) -> tuple[Scores, Scores]:
    """Scores of positive cases, -inf where misplaced, and of negative ones."""
    positive = as_truth(truth)
    values = as_scores(scores, positive.size)
    in_place = as_truth(as_scores(localised, positive.size))
    if values.ndim != 1:
        raise RequestError("One score for each case is needed.")
    return np.where(in_place, values, -np.inf)[positive], values[~positive]


def _responses(cases: Sequence[FreeResponse]) -> tuple[list[Scores], Scores]:
    """Confidences of the lesions of each positive case, and the highest of each negative one; -inf where unmarked."""
    positives = [np.array([-np.inf if c is None else c for c in case.lesions], float) for case in cases if case.lesions]
    return positives, np.array([max(case.false_marks, default=-np.inf) for case in cases if not case.lesions], float)
