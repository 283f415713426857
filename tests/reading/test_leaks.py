"""No leaks: classifiers that see everything but anatomy do not tell blind real films from blind drawn ones."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from synth.config import Settings
from synth.findings import VOCABULARY
from synth.generate import Order, generate_batch
from synth.imaging import to_uint8
from synth.library.folders import METADATA, Library
from synth.models.loader import load
from synth.origins import RealImage
from synth.provenance import remark
from synth.reading.blind import SIDE_PX, blinded
from synth.terms import Modality, Sex, View
from synth.types import Finding, GenerationRequest
from tests.phantoms import film
from tests.reading import leaks
from tests.reading.leaks import Picture

AUC_MAX = 0.6
AUC_RAW = 0.95
ROUNDS = 3  # of making each picture blind anew: one round of 59 films has a standard error of 0.05
BATCH = 8
KEY, BLIND_KEY = b"a key for tests only", b"another key for tests"

Set = tuple[list[Picture], list[Picture], list[str]]  # real, synthetic of the same labels, patients of the real ones


@lru_cache
def reading_set(folder: Path, modality: Modality) -> Set:
    """All real images of a modality, and as many that the shipped model drew of their labels: all with a mark."""
    library = Library(folder)
    images = [image for image in library.images if image.modality == modality]
    with open(folder / METADATA, encoding="utf-8") as lines:
        patient = {row["file"]: row["patient"] for row in csv.DictReader(lines)}
    model = load(Settings.from_env())
    orders = [Order(requested(image, 7000 + k), "test", f"drawn-{k:04}", key=KEY) for k, image in enumerate(images)]
    drawn: list[Picture] = []
    for start in range(0, len(orders), BATCH):
        batch = generate_batch(model, orders[start : start + BATCH], datetime.now(UTC), lambda step: None)
        drawn.extend(image.pixels for image in batch)
    real = [to_uint8(remark.decoy(library.whole(image.id), f"real:{image.id}", BLIND_KEY)) for image in images]
    return real, drawn, [patient[image.path] for image in images]


def requested(image: RealImage, seed: int) -> GenerationRequest:
    return GenerationRequest(
        modality=Modality(image.modality),
        view=View(image.view) if image.view else None,
        sex=Sex(image.sex) if image.sex else None,
        age=image.age,
        findings=tuple(Finding(code) for code in image.findings if code in VOCABULARY),
        seed=seed,
    )


def blind_aucs(real: list[Picture], synthetic: list[Picture], cases: list[str]) -> dict[str, float]:
    """The mean AUC of each classifier over ROUNDS of making the set blind.

    Both pictures of a case get the same seed: a set in which chance gave one kind more grain tells nothing of the way.
    """
    rounds = []
    for k in range(ROUNDS):
        seeds = np.random.default_rng(k).integers(2**32, size=len(cases)).tolist()
        pairs = [[blinded(picture, seeds[j]).pixels for j, picture in enumerate(kind)] for kind in (real, synthetic)]
        rounds.append(leaks.aucs(*pairs, cases))
    return {name: float(np.mean([found[name] for found in rounds])) for name in rounds[0]}


@pytest.mark.slow
def test_blind_films_of_the_library_are_not_told_from_those_of_the_shipped_model(real_library: Path) -> None:
    found = blind_aucs(*reading_set(real_library, Modality.DX))
    assert {name: auc for name, auc in found.items() if auc > AUC_MAX} == {}


@pytest.mark.slow
def test_the_same_classifiers_tell_the_same_films_before_they_are_blind(real_library: Path) -> None:
    """In one size already: the control is not won by the size alone."""
    real, synthetic, cases = reading_set(real_library, Modality.DX)
    square = [leaks.shrunk(picture, SIDE_PX) for picture in real]
    assert min(leaks.aucs(square, synthetic, cases).values()) > AUC_RAW


@pytest.mark.parametrize("trace", ["noise", "grid", "levels", "corner", "letter"])
def test_each_trace_of_its_own_is_told(trace: str) -> None:
    """The features see each kind of leak: the same phantoms with and without it."""
    plain = [film(SIDE_PX, seed) for seed in range(24)]
    marked = [with_trace(film(SIDE_PX, seed), trace, seed) for seed in range(100, 124)]
    assert max(leaks.aucs(plain, marked, [str(k) for k in range(24)]).values()) > 0.9


def with_trace(picture: Picture, trace: str, seed: int) -> Picture:
    rng = np.random.default_rng(seed)
    values = picture.astype(float)
    if trace == "noise":
        values += rng.normal(0, 2, values.shape)
    elif trace == "grid":
        values += np.kron(rng.normal(0, 2, (SIDE_PX // 8, SIDE_PX // 8)), np.ones((8, 8)))
    elif trace == "levels":
        values = values // 4 * 4
    elif trace == "corner":
        values[:12, -12:] = 0
    else:
        values[20:40, 20:24] = 255
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)
