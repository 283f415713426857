"""The lobby of the reading room and its addresses, without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from synth.governance.roles import LOCAL_USER
from synth.reading.answers import FindingsChosen, Task
from synth.reading.sessions import Mode, Plan
from synth.reading.studies import Protocol, Seat, Study
from synth.ui import house
from tests.casework.furnished import furnish
from tests.pages.conftest import ROOT, address

Visit = Callable[..., AppTest]


def lobby(app: Visit, **params: str) -> AppTest:
    return app(**params).switch_page(str(ROOT / "pages" / "quiz.py")).run()


def opened(app: Visit, **params: str) -> AppTest:
    """The page with an address: the test runner drops parameters when it switches pages."""
    page = lobby(app)
    for key, value in params.items():
        page.query_params[key] = value
    return page.run()


def pressed(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def sentences(page: AppTest) -> list[str]:
    assert not page.exception
    return [error.value for error in page.error]


def test_without_any_case_beginning_says_what_to_do(app: Visit) -> None:
    page = pressed(lobby(app), "Begin")
    assert sentences(page) == ["There is no case for these tasks yet; choose others or wait until the set is drawn."]


def test_no_task_is_refused_in_one_sentence(app: Visit) -> None:
    page = lobby(app)
    page.pills(key="quiz_tasks").set_value([]).run()
    assert sentences(pressed(page, "Begin")) == ["No task is chosen; choose at least one."]


@pytest.mark.parametrize("mode", ["practice", "exam", "daily"])
def test_a_session_begins_and_stands_in_the_address(app: Visit, mode: str) -> None:
    page = lobby(app)
    furnish(house.store())
    page.segmented_control(key="quiz_mode").set_value(mode).run()
    if mode == "exam":
        page = pressed(page, "Begin")
        (sentence,) = sentences(page)
        assert re.fullmatch(
            r"The exam needs 10 different \w+ cases; \d can be had, so choose fewer or add some.", sentence
        )
        page.number_input(key="quiz_length_exam").set_value(8).run()
    page = pressed(page, "Begin")
    assert not page.error
    session = house.store().sittings.session(address(page, "session"))
    assert (session.plan.mode, session.reader) == (mode, "local")


def test_nothing_due_is_said_and_the_lobby_stays(app: Visit) -> None:
    page = lobby(app)
    furnish(house.store())
    page.segmented_control(key="quiz_mode").set_value("spaced").run()
    page = pressed(page, "Begin")
    assert sentences(page) == ["Nothing is due to be repeated: read some cases first."]


def test_a_name_is_kept_for_what_follows_and_a_bad_one_refused(app: Visit) -> None:
    page = lobby(app)
    furnish(house.store())
    page.text_input(key="quiz_name").set_value("12345").run()
    assert len(sentences(page)) == 1 and sentences(page)[0].startswith("A reader's name")
    page.text_input(key="quiz_name").set_value(" Ada  L. ").run()
    page = pressed(page, "Begin")
    assert house.store().sittings.session(address(page, "session")).reader == "Ada L."


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"session": "nonsense"}, "There is no reading session 'nonsense'."),
        ({"seat": "NONE2222"}, "There is no invitation 'NONE2222'; check it with whoever sent it."),
        ({"set": "NONE2222"}, "There is no open case set with the code 'NONE2222'; check it with whoever sent it."),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(app: Visit, params: dict[str, str], sentence: str) -> None:
    assert sentences(opened(app, **params)) == [sentence]


def test_a_code_opens_the_set_or_the_seat_that_it_belongs_to(app: Visit) -> None:
    page = lobby(app)
    made = furnish(house.store(), normals=1, series=False, set_id="small")
    protocol = Protocol((made.id,), (Task.FINDINGS,), 1, "You agree.")
    study = Study("study1", "A study", "ada", datetime.now(UTC), protocol, (Seat(1, "SEAT2222"),))
    house.store().casebook.add_study(study)
    for typed, kind, code in ((" seat2222 ", "seat", "SEAT2222"), ("code5", "set", "CODE5")):
        page = lobby(app)
        code_box = next(box for box in page.text_input if box.label.startswith("Code of"))
        code_box.set_value(typed)
        page = pressed(page, "Open")
        assert not page.error
        assert address(page, kind) == code


def test_a_session_that_was_left_is_offered_again(app: Visit) -> None:
    page = lobby(app)
    furnish(house.store())
    begun = address(pressed(page, "Begin"), "session")
    page = lobby(app)
    assert any(button.label == "Practice: 0 of 10 answered" for button in page.button)
    page = pressed(page, "Practice: 0 of 10 answered")
    assert address(page, "session") == begun


def test_a_locked_study_lets_nobody_in(app: Visit) -> None:
    lobby(app)
    store = house.store()
    made = furnish(store, normals=1, series=False, set_id="small")
    now = datetime.now(UTC)
    protocol = Protocol((made.id,), (Task.FINDINGS,), 1, "You agree.")
    store.casebook.add_study(Study("study1", "A study", "ada", now, protocol, (Seat(1, "SEAT2222", "A", now),)))
    store.casebook.lock_study("study1", now)
    assert sentences(opened(app, seat="SEAT2222")) == ["The study 'A study' is locked; nothing more is read in it."]


def test_a_session_whose_last_answer_was_its_last_sign_of_life_ends_when_it_is_opened(app: Visit) -> None:
    lobby(app)
    store = house.store()
    furnish(store)
    now = datetime.now(UTC)
    desk = house.desk_of(())
    session = desk.begin("s1", "local", Plan(Mode.EXAM, (Task.FINDINGS,), length=2, seed=3), now)
    for position in range(2):
        desk.answer(store.sittings.session("s1"), position, FindingsChosen(normal=True), 2.0, now)
    page = opened(app, session=session.id)
    assert sentences(page) == []
    assert [title.value for title in page.subheader] == ["Exam: done"]
    assert store.sittings.session("s1").ended_at is not None


def test_a_withdrawn_case_is_skipped_and_one_that_was_read_says_so(app: Visit) -> None:
    lobby(app)
    store = house.store()
    furnish(store, normals=3, series=False, set_id="small")
    now = datetime.now(UTC)
    plan = Plan(Mode.PRACTICE, (Task.FINDINGS,), source="small", length=3)
    desk = house.desk_of(("small",))
    session = desk.begin("s1", "local", plan, now)
    desk.answer(session, 0, FindingsChosen(normal=True), 2.0, now)
    for dealt in session.dealt[:2]:
        image = dealt.sources[0].removeprefix("synthetic:")
        store.validation.withdraw(image, LOCAL_USER, "The heart is drawn twice", now)
    assert store.sittings.session("s1").next_position == 2
    page = opened(app, session="s1", case="1")
    assert sentences(page) == []
    assert [warning.value for warning in page.warning] == [
        "This image was withdrawn after you read it: The heart is drawn twice"
    ]


def test_a_case_that_was_dealt_while_its_image_was_withdrawn_is_not_shown(app: Visit) -> None:
    lobby(app)
    store = house.store()
    furnish(store, normals=3, series=False, set_id="small")
    now = datetime.now(UTC)
    plan = Plan(Mode.PRACTICE, (Task.FINDINGS,), source="small", length=2)
    session = house.desk_of(("small",)).begin("s1", "local", plan, now)
    image = session.dealt[0].sources[0].removeprefix("synthetic:")
    store.validation.withdraw(image, LOCAL_USER, "The heart is drawn twice", now)
    with store._database.writing() as db:
        db.connection().exec_driver_sql("UPDATE reading_items SET void = 0")
    page = opened(app, session="s1")
    assert sentences(page) == ["The image of case 1 can not be shown any more: it was withdrawn."]
    page = pressed(page, "Go on without this case")
    assert sentences(page) == [] and store.sittings.session("s1").next_position == 1
