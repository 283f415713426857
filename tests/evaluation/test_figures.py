"""The measures of the evaluation on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from synth.diffusion.model import Model
from synth.evaluation.codec import grid_peak, power, psnr, thumbnail
from synth.evaluation.control import heart_left
from synth.evaluation.copies import neighbours
from synth.evaluation.drawing import SHEET_PROMPTS, draw, requests_of
from synth.types import Modality
from tests.phantoms import film


def test_psnr_of_a_known_error() -> None:
    flat = torch.full((2, 1, 8, 8), 0.5)
    assert psnr(flat + 0.1, flat).tolist() == pytest.approx([20.0, 20.0], abs=1e-4)


def test_a_thumbnail_keeps_what_is_smooth_and_loses_what_is_fine() -> None:
    x = torch.arange(256) / 256
    coarse = (0.5 + 0.4 * torch.cos(2 * torch.pi * 4 * x)).expand(1, 1, 256, 256)
    fine = (0.5 + 0.4 * torch.cos(2 * torch.pi * 60 * x)).expand(1, 1, 256, 256)
    assert psnr(thumbnail(coarse), coarse).item() > 35
    assert psnr(thumbnail(fine), fine).item() < 13


def test_a_grid_of_eight_pixels_shows_as_a_peak_at_its_period() -> None:
    noise = torch.rand(4, 1, 256, 256, generator=torch.Generator().manual_seed(0))
    grid = noise + 0.2 * (torch.arange(256) % 8 == 0)
    assert grid_peak(power(grid), 8) > 5 * grid_peak(power(noise), 8)
    assert grid_peak(power(noise), 4) < 3


def test_a_copy_is_found_and_a_new_picture_is_not() -> None:
    rng = np.random.default_rng(0)
    pictures = np.kron(rng.integers(0, 256, (19, 8, 8)), np.ones((16, 16))).astype(np.uint8)  # 19 unlike pictures
    train, unseen, new = pictures[:12], pictures[12:18], pictures[18]
    copy = np.clip(train[7].astype(int) + rng.integers(-20, 21, (128, 128)), 0, 255).astype(np.uint8)
    found = neighbours(np.stack((copy, new)), train, unseen)
    assert found.nearest[0] == 7
    assert found.to_train[0] > 0.963 > 0.8 > found.to_train[1]
    assert found.to_validation[0] < 0.8
    assert "1 above 0.963" in found.sentence()


def test_the_heart_is_told_from_its_mirror_image() -> None:
    films = np.stack([film(256, seed) for seed in range(5)]).astype(np.float64)
    assert heart_left(films) == 1.0
    assert heart_left(films[:, :, ::-1]) == 0.0


def test_every_prompt_of_the_sheet_is_drawn_with_every_seed(tiny_model: Model) -> None:
    requests = requests_of(SHEET_PROMPTS, (0, 1), "tiny")
    assert len(requests) == 32
    assert sum(request.modality is Modality.CT for request in requests) == 8
    assert [bool(r.findings) for r in requests[::2]] == ["normal" not in text for text in SHEET_PROMPTS]
    pictures = draw(tiny_model, requests[:4])
    assert pictures.shape == (4, 256, 256)
    assert not np.array_equal(pictures[0], pictures[1])
