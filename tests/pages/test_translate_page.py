"""The Translate page without a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from synth import results
from synth.translation import METHODS
from synth.types import GenerationRequest, Modality
from synth.ui import house, translator
from tests.library.test_slices import DEEP, GREY
from tests.pages.conftest import address, finish
from tests.phantoms import cat, dicom_bytes, png

Visit = Callable[..., AppTest]
FIGURES = {"psnr": 20.0, "ssim": 0.5, "mae": 10.0}


@pytest.fixture
def translate(app: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Opens the page with a file and what its reader says it is, beside figures of two directions."""
    measured = {"train_slices": 131, "train_people": 7, "test_slices": 35, "test_people": 2, "new_people": 2}
    same = {
        "train_slices": 176,
        "train_people": 1,
        "test_slices": 31,
        "test_people": 1,
        "new_people": 0,
        "spect_people": 8,
    }
    methods = {name: dict(FIGURES) for name in METHODS} | {"regression": FIGURES | {"psnr": 22.0}}
    directions = [
        {"source": "CT", "target": "MR", "methods": methods, **measured},
        {"source": "MR", "target": "PT", "methods": methods, **same},
    ]
    kept = {"model": "tiny", "revision": "1", "protocol": {"measures": "means over slices"}, "directions": directions}
    monkeypatch.setattr(results, "load", {"translation": kept}.__getitem__)

    def visit(data: bytes | None = None, name: str = "x.png", chosen: Modality | None = None) -> AppTest:
        page = app()
        page.switch_page("pages/translate.py")
        page.query_params.clear()
        page.run()
        if chosen is not None:
            page.segmented_control(key="slice_modality").set_value(chosen)
        if data is not None:
            page.file_uploader[0].set_value((name, data, "application/octet-stream"))
        return page.run()

    return visit


def press(page: AppTest) -> AppTest:
    return next(button for button in page.button if button.label == "Translate").click().run()


def words(page: AppTest) -> str:
    return "\n".join(text.value for text in (*page.markdown, *page.caption))


def test_a_slice_goes_through_the_engine_into_the_history(translate: Callable[..., AppTest]) -> None:
    page = translate(png(GREY), chosen=Modality.CT)
    assert not page.exception and not page.error
    page = finish(press(page))
    assert not page.exception and not page.error
    image = house.store().image(address(page, "request"))
    edit = image.request.edit
    assert edit is not None
    assert (edit.mode, edit.source, image.request.modality) == ("translate", "CT", Modality.MR)
    assert (image.request.mark, image.provenance.request_digest) == ("ALTERED", image.request.digest())
    base = house.store().base(image.request)
    assert base is not None and np.array_equal(base.pixels, GREY)
    assert image.id in {entry.id for entry in house.store().history(5)}
    said = words(page)
    assert "Learnt from 131 pairs of 7 people, measured on 35 slices of 2 people not among them." in said
    assert "it does not generalise" in said
    assert "By PSNR the regression U-Net is closest; by SSIM and MAE this model is closest." in said
    assert {button.label for button in page.main.get("download_button")} == {"PNG", "JPEG", "DICOM", "C2PA"}


def test_mri_goes_into_ct_or_pet_and_says_where_one_person_was_measured_again(
    translate: Callable[..., AppTest],
) -> None:
    page = translate(dicom_bytes(DEEP, Modality="MR"), "x.dcm")
    assert not page.exception and not page.error
    page.segmented_control(key="target-MR").set_value(Modality.PET).run()
    page = finish(press(page))
    assert house.store().image(address(page, "request")).request.modality is Modality.PET
    assert (
        "of one person, measured on 31 slices of the same person, cut in another direction; SPECT of 8 people"
        in words(page)
    )


def test_a_direction_that_was_not_measured_says_so(translate: Callable[..., AppTest]) -> None:
    page = finish(press(translate(png(GREY), chosen=Modality.PET)))
    assert "This direction was not measured yet." in words(page)


@pytest.mark.parametrize(
    ("data", "name", "chosen", "sentence"),
    [
        (png(GREY), "x.png", None, "x.png does not say what it is; choose CT, MRI or PET."),
        (dicom_bytes(DEEP, Modality="MR"), "x.dcm", Modality.CT, "x.dcm says that it is MRI, but CT was chosen"),
        (png(cat()), "cat.png", Modality.MR, "cat.png is a colour picture; a grey slice of the brain is needed."),
        (png(GREY[::8, ::8]), "x.png", Modality.MR, "x.png has 32 x 32 pixels; 64 or more a side are needed."),
        (b"nonsense", "x.dcm", Modality.MR, "x.dcm is neither a DICOM file"),
    ],
)
def test_a_bad_file_is_one_sentence_and_nothing_is_drawn(
    translate: Callable[..., AppTest], data: bytes, name: str, chosen: Modality | None, sentence: str
) -> None:
    page = translate(data, name, chosen)
    assert not page.exception
    assert len(page.error) == 1 and page.error[0].value.startswith(sentence)
    assert not [button for button in page.button if button.label == "Translate"]


def test_an_address_of_another_image_is_one_sentence(translate: Callable[..., AppTest]) -> None:
    page = translate()
    job = house.engine().submit(GenerationRequest(model_id="tiny", steps=2), "local")
    page.query_params["request"] = job.id
    page = finish(page.run())
    assert [error.value for error in page.error] == ["This request is no translation; open it on the Generate page."]


def test_a_translation_opens_from_the_history_of_the_generate_page(
    translate: Callable[..., AppTest], app: Visit
) -> None:
    made = address(finish(press(translate(png(GREY), chosen=Modality.CT))), "request")
    page = app(image=made)
    assert not page.exception and not page.error
    assert "Brain MRI slice, translated from another picture (CT slice)." in words(page)


def test_the_shipped_figures_have_every_direction_and_method() -> None:
    result = results.load("translation")
    assert [(one["source"], one["target"]) for one in result["directions"]] == list(translator.translation.TRANSLATIONS)
    for one in result["directions"]:
        assert set(one["methods"]) == set(METHODS)
        assert translator.people_sentence(one).startswith("Learnt from")
    assert {"data", "split", "sampling", "measures"} <= set(result["protocol"])
    assert {"model", "revision", "weights", "commit"} <= set(result)
