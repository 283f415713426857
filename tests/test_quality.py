from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from synth import quality
from synth.models.tiny import TinyModel

LIBRARY = os.environ.get("SYNTH_TEST_LIBRARY")


def phantom(caption: str = "chest x ray, pa view, no finding") -> npt.NDArray[np.uint8]:
    """The mean film of the analytic model with a little quantum noise, (256, 256)."""
    model = TinyModel()
    grey = 0.5 + 0.5 * model.mean(model.encode_text([caption], 256))[0, 0].numpy()
    noise = np.random.default_rng(0).normal(0.0, 0.01, grey.shape)
    return (np.clip(grey + noise, 0.0, 1.0) * 255).astype(np.uint8)


def failed(pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> list[str]:
    return [check.name for check in quality.check(pixels).checks if not check.passed]


@pytest.mark.parametrize("caption", ["chest x ray, no finding", "chest x ray, pleural effusion", "chest ct, nodule"])
def test_a_phantom_passes_every_check(caption: str) -> None:
    report = quality.check(phantom(caption))
    assert report.passed, report
    names = [check.name for check in report.checks]
    assert names == ["grey range", "contrast", "black pixels", "white pixels", "smoothness", "grid"]


def test_a_blank_image_fails() -> None:
    assert failed(np.full((256, 256), 90, np.uint8)) == ["grey range", "contrast", "smoothness"]
    assert failed(np.zeros((256, 256), np.uint8)) == ["grey range", "contrast", "black pixels", "smoothness"]


def test_an_image_without_contrast_fails() -> None:
    assert failed((phantom() // 10 + 100).astype(np.uint8)) == ["grey range", "contrast"]


def test_pure_noise_fails_on_smoothness() -> None:
    noise = np.random.default_rng(0).normal(128.0, 40.0, (256, 256)).clip(1, 254).astype(np.uint8)
    assert failed(noise) == ["smoothness"]


def test_burnt_out_and_drowned_images_fail() -> None:
    film = phantom().astype(np.int16)
    assert "white pixels" in failed(np.clip(film * 2, 0, 255).astype(np.uint8))
    assert "black pixels" in failed(np.clip(film - 180, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("period", [8, 4, 2])
def test_a_grid_of_two_grey_levels_is_found(period: int) -> None:
    film = phantom().clip(2, 253)
    rows, columns = np.mgrid[:256, :256]
    on_grid = (rows % period == 0) | (columns % period == 0) if period > 2 else (rows + columns) % 2 == 0
    gridded = np.where(on_grid, film + 2, film - 2).astype(np.uint8)
    assert failed(film) == []
    assert failed(gridded) == ["grid"]


def test_the_grid_measure_does_not_depend_on_the_brightness() -> None:
    grey = phantom() / 255.0
    assert quality.grid_peak(grey) == pytest.approx(quality.grid_peak(0.5 * grey + 0.2), rel=1e-9)


def test_sixteen_bits_are_judged_like_eight() -> None:
    film = phantom()
    eight, sixteen = quality.check(film), quality.check(film.astype(np.uint16) * 257)
    for a, b in zip(eight.checks, sixteen.checks, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-9)


@pytest.mark.parametrize("shape", [(32, 256), (256, 32), (3, 256, 256)])
def test_images_that_cannot_be_judged_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="cannot be judged"):
        quality.check(np.zeros(shape, np.uint8))


@pytest.mark.skipif(LIBRARY is None, reason="SYNTH_TEST_LIBRARY names no folder of real images")
def test_real_chest_films_pass() -> None:
    folder = Path(str(LIBRARY))
    with (folder / "metadata.csv").open(newline="") as file:
        films = [row["file"] for row in csv.DictReader(file) if row["modality"] == "DX" and row["body_part"] == "CHEST"]
    assert films
    failures = {}
    for film in films:
        with Image.open(folder / film) as image:
            pixels = np.asarray(image.convert("L").resize((256, 256), Image.Resampling.LANCZOS))
        if names := failed(pixels):
            failures[film] = names
    assert failures == {}


def test_the_error_of_the_codec_is_a_mean_in_grey_levels() -> None:
    pixels = phantom()
    check = quality.codec_error((pixels.astype(int) // 2 * 2).astype(np.uint8), pixels)
    assert (check.name, check.value, check.passed) == ("codec error", (pixels % 2).mean(), True)
    assert not quality.codec_error(255 - pixels, pixels).passed
