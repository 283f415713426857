"""The Edit page without a browser: what is drawn comes from a value that stands for the canvas."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from synth.errors import RequestError
from synth.types import GenerationRequest, Modality, View
from synth.ui import bases, canvas, resources
from tests.pages.conftest import address, finish
from tests.phantoms import axial_slice, dicom_bytes, film, make_library

Visit = Callable[..., AppTest]
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def strokes(*rectangles: tuple[tuple[int, int, int], int, int, int, int]) -> np.ndarray:
    """A drawing (512, 512, 4) of filled rectangles (ink, top, bottom, left, right) at 55 %, one over the other."""
    drawing = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
    for ink, top, bottom, left, right in rectangles:
        layer = Image.new("RGBA", (512, 512), (0, 0, 0, 0))
        layer.paste((*ink, 140), (left, top, right, bottom))
        drawing = Image.alpha_composite(drawing, layer)
    return np.asarray(drawing)


@pytest.fixture
def edit(app: Visit, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the Edit page of an address with a drawing on its canvas."""

    def visit(base: str, drawing: np.ndarray | None = None) -> AppTest:
        monkeypatch.setattr(canvas, "_drawing", lambda **_: drawing)
        page = app()
        page.switch_page("pages/edit.py")
        page.query_params.clear()
        page.query_params["base"] = base
        return page.run()

    return visit


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_strokes_become_areas_and_the_last_ink_wins() -> None:
    lesion, keep = canvas.areas(strokes((RED, 100, 200, 100, 200), (GREEN, 150, 250, 100, 200)), 256)
    assert (lesion.sum(), keep.sum()) == (25 * 50, 50 * 50)
    twice = strokes(*[(RED, 100, 200, 100, 200)] * 3, (BLUE, 100, 150, 100, 200))
    lesion, keep = canvas.areas(twice, 256)
    assert (lesion.sum(), keep.sum()) == (25 * 50, 0)
    assert lesion[75:100, 50:100].all()
    assert not any(area.any() for area in canvas.areas(None, 256))


def test_a_lesion_on_a_made_image_is_drawn_and_stored_with_its_masks(edit: Callable[..., AppTest]) -> None:
    first = edit("", None)
    resources.engine().submit(GenerationRequest(model_id="tiny", steps=3), "local")
    while not resources.store().count_images():
        first.run()
    (made,) = resources.store().history(1)
    page = edit(f"synthetic:{made.id}", strokes((RED, 180, 240, 120, 180), (GREEN, 180, 240, 120, 140)))
    assert not page.exception and not page.error
    page = finish(press(page, "Draw it"))
    assert not page.exception and not page.error
    image = resources.store().image(address(page, "request"))
    assert image.request.edit is not None and image.request.mark == "SYNTHETIC"
    base = resources.store().base(image.request)
    assert base is not None and base.lesion is not None and base.keep is not None
    assert base.lesion[90:120, 70:90].all() and base.lesion.sum() == 30 * 20
    assert base.keep[90:120, 60:70].all() and base.keep.sum() == 30 * 10
    assert np.array_equal(base.pixels, resources.store().image(made.id).pixels)
    changed = image.pixels != base.pixels
    assert changed[95:115, 75:85].any() and not changed[base.keep].any() and not changed[:, 128:].any()
    assert any("outside the edit mask at most 0." in text.value for text in page.markdown)
    assert image.request.edit.base_mark == "SYNTHETIC"


def test_an_edit_of_a_real_image_is_altered_for_ever(
    edit: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library")))
    real = next(image for image in resources.library().images if image.view == "PA")
    page = finish(press(edit(f"real:{real.id}", strokes((RED, 180, 240, 120, 180))), "Draw it"))
    assert not page.exception and not page.error
    image = resources.store().image(address(page, "request"))
    assert (image.request.edit and image.request.edit.base_mark, image.request.mark) == ("REAL", "ALTERED")
    assert (image.request.view, image.request.age) == (View.PA, real.age)
    again = bases.load(f"synthetic:{image.id}")
    assert (again.mark, again.origin) == ("ALTERED", f"altered:{image.id}")


def test_what_cannot_be_edited_is_one_sentence(edit: Callable[..., AppTest]) -> None:
    page = edit("nonsense")
    assert [error.value for error in page.error] == ["The base image 'nonsense' is not known; choose one below."]
    digest = resources.store().add_picture(film())
    for drawing, sentence in (
        (None, "No lesion is drawn; draw its area on the picture first."),
        (strokes((RED, 0, 512, 0, 512)), "The edit covers 100% of the picture"),
        (strokes((RED, 180, 240, 120, 180), (GREEN, 0, 512, 0, 512)), "No lesion is drawn"),
    ):
        page = press(edit(f"upload:{digest}:DX", drawing), "Draw it")
        assert not page.exception
        assert len(page.error) == 1 and page.error[0].value.startswith(sentence)
    assert all(entry.request.edit is None for entry in resources.store().history(10))


@pytest.mark.parametrize(
    ("data", "modality", "shape"),
    [
        (dicom_bytes(axial_slice(128)), Modality.CT, (128, 128)),
        (dicom_bytes(film(300).astype(np.uint16) * 16, PhotometricInterpretation="MONOCHROME1"), Modality.DX, None),
    ],
)
def test_an_upload_is_fitted_to_the_size_of_the_model(
    edit: Callable[..., AppTest], data: bytes, modality: Modality, shape: tuple[int, int] | None
) -> None:
    edit("")
    picture = bases.load(bases.keep(data, "x.dcm", modality))
    assert picture.pixels.shape == (256, 256)
    assert picture.pixels.dtype == np.uint8
    assert picture.request.modality == modality
    assert picture.mark == "ALTERED"


def test_a_photograph_and_a_small_picture_are_taken_as_grey_and_enlarged(edit: Callable[..., AppTest]) -> None:
    edit("")
    file = io.BytesIO()
    Image.effect_noise((64, 48), 60).convert("RGB").save(file, "PNG")
    picture = bases.load(bases.keep(file.getvalue(), "cat.png", Modality.DX))
    assert picture.pixels.shape == (256, 256)
    with pytest.raises(RequestError, match="is not known"):
        bases.load("upload")


def test_only_a_ct_in_hu_stays_one_when_it_is_edited(
    edit: Callable[..., AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library")))
    edit("")
    slice_ = next(image for image in resources.library().images if image.modality == "CT")
    picture = io.BytesIO()
    Image.fromarray(film()).save(picture, "PNG")
    kept = bases.keep(dicom_bytes(axial_slice(128)), "ct.dcm", Modality.CT)
    unsaid = bases.keep(picture.getvalue(), "ct.png", Modality.CT)
    assert kept.endswith(":CT:HU") and unsaid.endswith(":CT")
    assert bases.load(kept).request.lung_window and bases.load(f"real:{slice_.id}").request.lung_window
    assert not bases.load(unsaid).request.lung_window
    page = press(edit(unsaid, strokes((RED, 180, 240, 200, 260))), "Draw it")
    page = finish(page)
    image = resources.store().image(address(page, "request"))
    assert not image.request.lung_window
    assert not bases.load(f"synthetic:{image.id}").request.lung_window  # nor an edit of the edit
