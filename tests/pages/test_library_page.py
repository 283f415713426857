"""The Real images page without a browser: found, opened, labelled, binned, put back; imports from beginning to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from synth.origins import AuditEvent, Box
from synth.store.holding_records import ImportState, Outcome, Search
from synth.types import RealImage
from synth.ui import canvas, house, shelf_import, shelf_imports
from tests.pages.conftest import address
from tests.phantoms import dicom_bytes, film, make_library
from tests.test_strokes import RED, box, stroke

Visit = Callable[..., AppTest]


@pytest.fixture
def page(app: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the page at an address, above a library of twelve phantoms."""
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "films", 128)))
    visited = app()

    def visit(**params: str) -> AppTest:
        visited.switch_page("pages/library.py")
        visited.query_params.clear()
        for key, value in params.items():
            visited.query_params[key] = value
        return visited.run()

    return visit


def count(page: AppTest) -> str:
    return next(mark.value for mark in page.markdown if mark.value.startswith("**") and "image" in mark.value)


def errors(page: AppTest) -> list[str]:
    assert not page.exception
    return [error.value for error in page.error]


def key_of(page: AppTest, field: str) -> str:
    """The key of a widget of the open editor."""
    widgets = [*page.selectbox, *page.text_input, *page.text_area, *page.multiselect, *page.number_input, *page.button]
    return next(w.key for w in [*widgets, *page.toggle] if w.key and w.key.startswith(f"edit-{field}-"))


def the(kind: str) -> RealImage:
    return next(image for image in house.library().images if kind in (*image.findings, image.modality))


def test_all_images_are_shown_newest_first_and_marked(page: Callable[..., AppTest]) -> None:
    shown = page()
    assert errors(shown) == []
    assert count(shown) == "**12** of 12 images"
    captions = [caption.value for caption in shown.caption if "years" in caption.value]
    assert len(captions) == 12 and captions[0] == "CT AXIAL, man, 58 years: normal"


@pytest.mark.parametrize(
    ("params", "number"),
    [
        ({"finding": "pleural_effusion"}, 5),
        ({"modality": "CT"}, 2),
        ({"view": "AP"}, 2),
        ({"sex": "F", "modality": "DX"}, 5),
        ({"from": "30", "to": "50"}, 3),
        ({"q": "analytic effusion"}, 5),
        ({"q": "%"}, 0),
        ({"q": "100_"}, 0),
        ({"origin": "analytic phantom"}, 12),
        ({"licence": "CC0 1.0"}, 0),
        ({"flag": "face"}, 0),
    ],
)
def test_the_address_holds_the_filters(page: Callable[..., AppTest], params: dict[str, str], number: int) -> None:
    shown = page(**params)
    assert errors(shown) == []
    assert count(shown) == f"**{number}** of 12 images"


def test_a_chosen_filter_goes_into_the_address_and_all_go_at_one_press(page: Callable[..., AppTest]) -> None:
    shown = page(page="7")
    shown.selectbox(key="shelf_finding").set_value("pleural_effusion").run()
    shown.text_input(key="shelf_q").set_value(" ap ").run()
    assert [address(shown, name) for name in ("finding", "q")] == ["pleural_effusion", "ap"]
    assert "page" not in shown.query_params
    assert count(shown) == "**2** of 12 images"
    shown.button(key="shelf_clear").click().run()
    assert dict(shown.query_params) == {}
    assert count(shown) == "**12** of 12 images"


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"from": "old"}, "The address says from='old', which must be a whole number."),
        ({"page": "-3"}, "The address says page='-3', which must be a whole number."),
        ({"image": "nothing"}, "The library has no image 'nothing'."),
        ({"tab": "import", "import": "nothing"}, "There is no import 'nothing'."),
    ],
)
def test_a_wrong_address_is_one_sentence(page: Callable[..., AppTest], params: dict[str, str], sentence: str) -> None:
    assert errors(page(**params)) == [sentence]


def test_an_unknown_tab_and_a_page_too_far_show_the_images(page: Callable[..., AppTest]) -> None:
    assert count(page(tab="nonsense", page="999")) == "**12** of 12 images"


def test_the_page_says_how_to_get_images(app: Visit) -> None:
    shown = app().switch_page("pages/library.py").run()
    assert errors(shown) == []
    assert "SYNTH_LIBRARY" in shown.info[0].value


def test_images_of_the_page_go_into_the_bin_and_come_back(page: Callable[..., AppTest]) -> None:
    shown = page(finding="pleural_effusion")
    name = the("pleural_effusion").id
    shown.checkbox(key=f"shelf-pick-{name}").check().run()
    assert "1 selected" in [caption.value for caption in shown.caption]
    shown.button(key="shelf_all").click().run()
    assert "5 selected" in [caption.value for caption in shown.caption]
    shown.button(key="shelf_move").click().run()
    assert errors(shown) == [] and count(shown) == "**0** of 7 images"
    assert "5 images moved to the bin." in [mark.value for mark in shown.markdown]
    shown.button(key="shelf_undo_move").click().run()
    assert count(shown) == "**5** of 12 images"
    assert [event.action for event in house.store().events(20)].count("library.restore") == 5


def test_the_bin_shows_what_lies_in_it_and_puts_it_back(page: Callable[..., AppTest]) -> None:
    name = the("CT").id
    shown = page(image=name)
    shown.button(key="shelf_move_one").click().run()
    assert count(shown) == "**11** of 11 images"
    shown.button(key="shelf_bin").click().run()
    assert count(shown) == "**1** image in the bin" and errors(shown) == []
    shown.button(key=f"shelf-open-{name}").click().run()
    assert errors(shown) == [] and "bin" in shown.warning[0].value
    shown.button(key="shelf_move_one").click().run()
    assert not shown.warning and house.library().image(name) is not None


def test_labels_are_edited_with_an_event_and_are_found(page: Callable[..., AppTest]) -> None:
    image = the("pleural_effusion")
    shown = page(image=image.id)
    shown.multiselect(key=key_of(shown, "findings")).set_value(["pneumonia", "nodule"])
    shown.text_area(key=key_of(shown, "note")).set_value("Look at the *left* base. 100 % sure_")
    shown.text_input(key=key_of(shown, "age")).set_value("77")
    shown.selectbox(key=key_of(shown, "view")).set_value("LATERAL")
    shown.selectbox(key=key_of(shown, "licence")).set_value("CC BY 4.0")
    shown.button(key="shelf_save").click().run()
    assert errors(shown) == []
    assert shown.success[0].value == "Saved: view, age, findings, teaching note, licence."
    saved = house.store().holdings.holding(image.id).image
    assert (saved.findings, saved.age, saved.view, saved.licence) == (
        ("pneumonia", "nodule"),
        77,
        "LATERAL",
        "CC BY 4.0",
    )
    assert house.store().holdings.search(Search(text="sure_"), 5)[0] == 1
    event = next(one for one in house.store().events(2) if one.action != "model.loaded")
    assert (event.action, event.subject, event.detail["before"]["age"]) == ("library.edit", image.id, image.age)
    assert "note" not in event.detail["before"]


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("age", "abc", "The age is no whole number of years; it must lie between 0 and 120."),
        ("age", "121", "The age is 121 years; it must lie between 0 and 120."),
        ("modality", "MR", "MR images do not show pleural effusion in the vocabulary; take it away."),
        ("findings", ["normal", "mass"], "An image cannot be normal and show mass; take one away."),
        ("note", "x" * 4001, "The teaching note has 4001 letters; at most 4000 are kept."),
    ],
)
def test_a_wrong_label_is_one_sentence_and_what_was_typed_stays(
    page: Callable[..., AppTest], field: str, value: Any, sentence: str
) -> None:
    image = the("pleural_effusion")
    shown = page(image=image.id)
    widgets = {"modality": "selectbox", "findings": "multiselect", "note": "text_area"}
    widget = getattr(shown, widgets.get(field, "text_input"))
    widget(key=key_of(shown, field)).set_value(value)
    shown.text_input(key=key_of(shown, "origin")).set_value("typed before")
    shown.button(key="shelf_save").click().run()
    assert errors(shown) == [sentence]
    assert shown.text_input(key=key_of(shown, "origin")).value == "typed before"
    assert house.store().holdings.holding(image.id).image.origin == "analytic phantom"


def test_of_two_who_edit_the_last_one_wins_and_is_told(page: Callable[..., AppTest]) -> None:
    image = the("pleural_effusion")
    shown = page(image=image.id)
    event = AuditEvent(datetime.now(UTC), "grace", "library.edit", image.id, "")
    house.store().holdings.edit(replace(image, age=1, note="hers"), event)
    shown.text_input(key=key_of(shown, "age")).set_value("2")
    shown.button(key="shelf_save").click().run()
    assert "Somebody had changed age, teaching note since you opened the image" in shown.success[0].value
    assert house.store().holdings.holding(image.id).image.age == 2


def test_boxes_are_typed_and_taken_away(page: Callable[..., AppTest]) -> None:
    image = the("pleural_effusion")
    shown = page(image=image.id)
    shown.selectbox(key=key_of(shown, "box-code")).set_value("nodule")
    for name, percent in (("Left", 10.0), ("Top", 20.0), ("Width", 30.0), ("Height", 90.0)):
        shown.number_input(key=key_of(shown, f"box-{name}")).set_value(percent)
    shown.button(key=key_of(shown, "box-add")).click().run()
    shown.button(key="shelf_save").click().run()
    assert errors(shown) == ["Box 1 leaves the picture; left + width and top + height must be 100 % at most."]
    shown.button(key=key_of(shown, "unbox-0")).click().run()
    shown.number_input(key=key_of(shown, "box-Height")).set_value(40.0)
    shown.button(key=key_of(shown, "box-add")).click().run()
    shown.button(key="shelf_save").click().run()
    assert errors(shown) == []
    assert house.store().holdings.holding(image.id).image.boxes == (Box("nodule", 0.1, 0.2, 0.3, 0.4),)


def test_a_drawn_rectangle_becomes_a_box_and_a_stroke_the_mask(
    page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    image = the("pleural_effusion")
    drawn = stroke("Rect", RED, (96, 192), left=144, top=192, strokeWidth=0)
    monkeypatch.setattr(canvas, "_drawing", lambda **_: {"objects": [drawn, box(RED, 96, 192, 0, 96)]})
    shown = page(image=image.id)
    shown.toggle(key=key_of(shown, "draw")).set_value(True).run()
    shown.button(key=key_of(shown, "take")).click().run()
    shown.segmented_control(key=f"edit-tool-{image.id}-0").set_value("polygon").run()
    shown.button(key=key_of(shown, "take")).click().run()
    shown.button(key="shelf_save").click().run()
    assert errors(shown) == []
    saved = house.store().holdings.holding(image.id).image
    (kept,) = saved.boxes
    assert (kept.x, kept.y, kept.width, kept.height) == (0.25, 0.25, 0.25, 0.5)
    mask = house.store().picture(saved.mask) > 0
    assert mask.shape == (128, 128)
    assert np.array_equal(np.argwhere(mask).min(0), (32, 0)) and np.array_equal(np.argwhere(mask).max(0), (63, 31))


def through(import_id: str) -> None:
    deadline = time.monotonic() + 60
    while house.store().imports.get(import_id).state in shelf_imports.OPEN:
        assert time.monotonic() < deadline, "the import did not end"
        time.sleep(0.05)


def test_a_folder_of_the_server_is_imported_and_reported(page: Callable[..., AppTest], tmp_path: Path) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    (folder / "good.dcm").write_bytes(dicom_bytes(film(256, 99)))
    (folder / "=bad.dcm").write_bytes(b"nonsense")
    shown = page(tab="import")
    shown.segmented_control(key="import_way").set_value("Folder on this server").run()
    shown.text_input(key="import_folder").set_value(str(folder))
    shown.button(key="import_start").click().run()
    assert errors(shown) == ["Say where the images come from and under which licence; 'unknown' is an answer too."]
    assert shown.text_input(key="import_folder").value == str(folder)
    shown.text_input(key="import_origin").set_value("Department")
    shown.selectbox(key="import_licence").set_value("own images")
    shown.button(key="import_start").click().run()
    assert errors(shown) == []
    import_id = address(shown, "import")
    through(import_id)

    again = page(tab="import", **{"import": import_id})
    assert "1 files added, 0 there already, 1 refused" in [caption.value for caption in again.caption]
    assert again.table[0].value["File"].tolist() == ["=bad.dcm"]
    assert b"'=bad.dcm" in shelf_imports._csv(house.store().imports, import_id)
    again.button(key="import_images").click().run()
    assert count(again) == "**1** of 13 images"


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("", "Name the folder to import, from the root, as in /data/films."),
        ("films", "The folder 'films' must be given from the root, as in /data/films."),
        ("/no/such/folder", "/no/such/folder is not there; give a folder or a file on the computer of the server."),
    ],
)
def test_a_wrong_folder_is_one_sentence(page: Callable[..., AppTest], folder: str, sentence: str) -> None:
    shown = page(tab="import")
    shown.segmented_control(key="import_way").set_value("Folder on this server").run()
    shown.text_input(key="import_folder").set_value(folder)
    shown.text_input(key="import_origin").set_value("Department")
    shown.selectbox(key="import_licence").set_value("unknown")
    shown.button(key="import_start").click().run()
    assert errors(shown) == [sentence]


def test_nothing_chosen_to_upload_is_one_sentence(page: Callable[..., AppTest]) -> None:
    shown = page(tab="import")
    shown.button(key="import_start").click().run()
    assert errors(shown) == ["Choose the files to import first."]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\a.dcm", "a.dcm"),
        ("a\0.dcm", "a.dcm"),
        ("..", "file"),
        ("", "file"),
    ],
)
def test_the_name_of_an_upload_leads_nowhere_else(name: str, kept: str) -> None:
    assert shelf_import._name(name, 0, 1) == kept
    assert shelf_import._name(name, 4, 9) == f"00005 {kept}"


def test_a_stopped_import_is_resumed_where_it_was(page: Callable[..., AppTest]) -> None:
    imports = house.store().imports
    event = AuditEvent(datetime.now(UTC), "local", "library.import", "", "")
    import_id = imports.begin("local", {"title": "by hand", "source": "/gone"}, event)
    imports.stop(import_id, event)
    shown = page(tab="import", **{"import": import_id})
    shown.button(key="import_resume").click().run()
    through(import_id)
    assert imports.get(import_id).state is ImportState.FAILED  # its order cannot be read: it was picked up again
    shown = page(tab="import", **{"import": import_id})
    assert len(errors(shown)) == 1


def test_progress_is_told_in_files_rate_and_time_left(page: Callable[..., AppTest]) -> None:
    event = AuditEvent(datetime.now(UTC), "local", "library.import", "", "")
    name = house.store().imports.begin("local", {"title": "t"}, event)
    made = replace(house.store().imports.get(name), state=ImportState.RUNNING, total=5000)
    counted = replace(made, counts={Outcome.ADDED: 120})
    assert shelf_imports.progress_sentence(counted, 100, 10.0) == "120 of 5,000 files, 10 a second, about 8 min left"
    assert shelf_imports.progress_sentence(counted, 0, 10.0) == "120 of 5,000 files"
    assert shelf_imports.progress_sentence(replace(counted, total=None), 0, 0) == (
        "120 files so far; they are still being counted"
    )


def test_a_second_look_reads_no_thumbnail_again(page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    page()
    monkeypatch.setattr(house.library(), "pixels", lambda *_: pytest.fail("decoded again"))
    assert errors(page()) == []
    st.cache_data.clear()
