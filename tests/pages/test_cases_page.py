"""The Cases page without a browser: from the form of a set to its review, sharing, results and files."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from synth.reading.answers import FindingsChosen, Task
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.reading.grading import Grade
from synth.reading.items import Item, Truth, opaque_id
from synth.reading.sessions import Answered, Dealt, Mode, Plan, ReadingSession
from synth.types import Finding, GenerationRequest
from synth.ui import case_form, case_results, case_share, house
from tests.pages.conftest import address
from tests.phantoms import make_library

Visit = Callable[..., AppTest]
Open = Callable[..., AppTest]
PATIENCE_S = 60
NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)


@pytest.fixture
def cases(app: Visit) -> Open:
    """Opens the Cases page at an address once the model is ready."""

    def visit(**params: str) -> AppTest:
        page = app()
        wait_until(lambda: house.engine().status().model_state == "ready")
        page.switch_page("pages/cases.py")
        page.query_params.clear()
        for name, value in params.items():
            page.query_params[name] = value
        return page.run()

    return visit


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=key).click().run()


def filled(page: AppTest, title: str = "First year", codes: tuple[str, ...] = ("nodule",), **numbers: int) -> AppTest:
    """The form with a title, findings and some of its numbers."""
    page.text_input(key="new_title").set_value(title)
    page.multiselect(key="new_codes").set_value(list(codes))
    for name, value in numbers.items():
        page.number_input(key=f"new_{name}").set_value(value)
    return page.run()


def kept(page: AppTest) -> CaseSet:
    """The set on screen, as the store has it."""
    return house.store().casebook.case_set(address(page, "set"))


def drawn(page: AppTest) -> AppTest:
    """The page once no case of its set waits any more."""
    wait_until(lambda: all(entry.standing is not Standing.WAITING for entry in kept(page).entries))
    return page.run()


def sentences(page: AppTest) -> list[str]:
    assert not page.exception
    return [error.value for error in page.error]


def ready_set(count: int = 3, standing: Standing = Standing.PROPOSED, open_: bool = False) -> CaseSet:
    """A kept set of drawn normal films, without waiting for the background."""
    store, engine = house.store(), house.engine()
    jobs = engine.submit_all([GenerationRequest(seed=n, steps=2, model_id="tiny") for n in range(count)], "ada")
    wait_until(lambda: all(engine.job(job.id).image_id for job in jobs))
    entries = tuple(
        Entry(f"entry{n}", Recipe(job.request), standing=standing, job=job.id) for n, job in enumerate(jobs)
    )
    made = CaseSet("f" * 32, "ABCD2345", "First year", "local", entries, open_)
    store.casebook.add_set(made)
    return made


def test_a_set_is_made_drawn_and_approved(cases: Open) -> None:
    page = press(filled(cases(), codes=("nodule", "pleural_effusion"), count=3, normals=1), "new_make")
    assert sentences(page) == []
    made = kept(page)
    assert (made.title, made.open, len(made.code), len(made.entries)) == ("First year", False, 8, 3)
    assert set(made.code) <= set("23456789ABCDEFGHJKMNPQRSTUVWXYZ")
    page = drawn(page)
    codes = sorted(finding.code for entry in kept(page).entries if entry.recipe for finding in entry.recipe.findings)
    assert codes == ["nodule", "pleural_effusion"]
    assert [entry.standing for entry in kept(page).entries] == [Standing.PROPOSED] * 3
    page = press(page, "approve")
    assert [entry.standing for entry in kept(page).entries] == ["approved", "proposed", "proposed"]
    assert address(page, "case") == kept(page).entries[1].id
    page = press(press(page, "refuse"), "approve-all")
    assert sentences(page) == []
    assert [entry.standing for entry in kept(page).entries] == ["approved", "refused", "approved"]


def test_the_page_can_be_used_while_cases_are_being_drawn(cases: Open) -> None:
    page = press(filled(cases(), count=8), "new_make")
    assert sentences(page) == []
    assert any("being drawn" in caption.value for caption in page.caption)
    first = kept(page).entries[0].id
    page.text_area(key=f"history-{first}").set_value("Cough for three days").run()
    assert kept(page).entries[0].history == "Cough for three days"
    assert drawn(page).text_area(key=f"history-{first}").value == "Cough for three days"
    assert kept(page).entries[0].history == "Cough for three days"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": "  "}, "The set has no title; give it one of 1 to 80 characters."),
        ({"title": "x" * 81}, "The title has 81 characters; it needs 1 to 80."),
        ({"count": 0}, "0 cases are asked for; a set is drawn of 1 to 60 at a time."),
        ({"count": 61}, "61 cases are asked for; a set is drawn of 1 to 60 at a time."),
        ({"count": -3}, "-3 cases are asked for; a set is drawn of 1 to 60 at a time."),
        ({"codes": ()}, "No finding is chosen; choose at least one, or ask for normal cases only."),
        ({"count": 5, "normals": 6}, "6 of 5 cases are to be normal; choose 0 to 5."),
        ({"youngest": 70, "oldest": 30}, "Ages are 70 to 30 years; they must rise and lie between 0 and 120."),
        ({"oldest": 140}, "Ages are 20 to 140 years; they must rise and lie between 0 and 120."),
    ],
)
def test_bad_input_is_one_sentence_and_stays_as_typed(cases: Open, changes: dict, sentence: str) -> None:
    page = press(filled(cases(), **changes), "new_make")
    assert sentences(page) == [sentence]
    assert page.text_input(key="new_title").value == changes.get("title", "First year")
    assert page.multiselect(key="new_codes").value == list(changes.get("codes", ("nodule",)))
    for name in ("count", "normals", "youngest", "oldest"):
        assert page.number_input(key=f"new_{name}").value == changes.get(name)
    assert house.store().casebook.sets() == []


def test_what_was_typed_stays_while_another_set_is_looked_at(cases: Open) -> None:
    page = cases()
    made = ready_set(1)
    page = press(filled(page, title="Second year", count=7), f"open-set-{made.id}")
    assert address(page, "set") == made.id
    page = press(page, "all-sets")
    assert page.text_input(key="new_title").value == "Second year"
    assert page.number_input(key="new_count").value == 7


def test_real_images_are_chosen_by_label_and_number(
    cases: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library", 64)))
    page = filled(cases(), count=1, normals=0)
    label = page.selectbox(key="new_label").options[0]
    images = [image for image in house.library().images if image.modality == "DX" and image.findings]
    code = sorted({code for image in images for code in image.findings}, key=case_form._label)[0]
    having = [image.id for image in images if code in image.findings]
    assert label == f"{case_form._label(code)} ({len(having)})"
    page.number_input(key="new_real").set_value(len(having) + 1)
    page.selectbox(key="new_label").set_value(code)
    page = press(page.run(), "new_make")
    assert len(sentences(page)) == 1 and f"the library has {len(having)} that can be read" in page.error[0].value
    page.number_input(key="new_real").set_value(1)
    page = press(page.run(), "new_make")
    assert sentences(page) == []
    real = [entry for entry in kept(page).entries if entry.real]
    assert [(entry.real in having, entry.standing) for entry in real] == [(True, Standing.PROPOSED)]
    assert len(kept(page).entries) == 2


def test_real_images_without_a_label_are_one_sentence(
    cases: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library", 64)))
    page = press(filled(cases(), count=1, normals=0, real=2), "new_make")
    assert sentences(page) == ["Real images are asked for without a label; choose which ones."]


def test_a_redrawn_case_gets_another_image_and_waits_for_approval_again(cases: Open) -> None:
    page = press(filled(cases(), count=2, normals=0), "new_make")
    page = press(drawn(page), "approve-all")
    before = kept(page).entries[0]
    page.query_params["case"] = before.id
    page = drawn(press(page.run(), "redraw"))
    after = kept(page).entries[0]
    assert (after.id, after.standing) == (before.id, Standing.PROPOSED)
    assert after.job != before.job
    assert after.recipe and before.recipe and after.recipe.findings == before.recipe.findings
    assert kept(page).entries[1].standing is Standing.APPROVED


def test_cases_change_places_and_one_is_removed(cases: Open) -> None:
    cases()
    page = cases(set=ready_set().id, case="entry1")
    page = press(page, "earlier")
    assert [entry.id for entry in kept(page).entries] == ["entry1", "entry0", "entry2"]
    assert page.button(key="earlier").disabled
    page = press(press(page, "later"), "later")
    assert [entry.id for entry in kept(page).entries] == ["entry0", "entry2", "entry1"]
    page = press(page, "remove")
    assert [entry.id for entry in kept(page).entries] == ["entry0", "entry2"]
    assert sentences(page) == []


def test_words_are_kept_at_once_and_names_are_refused_but_not_lost(cases: Open) -> None:
    cases()
    page = cases(set=ready_set(2).id, case="entry0")
    page.text_area(key="teaching-entry0").set_value("Look behind the heart").run()
    assert kept(page).entries[0].teaching == "Look behind the heart"
    page = page.text_area(key="history-entry0").set_value("Patient: John Miller, born 3.4.1961").run()
    assert len(sentences(page)) == 1
    assert page.error[0].value.endswith("identifies a person. This text is not kept yet.")
    assert kept(page).entries[0].history == ""
    page = press(press(page, "case-entry1"), "case-entry0")
    assert page.text_area(key="history-entry0").value == "Patient: John Miller, born 3.4.1961"
    page = page.text_area(key="history-entry0").set_value("Fever").run()
    assert sentences(page) == []
    assert kept(page).entries[0].history == "Fever"


def test_too_long_a_text_is_one_sentence(cases: Open) -> None:
    cases()
    page = cases(set=ready_set(1).id)
    page = page.text_area(key="teaching-entry0").set_value("a" * 1001).run()
    assert sentences(page) == [
        "The teaching point has 1001 characters; at most 1000 are kept. This text is not kept yet."
    ]


def test_only_a_set_with_an_approved_case_is_opened(cases: Open) -> None:
    cases()
    made = ready_set(1)
    page = cases(set=made.id, view="share")
    page = page.toggle(key=f"open-{made.id}").set_value(True).run()
    assert sentences(page) == ["No case is approved yet; approve at least one before the set is opened."]
    assert (kept(page).open, page.toggle(key=f"open-{made.id}").value) == (False, False)
    casebook = house.store().casebook
    assert casebook.change_entry(made.entries[0], Entry(**as_approved(made.entries[0])))
    page = page.run().toggle(key=f"open-{made.id}").set_value(True).run()
    assert sentences(page) == []
    assert casebook.set_of_code(made.code).id == made.id
    assert {code.value for code in page.code} >= {"ABCD2345"}
    assert any(code.value.endswith("/quiz?set=ABCD2345") for code in page.code)


def as_approved(entry: Entry) -> dict:
    return {"id": entry.id, "recipe": entry.recipe, "job": entry.job, "standing": Standing.APPROVED}


def test_a_set_is_renamed_and_a_title_that_is_none_is_refused(cases: Open) -> None:
    cases()
    made = ready_set(1)
    page = cases(set=made.id, view="share")
    page = page.text_input(key=f"title-{made.id}").set_value("").run()
    assert sentences(page) == ["The title has 0 characters; it needs 1 to 80."]
    page = page.text_input(key=f"title-{made.id}").set_value("Second year").run()
    assert sentences(page) == []
    assert kept(page).title == "Second year"


@pytest.mark.parametrize(
    ("page", "shared"),
    [
        ("http://localhost:8501/cases", "http://localhost:8501/quiz?set=ABCD2345"),
        ("https://a.example/read/cases", "https://a.example/read/quiz?set=ABCD2345"),
        ("https://a.example/read/", "https://a.example/read/quiz?set=ABCD2345"),
        ("", "/quiz?set=ABCD2345"),
    ],
)
def test_the_address_for_trainees_lies_beside_that_of_the_page(page: str, shared: str) -> None:
    assert case_share.address("ABCD2345", page) == shared


def test_the_zip_holds_the_approved_cases_with_their_lesions(cases: Open) -> None:
    page = press(filled(cases(), codes=("mass",), count=2, normals=0), "new_make")
    page = press(press(drawn(page), "approve"), "refuse")
    with zipfile.ZipFile(
        io.BytesIO(case_share.archive(kept(page), house.store(), house.departures(), "local"))
    ) as archive:
        assert [name for name in archive.namelist() if name.endswith(".dcm")] == [
            "images/case-001.dcm",
            "lesions/case-001-seg.dcm",
        ]
        row = json.loads(archive.read("manifest.json"))["cases"][0]
    assert (row["image_id"], row["model_id"]) == (kept(page).approved[0].job, "tiny")
    (event,) = (event for event in house.store().events(50) if event.action == "export")
    assert (event.who, event.subject) == ("local", kept(page).approved[0].job)
    assert event.detail == {"format": "DICOM ZIP", "set": kept(page).id}


def test_results_name_the_readers_and_the_hard_cases(cases: Open) -> None:
    cases()
    made = ready_set(2, Standing.APPROVED, open_=True)
    assert any("Nobody has read this set yet" in c.value for c in cases(set=made.id, view="results").caption)
    read(made, "Ada", (True, True))
    read(made, "Ben", (False, True))
    page = cases(set=made.id, view="results")
    assert sentences(page) == []
    readers, by_case = page.dataframe
    assert readers.value["Reader"].tolist() == ["Ben", "Ada"]
    assert readers.value["Right"].tolist() == [50.0, 100.0]
    assert readers.value["95 % interval"].tolist() == ["9% to 91%", "34% to 100%"]
    assert by_case.value["Case"].tolist() == ["1", "2"]
    assert by_case.value["Shows"].tolist() == ["normal", "normal"]
    assert by_case.value["Right"].tolist() == [50.0, 100.0]


def test_the_results_as_csv_run_no_formula(cases: Open) -> None:
    cases()
    made = ready_set(1, Standing.APPROVED, open_=True)
    line = case_results.tally.by_sitting([read(made, "=1+1", (True,))])
    head, row = case_results.table(line).decode("utf-8-sig").splitlines()
    assert head == "reader,started_utc,finished,answered,cases,right,share,low_95,high_95,median_s"
    assert row == "'=1+1,2026-05-04 08:00:00,yes,1,1,1,1.0000,0.2065,1.0000,12.0"


def read(made: CaseSet, reader: str, right: tuple[bool, ...]) -> ReadingSession:
    """A sitting of the set, kept in the store."""
    sittings, name = house.store().sittings, opaque_id(reader)
    dealt = []
    for entry in made.approved:
        item = Item(opaque_id(reader, entry.id), Task.FINDINGS, (entry.job,), Truth())
        dealt.append(Dealt(item, entry.id, (f"synthetic:{entry.job}",)))
    sittings.begin(
        ReadingSession(name, reader, Plan(Mode.EXAM, (Task.FINDINGS,), made.id, len(dealt)), NOW, None, tuple(dealt))
    )
    for position, good in enumerate(right):
        answer = FindingsChosen(() if good else (Finding("nodule"),), normal=good)
        sittings.answer(name, Answered(position, answer, Grade(float(good), good), 12.0, NOW))
    return sittings.session(name)


def test_a_set_that_is_not_there_is_one_sentence(cases: Open) -> None:
    page = cases(set="nowhere")
    assert sentences(page) == ["There is no case set 'nowhere'."]
    assert page.button(key="all-sets")
