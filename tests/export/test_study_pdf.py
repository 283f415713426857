"""The report of a study as PDF, read back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest
from pypdf import PdfReader

from synth.export.study_pdf import study_pdf
from synth.reading.analysis import StudyReport, analysed
from synth.reading.answers import Task
from synth.reading.studies import Progress, Study
from synth.reading.study_tables import tables
from tests.export.test_study_csv import simulated_reads
from tests.reading import simulated

DAY = date(2026, 5, 4)


def report(study: Study, reads: Sequence[object] | None = None) -> StudyReport:
    seats, phases = study.seats, range(study.protocol.phases)
    progress = [Progress(seat.reader, phase, 60, 60, True) for seat in seats for phase in phases]
    return analysed(study, simulated_reads(study) if reads is None else [], progress)


@pytest.fixture(scope="module")
def whole() -> tuple[StudyReport, bytes, str]:
    """A report, its PDF and its words."""
    made = report(replace(simulated.study(), locked_at=simulated.LOCKED))
    data = study_pdf(made, DAY)
    return made, data, words(data)


def words(data: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages).split())


def test_it_says_what_it_is_for_and_when_it_was_made(whole: tuple[StudyReport, bytes, str]) -> None:
    _, data, said = whole
    assert data.startswith(b"%PDF")
    assert "Education and research, never diagnosis. Reader study begun on 2026-03-02, locked on 2026-04-01." in said
    assert "Report of 2026-05-04" in said
    information = PdfReader(io.BytesIO(data)).metadata
    assert information is not None and information.title == "Can you tell?"


def test_who_sat_there_is_not_in_it(whole: tuple[StudyReport, bytes, str]) -> None:
    assert "Pseudonym" not in whole[2]


def test_every_number_of_every_table_is_in_it(whole: tuple[StudyReport, bytes, str]) -> None:
    made, _, said = whole
    cells = {cell for task in made.tasks for table in tables(task) for row in table.rows for cell in row}
    assert len(cells) > 150
    assert [cell for cell in cells if cell not in said] == []


def test_protocol_readers_methods_and_published_figures_are_in_it(whole: tuple[StudyReport, bytes, str]) -> None:
    _, _, said = whole
    for part in (
        "Clues: Too smooth bone", "Washout: 7 days", "Reader 2 60 of 60 60 of 60", "Hillis (Stat Med 26, 2007",
        "AUC 0.54", "arXiv 2010.05177", "70% right", "80% right", "Phase 1: LROC", "Phase 2: calibration",
    ):  # fmt: skip
        assert part in said, part


def test_the_same_report_and_day_give_the_same_bytes(whole: tuple[StudyReport, bytes, str]) -> None:
    made, data, _ = whole
    assert study_pdf(made, DAY) == data
    assert study_pdf(made, date(2026, 5, 5)) != data


def test_no_word_of_a_study_is_markup_and_strange_letters_are_told_plainly() -> None:
    study = replace(simulated.study(1, 1, (Task.FINDINGS,)), title="<b>Łódź & Zürich</b> 肺")
    assert "<b>Lódz & Zürich</b> ?" in words(study_pdf(report(study), DAY))


def test_a_study_that_nobody_read_is_a_report_too() -> None:
    said = words(study_pdf(report(simulated.study(), []), DAY))
    assert "Nothing has been read." in said and "not locked" in said


def test_fifty_readers_fit_on_the_pages() -> None:
    study = simulated.study(50, 1, (Task.REAL_OR_SYNTHETIC,))
    said = words(study_pdf(report(study), DAY))
    assert "Reader 50" in said and "All readers" in said
