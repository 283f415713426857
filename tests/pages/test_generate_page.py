"""The Generate page, run without a browser."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from synth.types import Finding, Modality, Sex, Side, View, Zone
from synth.ui import house
from tests.pages.conftest import address, finish
from tests.phantoms import make_library

Visit = Callable[..., AppTest]


def chip(page: AppTest, name: str) -> str:
    """The key of a chip on the screen: each prompt has chips of its own."""
    return f"chip_{name} {page.session_state['chips']}"


def test_a_first_visit_draws_the_first_example_and_shows_it(app: Visit) -> None:
    page = finish(app())
    assert not page.exception and not page.error
    assert page.subheader[0].value == "Education and research, never diagnosis"
    (made,) = house.store().history(10)
    request = made.request
    assert (request.modality, request.view, request.sex, request.age) == (Modality.DX, View.PA, Sex.MALE, 65)
    assert request.findings == (Finding("pneumonia", Side.RIGHT, Zone.LOWER),)
    actions = [event.action for event in house.store().events() if event.action != "model.loaded"]
    assert actions == ["done", "submit"]


def test_a_second_run_of_the_same_visit_draws_nothing_more(app: Visit) -> None:
    page = finish(app())
    page.run()
    assert house.store().count_images() == 1


def test_each_of_the_three_examples_is_drawn_by_one_click(app: Visit) -> None:
    page = finish(app())
    for name in ("Right lower lobe pneumonia", "Left pleural effusion", "CT: ground-glass opacities"):
        button = next(button for button in page.button if button.label == name)
        page = finish(button.click().run())
        assert not page.exception and not page.error
    requests = [stored.request for stored in house.store().history(3)]
    assert [request.modality for request in requests] == [Modality.CT, Modality.DX, Modality.DX]
    assert requests[1].findings == (Finding("pleural_effusion", Side.LEFT),)
    assert requests[1].absent == ("pneumonia",)


def test_an_address_with_an_image_shows_it_and_its_request(app: Visit) -> None:
    finish(app())
    (made,) = house.store().history(10)
    page = app(image=made.id)
    assert not page.exception and not page.error
    assert page.text_input(key="prompt").value == made.request.note
    assert page.number_input(key="seed").value == made.request.seed
    assert address(page, "image") == made.id
    assert house.store().count_images() == 1


@pytest.mark.parametrize("address", [{"image": "nothing"}, {"request": "nothing"}])
def test_an_address_of_nothing_is_one_sentence(app: Visit, address: dict[str, str]) -> None:
    page = app(**address)
    assert not page.exception
    assert len(page.error) == 1
    assert "nothing" in page.error[0].value


def test_eight_images_of_one_prompt_have_eight_seeds(app: Visit) -> None:
    page = finish(app())
    page.number_input(key="count").set_value(8)
    page.number_input(key="seed").set_value(40)
    page = finish(next(button for button in page.button if button.label == "Generate").click().run())
    assert not page.exception and not page.error
    assert {stored.request.seed for stored in house.store().history(8)} == set(range(40, 48))


def test_a_full_queue_is_one_sentence_and_keeps_the_prompt(app: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_QUEUE", "2")
    page = finish(app())
    page.number_input(key="count").set_value(8)
    prompt = page.text_input(key="prompt").value
    page = next(button for button in page.button if button.label == "Generate").click().run()
    assert len(page.error) == 1 and "queue" in page.error[0].value
    assert page.text_input(key="prompt").value == prompt
    assert not page.exception


def test_a_model_that_is_not_there_is_one_sentence(app: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_MODEL", "no-such-model")
    page = app()
    if "request" in page.query_params:
        page = finish(page)
    assert not page.exception
    assert len(page.error) == 1
    assert "no-such-model" in page.error[0].value


def test_a_damaged_real_image_is_passed_over_with_a_sentence(
    app: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_library(tmp_path / "films", 128)
    for film in folder.glob("film-0[2-9].*"):
        film.write_bytes(b"not a picture")
    monkeypatch.setenv("SYNTH_LIBRARY", str(folder))
    page = finish(app())
    assert not page.exception and not page.error
    assert sum("film-0" in caption.value for caption in page.caption) == 8
    assert page.segmented_control(key="real").options == ["1", "2"]


def test_real_images_can_be_ranked_by_their_look_with_what_nearness_may_mean(
    app: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "films", 128)))
    page = finish(app())
    looks, store = house.looks(), house.store()
    until = time.monotonic() + 60
    while store.holdings.without_vector(looks.embedder_id, 99) and time.monotonic() < until:
        looks.wake()
        time.sleep(0.05)
    page = page.segmented_control(key="real_by").set_value("Similar look").run()
    assert not page.exception and not page.error
    captions = [caption.value for caption in page.caption]
    assert any(re.match(r"Distance \d\.\d{3} \(0 the same.*\), the nearest of 10\.", caption) for caption in captions)
    assert any(caption.startswith("There are too few real images to say what is usual.") for caption in captions)


def test_cancel_ends_every_image_of_the_request_and_says_so(app: Visit) -> None:
    page = finish(app())
    page.number_input(key="count").set_value(8)
    page.number_input(key="steps").set_value(200)
    page = next(button for button in page.button if button.label == "Generate").click().run()
    page = finish(page.button(key="cancel").click().run())
    assert not page.exception and not page.error
    assert "Cancelled." in [caption.value for caption in page.caption]
    assert house.store().count_images() == 1


def test_an_unlearnt_finding_is_said_by_name_and_unknown_words_are_shown(app: Visit) -> None:
    page = finish(app())
    page.text_input(key="prompt").set_value("PA chest X-ray, left pneumothorax, qwertyish")
    page = page.run()
    captions = [caption.value for caption in page.caption]
    assert any("not learnt pneumothorax" in line.value for line in page.markdown)
    assert "Not understood, so not drawn: qwertyish." in captions


def test_a_correction_stays_until_the_prompt_changes(app: Visit) -> None:
    page = finish(app())
    page.text_input(key=chip(page, "age")).set_value("20").run()
    assert page.text_input(key=chip(page, "age")).value == "20"
    page.text_input(key="prompt").set_value("PA chest X-ray, 33-year-old woman").run()
    assert page.text_input(key=chip(page, "age")).value == "33"
    assert page.multiselect(key=chip(page, "findings")).value == []


def test_a_browser_that_has_not_got_the_new_chips_yet_has_the_new_prompt_drawn(app: Visit) -> None:
    page = finish(app())
    for widget in (*page.text_input, *page.multiselect, *page.get("button_group")):
        widget.set_value(widget.value)
    before = page._tree  # what the browser has on the screen
    page.text_input(key="prompt").set_value("AP chest X-ray, 41-year-old woman, left pneumothorax").run()
    page._tree = before  # Generate is pressed before the answer to the typing arrives
    page = finish(next(button for button in page.button if button.label == "Generate").click().run())
    request = house.store().history(1)[0].request
    assert (request.view, request.sex, request.age) == (View.AP, Sex.FEMALE, 41)
    assert request.findings == (Finding("pneumothorax", Side.LEFT),)
    assert page.text_input(key=chip(page, "age")).value == "41"


def test_chips_of_earlier_prompts_are_not_kept(app: Visit) -> None:
    page = finish(app())
    for age in (30, 31, 32):
        page.text_input(key="prompt").set_value(f"PA chest X-ray, {age}-year-old woman, left pneumonia").run()
        page.run()
    number = page.session_state["chips"]
    assert f"chip_age {number}" in page.session_state
    assert not any(f"chip_age {old}" in page.session_state for old in range(number))
