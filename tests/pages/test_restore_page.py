"""The Restore page without a browser: any file, what is told beforehand, before and after, warnings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from synth import results
from synth.governance.roles import LOCAL_USER
from synth.types import GeneratedImage, Modality
from synth.ui import advice, bases, house
from tests.pages.conftest import address, finish
from tests.phantoms import dicom_bytes, film, make_library, png
from tests.validated import NOON

Visit = Callable[..., AppTest]


@pytest.fixture
def restore(app: Visit, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AppTest]:
    """Opens the Restore page of an address, two steps a tile."""
    monkeypatch.setattr(advice, "STEPS", 2)
    monkeypatch.setattr(results, "load", lambda name: {})

    def visit(base: str) -> AppTest:
        page = app()
        page.switch_page("pages/restore.py")
        page.query_params.clear()
        if base:
            page.query_params["base"] = base
        return page.run()

    return visit


def press(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def test_a_noisy_upload_is_restored_and_shown_with_everything_beside_it(restore: Callable[[str], AppTest]) -> None:
    restore("")
    noise = np.random.default_rng(0).normal(0, 20, (150, 190))
    noisy = np.clip(film(190)[:150] + noise, 0, 255).astype(np.uint8)
    page = restore(f"upload:{house.store().add_picture(noisy)}:DX")
    assert not page.exception and not page.error
    told = [caption.value for caption in page.caption]
    assert "1 tile, about 8 s." in told
    page = finish(press(page, "Restore"))
    assert not page.exception and not page.error
    image = house.store().image(address(page, "request"))
    assert image.pixels.shape == (150, 190)
    assert (image.request.mark, image.request.edit and image.request.edit.base_mark) == ("ALTERED", "ALTERED")
    assert any(line.value.startswith("Mean shift ") and line.value.endswith("2.0.") for line in page.markdown)
    assert any("For display only" in caption.value for caption in page.caption)
    assert not page.warning


@pytest.mark.parametrize(
    ("data", "modality", "shape"),
    [
        (dicom_bytes(film(300).astype(np.uint16) * 257), Modality.DX, (300, 300)),
        (dicom_bytes(film(90).astype(np.uint16) * 16, PhotometricInterpretation="MONOCHROME1"), Modality.DX, (90, 90)),
        (png(Image.effect_noise((90, 70), 60).convert("RGB")), Modality.OTHER, (70, 90)),
        (png(Image.fromarray(film(64))), Modality.OTHER, (64, 64)),
    ],
)
def test_any_file_is_taken_at_its_own_size(
    restore: Callable[[str], AppTest], data: bytes, modality: Modality, shape: tuple[int, int]
) -> None:
    restore("")
    picture = bases.whole(bases.keep_any(data, "x.dcm", modality))
    assert (picture.pixels.shape, picture.pixels.dtype, picture.mark) == (shape, np.uint8, "ALTERED")
    assert picture.request.modality == modality
    page = finish(press(restore(picture.address), "Restore"))
    assert not page.exception and not page.error
    assert house.store().image(address(page, "request")).pixels.shape == shape


def test_an_inverted_film_is_bright_where_it_is_dense(restore: Callable[[str], AppTest]) -> None:
    restore("")
    upright, inverted = (film(128).astype(np.uint16) * 16, (255 - film(128)).astype(np.uint16) * 16)
    first = bases.whole(bases.keep_any(dicom_bytes(upright), "a.dcm", Modality.DX)).pixels
    second = bases.whole(
        bases.keep_any(dicom_bytes(inverted, PhotometricInterpretation="MONOCHROME1"), "b.dcm", Modality.DX)
    ).pixels
    assert np.abs(first.astype(int) - second).max() <= 1


def test_a_picture_of_4000_px_is_offered_at_a_smaller_working_size(restore: Callable[[str], AppTest]) -> None:
    restore("")
    huge = np.tile(film(500), (8, 8))
    page = restore(f"upload:{house.store().add_picture(huge)}:DX")
    assert not page.exception and not page.error
    assert page.selectbox(key="size-4000").value == 1536
    assert any(caption.value.startswith("49 tiles, about ") for caption in page.caption)
    page = press(page.selectbox(key="size-4000").set_value(4000).run(), "Restore")
    assert not page.exception
    assert [error.value[:51] for error in page.error] == ["The picture is 4000 x 4000 px, 324 tiles of 256 px;"]


def test_too_small_a_picture_and_no_loss_are_one_sentence(restore: Callable[[str], AppTest]) -> None:
    restore("")
    page = press(restore(f"upload:{house.store().add_picture(film(40))}:OT"), "Restore")
    assert not page.exception
    assert [error.value for error in page.error] == ["The picture is 40 x 40 px; at least 64 px a side are restored."]
    page = restore(f"upload:{house.store().add_picture(film(128))}:DX")
    page = press(page.selectbox(key="damage").set_value("blocks").run(), "Restore")
    assert not page.exception
    assert [error.value[:26] for error in page.error] == ["No lost area was found; dr"]


def test_where_the_baseline_won_the_page_says_so(
    restore: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"group": "DX chest", "kind": "gaussian", "pictures": 3, "better": "non-local means"}
    scores = {"restored": {"psnr": 30.0, "ssim": 0.8}, "baseline": {"psnr": 31.0, "ssim": 0.9}}
    monkeypatch.setattr(results, "load", {"restoration": {"rows": [row | scores]}}.__getitem__)
    page = restore(f"upload:{_kept(restore)}:DX")
    sentence = "On 3 unseen DX chest pictures: Restore 30.0 dB, non-local means 31.0 dB. "
    assert [info.value for info in page.info] == [f"{sentence}Recommended: non-local means, shown beside."]
    assert advice.recommended("gaussian", "US breast")[1].startswith("On 3 unseen pictures of other groups")
    assert advice.recommended("blur", "DX chest")[0]


def _kept(restore: Callable[[str], AppTest]) -> str:
    restore("")
    return house.store().add_picture(film(128))


def test_a_real_picture_of_the_library_is_altered_for_ever(
    restore: Callable[[str], AppTest], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_LIBRARY", str(make_library(tmp_path / "library", 96)))
    real = next(image for image in house.library().images if image.modality == "DX")
    page = finish(press(restore(f"real:{real.id}"), "Restore"))
    assert not page.exception and not page.error
    image = house.store().image(address(page, "request"))
    assert image.pixels.shape == (96, 96)
    assert (image.request.edit and image.request.edit.base_mark, image.request.mark) == ("REAL", "ALTERED")


def test_what_was_withdrawn_is_no_base(
    restore: Callable[[str], AppTest], make_image: Callable[..., GeneratedImage]
) -> None:
    restore("")
    house.store().add_image(replace(make_image("gone", "local"), pixels=film(128)))
    house.store().validation.withdraw("gone", LOCAL_USER, "The heart is drawn twice", NOON)
    page = restore("synthetic:gone")
    assert [error.value for error in page.error] == ["Image gone was withdrawn: The heart is drawn twice."]
    assert "Restore" not in [button.label for button in page.button]
