"""The Edit page without a browser: what is drawn comes from a value that stands for the canvas."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from synth.errors import RequestError
from synth.types import GenerationRequest, Modality, View
from synth.ui import bases, canvas, resources
from tests.pages.conftest import address, finish
from tests.test_strokes import GREEN, RED, polygon
from tests.phantoms import axial_slice, dicom_bytes, film, make_library

Visit = Callable[..., AppTest]


Drawing = dict[str, list[dict[str, Any]]]


def strokes(*rectangles: tuple[tuple[int, int, int], int, int, int, int]) -> Drawing:
    """A drawing of closed polygons (ink, top, bottom, left, right), one over the other."""
    return {
        "objects": [
            polygon(ink, (left, top), (right, top), (right, bottom), (left, bottom))
            for ink, top, bottom, left, right in rectangles
        ]
    }


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


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


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
