"""The Edit page without a browser: what is drawn comes from a value that stands for the canvas."""

from __future__ import annotations

import io
import itertools
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from synth import imaging
from synth.errors import DicomError, RequestError
from synth.types import Base, Edit, GenerationRequest, Modality, Restoration, View
from synth.ui import bases, canvas, course, downloads, edit_form, house, outcome, trail, views
from tests.pages.conftest import address, finish
from tests.phantoms import axial_slice, cat, dicom_bytes, film, make_library, png
from tests.test_strokes import GREEN, RED, box

Visit = Callable[..., AppTest]


Drawing = dict[str, list[dict[str, Any]]]


def strokes(*rectangles: tuple[tuple[int, int, int], int, int, int, int]) -> Drawing:
    """A drawing of closed polygons (ink, top, bottom, left, right), one over the other."""
    return {"objects": [box(*rectangle) for rectangle in rectangles]}


@pytest.fixture
def edit(app: Visit, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the Edit page of an address with a drawing on its canvas."""

    def visit(base: str, drawing: Drawing | None = None) -> AppTest:
        monkeypatch.setattr(canvas, "_drawing", lambda **_: drawing)
        page = app()
        page.switch_page("pages/edit.py")
        page.query_params.clear()
        page.query_params["base"] = base
        return page.run()

    return visit


def button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> AppTest:
    return button(page, label).click().run()


def test_a_lesion_on_a_made_image_is_drawn_and_stored_with_its_masks(edit: Callable[..., AppTest]) -> None:
    first = edit("", None)
    house.engine().submit(GenerationRequest(model_id="tiny", steps=3), "local")
    while not house.store().count_images():
        first.run()
    (made,) = house.store().history(1)
    page = edit(f"synthetic:{made.id}", strokes((RED, 180, 240, 120, 180), (GREEN, 180, 240, 120, 140)))
    assert not page.exception and not page.error
    page = finish(press(page, "Draw it"))
    assert not page.exception and not page.error
    image = house.store().image(address(page, "request"))
    assert image.request.edit is not None and image.request.mark == "SYNTHETIC"
    base = house.store().base(image.request)
    assert base is not None and base.lesion is not None and base.keep is not None
    assert base.lesion[90:120, 70:90].all() and base.lesion.sum() == 30 * 20
    assert base.keep[90:120, 60:70].all() and base.keep.sum() == 30 * 10
    assert np.array_equal(base.pixels, house.store().image(made.id).pixels)
    changed = image.pixels != base.pixels
    assert changed[95:115, 75:85].any() and not changed[base.keep].any() and not changed[:, 128:].any()
    assert any("outside the edit mask at most 0." in text.value for text in page.markdown)
    assert image.request.edit.base_mark == "SYNTHETIC"


def test_an_edit_that_ends_while_the_page_is_written_is_in_the_trail(
    edit: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    edit("")
    show = outcome.show

    def slow(here: trail.Place) -> None:
        while any(house.engine().job(job).state in views.LIVE for job in here.jobs):
            time.sleep(0.01)
        show(here)

    monkeypatch.setattr(outcome, "show", slow)
    page = press(uploaded(edit, film(), LESION), "Draw it")
    assert not page.exception and not page.error
    assert "Edit 1" in labels(page)


def test_an_edit_of_a_real_image_is_altered_for_ever(
    edit: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library")))
    real = next(image for image in house.library().images if image.view == "PA")
    page = finish(press(edit(f"real:{real.id}", strokes((RED, 180, 240, 120, 180))), "Draw it"))
    assert not page.exception and not page.error
    image = house.store().image(address(page, "request"))
    assert (image.request.edit and image.request.edit.base_mark, image.request.mark) == ("REAL", "ALTERED")
    assert (image.request.view, image.request.age) == (View.PA, real.age)
    again = bases.load(f"synthetic:{image.id}")
    assert (again.mark, again.origin) == ("ALTERED", f"altered:{image.id}")


def test_what_cannot_be_edited_is_one_sentence(edit: Callable[..., AppTest]) -> None:
    page = edit("nonsense")
    assert [error.value for error in page.error] == ["The base image 'nonsense' is not known; choose one below."]
    digest = house.store().add_picture(film())
    page = edit(f"upload:{digest}:MR")
    assert [error.value for error in page.error] == ["Only X-rays and CT slices are edited here; choose one below."]
    for drawing, sentence in (
        (None, "No lesion is drawn; draw its area on the picture first."),
        (strokes((RED, 0, 512, 0, 512)), "The edit covers 100% of the picture"),
        (strokes((RED, 180, 240, 120, 180), (GREEN, 0, 512, 0, 512)), "No lesion is drawn"),
    ):
        page = press(edit(f"upload:{digest}:DX", drawing), "Draw it")
        assert not page.exception
        assert len(page.error) == 1 and page.error[0].value.startswith(sentence)
    assert all(entry.request.edit is None for entry in house.store().history(10))


def uploaded(
    edit: Callable[..., AppTest], pixels: np.ndarray, drawing: Drawing | None = None, kind: str = "DX"
) -> AppTest:
    """The Edit page with a picture as its base."""
    return edit(f"upload:{house.store().add_picture(pixels)}:{kind}", drawing)


@pytest.mark.parametrize(
    ("data", "modality", "note"),
    [
        (dicom_bytes(axial_slice(128)), Modality.CT, "Enlarged, no finer than it was: 128 x 128 px to 256 x 256 px."),
        (
            dicom_bytes(film(300).astype(np.uint16) * 16, PhotometricInterpretation="MONOCHROME1"),
            Modality.DX,
            "Fitted: 300 x 300 px to 256 x 256 px.",
        ),
        (png(Image.fromarray(film(256))), Modality.DX, ""),
        (png(Image.effect_noise((64, 48), 60).convert("RGB")), Modality.DX, "Enlarged, no finer than it was: 64 x 48"),
        (png(Image.fromarray(film(4000)[:3000])), Modality.DX, "Fitted: 4000 x 3000 px to 256 x 192 px."),
    ],
    ids=["CT", "MONOCHROME1 16 bit", "as it is", "64 px, grey in RGB", "4000 px"],
)
def test_an_upload_is_fitted_to_the_size_of_the_model_and_says_so(
    edit: Callable[..., AppTest], data: bytes, modality: Modality, note: str
) -> None:
    edit("")
    address = bases.keep(data, "x", modality)
    picture = bases.load(address)
    assert (picture.pixels.shape, picture.pixels.dtype) == ((256, 256), np.uint8)
    assert (picture.request.modality, picture.mark) == (modality, "ALTERED")
    assert picture.note.startswith(note) and bool(picture.note) == bool(note)
    page = edit(address)
    assert not page.exception and not page.error
    assert not note or any(caption.value.startswith(note) for caption in page.caption)


def test_low_values_of_a_monochrome1_file_are_bright(edit: Callable[..., AppTest]) -> None:
    edit("")
    pixels = film(256)
    negative = dicom_bytes(65535 - pixels.astype(np.uint16) * 257, PhotometricInterpretation="MONOCHROME1")
    picture = bases.load(bases.keep(negative, "x.dcm", Modality.DX))
    assert np.corrcoef(picture.pixels.ravel(), pixels.ravel())[0, 1] > 0.999  # lowest to highest, as without a window


@pytest.mark.parametrize(
    ("data", "modality", "sentence"),
    [
        (png(cat()), Modality.DX, "x is a colour picture (100% of it); a grey radiograph or slice is needed."),
        (dicom_bytes(np.asarray(cat())), Modality.DX, "x is a colour picture"),
        (png(Image.new("L", (200, 20))), Modality.DX, "x has 200 x 20 pixels; at least 32 a side are needed."),
        (dicom_bytes(axial_slice(64)), Modality.DX, "x is a CT slice by its header, not an X-ray; choose that above."),
        (dicom_bytes(film(64)), Modality.CT, "x is an X-ray by its header, not a CT slice; choose that above."),
        (dicom_bytes(film(64), Modality="MR"), Modality.DX, "x is an MRI image by its header; X-rays and CT slices"),
        (b"meow", Modality.DX, "x is neither a DICOM file"),
    ],
    ids=["cat", "colour DICOM", "a strip", "CT as X-ray", "X-ray as CT", "MRI", "no picture"],
)
def test_a_file_that_is_no_base_image_is_one_sentence(
    edit: Callable[..., AppTest], data: bytes, modality: Modality, sentence: str
) -> None:
    edit("")
    with pytest.raises(DicomError) as caught:
        bases.keep(data, "x", modality)
    assert str(caught.value).startswith(sentence)


def test_a_header_that_says_nothing_of_the_acquisition_is_believed_to_be_what_was_chosen(
    edit: Callable[..., AppTest],
) -> None:
    edit("")
    for said in ("OT", "CR"):
        assert bases.keep(dicom_bytes(film(64), Modality=said), "x", Modality.DX).startswith("upload:")
    with pytest.raises(RequestError, match="is not known"):
        bases.load("upload")


def test_only_a_ct_in_hu_stays_one_when_it_is_edited(
    edit: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library")))
    edit("")
    slice_ = next(image for image in house.library().images if image.modality == "CT")
    picture = io.BytesIO()
    Image.fromarray(film()).save(picture, "PNG")
    kept = bases.keep(dicom_bytes(axial_slice(128)), "ct.dcm", Modality.CT)
    unsaid = bases.keep(picture.getvalue(), "ct.png", Modality.CT)
    assert kept.endswith(":CT:HU") and unsaid.endswith(":CT")
    assert bases.load(kept).request.lung_window and bases.load(f"real:{slice_.id}").request.lung_window
    assert not bases.load(unsaid).request.lung_window
    page = press(edit(unsaid, strokes((RED, 180, 240, 200, 260))), "Draw it")
    page = finish(page)
    image = house.store().image(address(page, "request"))
    assert not image.request.lung_window
    assert not bases.load(f"synthetic:{image.id}").request.lung_window  # nor an edit of the edit


def test_a_mask_over_the_bars_of_a_wide_film_is_outside_the_body(edit: Callable[..., AppTest]) -> None:
    edit("")
    address = bases.keep(png(Image.fromarray(film(400)[100:300])), "wide.png", Modality.DX)
    page = press(edit(address, strokes((RED, 10, 90, 200, 300))), "Draw it")
    assert [error.value for error in page.error] == [
        "Only 0% of the lesion lies on the patient; draw it inside the body."
    ]


def test_a_keep_mask_over_the_whole_lesion_is_one_sentence(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = press(uploaded(edit, film(), strokes((RED, 180, 240, 120, 180), (GREEN, 170, 250, 110, 190))), "Draw it")
    assert [error.value for error in page.error] == ["No lesion is drawn; draw its area on the picture first."]


LESION = strokes((RED, 180, 240, 120, 180))


def test_edits_can_be_undone_and_done_again_also_after_a_reload(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = finish(press(uploaded(edit, film(), LESION), "Draw it"))
    first, root = address(page, "request"), address(page, "base")
    page = press(page, "Go on with this image")
    assert address(page, "base") == f"synthetic:{first}"
    page = finish(press(page, "Draw it"))
    second = address(page, "request")
    assert [label for label in labels(page) if label.startswith(("Base", "Edit"))] == ["Base", "Edit 1", "Edit 2"]
    page = press(page, "Undo edit")
    assert (address(page, "base"), address(page, "request"), address(page, "tip")) == (root, first, second)
    page = press(page, "Undo edit")
    assert address(page, "base") == root and "request" not in page.query_params
    reloaded = edit(root)
    reloaded.query_params["tip"] = second
    reloaded.run()
    assert not reloaded.exception and not reloaded.error
    reloaded = press(press(reloaded, "Redo edit"), "Redo edit")
    assert (address(reloaded, "base"), address(reloaded, "request")) == (f"synthetic:{first}", second)
    assert button(reloaded, "Redo edit").disabled and button(reloaded, "Edit 2").disabled
    assert address(press(reloaded, "Base"), "base") == root
    assert house.store().image(second).request.mark == "ALTERED"


def test_the_trail_begins_at_a_restored_picture(edit: Callable[..., AppTest]) -> None:
    edit("")
    half = film(128)
    order = Edit("restore", house.store().add_picture(half), "upload:a", restoration=Restoration("enlarge_2"))
    asked = GenerationRequest(model_id="tiny", steps=2, sampler="euler", view=None, edit=order)
    restored = house.engine().submit(asked, "local").id
    while not house.engine().job(restored).image_id:
        time.sleep(0.05)
    page = finish(press(edit(f"synthetic:{restored}", LESION), "Draw it"))
    assert not page.exception and not page.error
    assert [label for label in labels(page) if label.startswith(("Base", "Edit"))] == ["Base", "Edit 1"]
    page = press(page, "Undo edit")
    assert not page.exception and not page.error
    assert house.store().image(restored).request.mark == "ALTERED"


def test_a_course_draws_growing_stages_from_one_base_and_one_noise(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = uploaded(edit, film(), LESION)
    page.selectbox(key="course").select("days").run()
    page.slider(key="stages").set_value(4).run()
    page = finish(press(page, "Draw it"))
    assert not page.exception and not page.error
    jobs = address(page, "request").split(",")
    images = [house.store().image(job) for job in jobs]
    assert [image.request.edit.stage for image in images if image.request.edit] == ["day 0", "day 3", "day 7", "day 14"]
    assert len({(image.request.seed, image.request.edit.base) for image in images if image.request.edit}) == 1
    lesions = [house.store().base(image.request).lesion for image in images]  # type: ignore[union-attr]
    assert all((a <= b).all() for a, b in itertools.pairwise(lesions))  # type: ignore[operator]
    assert next(lesion.sum() for lesion in lesions) == 30 * 30  # type: ignore[union-attr]
    assert any("Imagination: not a prediction" in text.value for text in page.markdown)
    assert "day 3 of an imagined course." in house.departures().png(images[1], "ada").decode("latin-1")
    page.segmented_control(key=f"stage-{jobs[0]}").select(jobs[1]).run()
    assert not page.exception and not page.error
    again = press(press(page, "Undo edit"), "Redo edit")
    assert address(again, "request").split(",") == jobs


def test_a_course_of_severity_says_it_in_words(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = uploaded(edit, film(), LESION)
    page.selectbox(key="course").select("severity").run()
    page = finish(press(page, "Draw it"))
    images = [house.store().image(job) for job in address(page, "request").split(",")]
    assert [image.request.findings[0].severity for image in images] == ["mild", "moderate", "severe"]
    assert edit_form.stage_names("severity", 5) == ("mild 1", "mild 2", "moderate 1", "moderate 2", "severe")


def test_a_course_that_is_cancelled_half_way_keeps_what_is_drawn(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = uploaded(edit, film(), LESION)
    page.selectbox(key="course").select("days").run()
    page = finish(press(page, "Draw it"))
    done = house.store().image(address(page, "request").split(",")[0])
    engine = house.engine()
    jobs = engine.submit_all([replace(done.request, steps=200, seed=seed) for seed in range(3)], "local")
    for job in jobs:
        engine.cancel(job.id)
    page.query_params["request"] = ",".join([done.id, *(job.id for job in jobs)])
    page.run()
    assert not page.exception and not page.error
    assert any(caption.value == "1 of 4 stages were drawn." for caption in page.caption)
    assert "Cancel" not in labels(page) and "Go on with this image" in labels(page)


def test_a_variation_takes_a_prompt(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = uploaded(edit, film())
    page.segmented_control(key="mode").select("variation").run()
    page.text_input(key="edit_prompt").input("severe left pleural effusion, wibble").run()
    assert any("Understood: " in caption.value and "left pleural effusion" in caption.value for caption in page.caption)
    assert any("wibble" in caption.value for caption in page.caption)
    page = finish(press(page, "Draw it"))
    request = house.store().image(address(page, "request")).request
    assert (request.findings[0].code, request.findings[0].side, request.edit and request.edit.mode) == (
        "pleural_effusion",
        "left",
        "variation",
    )


@pytest.mark.parametrize(
    ("kind", "prompt", "sentence"),
    [
        ("CT", "PA chest X-ray, pneumonia", "The prompt asks for an X-ray, but the base image is a CT slice."),
        ("DX", "axial CT, covid", "The prompt asks for a CT slice, but the base image is an X-ray."),
        ("CT", "ground-glass opacities", None),
        ("DX", "Chest X-ray of John Smith, MRN 12345678", "12345678"),
    ],
)
def test_a_prompt_for_another_modality_than_the_base_is_one_sentence(
    edit: Callable[..., AppTest], kind: str, prompt: str, sentence: str | None
) -> None:
    edit("")
    page = uploaded(edit, film(), kind=kind)
    page.segmented_control(key="mode").select("variation").run()
    page.text_input(key="edit_prompt").input(prompt).run()
    assert not page.exception
    said = [error.value for error in page.error]
    assert len(said) == (0 if sentence is None else 1)
    assert sentence is None or sentence in said[0]


def test_what_changed_is_said_of_the_picture_before_its_mark() -> None:
    pixels = film()
    lesion = np.zeros((256, 256), bool)
    lesion[90:120, 60:90] = True
    after = pixels.copy()
    after[lesion] = np.clip(after[lesion].astype(int) + 10, 0, 255)
    change = outcome.change(Base(pixels, lesion), after, Edit("add", "0", "upload:a", "1"), "ALTERED")
    assert change[0].endswith("grey levels on average; outside the edit mask at most 0.")
    covered = int((imaging.mark(after, "ALTERED") != after).sum())
    assert f"ALTERED then changes {covered:,} pixels" in change[1]
    keep = ~lesion
    varied = outcome.change(Base(pixels, None, keep), after, Edit("variation", "0", "upload:a"), "ALTERED")
    assert varied[0].endswith("inside the keep mask at most 0.")


def test_the_mask_is_downloaded_pixel_for_pixel(edit: Callable[..., AppTest]) -> None:
    edit("")
    page = finish(press(uploaded(edit, film(), LESION), "Draw it"))
    image = house.store().image(address(page, "request"))
    base = house.store().base(image.request)
    assert base is not None and base.lesion is not None
    with Image.open(io.BytesIO(downloads.mask_png(image, base.lesion))) as picture:
        assert np.array_equal(np.asarray(picture), 255 * base.lesion)
    assert pydicom.dcmread(io.BytesIO(downloads.presentation(image, base.lesion))).Modality == "PR"


def test_a_film_of_stages_has_a_frame_for_each_and_a_slider_that_names_them() -> None:
    fig = course.animation([("before", film(64)), ("day 0", film(64, 1)), ("day 3", film(64, 2))])
    assert [frame.name for frame in fig.frames] == ["before", "day 0", "day 3"]
    assert [step.label for step in fig.layout.sliders[0].steps] == ["before", "day 0", "day 3"]
    assert [button.label for button in fig.layout.updatemenus[0].buttons] == ["Play", "Stop"]
