"""A study's report as tables of plain words, the same on the screen, in the PDF and for whoever copies them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from synth.reading.analysis import ConditionResult, ReaderResult, TaskResult
from synth.reading.comparison import Comparison
from synth.reading.performance import Interval, Proportion
from synth.reading.studies import Progress, Study

NONE = "none"


@dataclass(frozen=True, slots=True)
class Table:
    """A title, the names of the columns, and rows of words as long as `columns`."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def completion(study: Study, progress: tuple[Progress, ...]) -> Table:
    """How far each seat came; never who sat there, as the readers were promised."""
    phases = range(study.protocol.phases)
    found = {(one.reader, one.phase): one for one in progress}
    rows = tuple((seat.reader, *(done(found.get((seat.reader, phase))) for phase in phases)) for seat in study.seats)
    names = ("Cases read",) if len(phases) == 1 else tuple(f"Phase {phase + 1}" for phase in phases)
    return Table("Readers", ("Reader", *names), rows)


def done(progress: Progress | None) -> str:
    """As "12 of 40"."""
    return f"{progress.answered} of {progress.total}" if progress else "not begun"


def tables(task: TaskResult) -> tuple[Table, ...]:
    """The tables of one task, those that have anything to say."""
    made = [table for one in task.conditions for table in (_accuracy(one), _localisation(one))]
    made += [_confidence(task), _agreement(task)]
    made += [table for one in task.comparisons for table in (_changes(one), _mrmc(one))]
    return tuple(table for table in made if table.rows)


def share(value: Proportion | None) -> str:
    """As "83 % (68 to 92)"."""
    if value is None:
        return NONE
    return f"{100 * value.value:.0f} % ({100 * value.interval.low:.0f} to {100 * value.interval.high:.0f})"


def number(value: float | None, digits: int = 2) -> str:
    """A number with so many digits behind the point, or a dash."""
    return NONE if value is None else f"{round(value, digits) + 0.0:.{digits}f}"  # no "-0.00"


def between(value: float, interval: Interval, digits: int = 3) -> str:
    """As "0.897 (0.825 to 0.969)"."""
    return f"{value:.{digits}f} ({interval.low:.{digits}f} to {interval.high:.{digits}f})"


def p_value(value: float | None) -> str:
    """As "0.052", or "< 0.001"."""
    return NONE if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _everybody(result: ConditionResult) -> tuple[ReaderResult, ...]:
    return (*result.readers, *([result.pooled] if len(result.readers) > 1 else []))


def _accuracy(result: ConditionResult) -> Table:
    rows = []
    for one in _everybody(result):
        calls, detection = one.calls, one.detection
        auc = between(one.auc.value, one.auc.interval) if one.auc else NONE
        rows.append(
            (
                one.reader,
                str(one.answers),
                share(one.accuracy),
                auc,
                share(calls.sensitivity if calls else None),
                share(calls.specificity if calls else None),
                number(detection.d_prime if detection else None),
                number(detection.criterion if detection else None),
                f"{one.times.median:.1f} ({one.times.lower_quartile:.1f} to {one.times.upper_quartile:.1f})"
                if one.times
                else NONE,
            )
        )
    columns = ("Reader", "Answers", "Accuracy", "AUC", "Sensitivity", "Specificity", "d'", "Criterion", "Seconds")
    return Table(f"{result.name}: accuracy", columns, tuple(rows))


def _localisation(result: ConditionResult) -> Table:
    """Dice only where something was drawn that has an area."""
    asked = [one for one in _everybody(result) if one.hits is not None]
    drawn = any(one.dice is not None for one in asked)
    rows = tuple((one.reader, share(one.hits), _area(one), *([number(one.dice)] if drawn else [])) for one in asked)
    columns = ("Reader", "Lesions hit", "LROC area", *(["Dice"] if drawn else []))
    return Table(f"{result.name}: localisation", columns, rows)


def _area(one: ReaderResult) -> str:
    return between(one.lroc_area.value, one.lroc_area.interval) if one.lroc_area else NONE


def _confidence(task: TaskResult) -> Table:
    """Brier score and expected error of every reader, side by side for the conditions."""
    cells: dict[str, dict[str, str]] = {}
    names = [one.name for one in task.conditions]
    for condition in task.conditions:
        for one in _everybody(condition):
            if one.calibration is not None:
                told = f"{one.calibration.brier:.3f}; {one.calibration.expected_error:.3f}"
                cells.setdefault(one.reader, {})[condition.name] = told
    rows = tuple((reader, *(told.get(name, NONE) for name in names)) for reader, told in cells.items())
    return Table("Calibration: Brier score; expected error", ("Reader", *names), rows)


def _agreement(task: TaskResult) -> Table:
    rows = []
    for one in task.conditions:
        mean, kappa = one.mean_auc, one.kappa
        if mean is None and kappa is None:
            continue
        value = NONE if kappa is None or kappa.value is None else number(kappa.value)
        if kappa and kappa.value is not None and kappa.interval:
            value = between(kappa.value, kappa.interval, 2)
        rows.append(
            (
                one.name,
                between(mean.value, mean.interval) if mean else NONE,
                value,
                f"{100 * kappa.observed:.0f} %" if kappa else NONE,
            )
        )
    columns = ("Condition", "Mean AUC, readers and cases random", "Fleiss' kappa", "Pairs that agree")
    return Table("All readers together", columns, tuple(rows))


def _changes(one: Comparison) -> Table:
    rows = tuple(
        (
            row.reader,
            share(row.accuracy.before) if row.accuracy else NONE,
            share(row.accuracy.after) if row.accuracy else NONE,
            _points(row.accuracy.value, row.accuracy.interval) if row.accuracy else NONE,
            p_value(row.accuracy.p_value) if row.accuracy else NONE,
            between(row.auc.value, row.auc.interval) if row.auc else NONE,
            p_value(row.auc.p_value) if row.auc else NONE,
        )
        for row in one.changes
    )
    columns = ("Reader", one.first, one.second, "Accuracy gained, points", "p, McNemar", "AUC gained", "p, DeLong")
    return Table(f"{one.second} against {one.first.lower()}", columns, rows)


def _points(value: float, interval: Interval) -> str:
    return f"{100 * value:+.0f} ({100 * interval.low:+.0f} to {100 * interval.high:+.0f})"


def _mrmc(one: Comparison) -> Table:
    columns = (one.first, one.second, "Mean AUC gained", "F", "Degrees of freedom", "p", "Readers x cases")
    title = f"{one.second} against {one.first.lower()}: Obuchowski-Rockette"
    if one.mrmc is None or one.mrmc.test is None:
        return Table(title, columns, ())
    (before, after), test, (difference,) = one.mrmc.modalities, one.mrmc.test, one.mrmc.differences
    gained = Interval(-difference.interval.high, -difference.interval.low)  # the difference is first less second
    ddf = f"{test.ddf:.2f}" if math.isfinite(test.ddf) else "infinite"
    row = (
        between(before.value, before.interval),
        between(after.value, after.interval),
        between(-difference.value, gained),
        f"{test.f:.2f}",
        f"{test.numerator_df}; {ddf}",
        p_value(test.p_value),
        f"{one.readers} x {one.cases}",
    )
    return Table(title, columns, (row,))
