"""The page Administration without a browser: images are released, protocols opened, changed, ended and used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from synth.governance.protocols import Protocol
from synth.governance.release import ALLOWS, State, Use
from synth.governance.roles import LOCAL_USER, Role, User
from synth.types import Finding, GeneratedImage, JobState
from synth.ui import house, session
from tests.pages.conftest import address, finish
from tests.validated import GITA, judge, release

Visit = Callable[..., AppTest]
ADA = User("ada", frozenset({Role.RESEARCHER}))


@pytest.fixture
def admin(app: Visit) -> Callable[..., AppTest]:
    pages: list[AppTest] = []

    def visit(tab: str = "release") -> AppTest:
        if not pages:
            pages.append(app(image="none"))
        pages[0].switch_page("pages/admin.py")
        pages[0].query_params.clear()
        pages[0].query_params["tab"] = tab
        return pages[0].run()

    return visit


def opened(name: str = "p", **changes: object) -> None:
    now = datetime.now(UTC)
    given = {"people": ("local",), "findings": ("nodule",), "modalities": ("DX",)} | changes
    house.store().protocols.add(
        Protocol(name, "Nodules", "EK 12/26", "Does it help?", now, now + timedelta(days=9), **given), GITA
    )


def sentences(page: AppTest) -> str:
    assert not page.exception
    return " ".join(part.value for part in (*page.markdown, *page.caption, *page.error))


def test_validated_images_are_released_together(
    admin: Callable[..., AppTest], make_image: Callable[..., GeneratedImage]
) -> None:
    admin()
    for number, name in enumerate(("a", "b", "c")):
        house.store().add_image(make_image(name, seed=number))
    judge(house.store(), "a")
    judge(house.store(), "b")
    page = admin()
    assert "**Validated** :gray[2 wait to be released]" in sentences(page)
    page = page.checkbox(key="release-a").check().run().button(key="release-chosen").click().run()
    assert page.error == []
    states = {name: one.state for name, one in house.store().validation.releases(["a", "b", "c"]).items()}
    assert states == {"a": State.RELEASED, "b": State.VALIDATED, "c": State.CHECKED}
    (event,) = (event for event in house.store().events(9) if event.detail.get("to") == "released")
    assert (event.who, event.subject) == ("local", "a")


def test_the_rules_are_shown_as_the_code_has_them(admin: Callable[..., AppTest]) -> None:
    (rows,) = [frame.value.set_index("State") for frame in admin().dataframe if "own practice" in frame.value.columns]
    assert {state: {use for use in Use if rows.loc[state, use]} for state in State} == dict(ALLOWS)


def test_who_does_not_release_may_still_look(admin: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    admin()
    monkeypatch.setattr(session, "person", lambda: User("tom", frozenset({Role.TRAINEE})))
    page = admin()
    assert [error.value for error in page.error] == [
        "The administration has nothing for tom, who is trainee.",
    ]


def test_a_protocol_is_opened_its_people_changed_and_ended(admin: Callable[..., AppTest]) -> None:
    page = admin("protocols")
    page.text_input(key="protocol-title").set_value("Nodules")
    page.text_input(key="protocol-board").set_value("EK 12/26")
    page.text_area(key="protocol-purpose").set_value("Does it help?")
    page.date_input(key="protocol-expires").set_value(date(2030, 1, 31))
    page.multiselect(key="protocol-findings").set_value(["nodule"])
    page.text_input(key="protocol-people-new").set_value("ada, bob,ada")
    page = next(button for button in page.button if button.label == "Open the protocol").click().run()
    assert page.error == [] and not page.exception
    (made,) = house.store().protocols.protocols()
    assert (made.title, made.board, made.purpose, made.modalities) == ("Nodules", "EK 12/26", "Does it help?", ("DX",))
    assert (made.findings, made.people, made.groups) == (("nodule",), ("ada", "bob"), ())
    assert made.expires_at == datetime(2030, 2, 1, tzinfo=UTC)
    assert "Valid until 2030-01-31." in sentences(page)

    page.text_input(key=f"protocol-people-{made.id}").set_value("bob")
    page = page.run().button(key=f"protocol-keep-{made.id}").click().run()
    assert house.store().protocols.protocol(made.id).people == ("bob",)
    page.button(key=f"protocol-end-{made.id}").click().run()
    assert house.store().protocols.protocol(made.id).ended_at is not None


def test_a_protocol_without_a_purpose_is_one_sentence(admin: Callable[..., AppTest]) -> None:
    page = admin("protocols")
    page.text_input(key="protocol-title").set_value("Nodules")
    page.text_input(key="protocol-board").set_value("EK 12/26")
    page = next(button for button in page.button if button.label == "Open the protocol").click().run()
    assert [error.value for error in page.error] == ["The purpose has 0 characters; it needs 1 to 2000."]
    assert page.text_input(key="protocol-title").value == "Nodules"
    assert house.store().protocols.protocols() == []


def test_a_researcher_finds_the_data_set_of_an_own_protocol_once_images_are_released(
    admin: Callable[..., AppTest], make_image: Callable[..., GeneratedImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    admin("protocols")
    opened(people=("ada",))
    house.store().protocols.claim("p", ["i"], ADA, datetime.now(UTC))
    house.store().add_image(make_image("i"))
    monkeypatch.setattr(session, "person", lambda: ADA)
    buttons = {button.label: button.disabled for button in admin("protocols").main.get("download_button")}
    assert buttons == {"Data set, DICOM": True, "Data set, PNG": True}
    release(house.store(), "i")
    page = admin("protocols")
    assert {button.label: button.disabled for button in page.main.get("download_button")} == dict.fromkeys(
        buttons, False
    )
    assert "1 released, fit for research" in sentences(page)
    assert house.research().dataset("p", ADA, "png")[:2] == b"PK"
    monkeypatch.setattr(session, "person", lambda: LOCAL_USER)
    assert "by ada: 1 images, PNG" in sentences(admin("protocols"))


def test_generate_offers_research_under_an_open_protocol_and_the_image_keeps_it(app: Visit) -> None:
    page = finish(app())
    assert any("ask a governance officer" in caption.value for caption in page.caption)
    opened(findings=("consolidation", "pneumonia"))
    page = page.run()
    page.selectbox(key="purpose").set_value("p")
    page.text_input(key="prompt").set_value("PA chest X-ray, normal")
    before = address(page, "request")
    page = next(button for button in page.button if button.label == "Generate").click().run()
    assert address(page, "request") != before
    page = finish(page)
    job = house.engine().job(address(page, "request"))
    assert (job.state, house.store().validation.release(job.id).protocol) == (JobState.DONE, "p")

    page.text_input(key="prompt").set_value("PA chest X-ray, pneumothorax")
    page = next(button for button in page.button if button.label == "Generate").click().run()
    assert [error.value for error in page.error] == [
        "The protocol 'Nodules' does not cover the finding pneumothorax; it covers consolidation, pneumonia."
    ]
    assert Finding("pneumothorax") not in [f for entry in house.store().history(9) for f in entry.request.findings]
