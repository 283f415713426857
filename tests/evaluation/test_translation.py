"""The measures and rivals of the translation on pairs whose answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from synth.diffusion.model import Model
from synth.evaluation import regression
from synth.evaluation.translation import (
    Pairs,
    compare,
    histogram_matched,
    measure,
    pairs,
    protocol,
    spect_people,
    table,
)
from synth.training.data import Collection
from synth.types import Modality
from tests.phantoms import film

SOURCES = np.stack([film(256, seed) for seed in range(6)])
CURVE = np.rint(255 * (np.arange(256) / 255) ** 2).astype(np.uint8)
PEOPLE = ("a", "a", "b", "b", "c", "c")


def collection() -> Collection:
    """Three CT-MR people, one of them for the test, one PET-MR and one SPECT-MR volume."""
    kinds = [("CT", "CT-MRI_1"), ("CT", "CT-MRI_2"), ("CT", "CT-MRI_3"), ("PET", "PET-MRI_25"), ("SPECT", "S_1")]
    rows: list[dict[str, Any]] = []
    for number, (other, patient) in enumerate(kinds):
        for modality in (other, "MR"):
            split = "test" if patient == "CT-MRI_3" else "train"
            rows.append({"pair_id": f"p{number}", "modality": modality, "patient": patient, "split": split})
    rows.append({"pair_id": None, "modality": "MR", "patient": "x", "split": "train"})
    return Collection(np.stack([film(256, seed) for seed in range(len(rows))]), rows, {})


def test_pairs_are_told_apart_by_modality_and_split() -> None:
    train = pairs(collection(), "train", Modality.CT, Modality.MR)
    assert (train.people, len(train.sources)) == ({"CT-MRI_1", "CT-MRI_2"}, 2)
    assert np.array_equal(train.sources[0], film(256, 0)) and np.array_equal(train.targets[0], film(256, 1))
    back = pairs(collection(), "train", Modality.MR, Modality.CT)
    assert np.array_equal(back.sources, train.targets)
    assert pairs(collection(), "test", Modality.CT, Modality.MR).people == {"CT-MRI_3"}
    assert len(pairs(collection(), "train", Modality.PET, Modality.MR).sources) == 1  # SPECT is left out
    assert spect_people(collection()) == 1


def test_volumes_of_one_person_count_once() -> None:
    volumes = Pairs(SOURCES[:3], SOURCES[:3], ("PET-MRI_25", "PET-MRI_30", "CT-MRI_1"))
    assert volumes.people == {"PET-MRI", "CT-MRI_1"}
    assert volumes.thinned(2).volumes == ("PET-MRI_25", "CT-MRI_1")


def test_the_measures_of_a_known_error() -> None:
    flat = np.full((2, 64, 64), 100, np.uint8)
    assert measure(flat, flat + np.uint8(10))["mae"] == 10.0
    assert measure(flat, flat + np.uint8(10))["psnr"] == pytest.approx(28.131, abs=1e-3)
    assert measure(SOURCES[:1], SOURCES[:1].copy() ^ 1)["ssim"] > 0.95


def test_a_rising_curve_is_undone_by_the_histogram_match() -> None:
    test = Pairs(CURVE[SOURCES], SOURCES, PEOPLE)
    matched = histogram_matched(test, SOURCES)
    assert measure(matched, SOURCES)["mae"] < 0.5 * measure(test.sources, SOURCES)["mae"]
    assert (matched[test.sources == 0] == 0).all()


@pytest.mark.training
def test_the_regression_learns_and_repeats_itself() -> None:
    networks = [regression.train(SOURCES, 255 - SOURCES, steps=24, seed=1) for _ in range(2)]
    first, again = (regression.predict(network, SOURCES) for network in networks)
    assert np.array_equal(first, again)
    assert measure(first, 255 - SOURCES)["mae"] < 0.7 * measure(SOURCES, 255 - SOURCES)["mae"]


@pytest.mark.training
def test_one_direction_gives_its_figures_a_sheet_and_a_table(tiny_model: Model) -> None:
    train, test = Pairs(SOURCES[:4], 255 - SOURCES[:4], PEOPLE[:4]), Pairs(SOURCES[4:], 255 - SOURCES[4:], PEOPLE[4:])
    figures, sheet = compare(tiny_model, train, test, (Modality.CT, Modality.MR), steps=2)
    assert (figures["train_people"], figures["test_people"], figures["new_people"]) == (2, 1, 1)
    assert set(figures["methods"]) == {"model", "identity", "histogram", "regression"}
    assert sheet.shape == (20, 256, 256)
    lines = table([figures]).splitlines()
    assert len(lines) == 6 and sum(line.count("**") for line in lines) == 6
    assert "every third slice" in protocol()["data"]
