"""The answers of a reader study as flat rows, one for each answer under each condition that is compared."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from synth.reading.answers import (
    SCALE_MAX,
    Answer,
    ChangesSeen,
    FindingsChosen,
    FreeReport,
    Place,
    RealOrSynthetic,
    SeverityOrder,
    Shape,
    Task,
)
from synth.reading.grading import Grade
from synth.reading.items import Item, Truth
from synth.reading.matching import Outcome
from synth.reading.sessions import Answered, Dealt, ReadingSession
from synth.reading.shapes import Point, box_of
from synth.reading.studies import Protocol, Study

UNAIDED, AIDED = "unaided", "aided"
NORMAL, REAL, SYNTHETIC = "normal", "real", "synthetic"  # stand where a case has no finding code


@dataclass(frozen=True, slots=True)
class Read:
    """One answer to one case. `score` speaks for a positive case the higher it is.

    Real or synthetic: the rating 1 to 6, synthetic is positive. Else the confidence 1 to 6, negative where the reader
    saw nothing; a case with a finding, lesion or change is positive. An order of severity has no positive cases.
    """

    reader: str
    phase: int  # from 0
    position: int  # from 0, the reader's own order
    case: str
    task: Task
    condition: str  # what is compared, as "Phase 1" or "Aided"
    aided: bool  # the answer after the classifier's opinion
    positive: bool | None
    called: bool | None  # positive
    score: float | None  # None where no confidence was given
    correct: bool
    credit: float  # [0, 1], the grade
    confidence: int | None  # 1 to 6
    seconds: float
    at: datetime  # UTC
    place: Point | None  # centre of the mark, shares of width and height
    hit: bool | None  # the mark lies on a lesion; None where no place was asked or there is no lesion
    dice: float | None  # of a drawn box or outline with the lesion
    true: tuple[str, ...]  # finding codes, or REAL, SYNTHETIC, NORMAL
    named: tuple[str, ...]


def conditions(protocol: Protocol) -> tuple[str, ...]:
    """The names of the conditions of a study, in order; a single one is "All reads"."""
    return tuple(_condition(protocol, phase, aided) for phase in range(protocol.phases) for aided in _aids(protocol))


def compared(protocol: Protocol) -> tuple[tuple[str, str], ...]:
    """The pairs of conditions that differ in one thing: the phase, or the classifier's opinion."""
    phases, aids = range(protocol.phases), _aids(protocol)
    pairs = [((0, aided), (1, aided)) for aided in aids] if protocol.phases == 2 else []
    pairs += [((phase, False), (phase, True)) for phase in phases] if protocol.opinion else []
    return tuple((_condition(protocol, *first), _condition(protocol, *second)) for first, second in pairs)


def reads_of(session: ReadingSession, study: Study) -> list[Read]:
    """The answers of one sitting as rows; with a second opinion two for each answer that was given after it."""
    rows = []
    for position, answered in sorted(session.answers.items()):
        dealt = session.dealt[position]
        if dealt.void:
            continue
        rows.append(_read(session, study.protocol, dealt, answered))
        if study.protocol.opinion and answered.revised is not None and answered.revised_grade is not None:
            rows.append(_read(session, study.protocol, dealt, answered, aided=True))
    return rows


def rated(reads: Iterable[Read]) -> tuple[list[Read], list[bool], list[float]]:
    """The rows that carry a score, whether their cases are positive, and the scores."""
    rows = [(read, bool(read.positive), read.score) for read in reads if read.score is not None]
    return [read for read, _, _ in rows], [positive for _, positive, _ in rows], [score for _, _, score in rows]


def six_points(read: Read) -> int | None:
    """The answer on the scale 1 (surely negative) to 6 (surely positive), as the rating of real or synthetic.

    Two steps of confidence become one of the scale; None where there is no score.
    """
    if read.score is None or read.called is None:
        return None
    if read.task is Task.REAL_OR_SYNTHETIC:
        return int(read.score)
    steps = math.ceil(abs(read.score) / 2)
    return SCALE_MAX // 2 + steps if read.called else SCALE_MAX // 2 + 1 - steps


def _aids(protocol: Protocol) -> tuple[bool, ...]:
    return (False, True) if protocol.opinion else (False,)


def _condition(protocol: Protocol, phase: int, aided: bool) -> str:
    parts = [f"phase {phase + 1}"] if protocol.phases > 1 else []
    parts += [AIDED if aided else UNAIDED] if protocol.opinion else []
    return ", ".join(parts).capitalize() or "All reads"


def _read(session: ReadingSession, protocol: Protocol, dealt: Dealt, answered: Answered, aided: bool = False) -> Read:
    item, answer, grade = dealt.item, answered.answer, answered.grade
    if aided:
        assert answered.revised is not None and answered.revised_grade is not None
        answer, grade = answered.revised, answered.revised_grade
    positive, called = positive_of(item.task, item.truth), _called(answer, grade)
    confidence = answer.confidence
    score = None if confidence is None or called is None else float(confidence if called else -confidence)
    hit = grade.measure("hit")
    return Read(
        reader=session.reader,
        phase=session.plan.phase,
        position=answered.position,
        case=dealt.case,
        task=item.task,
        condition=_condition(protocol, session.plan.phase, aided),
        aided=aided,
        positive=positive,
        called=called,
        score=float(answer.score) if isinstance(answer, RealOrSynthetic) else score,
        correct=grade.correct,
        credit=grade.score,
        confidence=confidence,
        seconds=answered.seconds,
        at=answered.at,
        place=_centre(answer),
        hit=bool(hit) if hit is not None and positive else None,
        dice=grade.measure("dice"),
        true=_true(item),
        named=_named(answer, grade),
    )


def positive_of(task: Task, truth: Truth) -> bool | None:
    """Whether a case counts as positive under a task; None for an order of severity."""
    match task:
        case Task.REAL_OR_SYNTHETIC:
            return bool(truth.synthetic)
        case Task.WHERE:
            return truth.placed
        case Task.CHANGE:
            return bool(truth.changes)
        case Task.SEVERITY:
            return None
        case _:
            return not truth.normal


def _called(answer: Answer, grade: Grade) -> bool | None:
    match answer:
        case RealOrSynthetic():
            return answer.synthetic
        case FindingsChosen():
            return not answer.normal
        case Place():
            return answer.shape is not Shape.NONE
        case FreeReport():
            return bool(_reported(grade))
        case ChangesSeen():
            return bool(answer.changes)
        case SeverityOrder():
            return None


def _true(item: Item) -> tuple[str, ...]:
    if item.task is Task.REAL_OR_SYNTHETIC:
        return (SYNTHETIC if item.truth.synthetic else REAL,)
    if item.task is Task.CHANGE:
        return tuple(dict.fromkeys(change.code for change in item.truth.changes)) or (NORMAL,)
    return () if item.task is Task.SEVERITY else item.truth.codes or (NORMAL,)


def _named(answer: Answer, grade: Grade) -> tuple[str, ...]:
    """What the reader named; a mark on the picture names nothing."""
    match answer:
        case RealOrSynthetic():
            return (SYNTHETIC if answer.synthetic else REAL,)
        case FindingsChosen():
            return tuple(dict.fromkeys(finding.code for finding in answer.findings)) or (NORMAL,)
        case FreeReport():
            return _reported(grade) or (NORMAL,)
        case ChangesSeen():
            return tuple(change.code for change in answer.changes) or (NORMAL,)
        case _:
            return ()


def _reported(grade: Grade) -> tuple[str, ...]:
    """The codes that a report states, of those that its case asks for."""
    return tuple(dict.fromkeys(v.named or v.code for v in grade.verdicts if v.outcome is not Outcome.MISSED))


def _centre(answer: Answer) -> Point | None:
    if not isinstance(answer, Place) or not answer.points:
        return None
    left, top, right, bottom = box_of(answer.points)
    return (left + right) / 2 / answer.width, (top + bottom) / 2 / answer.height
