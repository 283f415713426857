"""The measures of control on pictures whose answer is known; an edit by untrained weights must not pass."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.config import Settings
from synth.evaluation import alignment, reading
from synth.evaluation.drawn import Normal, draw_all, random_area
from synth.imaging import LUNG_CENTER_HU, LUNG_WIDTH_HU, fit_square, window_level
from synth.library.folders import Library
from synth.models.loader import load
from synth.models.networks.denoiser import Denoiser
from synth.models.readers import FOLDER, Readers, load_readers
from synth.models.shipped import Constants, ShippedModel
from synth.training.lesion_chest import ct_lungs
from synth.types import Modality
from tests.phantoms import axial_slice


def test_auroc_counts_the_pairs_in_the_right_order() -> None:
    figure = reading.auroc(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
    assert figure.value == pytest.approx(0.875)  # three of four pairs, and one tie
    assert (figure.positives, figure.negatives) == (2, 2)
    assert figure.low <= 0.875 <= figure.high


def test_dice_of_two_squares_that_half_overlap() -> None:
    known, found = np.zeros((2, 8, 8), bool), np.zeros((2, 8, 8), bool)
    known[0, :4, :4] = True
    found[0, :4, 2:6] = True
    assert reading.overlap(found, known) == reading.Overlap(0.5, 1.0, 1)  # the empty picture is not counted


def test_a_map_that_peaks_inside_the_area_hits() -> None:
    areas = np.zeros((2, 256, 256), bool)
    areas[:, 32:64, 48:96] = True
    maps = np.zeros((2, 16, 16))
    maps[0, 2:4, 3:6] = 5.0
    maps[1, 12, 12] = 5.0
    found = reading.pointing(maps, areas)
    assert found == reading.Pointing(0.5, 6 / 256, 0.5, 2)


@pytest.mark.parametrize("code", ["nodule", "consolidation", "pleural_effusion"])
def test_random_areas_lie_in_the_lungs_and_differ(code: str) -> None:
    lungs = phantom().lungs
    rng = np.random.default_rng(0)
    areas = [random_area(lungs, code, rng) for _ in range(6)]
    assert all((area & lungs).sum() > 0.7 * area.sum() > 10 for area in areas)
    assert len({area.tobytes() for area in areas}) == 6


def test_goals_name_what_is_missed() -> None:
    good = {
        "real": {"pointing": {"lung_opacity": {"hit_rate": 0.9}}},
        "typed": {"effusion": {"value": 0.9}},
        "films": {"consolidation": {"hit_rate": 0.8, "leaked": 0}, "nodule": {"hit_rate": 0.75, "leaked": 0}},
        "slices": {"nodule": {"dice": 0.6, "leaked": 0}},
        "effusion_drawn": {"leaked": 0},
    }
    assert alignment.failures(good) == []
    faint = good | {"films": {"nodule": {"hit_rate": 0.1, "leaked": 0}}}
    assert alignment.failures(faint) == ["nodule drawn on films: hit rate 0.10 is below 0.7."]
    blind = faint | {"real": {"pointing": {"lung_opacity": {"hit_rate": 0.3}}}}
    assert alignment.failures(blind) == []  # a reader that misses the real ones judges nobody
    bad = good | {"typed": {"effusion": {"value": 0.8}}, "slices": {"nodule": {"dice": 0.4, "leaked": 2}}}
    assert alignment.failures(bad) == [
        "effusion: AUROC 0.80 is below 0.85.",
        "nodule drawn on CT: Dice 0.40 is below 0.5.",
        "nodule: 2 grey levels leaked.",
    ]


def test_an_edit_by_untrained_weights_fails_the_goal_that_the_shipped_ones_reach(real_library: Path) -> None:
    """The lesion comes from the network: with its weights drawn at random nothing of it is found in the mask."""
    settings = Settings.from_env()
    model = load(settings)
    assert isinstance(model, ShippedModel)
    readers = load_readers(settings.models / FOLDER, model.device)
    torch.manual_seed(0)
    networks = replace(model.networks, denoiser=Denoiser(model.networks.denoiser.config))
    constants = Constants(tuple(model._mean.flatten().tolist()), tuple(model._std.flatten().tolist()))
    untrained = ShippedModel(model.card, networks, constants, model.atlas, model.device)
    slices = real_slices(real_library, readers)
    shipped, noise = (alignment.facts(draw_all(m, slices, "consolidation", 8)) for m in (model, untrained))
    assert shipped["leaked"] == noise["leaked"] == 0
    assert shipped["brightened"] > alignment.GOALS["brightened"] > noise["brightened"]


def real_slices(folder: Path, readers: Readers) -> list[Normal]:
    """Chest slices of the library whose lungs the segmenter of real lesions calls clear."""
    library, slices = Library(folder), []
    for image in (image for image in library.images if image.modality == "CT"):
        grey = np.asarray(fit_square(library.pixels(image.id, 256), 256))
        lungs = ct_lungs(grey / np.float32(255))
        lesion = readers.outline("opacity-ct", reading.as_planes(grey[None]))[0, 0].numpy() > 0.5
        if lungs.mean() > 0.08 and not (lesion & lungs).sum() > 0.02 * lungs.sum():
            slices.append(Normal(grey, lungs, Modality.CT))
    return slices


def phantom() -> Normal:
    grey = window_level(axial_slice(256), LUNG_CENTER_HU, LUNG_WIDTH_HU)
    return Normal(grey, ct_lungs(grey / np.float32(255)), Modality.CT)
