"""A study analysed: hand-made tables against independent numbers, and Van Dyke's study through the whole chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from synth.reading.analysis import POOLED, StudyReport, analysed
from synth.reading.answers import Task
from synth.reading.reads import Read, reads_of
from synth.reading.studies import Progress, Study
from synth.reading.study_tables import completion, tables
from synth.reading.study_words import notes
from tests.reading import simulated
from tests.reading.test_mrmc import PUBLISHED_AUCS

DATA = Path(__file__).resolve().parent.parent / "data" / "vandyke.csv"
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def read(reader: str, case: str, positive: bool, score: float, **changes: object) -> Read:
    called = score > 0
    row = Read(
        reader, 0, 0, case, Task.FINDINGS, "All reads", False, positive, called, score, called == positive,
        float(called == positive), int(abs(score)), 10.0, AT, None, None, None, (), (),
    )  # fmt: skip
    return replace(row, **changes)  # type: ignore[arg-type]


def rows(reader: str, scores: list[float], truth: list[int], **changes: object) -> list[Read]:
    return [
        read(reader, f"case-{k}", bool(positive), score, **changes)
        for k, (score, positive) in enumerate(zip(scores, truth, strict=True))
    ]


def done(study: Study) -> list[Progress]:
    return [Progress(s.reader, phase, 9, 9, True) for s in study.seats for phase in range(study.protocol.phases)]


def report(reads: list[Read], readers: int = 2, phases: int = 1) -> StudyReport:
    study = simulated.study(readers, phases, (Task.FINDINGS,))
    return analysed(study, reads, done(study))


TRUTH = [1, 1, 1, 0, 0, 0, 0, 1]
FIRST = [6.0, 2.0, -1.0, -4.0, 1.0, -6.0, -2.0, 3.0]
SECOND = [5.0, -3.0, 4.0, -5.0, -1.0, -2.0, 2.0, 6.0]


def test_readers_and_pool_are_what_scikit_learn_and_arithmetic_say() -> None:
    (task,) = report(rows("Reader 1", FIRST, TRUTH) + rows("Reader 2", SECOND, TRUTH)).tasks
    (condition,) = task.conditions
    one, two = condition.readers
    assert (one.reader, two.reader, condition.pooled.reader) == ("Reader 1", "Reader 2", POOLED)
    for result, scores in ((one, FIRST), (two, SECOND)):
        assert result.auc is not None and result.auc.value == pytest.approx(roc_auc_score(TRUTH, scores))
    assert condition.pooled.auc is not None
    assert condition.pooled.auc.value == pytest.approx(roc_auc_score(TRUTH * 2, FIRST + SECOND))
    assert one.calls is not None and one.accuracy is not None and one.calls.sensitivity and one.calls.specificity
    assert (one.calls.sensitivity.value, one.calls.specificity.value, one.accuracy.value) == (0.75, 0.75, 0.75)
    hits, false_alarms = stats.norm.ppf(3.5 / 5), stats.norm.ppf(1.5 / 5)  # half a count more in each cell
    assert one.detection is not None
    assert one.detection.d_prime == pytest.approx(hits - false_alarms)
    assert one.detection.criterion == pytest.approx(-(hits + false_alarms) / 2)
    assert one.times is not None and (one.times.median, one.times.count) == (10.0, 8)
    assert condition.kappa is not None
    calls = [[score > 0 for score in scores] for scores in (FIRST, SECOND)]
    agreed = float(np.mean(np.equal(*calls)))
    positive = float(np.mean(calls))
    chance = positive**2 + (1 - positive) ** 2
    assert condition.kappa.value == pytest.approx((agreed - chance) / (1 - chance))
    assert condition.kappa.value <= cohen_kappa_score(*calls) + 1e-12  # Fleiss assumes one rate for both
    assert condition.notes == ()


def test_six_points_of_calibration_come_from_two_steps_of_confidence_each() -> None:
    scores, truth = [6.0, 5.0, 4.0, 2.0, -1.0, -3.0, -6.0], [1, 1, 0, 1, 0, 1, 0]
    (task,) = report(rows("Reader 1", scores, truth), readers=1).tasks
    found = task.conditions[0].pooled.calibration
    assert found is not None
    points = np.array([6, 6, 5, 4, 3, 2, 1])
    assert found.brier == pytest.approx(float(np.mean(((points - 0.5) / 6 - np.array(truth)) ** 2)))
    assert [one.frequency.total if one.frequency else 0 for one in found.bins] == [1, 1, 1, 1, 1, 2]


def test_van_dykes_study_goes_through_the_whole_chain_to_the_published_figures() -> None:
    """Five readers, two modalities as the two phases: OR-DBM MRMC 2.51 of the University of Iowa, Hillis 2007."""
    table = np.loadtxt(DATA, delimiter=",", comments=("#", "dissection"))
    reads = [
        read(
            f"Reader {reader + 1}", f"case-{k:03d}", bool(row[0]), float(row[1 + 5 * phase + reader]),
            condition=f"Phase {phase + 1}", phase=phase, confidence=None,
        )
        for phase in range(2)
        for reader in range(5)
        for k, row in enumerate(table)
    ]  # fmt: skip
    (task,) = report(reads, readers=5, phases=2).tasks
    for condition, published in zip(task.conditions, PUBLISHED_AUCS, strict=True):
        assert [one.auc.value for one in condition.readers if one.auc] == pytest.approx(published, abs=5e-9)
    means = [condition.mean_auc for condition in task.conditions]
    assert [mean.value for mean in means if mean] == pytest.approx([0.89703704, 0.94083736], abs=5e-9)
    assert [mean.interval.low for mean in means if mean] == pytest.approx([0.82522360, 0.89413783], abs=5e-9)
    (found,) = task.comparisons
    assert (found.first, found.second, found.readers, found.cases, found.notes) == ("Phase 1", "Phase 2", 5, 114, ())
    assert found.mrmc is not None and found.mrmc.test is not None
    test = found.mrmc.test
    assert (test.f, test.ddf, test.p_value) == (
        pytest.approx(4.46, abs=5e-3),
        pytest.approx(15.26, abs=5e-3),
        pytest.approx(0.0517, abs=5e-5),
    )
    told = next(one for one in tables(task) if one.title == "Phase 2 against phase 1: Obuchowski-Rockette")
    assert told.rows == (
        ("0.897 (0.825 to 0.969)", "0.941 (0.894 to 0.988)", "0.044 (-0.000 to 0.088)", "4.46", "1; 15.26", "0.052",
         "5 x 114"),
    )  # fmt: skip


def test_one_class_only_leaves_accuracy_and_says_why_there_is_no_curve() -> None:
    found = report(rows("Reader 1", FIRST, [1] * 8) + rows("Reader 2", SECOND, [1] * 8))
    condition = found.tasks[0].conditions[0]
    assert condition.pooled.accuracy is not None and condition.pooled.accuracy.total == 16
    assert condition.pooled.auc is None and condition.pooled.roc == () and condition.mean_auc is None
    assert condition.pooled.detection is None
    told = " ".join(notes(found))
    assert "Reader 1 has positive cases only: no ROC curve, no d'." in told
    assert "two positive and two negative cases" in told


def test_one_reader_is_analysed_alone() -> None:
    found = report(rows("Reader 1", FIRST, TRUTH), readers=1)
    condition = found.tasks[0].conditions[0]
    assert condition.readers[0].auc is not None and condition.mean_auc is None and condition.kappa is None
    assert "needs two readers who read the same cases" in " ".join(notes(found))
    assert [row[0] for row in tables(found.tasks[0])[0].rows] == ["Reader 1"]  # and no line for all of one


def test_perfect_readers_have_exact_intervals_and_no_test() -> None:
    perfect = [5.0 if positive else -5.0 for positive in TRUTH]
    reads = [
        row
        for phase in (1, 2)
        for reader in ("Reader 1", "Reader 2")
        for row in rows(reader, perfect, TRUTH, condition=f"Phase {phase}", phase=phase - 1)
    ]
    found = report(reads, phases=2)
    one = found.tasks[0].conditions[0].readers[0]
    assert one.auc is not None and (one.auc.value, one.auc.method) == (1.0, "exact")
    assert one.auc.interval.low == pytest.approx(0.025 ** (1 / 4))
    assert found.tasks[0].comparisons[0].mrmc is None
    change = found.tasks[0].comparisons[0].changes[0]
    assert change.accuracy is not None and (change.accuracy.value, change.accuracy.p_value) == (0.0, 1.0)
    told = " ".join(notes(found))
    assert "The AUC of Reader 1 is 1.00 without variance; its interval is the exact one." in told
    assert "do not vary between cases or readers" in told
    assert tables(found.tasks[0])


@pytest.mark.parametrize(
    ("missing", "kept"),
    [
        ({"Reader 3": range(1, 8)}, "2 readers and 8 of 8 cases"),  # one left early: the others, every case
        ({"Reader 2": [7], "Reader 3": [6]}, "3 readers and 6 of 8 cases"),  # each left one out: all, fewer cases
    ],
)
def test_incomplete_readers_are_said_and_what_is_complete_is_used(missing: dict[str, list[int]], kept: str) -> None:
    third = [3.0, 1.0, 2.0, -1.0, -3.0, -2.0, 1.0, 5.0]
    reads = [
        row
        for reader, scores in (("Reader 1", FIRST), ("Reader 2", SECOND), ("Reader 3", third))
        for k, row in enumerate(rows(reader, scores, TRUTH))
        if k not in missing.get(reader, [])
    ]
    found = report(reads, readers=3)
    condition = found.tasks[0].conditions[0]
    assert f"Not every reader read every case: the multi-reader analysis keeps {kept}." in condition.notes
    assert condition.mean_auc is not None and condition.kappa is not None
    assert [one.answers for one in condition.readers] == [8 - len(missing.get(f"Reader {k}", [])) for k in (1, 2, 3)]


def test_readers_who_stopped_or_never_came_are_named() -> None:
    study = simulated.study(3, 2, (Task.FINDINGS,))
    progress = [
        Progress("Reader 1", 0, 8, 8, True),
        Progress("Reader 1", 1, 5, 8, False),
        Progress("Reader 2", 0, 8, 8, True),
    ]
    found = analysed(study, rows("Reader 1", FIRST, TRUTH, condition="Phase 1"), progress)
    assert found.notes == (
        "Reader 1 answered 5 of 8 cases of phase 2.", "Reader 2 never began phase 2.", "Reader 3 never began.",
    )  # fmt: skip
    assert completion(study, found.progress).rows[0] == ("Reader 1", "8 of 8", "5 of 8")
    assert found.tasks[0].comparisons == ()  # nobody has read the second phase


def test_nothing_read_is_a_report_that_says_so() -> None:
    found = report([])
    assert found.tasks == () and "Nothing has been read." in found.notes


def test_answers_without_confidence_count_for_accuracy_alone() -> None:
    unsure = rows("Reader 1", FIRST, TRUTH)
    unsure[0] = replace(unsure[0], score=None, confidence=None)
    condition = report(unsure, readers=1).tasks[0].conditions[0]
    assert condition.pooled.accuracy is not None and condition.pooled.accuracy.total == 8
    assert condition.pooled.auc is not None
    assert condition.pooled.auc.value == pytest.approx(roc_auc_score(TRUTH[1:], FIRST[1:]))
    assert "Answers without a confidence, left out of ROC and calibration: 1." in condition.notes


def test_a_case_that_was_dealt_twice_counts_once() -> None:
    twice = [*rows("Reader 1", FIRST, TRUTH), read("Reader 1", "case-0", True, -6.0)]
    found = report(twice, readers=1)
    assert found.tasks[0].conditions[0].pooled.answers == 8
    assert found.tasks[0].reads[0].score == 6.0
    assert "Answers to cases that were dealt twice, left out: 1." in found.notes


def test_a_case_with_two_truths_is_a_sentence() -> None:
    found = report(rows("Reader 1", FIRST, TRUTH) + rows("Reader 2", SECOND, [1 - t for t in TRUTH]))
    condition = found.tasks[0].conditions[0]
    assert condition.pooled.auc is None and condition.mean_auc is None
    assert "positive in one reading and negative in another" in " ".join(condition.notes)


def test_an_order_of_severity_has_accuracy_and_no_curve() -> None:
    study = simulated.study(2, 1, (Task.SEVERITY,))
    ordered = [
        replace(row, task=Task.SEVERITY, positive=None, called=None, score=None)
        for reader in ("Reader 1", "Reader 2")
        for row in rows(reader, FIRST, TRUTH)
    ]
    (task,) = analysed(study, ordered, done(study)).tasks
    pooled = task.conditions[0].pooled
    assert pooled.accuracy is not None and pooled.accuracy.successes == 12
    assert (pooled.calls, pooled.detection, pooled.auc, pooled.calibration) == (None, None, None, None)
    assert task.conditions[0].notes == ()
    assert [table.title for table in tables(task)] == ["All reads: accuracy"]


def test_sittings_become_rows_with_the_truth_of_their_task() -> None:
    study = simulated.study(1, 1)
    sitting = simulated.sitting(study, 0, 0, cases=2)
    found = reads_of(sitting, study)
    assert [(row.task, row.case, row.positive) for row in found] == [
        (task, f"case-{number:02d}", number == 0) for task in simulated.TASKS for number in range(2)
    ]
    assert [row.true for row in found] == [
        ("synthetic",), ("real",), ("pneumonia",), ("normal",), ("pneumonia",), ("normal",),
    ]  # fmt: skip
    for row in found:
        rating = sitting.answers[row.position].answer
        assert row.confidence == rating.confidence and row.condition == "All reads"
        if row.task is not Task.REAL_OR_SYNTHETIC:
            assert row.score is not None and (row.score > 0) == row.called and abs(row.score) == row.confidence
    assert [row.hit is None for row in found] == [True, True, True, True, False, True]


def test_a_second_opinion_makes_two_conditions_and_has_no_time_of_its_own() -> None:
    study = simulated.study(2, 1, (Task.FINDINGS,), opinion=True)
    reads = [row for k in range(2) for row in reads_of(simulated.sitting(study, k, 0), study)]
    (task,) = analysed(study, reads, done(study)).tasks
    assert [one.name for one in task.conditions] == ["Unaided", "Aided"]
    unaided, aided = task.conditions
    assert unaided.pooled.times is not None and aided.pooled.times is None
    assert [(one.first, one.second) for one in task.comparisons] == [("Unaided", "Aided")]
    assert task.comparisons[0].mrmc is not None


def test_void_cases_are_no_rows() -> None:
    study = simulated.study(1, 1, (Task.FINDINGS,))
    sitting = simulated.sitting(study, 0, 0, cases=3)
    lost = replace(sitting, dealt=(replace(sitting.dealt[0], void=True), *sitting.dealt[1:]))
    assert [row.position for row in reads_of(lost, study)] == [1, 2]


def test_clicks_are_kept_as_shares_of_the_picture() -> None:
    study = simulated.study(1, 1, (Task.WHERE,))
    found = reads_of(simulated.sitting(study, 0, 0), study)
    placed = [row for row in found if row.called]
    assert placed and all(row.place is None for row in found if not row.called)
    assert all(row.place is not None and 0 <= row.place[0] <= 1 and 0 <= row.place[1] <= 1 for row in placed)
    (task,) = analysed(study, found, done(study)).tasks
    pooled = task.conditions[0].pooled
    assert pooled.hits is not None and pooled.hits.total == 10
    assert pooled.hits.successes == sum(bool(row.hit) for row in found)


def test_weeks_of_two_phases_are_apart() -> None:
    from synth.reading.learning import weeks

    sunday = datetime(2026, 3, 8, 23, 59, tzinfo=UTC)
    found = weeks([(sunday, True), (sunday + timedelta(minutes=1), False), (sunday - timedelta(days=6), False)])
    assert [(str(week.monday), week.right.successes, week.right.total) for week in found] == [
        ("2026-03-02", 1, 2),
        ("2026-03-09", 0, 1),
    ]
