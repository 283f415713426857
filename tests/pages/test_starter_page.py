"""What the background drawing of cases is to the pages: it starts by itself, and stays out of one's own history."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from synth.casework.starter import starter
from synth.config import Settings
from synth.reading.cases import Standing
from synth.ui import house
from tests.pages.conftest import finish
from tests.painting import until

Visit = Callable[..., AppTest]


def test_the_first_visit_begins_the_starter_set_and_the_history_shows_the_visitors_image_alone(
    app: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_STARTER", "1")
    page = finish(app())
    until(lambda: any(made.approved for made in house.store().casebook.sets()), "the first case")

    store = house.store()
    (made,) = store.casebook.sets()
    assert [entry.id for entry in made.entries] == [entry.id for entry in starter().entries]
    assert made.entries[0].standing is Standing.APPROVED
    assert store.count_images() > store.count_images("local") == 1
    house.maker().close()
    page.run()
    assert not page.exception and not page.error
    assert any("1 image, kept on this computer" in text.value for text in page.markdown)


def test_without_the_starter_set_nothing_is_drawn_unasked(app: Visit) -> None:
    finish(app())
    assert house.store().casebook.sets() == []
    assert {event.who for event in house.store().events() if event.action != "model.loaded"} == {"local"}


@pytest.mark.parametrize(
    ("value", "drawn"), [({}, True), ({"SYNTH_STARTER": "1"}, True), ({"SYNTH_STARTER": "0"}, False)]
)
def test_the_starter_set_is_drawn_unless_a_setting_says_no(value: dict[str, str], drawn: bool) -> None:
    assert Settings.from_env(value).starter is drawn
