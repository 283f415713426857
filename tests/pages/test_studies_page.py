"""The Studies page without a browser: a study is made, watched, locked and analysed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from synth.reading.answers import Task
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.reading.codes import ALPHABET
from synth.reading.studies import Study
from synth.types import Finding, GeneratedImage
from synth.ui import house, quiz_seat
from tests.pages.conftest import address
from tests.reading import simulated

Visit = Callable[..., AppTest]
SET = "set-of-four"


@pytest.fixture
def studies(app: Visit) -> Callable[..., AppTest]:
    """Opens the page, at a study where one is named."""

    def visit(study: str = "") -> AppTest:
        page = app()
        page.switch_page("pages/studies.py")
        page.query_params.clear()
        if study:
            page.query_params["study"] = study
        return page.run()

    return visit


@pytest.fixture
def case_set(app: Visit, make_image: Callable[..., GeneratedImage]) -> CaseSet:
    """Two synthetic films with pneumonia and two normal ones, approved; one more that is not."""
    app()
    entries = []
    for number in range(5):
        findings = (Finding("pneumonia"),) if number % 2 else ()
        image = make_image(f"film-{number}", seed=number, findings=findings)
        house.store().add_image(image)
        standing = Standing.PROPOSED if number == 4 else Standing.APPROVED
        entries.append(Entry(f"entry-{number}", Recipe(image.request), standing=standing, job=image.id))
    made = CaseSet(SET, "FEBRUARY", "February films", "local", tuple(entries))
    house.store().casebook.add_set(made)
    return made


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def words(page: AppTest) -> str:
    parts = (*page.markdown, *page.caption, *page.text, *page.info, *page.warning, *page.code)
    return "\n".join(part.value for part in parts)


def cells(page: AppTest) -> list[list[str]]:
    return [list(row) for one in page.table for row in one.value.itertuples(index=False)]


def filled(study: Study) -> list[str]:
    """The readers' sittings, in the store of the running app."""
    return [one.id for one in simulated.fill(house.store(), study)]


def test_without_an_approved_case_the_page_says_where_to_begin(studies: Callable[..., AppTest]) -> None:
    page = studies()
    assert not page.exception and not page.error
    assert "There is no case set with approved cases yet." in words(page)
    assert not [button for button in page.button if button.label == "Make the study"]


@pytest.mark.usefixtures("case_set")
def test_a_study_is_made_with_an_invitation_for_each_reader(studies: Callable[..., AppTest]) -> None:
    page = studies()
    page.text_input(key="study_title").set_value("  Can   you tell? ")
    page.multiselect(key="study_sets").set_value([SET])
    page.multiselect(key="study_tasks").set_value([Task.REAL_OR_SYNTHETIC, Task.FINDINGS])
    page.segmented_control(key="study_phases").set_value(2)
    page.number_input(key="study_readers").set_value(3)
    page = page.run()
    said = words(page)
    assert "Real or synthetic: 4 cases, all synthetic: no ROC curve can come of it." in said
    assert "Findings: 4 cases, 2 abnormal and 2 normal. In all 8 answers a reader and phase." in said
    page = press(page, "Make the study")
    assert not page.exception and not page.error
    study = house.store().casebook.study(address(page, "study"))
    assert (study.title, study.owner, study.locked_at) == ("Can you tell?", "local", None)
    made = study.protocol
    assert (made.sets, made.tasks, made.readers) == ((SET,), (Task.REAL_OR_SYNTHETIC, Task.FINDINGS), 3)
    assert (made.phases, made.washout_days, made.shuffled, made.opinion) == (2, 28, True, False)
    assert "never under your name" in made.consent and "too smooth" in made.clues
    seats = [seat.code for seat in study.seats]
    assert len(set(seats)) == 3 and all(len(code) == 8 and set(code) <= set(ALPHABET) for code in seats)
    assert [row[:4] for row in cells(page)] == [
        [f"Reader {number}", code, f"/quiz?seat={code}", "free"] for number, code in enumerate(seats, start=1)
    ]
    assert all(f"/quiz?seat={code}" in page.code[0].value for code in seats)
    page = press(page, "All studies")
    assert "study" not in page.query_params and "Can you tell?" in words(page)


@pytest.mark.usefixtures("case_set")
@pytest.mark.parametrize(
    ("title", "chosen", "tasks", "sentence"),
    [
        ("", [SET], [Task.FINDINGS], "The study has no title; give it one"),
        ("A", [], [Task.FINDINGS], "The study has no case set; choose at least one."),
        ("A", [SET], [], "The study has no task; choose at least one."),
        ("A", [SET], [Task.SEVERITY], "No case of these sets can be asked 'Order of severity'"),
    ],
)
def test_what_is_missing_is_one_sentence_and_nothing_typed_is_lost(
    studies: Callable[..., AppTest], title: str, chosen: list[str], tasks: list[Task], sentence: str
) -> None:
    page = studies()
    page.text_input(key="study_title").set_value(title)
    page.multiselect(key="study_sets").set_value(chosen)
    page.multiselect(key="study_tasks").set_value(tasks)
    page.text_area(key="study_consent").set_value("My own words.")
    page = press(page, "Make the study")
    assert not page.exception
    assert len(page.error) == 1 and page.error[0].value.startswith(sentence)
    assert page.text_input(key="study_title").value == title
    assert page.multiselect(key="study_tasks").value == tasks
    assert page.text_area(key="study_consent").value == "My own words."
    assert house.store().casebook.studies() == []


def test_an_open_study_shows_completion_and_no_result(studies: Callable[..., AppTest]) -> None:
    studies()
    study = simulated.study()
    filled(study)
    page = studies(study.id)
    assert not page.exception and not page.error
    assert [row[3:] for row in cells(page)] == [
        [f"taken by Pseudonym {letter}", "60 of 60", "60 of 60"] for letter in "ABC"
    ]
    shown = words(page) + str(cells(page))
    assert "AUC" not in shown and "Accuracy" not in shown
    assert not page.get("plotly_chart") and not page.main.get("download_button")


def test_the_lock_is_asked_for_twice_and_then_shows_the_results(studies: Callable[..., AppTest]) -> None:
    studies()
    study = simulated.study()
    sittings = filled(study)
    page = press(studies(study.id), "Lock")
    assert "Every reader has read every case. After the lock nobody can answer any more" in page.warning[0].value
    assert house.store().casebook.study(study.id).locked_at is None
    page = press(page, "Keep it open")
    assert house.store().casebook.study(study.id).locked_at is None
    page = press(press(page, "Lock"), "Lock for good")
    assert not page.exception and not page.error
    assert house.store().casebook.study(study.id).locked_at is not None
    assert not [button for button in page.button if button.label == "Lock"]
    late = simulated.sitting(study, 0, 0).answers[0]
    assert house.store().sittings.answer(sittings[0], late) == "ended"
    said = words(page)
    titles = ("Phase 1: accuracy", "Calibration: Brier score; expected error", "All readers together")
    for title in (*titles, "Phase 2 against phase 1: Obuchowski-Rockette"):
        assert f"**{title}**" in said
    assert "arXiv 2010.05177" in said and "Hillis (Stat Med 26, 2007, 596-619)" in said
    assert {button.label for button in page.main.get("download_button")} == {
        "Report, PDF", "Answers, CSV", "iMRMC, real or synthetic", "iMRMC, findings", "iMRMC, where is the lesion",
    }  # fmt: skip
    assert len(page.get("plotly_chart")) == 8  # ROC, confusion and calibration of two phases, times, weeks


@pytest.mark.usefixtures("case_set")
def test_invited_readers_read_what_was_planned_and_are_analysed(studies: Callable[..., AppTest]) -> None:
    studies()
    protocol = simulated.study(2, 2, (Task.REAL_OR_SYNTHETIC, Task.FINDINGS)).protocol
    study = replace(simulated.study(2), protocol=replace(protocol, sets=(SET,), washout_days=0))
    store = house.store()
    store.casebook.add_study(study)
    for phase in range(2):
        for number, seat in enumerate(study.seats):
            sitting = quiz_seat.begin(study, seat, phase)
            for place, dealt in enumerate(sitting.dealt):
                said = simulated.answer(dealt.item, 1.0 - place * 0.4 + number, np.random.default_rng(place))
                house.desk_of((SET,)).answer(sitting, place, said, 5.0, simulated.BEGUN)
    page = studies(study.id)
    assert [row[4:] for row in cells(page)] == [["8 of 8", "8 of 8"]] * 2
    page = press(press(page, "Lock"), "Lock for good")
    assert not page.exception and not page.error
    assert "has positive cases only: no ROC curve" in words(page)
    page = page.segmented_control(key="study_task").set_value("Findings").run()
    assert not page.exception and not page.error
    assert "**Phase 2 against phase 1**" in words(page) and len(page.get("plotly_chart")) == 8


def test_each_task_has_its_own_results(studies: Callable[..., AppTest]) -> None:
    studies()
    study = replace(simulated.study(), locked_at=simulated.LOCKED)
    filled(study)
    page = studies(study.id)
    page = page.segmented_control(key="study_task").set_value("Where is the lesion").run()
    assert not page.exception and not page.error
    assert "**Phase 1: localisation**" in words(page) and "arXiv 2010.05177" not in words(page)
    assert len(page.get("plotly_chart")) == 10  # ROC, LROC, clicks and calibration of two phases, times, weeks


def test_a_study_that_nobody_read_says_so(studies: Callable[..., AppTest]) -> None:
    studies()
    study = simulated.study(readers=1, phases=1)
    house.store().casebook.add_study(replace(study, locked_at=simulated.LOCKED))
    page = studies(study.id)
    assert not page.exception and not page.error
    assert "Nobody has answered anything in this study" in words(page)
    assert [button.label for button in page.main.get("download_button")] == ["Report, PDF"]


def test_the_study_of_somebody_else_stays_shut(studies: Callable[..., AppTest]) -> None:
    studies()
    house.store().casebook.add_study(replace(simulated.study(), owner="somebody"))
    page = studies("study-1")
    assert [error.value for error in page.error] == ["This study belongs to somebody else; only they can open it."]
    assert not page.table


def test_an_address_without_a_study_is_one_sentence_and_a_way_back(studies: Callable[..., AppTest]) -> None:
    page = studies("nothing")
    assert [error.value for error in page.error] == ["There is no study 'nothing'."]
    assert not press(page, "All studies").error
