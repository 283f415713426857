"""The figures of what readers achieved hold the numbers that they were given, and say them in words."""

from __future__ import annotations

from datetime import date

import pytest

from synth.reading.analysis import ConditionResult, analysed
from synth.reading.anchors import ANCHORS, curve
from synth.reading.answers import Task
from synth.reading.confusion import confusion
from synth.reading.learning import Week
from synth.reading.performance import proportion
from synth.reading.reads import Read, reads_of
from synth.ui import reading_plots
from tests.reading import simulated
from tests.reading.test_analysis import read


@pytest.fixture(scope="module")
def rated() -> tuple[ConditionResult, list[Read]]:
    """Three readers of real or synthetic."""
    study = simulated.study(3, 1, (Task.REAL_OR_SYNTHETIC,))
    reads = [row for k in range(3) for row in reads_of(simulated.sitting(study, k, 0), study)]
    return analysed(study, reads).tasks[0].conditions[0], reads


def test_roc_shows_every_reader_the_pool_and_the_published_figures(rated: tuple[ConditionResult, list[Read]]) -> None:
    result, _ = rated
    plot = reading_plots.roc(result, Task.REAL_OR_SYNTHETIC)
    assert plot is not None
    lines = {trace.name: trace for trace in plot.figure.data}
    assert [name for name in lines if name in {anchor.label for anchor in ANCHORS}] == [
        "AUC 0.54, GAN mammograms", "70% right, RoentGen chest films", "75% right, GPT-4o films",
        "80% right, RoentGen chest films",
    ]  # fmt: skip
    assert result.pooled.auc is not None
    pooled = lines[f"All readers, AUC {result.pooled.auc.value:.2f}"]
    assert list(zip(pooled.x, pooled.y, strict=True)) == [(point.fpr, point.tpr) for point in result.pooled.roc]
    assert all(f"Reader {k} " in plot.alt for k in (1, 2, 3)) and f"{result.pooled.auc.value:.2f}" in plot.alt


def test_published_figures_of_real_or_synthetic_stand_beside_no_other_task(
    rated: tuple[ConditionResult, list[Read]],
) -> None:
    plot = reading_plots.roc(rated[0], Task.FINDINGS)
    assert plot is not None and not [trace for trace in plot.figure.data if "mammograms" in trace.name]


def test_the_curve_of_an_anchor_has_its_area_and_its_accuracy() -> None:
    fpr, tpr = curve(ANCHORS[0])
    area = sum((b - a) * (u + v) / 2 for a, b, u, v in zip(fpr, fpr[1:], tpr, tpr[1:], strict=False))
    assert area == pytest.approx(0.54, abs=1e-3)
    for anchor in ANCHORS[1:]:
        x, y = curve(anchor)
        assert ((y + 1 - x) / 2).tolist() == pytest.approx([anchor.value] * 2)  # half of the cases positive
        assert min(x) >= 0 and max(y) <= 1


def test_confusion_counts_what_was_named(rated: tuple[ConditionResult, list[Read]]) -> None:
    found = confusion(rated[1])
    plot = reading_plots.confusion(found, "Which for which")
    assert plot is not None
    grid = plot.figure.data[0]
    assert (list(grid.x), list(grid.y)) == (["real", "synthetic"], ["synthetic", "real"])
    right = sum(row.correct for row in rated[1])
    assert f"{right} of {len(rated[1])} true findings were named" in plot.alt
    assert int(grid.text[0][1] or 0) + int(grid.text[1][0] or 0) == right
    assert reading_plots.confusion(confusion([]), "Nothing") is None


def test_calibration_and_times_show_each_step_and_reader(rated: tuple[ConditionResult, list[Read]]) -> None:
    result, _ = rated
    found = result.pooled.calibration
    assert found is not None
    plot = reading_plots.calibration(found, "Calibration")
    used = [one for one in found.bins if one.frequency is not None]
    assert list(plot.figure.data[0].x) == [one.probability for one in used]
    rows = [(one.reader, one.times) for one in result.readers if one.times]
    seconds = reading_plots.times(rows)
    assert seconds is not None and list(seconds.figure.data[0].x) == [times.median for _, times in rows]
    assert f"Reader 2 {rows[1][1].median:.1f} s" in seconds.alt


def test_the_learning_curve_has_a_band_around_each_week() -> None:
    shares = [proportion(4, 10), proportion(9, 10)]
    weeks = [Week(date(2026, 3, 2 + 7 * k), share) for k, share in enumerate(shares) if share]
    plot = reading_plots.learning_curve(weeks)
    assert plot is not None
    high, low, share = plot.figure.data
    assert list(share.y) == [0.4, 0.9] and share.text[1] == "9 of 10"
    assert all(a < b < c for a, b, c in zip(low.y, share.y, high.y, strict=True))
    assert plot.alt == "Share right by week: 40% in the week of 2026-03-02, 90% in the week of 2026-03-09."
    assert reading_plots.learning_curve([]) is None


def test_clicks_are_warmest_where_most_readers_clicked() -> None:
    plot = reading_plots.clicks([(0.25, 0.75)] * 5 + [(0.8, 0.2)])
    assert plot is not None
    heat, marks = plot.figure.data
    row, column = divmod(int(heat.z.argmax()), heat.z.shape[1])
    assert (heat.x[column], heat.y[row]) == (pytest.approx(0.25, abs=0.04), pytest.approx(0.75, abs=0.04))
    assert len(marks.x) == 6 and "6 marks, 83% of them in the left half" in plot.alt
    assert plot.figure.layout.yaxis.range == (1, 0)  # the top of the picture is up
    assert reading_plots.clicks([]) is None


def test_without_a_curve_there_is_no_figure() -> None:
    study = simulated.study(1, 1, (Task.FINDINGS,))
    result = analysed(study, [read("Reader 1", "c", True, 3.0)]).tasks[0].conditions[0]
    assert reading_plots.roc(result, Task.FINDINGS) is None and reading_plots.lroc(result) is None
