"""Rule-based scoring of each task: one `Grade` for an item and an answer, with what was right and wrong about it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from scipy import ndimage

from synth.errors import RequestError
from synth.masks import grown
from synth.reading import report
from synth.reading.answers import (
    SCALE_MAX,
    UNREADABLE,
    Answer,
    Change,
    ChangesSeen,
    FindingsChosen,
    FreeReport,
    Place,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    canonical,
)
from synth.reading.items import Item, Truth, check
from synth.reading.matching import FAMILY, Comparison, Match, Named, Outcome, Verdict, compare
from synth.reading.shapes import Area, Box, box_of, boxed, dice, filled, overlap

TOLERANCE = 0.03  # of the longer side of the picture: a point so near the lesion hits it; 8 px of 256
IOU_HIT = 0.5  # of a box: Everingham et al., The PASCAL visual object classes challenge, IJCV 2010
DICE_HIT = 0.7  # of an outline: Zijdenbos et al., IEEE Trans Med Imaging 1994, call more an excellent agreement
OTHER_DIRECTION = 0.5  # credit of a change that is seen, but the wrong way
KIN_CHANGE = 0.5  # credit of a change that is named by another finding of the family


@dataclass(frozen=True, slots=True)
class Grade:
    """How good an answer was: `score` in [0, 1], `correct` by the rule of the task, and the reasons.

    `measures` holds named numbers of the task: "hit", "dice", "iou" of a place, "confidence" and "brier" of a rating,
    "tau" of an order. `spared` are the codes rightly denied, `unjudged` those that the case does not ask for.
    """

    score: float
    correct: bool
    verdicts: tuple[Verdict, ...] = ()
    measures: tuple[tuple[str, float], ...] = ()
    spared: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()

    def measure(self, name: str) -> float | None:
        """The measure of that name; None where the task has none."""
        return dict(self.measures).get(name)

    def codes(self, outcome: Outcome) -> tuple[str, ...]:
        """The finding codes with one outcome."""
        return tuple(verdict.code for verdict in self.verdicts if verdict.outcome is outcome)

    def to_json(self) -> str:
        """The grade as JSON with sorted keys and no spaces."""
        return canonical(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Grade:
        """The grade back from `to_json`. Raises RequestError on unknown fields or bad values."""
        try:
            data: dict[str, Any] = dict(json.loads(text))
            return cls(
                verdicts=tuple(_verdict(row) for row in data.pop("verdicts")),
                measures=tuple((str(name), float(value)) for name, value in data.pop("measures")),
                spared=tuple(data.pop("spared")),
                unjudged=tuple(data.pop("unjudged")),
                **data,
            )
        except UNREADABLE as error:
            raise RequestError(f"The stored grade cannot be read: {error}.") from error


def grade(item: Item, answer: Answer) -> Grade:
    """The grade of an answer to an item.

    Raises RequestError where the answer cannot be one to this item, and PolicyError where a report names a person.
    """
    check(item, answer)
    truth = item.truth
    match answer:
        case RealOrSynthetic():
            return _rating(bool(truth.synthetic), answer)
        case FindingsChosen():
            chosen = [Named(finding) for finding in answer.findings]
            return _compared(compare(truth.findings, chosen, (), item.options, sides_asked=False))
        case Place():
            return _place(truth, answer)
        case FreeReport():
            return _compared(report.graded(answer.text, truth.findings, item.options))
        case ChangesSeen():
            return _changes(truth.changes, answer.changes)
        case SeverityOrder():
            return _order(truth.severities, answer.order)


def _compared(done: Comparison) -> Grade:
    return Grade(done.score, done.correct, done.verdicts, (), done.spared, done.unjudged)


def _rating(synthetic: bool, answer: RealOrSynthetic) -> Grade:
    """Correct on the true side of the scale, whatever the confidence; the Brier score tells how wise that was."""
    correct = answer.synthetic is synthetic
    probability = (answer.score - 1) / (SCALE_MAX - 1)
    brier = (probability - synthetic) ** 2
    measures = (("confidence", float(answer.confidence)), ("brier", brier))
    return Grade(float(correct), correct, measures=measures)


def _place(truth: Truth, answer: Place) -> Grade:
    """One mark against the lesions; of several lesions the one that it fits best counts.

    Without a lesion only "none" is right. A point scores 1 within TOLERANCE of a lesion; a box its intersection over
    union with the box of a lesion; an outline its Dice coefficient, of boxes with the filled box.
    """
    if not truth.placed or answer.shape is Shape.NONE:
        right = truth.placed is (answer.shape is not Shape.NONE)
        return Grade(float(right), right, measures=(("hit", float(right and truth.placed)),))
    lesions = _lesions(truth, answer.width, answer.height)
    whole = np.logical_or.reduce(lesions)
    tolerance_px = TOLERANCE * max(answer.width, answer.height)
    near = grown(whole, tolerance_px)
    if answer.shape is Shape.POINT:
        hit = _holds(near, *answer.points[0])
        return Grade(float(hit), hit, measures=(("hit", float(hit)),))
    corners = boxed(box_of(answer.points)) if answer.shape is Shape.BOX else answer.points
    drawn = filled(corners, answer.width, answer.height)
    boxes = [*(_bounds(lesion) for lesion in [*lesions, whole]), *truth.box_list()]
    iou = max(overlap(box_of(corners), box) for box in boxes)
    best = max(dice(drawn, lesion) for lesion in [*lesions, whole])
    hit = _holds(near, *_centre(corners))
    score, enough = (iou, IOU_HIT) if answer.shape is Shape.BOX else (best, DICE_HIT)
    return Grade(score, score >= enough, measures=(("hit", float(hit)), ("iou", iou), ("dice", best)))


def _lesions(truth: Truth, width: int, height: int) -> list[Area]:
    """Each lesion as an area (H, W): the connected parts of the mask, or the boxes filled."""
    if truth.area is not None and truth.area.any():
        parts, count = ndimage.label(truth.area, np.ones((3, 3)))
        return [np.asarray(parts == number) for number in range(1, count + 1)]
    lesions = [filled(boxed(box), width, height) for box in truth.box_list()]
    inside = [lesion for lesion in lesions if lesion.any()]
    if not inside:
        raise RequestError(f"No lesion box of this case lies on its picture of {width} x {height} px; set it again.")
    return inside


def _bounds(area: Area) -> Box:
    """The box around an area, along the edges of its pixels."""
    rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)


def _centre(corners: Sequence[tuple[float, float]]) -> tuple[float, float]:
    left, top, right, bottom = box_of(corners)
    return (left + right) / 2, (top + bottom) / 2


def _holds(area: Area, x: float, y: float) -> bool:
    """True when the pixel under (x, y) lies in the area; the far border belongs to the last pixel."""
    height, width = area.shape
    return bool(area[min(int(y), height - 1), min(int(x), width - 1)])


def _changes(truth: Sequence[Change], seen: Sequence[Change]) -> Grade:
    """Soft Dice of the changes: 1 for a right one, half for the wrong direction or another name of the family."""
    left = list(seen)
    verdicts: list[Verdict] = []
    for exact in (True, False):
        for change in truth:
            if change.code in [verdict.code for verdict in verdicts]:
                continue
            names = {change.code} if exact else FAMILY.get(change.code, frozenset())
            met = next((other for other in left if other.code in names), None)
            if met is not None:
                left.remove(met)
                credit = 1.0 if met.direction is change.direction else OTHER_DIRECTION
                outcome = Outcome.FOUND if exact else Outcome.PARTLY
                verdicts.append(Verdict(change.code, outcome, met.code, credit=credit * (1.0 if exact else KIN_CHANGE)))
    found = {verdict.code for verdict in verdicts}
    verdicts += [Verdict(change.code, Outcome.MISSED) for change in truth if change.code not in found]
    verdicts += [Verdict(other.code, Outcome.OVER_CALLED, other.code) for other in left]
    total = len(truth) + len(seen)
    score = 2 * sum(verdict.credit for verdict in verdicts) / total if total else 1.0
    return Grade(score, score == 1.0, tuple(verdicts))


def _order(severities: Sequence[int], order: Sequence[int]) -> Grade:
    """Share of the pairs of different severity that stand in the right order; correct when all do.

    "tau" is concordant less discordant pairs over those pairs: Kendall's tau, ties of the truth left out.
    """
    position = {picture: place for place, picture in enumerate(order)}
    pairs = [(a, b) for a, b in combinations(range(len(severities)), 2) if severities[a] != severities[b]]
    right = sum((severities[a] < severities[b]) is (position[a] < position[b]) for a, b in pairs)
    score = right / len(pairs)
    return Grade(score, right == len(pairs), measures=(("tau", 2 * score - 1),))


def _verdict(row: dict[str, Any]) -> Verdict:
    return Verdict(**row | {"outcome": Outcome(row["outcome"]), "side": Match(row["side"]), "zone": Match(row["zone"])})
