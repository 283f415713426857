"""What a reader answers, one value type a task, and each of them as JSON that a store can keep."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.reading.shapes import SIDE_MAX_PX, Point, box_of, boxed, clipped, finite, outlined_px
from synth.types import Finding, Severity, Side, Zone

SCALE_MAX = 6  # points of the rating scale; even, so that it has no middle
REPORT_MAX = 2000  # characters; some 300 words
PICTURES_MAX = 8  # of one item
OUTLINE_MAX = 4096  # corners

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, OverflowError)  # what bad JSON of a value raises


class Task(StrEnum):
    """What a reader is asked."""

    REAL_OR_SYNTHETIC = "real_or_synthetic"
    FINDINGS = "findings"
    WHERE = "where"
    REPORT = "report"
    CHANGE = "change"
    SEVERITY = "severity"


class Shape(StrEnum):
    """How a place is shown; NONE says that there is no lesion."""

    POINT = "point"
    BOX = "box"
    OUTLINE = "outline"
    NONE = "none"


class Direction(StrEnum):
    """How a finding differs on the later of two pictures."""

    APPEARED = "appeared"
    RESOLVED = "resolved"
    LARGER = "larger"
    SMALLER = "smaller"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One difference between two pictures: a finding code and its direction."""

    code: str
    direction: Direction

    def __post_init__(self) -> None:
        known(self.code)


@dataclass(frozen=True, slots=True)
class RealOrSynthetic:
    """Rating 1 (surely real) to 6 (surely synthetic); 1-3 say real, 4-6 say synthetic."""

    score: int

    def __post_init__(self) -> None:
        _on_scale("Score", self.score)

    @property
    def synthetic(self) -> bool:
        """True when the rating lies on the synthetic side."""
        return self.score > SCALE_MAX // 2

    @property
    def confidence(self) -> int:
        """2 (a guess), 4 or 6 (sure): the distance from the middle on the scale of the other tasks."""
        return 2 * (self.score - SCALE_MAX // 2 if self.synthetic else SCALE_MAX // 2 + 1 - self.score)


@dataclass(frozen=True, slots=True)
class FindingsChosen:
    """Findings picked from the vocabulary, or `normal`: one of the two, never both and never neither."""

    findings: tuple[Finding, ...] = ()
    normal: bool = False
    confidence: int | None = None  # 1 (a guess) to 6 (sure)

    def __post_init__(self) -> None:
        _on_scale("Confidence", self.confidence)
        for finding in self.findings:
            known(finding.code)
        if not (self.findings or self.normal):
            raise RequestError("Nothing is chosen; choose at least one finding, or normal.")
        if self.findings and self.normal:
            names = ", ".join(VOCABULARY[f.code].name for f in self.findings)
            raise RequestError(f"Normal is chosen together with {names}; choose either normal or the findings.")
        if len(set(self.findings)) < len(self.findings):
            raise RequestError("A finding is chosen twice; choose each once.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the lesion is, in px of a picture of `width` x `height`; made by `placed`, which cuts it to the picture.

    POINT has one (x, y), BOX its upper left and lower right corners, OUTLINE at least three corners, NONE nothing.
    """

    shape: Shape
    points: tuple[Point, ...]
    width: int
    height: int
    confidence: int | None = None  # 1 (a guess) to 6 (sure)

    def __post_init__(self) -> None:
        _on_scale("Confidence", self.confidence)
        if not (0 < self.width <= SIDE_MAX_PX and 0 < self.height <= SIDE_MAX_PX):
            raise RequestError(f"The picture is {self.width} x {self.height} px; sides are 1 to {SIDE_MAX_PX} px.")
        low, high = {Shape.NONE: (0, 0), Shape.POINT: (1, 1), Shape.BOX: (2, 2), Shape.OUTLINE: (3, OUTLINE_MAX)}[
            self.shape
        ]
        if not low <= len(self.points) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            raise RequestError(f"A mark as {self.shape.value} has {len(self.points)} corners; it needs {wanted}.")
        inside = all(0 <= x <= self.width and 0 <= y <= self.height for x, y in self.points)
        if not finite(self.points) or not inside:
            raise RequestError(f"The mark leaves the picture of {self.width} x {self.height} px; draw it inside.")


def placed(shape: Shape, points: Sequence[Point], width: int, height: int, confidence: int | None = None) -> Place:
    """A mark as drawn, cut to the picture. A box may be drawn from any corner.

    Raises RequestError where nothing of it lies inside the picture, or where it has no extent.
    """
    drawn = tuple((float(x), float(y)) for x, y in points)
    if not finite(drawn):
        raise RequestError("The mark holds a coordinate that is no number; draw it again.")
    if shape is Shape.BOX and len(drawn) == 2:
        left, top, right, bottom = box_of(drawn)
        _has_extent(outlined_px(boxed((left, top, right, bottom))))
        corners = clipped(boxed((left, top, right, bottom)), width, height)
        _is_inside(bool(corners), width, height)
        left, top, right, bottom = box_of(corners)
        drawn = ((left, top), (right, bottom))
    elif shape is Shape.OUTLINE and len(drawn) >= 3:
        _has_extent(outlined_px(drawn))
        drawn = clipped(drawn, width, height)
        _is_inside(bool(drawn), width, height)
    elif shape is Shape.POINT and len(drawn) == 1:
        _is_inside(0 <= drawn[0][0] <= width and 0 <= drawn[0][1] <= height, width, height)
    return Place(shape, drawn, width, height, confidence)


def _has_extent(size_px: float) -> None:
    if size_px <= 0:
        raise RequestError("The mark encloses no area; draw around the lesion.")


def _is_inside(inside: bool, width: int, height: int) -> None:
    if not inside:
        raise RequestError(f"The mark lies outside the picture of {width} x {height} px; draw it on the picture.")


@dataclass(frozen=True, slots=True)
class FreeReport:
    """A report in the reader's words. It is graded, and refused where it names a person, before it is kept."""

    text: str
    confidence: int | None = None  # 1 (a guess) to 6 (sure)

    def __post_init__(self) -> None:
        _on_scale("Confidence", self.confidence)
        if not self.text.strip():
            raise RequestError("The report is empty; write at least 'Normal.'")
        if len(self.text) > REPORT_MAX:
            raise RequestError(f"The report has {len(self.text)} characters; at most {REPORT_MAX} are read.")


@dataclass(frozen=True, slots=True)
class ChangesSeen:
    """What differs on the later picture; empty: nothing does."""

    changes: tuple[Change, ...] = ()
    confidence: int | None = None  # 1 (a guess) to 6 (sure)

    def __post_init__(self) -> None:
        _on_scale("Confidence", self.confidence)
        codes = [change.code for change in self.changes]
        twice = next((code for code in codes if codes.count(code) > 1), None)
        if twice:
            raise RequestError(f"{VOCABULARY[twice].name.capitalize()} is named twice; name one change of it.")


@dataclass(frozen=True, slots=True)
class SeverityOrder:
    """The pictures of an item, by their numbers from 0, mildest first."""

    order: tuple[int, ...]
    confidence: int | None = None  # 1 (a guess) to 6 (sure)

    def __post_init__(self) -> None:
        _on_scale("Confidence", self.confidence)
        if not 2 <= len(self.order) <= PICTURES_MAX or sorted(self.order) != list(range(len(self.order))):
            raise RequestError(f"The order is {list(self.order)}; it must name each picture once, from 0 on.")


Answer = RealOrSynthetic | FindingsChosen | Place | FreeReport | ChangesSeen | SeverityOrder

ANSWER_OF: dict[Task, type[Answer]] = {
    Task.REAL_OR_SYNTHETIC: RealOrSynthetic,
    Task.FINDINGS: FindingsChosen,
    Task.WHERE: Place,
    Task.REPORT: FreeReport,
    Task.CHANGE: ChangesSeen,
    Task.SEVERITY: SeverityOrder,
}


def task_of(answer: Answer) -> Task:
    """The task that an answer belongs to."""
    return next(task for task, kind in ANSWER_OF.items() if isinstance(answer, kind))


def answer_to_json(answer: Answer) -> str:
    """An answer as JSON with sorted keys and no spaces; "task" says which kind it is."""
    return canonical(asdict(answer) | {"task": task_of(answer)})


def answer_from_json(text: str) -> Answer:
    """The answer back from `answer_to_json`. Raises RequestError on unknown fields or bad values."""
    try:
        data = dict(json.loads(text))
        kind = ANSWER_OF[Task(data.pop("task"))]
        return kind(**_values(data))
    except UNREADABLE as error:
        raise RequestError(f"The stored answer cannot be read: {error}.") from error


def _values(data: dict[str, Any]) -> dict[str, Any]:
    """JSON lists and strings as the tuples and enums that they were."""
    makers: dict[str, Any] = {
        "findings": lambda rows: tuple(finding_from(row) for row in rows),
        "shape": Shape,
        "points": lambda rows: tuple((float(x), float(y)) for x, y in rows),
        "changes": lambda rows: tuple(Change(row["code"], Direction(row["direction"])) for row in rows),
        "order": lambda row: tuple(int(number) for number in row),
    }
    return {name: makers[name](value) if name in makers else value for name, value in data.items()}


def finding_from(row: dict[str, Any]) -> Finding:
    """A finding out of its JSON object; empty strings and missing keys say nothing."""
    return Finding(
        known(row["code"]),
        Side(row["side"]) if row.get("side") else None,
        Zone(row["zone"]) if row.get("zone") else None,
        Severity(row["severity"]) if row.get("severity") else None,
    )


def canonical(data: Any) -> str:
    """JSON with sorted keys and no spaces."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def known(code: str) -> str:
    """The code itself. Raises RequestError when the vocabulary has no such code."""
    if code not in VOCABULARY:
        raise RequestError(f"The finding {code!r} is not known; choose one of the {len(VOCABULARY)} listed.")
    return code


def _on_scale(name: str, value: int | None) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SCALE_MAX):
        raise RequestError(f"{name} is {value}; it must be a whole number from 1 to {SCALE_MAX}.")
