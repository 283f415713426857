"""A small reading room: phantoms stand for synthetic images of the store and for real ones of a library."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from synth import quality
from synth.library.folders import Library
from synth.reading.cases import CaseSet, Entry, Recipe, Standing
from synth.store import Store
from synth.types import Edit, Finding, GeneratedImage, GenerationRequest, Provenance, Severity, Side, Zone
from tests.phantoms import film, make_library

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
SQUARE = ((0.3, 0.3), (0.4, 0.3), (0.4, 0.4), (0.3, 0.4))


def image(store: Store, request: GenerationRequest, phantom: int, bright: bool = False) -> str:
    """Keep a phantom as what a request has made; `bright` has the square of a lesion in it. Returns its id."""
    pixels = film(256, phantom)
    if bright:
        pixels[77:103, 77:103] = np.maximum(pixels[77:103, 77:103], 200)
    made = Provenance(
        request.digest(), "tiny", "1", "0" * 64, request.sampler, request.seed, "cpu", "float32", {}, NOW, "ada", 0.1
    )
    name = uuid.uuid4().hex
    store.add_image(GeneratedImage(name, pixels, request, made, quality.check(pixels)))
    return name


def drawn(store: Store, base: str, request: GenerationRequest, finding: Finding, phantom: int) -> Entry:
    """An approved entry with a lesion in the square."""
    recipe = Recipe(request, SQUARE, finding, phantom)
    edit = Edit("add", "0" * 64, f"synthetic:{base}", "1" * 64)
    lesion = image(store, replace(request, findings=(finding,), edit=edit), phantom, bright=True)
    history = "Cough for a week."
    return Entry(uuid.uuid4().hex, recipe, "", Standing.APPROVED, lesion, base, history, "Compare both lungs.")


def furnish(store: Store, normals: int = 6, series: bool = True, set_id: str = "starter") -> CaseSet:
    """Normals, effusions by text, nodules drawn into normals, and perhaps one in three severities; all approved."""
    entries = []
    for number in range(normals):
        request = GenerationRequest(model_id="tiny", seed=number)
        name = image(store, request, number)
        entries.append(Entry(uuid.uuid4().hex, Recipe(request), "", Standing.APPROVED, name))
        request = replace(request, seed=100 + number, findings=(Finding("pleural_effusion", Side.LEFT),))
        name = image(store, request, 100 + number)
        entries.append(Entry(uuid.uuid4().hex, Recipe(request), "", Standing.APPROVED, name))
    for number in range(3):
        request = GenerationRequest(model_id="tiny", seed=200 + number)
        base = image(store, request, 200 + number)
        entries.append(drawn(store, base, request, Finding("nodule", Side.RIGHT, Zone.UPPER), 200 + number))
    if series:
        request = GenerationRequest(model_id="tiny", seed=300)
        base = image(store, request, 300)
        entries += [drawn(store, base, request, Finding("mass", severity=severity), 300) for severity in Severity]
    made = CaseSet(set_id, f"CODE{len(set_id)}", "Starter set", "synthread", tuple(entries), open=True)
    store.casebook.add_set(made)
    return made


def library(folder: Path) -> Library:
    """Ten drawn films with labels and two slices."""
    return Library(make_library(folder / "library"))
