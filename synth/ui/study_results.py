"""The results of a locked study: files to keep, tables, figures, what is missing and how it was computed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pandas as pd
import streamlit as st

from synth.export.study_csv import imrmc_csv, reads_csv
from synth.export.study_pdf import study_pdf
from synth.reading import anchors
from synth.reading.analysis import ConditionResult, StudyReport, TaskResult, analysed
from synth.reading.answers import Task
from synth.reading.confusion import confusion
from synth.reading.learning import weeks
from synth.reading.reads import Read, reads_of
from synth.reading.studies import PHASES_MAX, READERS_MAX, Study
from synth.reading.study_tables import Table, tables
from synth.reading.study_words import METHODS, TASK_NAMES, notes
from synth.ui import reading_plots, resources
from synth.ui.reading_plots import Plot


def show(study: Study) -> None:
    """Everything there is to say of a study that is locked."""
    with st.spinner("Analysing"):
        report = _report(study.id)
    _files(report)
    if not report.tasks:
        st.info("Nobody has answered anything in this study; there is nothing to analyse.")
        return
    names = {TASK_NAMES[one.task]: one for one in report.tasks}
    chosen = next(iter(names))
    if len(names) > 1:
        chosen = st.segmented_control("Task", list(names), default=chosen, key="study_task", required=True) or chosen
    _task(names[chosen])
    if told := notes(report):
        st.markdown("**What was left out or could not be computed**")
        st.markdown("\n".join(f"- {one}" for one in told))
    with st.expander("Methods"):
        st.markdown("\n".join(f"- {one}" for one in METHODS))


def table(shown: Table) -> None:
    """A table of words under its title."""
    st.markdown(f"**{shown.title}**")
    frame = pd.DataFrame(list(shown.rows), columns=list(shown.columns))
    st.table(frame, border="horizontal", hide_index=True, width="content", alt=shown.title)


@st.cache_data(max_entries=8, show_spinner=False)
def _report(study_id: str) -> StudyReport:
    """The report of a locked study, which never changes again."""
    store = resources.store()
    study = store.casebook.study(study_id)
    sittings = store.sittings.sessions(study=study_id, limit=READERS_MAX * PHASES_MAX)
    sittings.sort(key=lambda one: (one.plan.phase, len(one.reader), one.reader))
    reads = [read for one in sittings for read in reads_of(one, study)]
    return analysed(study, reads, store.casebook.progress(study_id))


def _files(report: StudyReport) -> None:
    study, reads = report.study, [read for task in report.tasks for read in task.reads]
    day = datetime.now(UTC).date()
    with st.container(horizontal=True, gap="small"):
        _file("Report, PDF", partial(study_pdf, report, day), f"study-{study.id}.pdf", "application/pdf")
        if not reads:
            return
        _file("Answers, CSV", partial(reads_csv, reads), f"study-{study.id}-answers.csv", "text/csv")
        for task in report.tasks:
            if any(read.score is not None for read in task.reads):
                name = f"study-{study.id}-imrmc-{task.task.value}.csv"
                _file(f"iMRMC, {TASK_NAMES[task.task].lower()}", partial(imrmc_csv, task.reads), name, "text/csv")


def _file(label: str, data: partial[bytes], name: str, mime: str) -> None:
    st.download_button(label, data, name, mime, on_click="ignore", key=f"file-{name}")


def _task(task: TaskResult) -> None:
    for one in tables(task):
        table(one)
    for result in task.conditions:
        _row(_figures(task, result), f"{task.task.value}-{result.name}")
    timed = [(result, one) for result in task.conditions for one in result.readers]
    times = [(f"{one.reader}, {result.name.lower()}", one.times) for result, one in timed if one.times]
    asked = weeks((read.at, read.correct) for read in task.reads if not read.aided)
    _row([reading_plots.times(times), reading_plots.learning_curve(asked)], f"{task.task.value}-time")
    if task.task is Task.REAL_OR_SYNTHETIC:
        st.caption(anchors.sources())


def _row(plots: list[Plot | None], key: str) -> None:
    """Figures beside each other: two, three, or two and two."""
    shown = [plot for plot in plots if plot is not None]
    across = 3 if len(shown) == 3 else 2
    for start in range(0, len(shown), across):
        for place, column in enumerate(st.columns(across, gap="medium")[: len(shown) - start], start=start):
            with column:
                reading_plots.show(shown[place], f"plot-{key}-{place}")


def _figures(task: TaskResult, result: ConditionResult) -> list[Plot | None]:
    """The figures of one condition, those that its task has."""
    reads: list[Read] = [read for read in task.reads if read.condition == result.name]
    found, name = result.pooled.calibration, result.name
    return [
        reading_plots.roc(result, task.task),
        reading_plots.confusion(confusion(reads), f"{name}: which was taken for which"),
        reading_plots.lroc(result),
        reading_plots.clicks([read.place for read in reads if read.place], f"{name}: where readers clicked"),
        reading_plots.calibration(found, f"{name}: calibration") if found else None,
    ]
