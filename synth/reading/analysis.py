"""A reader study analysed: what each reader and all together achieved, task by task, condition by condition.

Nothing is refused here: what cannot be computed is None, and a sentence among the notes says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from synth.errors import RequestError
from synth.reading import comparison
from synth.reading.agreement import Calibration, Kappa, calibration, fleiss_kappa
from synth.reading.answers import Task
from synth.reading.comparison import Comparison, block
from synth.reading.localisation import LocalisationPoint, lroc_area, lroc_curve
from synth.reading.mrmc import ModalityAuc, mrmc
from synth.reading.performance import (
    Performance,
    Proportion,
    ReadingTimes,
    SignalDetection,
    performance,
    proportion,
    reading_times,
    signal_detection,
)
from synth.reading.reads import Read, compared, conditions, rated, six_points
from synth.reading.roc import Auc, RocPoint, auc, pooled_auc, roc_curve
from synth.reading.studies import Progress, Study

POOLED = "All readers"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ReaderResult:
    """What one reader achieved under one condition, or all of them thrown together (`reader` is POOLED then).

    None, or empty for curves, where there is nothing to compute it from. `dice` is the mean over drawn areas.
    """

    reader: str
    answers: int
    accuracy: Proportion | None  # right by the rule of the task
    calls: Performance | None  # positive or negative, whatever else was said
    detection: SignalDetection | None
    auc: Auc | None
    roc: tuple[RocPoint, ...]
    calibration: Calibration | None
    times: ReadingTimes | None  # None after a second opinion, which has no time of its own
    hits: Proportion | None
    dice: float | None
    lroc: tuple[LocalisationPoint, ...]
    lroc_area: Auc | None


@dataclass(frozen=True, slots=True)
class ConditionResult:
    """One condition of one task. `mean_auc` is that of readers and cases both random (Obuchowski-Rockette)."""

    name: str
    readers: tuple[ReaderResult, ...]
    pooled: ReaderResult
    mean_auc: ModalityAuc | None
    kappa: Kappa | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskResult:
    """One task of a study: its conditions, what was compared, and the rows behind them."""

    task: Task
    conditions: tuple[ConditionResult, ...]
    comparisons: tuple[Comparison, ...]
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class StudyReport:
    """A study and all that its answers say."""

    study: Study
    progress: tuple[Progress, ...]
    tasks: tuple[TaskResult, ...]
    notes: tuple[str, ...]


def analysed(study: Study, reads: Sequence[Read], progress: Sequence[Progress] = ()) -> StudyReport:
    """The report of a study from the rows of its sittings (`reads.reads_of`) and how far its readers came."""
    rows = {(r.reader, r.task, r.condition, r.case): r for r in reversed(reads)}  # of a case read twice the first
    kept = [read for read in reads if rows[read.reader, read.task, read.condition, read.case] is read]
    notes = _unfinished(study, progress)
    if len(kept) < len(reads):
        notes.append(f"Answers to cases that were dealt twice, left out: {len(reads) - len(kept)}.")
    if not kept:
        notes.append("Nothing has been read.")
    tasks = [_task(study, task, [read for read in kept if read.task is task]) for task in study.protocol.tasks]
    return StudyReport(study, tuple(progress), tuple(task for task in tasks if task.reads), tuple(notes))


def _unfinished(study: Study, progress: Sequence[Progress]) -> list[str]:
    """A sentence for each reader and phase that has no or not all answers."""
    found = {(one.reader, one.phase): one for one in progress}
    notes = []
    for seat in study.seats:
        rows = [found.get((seat.reader, phase)) for phase in range(study.protocol.phases)]
        if not any(rows):
            notes.append(f"{seat.reader} never began.")
            continue
        for phase, row in enumerate(rows):
            place = f" of phase {phase + 1}" if study.protocol.phases > 1 else ""
            if row is None:
                notes.append(f"{seat.reader} never began phase {phase + 1}.")
            elif not row.complete:
                notes.append(f"{seat.reader} answered {row.answered} of {row.total} cases{place}.")
    return notes


def _task(study: Study, task: Task, reads: list[Read]) -> TaskResult:
    by_condition = {name: [read for read in reads if read.condition == name] for name in conditions(study.protocol)}
    results = tuple(_condition(name, rows) for name, rows in by_condition.items() if rows)
    pairs = [pair for pair in compared(study.protocol) if all(by_condition[name] for name in pair)]
    comparisons = tuple(comparison.compare(pair, reads) for pair in pairs)
    return TaskResult(task, results, comparisons, tuple(reads))


def _condition(name: str, reads: list[Read]) -> ConditionResult:
    notes: list[str] = []
    order = sorted({read.reader for read in reads}, key=lambda reader: (len(reader), reader))
    readers = tuple(_result(reader, [read for read in reads if read.reader == reader], notes) for reader in order)
    unrated = sum(read.score is None and read.called is not None for read in reads)
    if unrated:
        notes.append(f"Answers without a confidence, left out of ROC and calibration: {unrated}.")
    scored = block([read for read in reads if read.score is not None], (name,))
    mean_auc = None
    if any(read.positive is not None for read in reads):
        notes += scored.notes
        whole = _or_note(lambda: mrmc(scored.truth, scored.scores), notes) if scored.readers else None
        mean_auc = whole.modalities[0] if whole else None
    return ConditionResult(
        name, readers, _result(POOLED, reads, notes), mean_auc, _kappa(reads, name, notes), tuple(dict.fromkeys(notes))
    )


def _result(reader: str, reads: Sequence[Read], notes: list[str]) -> ReaderResult:
    """Of one reader's rows, or of all; what a missing class forbids is said among the notes."""
    asked = [read for read in reads if read.called is not None]
    truth, calls = [bool(read.positive) for read in asked], [bool(read.called) for read in asked]
    if asked and len(set(truth)) == 1:
        kind = "positive" if truth[0] else "negative"
        notes.append(f"{reader} has {kind} cases only: no ROC curve, no d'.")
    rows, positives, scores = rated(reads)
    placed, with_lesion, sure = rated(read for read in reads if read.task is Task.WHERE)
    in_place = [bool(read.hit) for read in placed]
    hits = [read.hit for read in reads if read.hit is not None]
    dices = [read.dice for read in reads if read.dice is not None and read.positive]
    pooled = reader == POOLED
    cases = [read.case for read in rows]
    area = _or_note(lambda: pooled_auc(positives, scores, cases), notes) if pooled else auc(positives, scores)
    if area is not None and area.method == "exact":
        notes.append(f"The AUC of {reader} is {area.value:.2f} without variance; its interval is the exact one.")
    return ReaderResult(
        reader=reader,
        answers=len(reads),
        accuracy=proportion(sum(read.correct for read in reads), len(reads)),
        calls=performance(truth, calls) if asked else None,
        detection=signal_detection(truth, calls) if asked else None,
        auc=area,
        roc=roc_curve(positives, scores),
        calibration=calibration(positives, [six_points(read) or 0 for read in rows]),
        times=reading_times([read.seconds for read in reads if not read.aided]),
        hits=proportion(sum(hits), len(hits)),
        dice=sum(dices) / len(dices) if dices else None,
        lroc=lroc_curve(with_lesion, sure, in_place),
        lroc_area=None if pooled else lroc_area(with_lesion, sure, in_place),
    )


def _kappa(reads: list[Read], name: str, notes: list[str]) -> Kappa | None:
    """Agreement of the readers on positive or negative, over the cases that all of them called."""
    called = [read for read in reads if read.called is not None]
    common = block(called, (name,))
    calls = {(read.case, read.reader): read.called for read in called}
    rows = [[calls[case, reader] for reader in common.readers] for case in common.cases]
    return _or_note(lambda: fleiss_kappa(rows), notes) if len(common.readers) > 1 else None


def _or_note(compute: Callable[[], Value], notes: list[str]) -> Value | None:
    """What `compute` gives; where it is refused, nothing, and the reason among the notes."""
    try:
        return compute()
    except RequestError as error:
        notes.append(str(error))
        return None
