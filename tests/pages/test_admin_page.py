"""The admin page: monitoring with alarms, the register of models, and the documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from synth import monitor
from synth.governance.drift import BATCH, IMAGES
from synth.governance.roles import Role, User
from synth.types import AuditEvent, GeneratedImage, JobState
from synth.ui import house, session
from tests.pages.conftest import address, finish

Visit = Callable[..., AppTest]
Make = Callable[..., GeneratedImage]
KIND = ("tiny", "1", "DX")


@pytest.fixture(autouse=True)
def figures_of_this_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitor, "FRESH_S", 0.0)


def admin(app: Visit, tab: str = "monitoring") -> AppTest:
    """A tab of the page, after the first visit has drawn its one example."""
    page = finish(app())
    page.switch_page("pages/admin.py")
    page.query_params["tab"] = tab
    page.run()
    assert not page.exception and not page.error
    return page


def texts(page: AppTest) -> str:
    return "\n".join(str(one.value) for one in (*page.caption, *page.markdown, *page.warning))


def drawn(make_image: Make, numbers: range, offset: float = 0.0) -> None:
    """Images of the last minutes, with vectors around one direction."""
    vectors = {}
    for number in numbers:
        image = make_image(f"i{number:05d}", "local", side_px=4)
        image = replace(image, provenance=replace(image.provenance, created_at=datetime.now(UTC), model_id="tiny"))
        house.store().add_image(image)
        vector = np.random.default_rng(number).normal(0, 0.1, 8) + np.array([1.0, offset, 0, 0, 0, 0, 0, 0])
        vectors[f"synthetic:i{number:05d}"] = vector.astype(np.float32)
    house.store().holdings.add_vectors("e", vectors)


def test_what_was_drawn_is_counted_and_the_model_is_registered(app: Visit) -> None:
    page = admin(app)
    numbers = {metric.label: metric.value for metric in page.metric}
    assert (numbers["Images"], numbers["Failed jobs"], numbers["Refused"]) == ("1", "0", "0")
    assert numbers["Failed checks"].endswith(" of 1") and numbers["Waiting"].endswith(" s")
    assert "tiny 1, **DX**" in texts(page)
    page.query_params["tab"] = "models"
    (register,) = [table.value for table in page.run().dataframe if "Switched by" in table.value.columns]
    assert list(register["Model"]) == ["tiny"] and list(register["Switched by"]) == ["configuration"]


def test_a_refused_prompt_is_counted_once_and_without_a_word_of_it(app: Visit) -> None:
    page = finish(app())
    page.text_input(key="prompt").set_value("PA chest X-ray of Anna Miller, born 3 May 1956").run()
    page.run().run()
    refused = [event for event in house.store().events() if event.action == "refused"]
    assert [(event.who, event.subject, event.reason, event.detail) for event in refused] == [
        ("local", "", "", {"kind": "identifier"})
    ]
    assert "identifier" in str(house.store().figures.period(datetime(2026, 1, 1, tzinfo=UTC), later()).refusals)


def test_other_refusals_have_their_own_kinds(app: Visit) -> None:
    page = finish(app())
    page.text_input(key="prompt").set_value("xyzzy plugh").run()
    assert [event.detail for event in house.store().events() if event.action == "refused"] == [{"kind": "out of scope"}]


def test_an_alarm_stands_on_the_page_and_in_the_sidebar(app: Visit) -> None:
    app()
    for number in range(40):
        house.store().add_event(AuditEvent(datetime.now(UTC), f"u{number}", "refused", "", "", {"kind": "busy"}))
    page = admin(app)
    assert [alarm.value for alarm in page.warning] == [
        "40 of 42 requests were refused. Rule: more than 50% of at least 20."
    ]
    assert any("40 of 42 requests were refused." in one.value for one in page.sidebar.markdown)


def test_drift_is_charted_and_a_reference_renewed_for_a_reason(app: Visit, make_image: Make) -> None:
    app()
    drawn(make_image, range(IMAGES))
    assert house.store().references.freeze(KIND, "e", datetime.now(UTC)) is not None
    drawn(make_image, range(IMAGES, IMAGES + 2 * BATCH), offset=0.5)
    page = admin(app)
    assert any("DX images have drifted away" in alarm.value for alarm in page.warning)
    page.button(key="renew_DX").click().run()
    assert "The reason has 0 characters; at least 10 are needed." in [error.value for error in page.error]
    page.text_input(key="renew_reason_DX").set_value("Other prompts are asked for.").run()
    page.button(key="renew_DX").click().run()
    newest = house.store().references.newest(KIND)
    assert newest is not None and (newest.made_by, newest.reason) == ("local", "Other prompts are asked for.")
    assert not page.error and not any("drifted" in alarm.value for alarm in page.warning)


def test_the_documents_are_offered_as_pdf_and_markdown(app: Visit) -> None:
    page = admin(app, "documents")
    labels = [button.label for button in page.get("download_button")]
    assert sorted(labels) == sorted(["PDF", "Markdown"] * 4 + ["Transparency notice", "Intended use"])


def test_those_who_may_not_see_it_are_refused_in_one_sentence(app: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "person", lambda: User("tom", frozenset({Role.TRAINEE})))
    page = app()
    page.switch_page("pages/admin.py").run()
    assert [error.value for error in page.error] == ["The administration has nothing for tom, who is trainee."]
    assert not page.metric and not page.dataframe


def test_jobs_that_failed_are_told_without_what_was_quoted(app: Visit) -> None:
    page = finish(app())
    job = house.engine().job(address(page, "request"))
    failed = replace(job, id="f", state=JobState.QUEUED)
    house.store().add_jobs([failed], "other")
    ended = replace(failed, state=JobState.FAILED, error="'Anna' could not be drawn.")
    assert house.store().end_job(ended, ended.event("failed", datetime.now(UTC)))
    page = admin(app)
    (errors,) = [table.value for table in page.dataframe if "Sentence" in table.value.columns]
    assert errors.values.tolist() == [["... could not be drawn.", 1]]


def later() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)
