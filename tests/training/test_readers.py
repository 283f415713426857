"""What the readers learn from, and that they learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synth.training.data import Collection, load
from synth.training.reader_targets import CODES, Targets
from synth.training.readers import Outlined, augmented, train_classifier, train_segmenter
from synth.training.run import Budget


@pytest.fixture(scope="module")
def data(shards: Path) -> Collection:
    return load(shards)


def test_labels_become_targets_with_gaps(data: Collection) -> None:
    targets = Targets.of(data, "train")
    told = {data.rows[i]["id"]: values for i, values in zip(targets.rows, targets.findings, strict=True)}
    effusion, opacity, covid, nodule = (CODES.index(c) for c in CODES)
    normal, ill, wet = told["film-0"], told["film-4"], told["film-8"]
    assert np.isnan(normal[effusion])  # a normal film of another source says nothing on effusion
    assert (normal[opacity], normal[covid], normal[nodule]) == (0, 0, 0)
    assert (ill[opacity], ill[effusion]) == (1, 0)
    assert wet[effusion] == 1 and np.isnan(wet[opacity])


def test_boxes_become_maps_where_there_are_boxes(data: Collection) -> None:
    targets = Targets.of(data, "train")
    row = next(k for k, i in enumerate(targets.rows) if data.rows[i]["id"] == "film-4")
    opacity = targets.maps[row, CODES.index("lung_opacity")]
    assert opacity[9, 11] > 0.9 and opacity[2, 2] == 0  # the box is x 0.6-0.8, y 0.5-0.7
    assert np.isnan(targets.maps[row, CODES.index("nodule")]).all()


def test_pixels_and_areas_move_together_and_gaps_stay_gaps() -> None:
    torch.manual_seed(0)
    area = torch.zeros(4, 2, 64, 64)
    area[:, 0, 20:40, 20:40] = 1.0
    area[:, 1] = float("nan")
    pixels, moved = augmented(0.2 + 0.6 * area[:, :1], area)
    inside = moved[:, :1] > 0.5
    assert float(pixels[inside].mean()) > float(pixels[~inside].mean()) + 0.3
    assert torch.isnan(moved[:, 1]).float().mean() > 0.9


def test_a_segmenter_learns_bright_squares() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(60, 120, (16, 128, 128)).astype(np.uint8)
    areas = np.zeros_like(pixels)
    for picture, area in zip(pixels, areas, strict=True):
        y, x = rng.integers(20, 80, 2)
        picture[y : y + 24, x : x + 24] = 230
        area[y : y + 24, x : x + 24] = 255
    network = train_segmenter(Outlined(pixels, areas), Budget(steps=200), 0, lambda line: None)
    with torch.no_grad():
        found = network(torch.from_numpy(pixels)[:, None].float() / 255)[:, 0].numpy() > 0
    known = areas > 0
    assert 2 * (found & known).sum() / (found.sum() + known.sum()) > 0.8


def test_a_classifier_learns_a_bright_base(data: Collection) -> None:
    targets = Targets.of(data, "train")
    pixels = np.full((12, 128, 128), 90, np.uint8)
    pixels[:6, 96:] = 240
    findings = np.full((12, len(CODES)), np.nan, np.float32)
    findings[:, 0] = [1] * 6 + [0] * 6
    blank = np.full(12, np.nan, np.float32)
    maps = np.full((12, *targets.maps.shape[1:]), np.nan, np.float32)
    made = Targets(np.arange(12), pixels, findings, maps, blank, blank, np.zeros(12, np.int64))
    network = train_classifier(made, Budget(steps=25), 0, lambda line: None)
    with torch.no_grad():
        logits = network(torch.from_numpy(pixels)[:, None].float() / 255).logits[:, 0].numpy()
    assert logits[:6].min() > logits[6:].max()
