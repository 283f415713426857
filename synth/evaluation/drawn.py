"""Lesions drawn into unseen normal pictures by random masks, as the Edit page does it, for every measure of control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from synth import masks
from synth.close_up import closer
from synth.diffusion.model import Model
from synth.generate import Order, generate
from synth.terms import EDIT_GUIDANCE
from synth.training.data import Collection
from synth.training.labels import labels_of
from synth.training.lesion_chest import ct_lungs, lung_sides
from synth.types import MARGIN_PX, Base, Edit, Finding, GenerationRequest, Modality, Severity, View

# Long axis of the random ellipses, px of 256: small findings are drawn small.
AXES_PX = {"nodule": (5, 12), "mass": (12, 24), "cavity": (12, 24)}
OTHER_AXES_PX = (18, 45)
WOBBLE = 0.06  # of the radius: how far each of three waves moves a drawn border
_TRIES, _INSIDE = 50, 0.8  # places that are tried for an area of which this share lies in the lungs

Area = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """An unseen normal picture (256, 256) uint8 with its lungs (256, 256) bool."""

    pixels: npt.NDArray[np.uint8]
    lungs: Area
    modality: Modality


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Pictures before and after (N, 256, 256) uint8, the lesion areas asked for, and the most that changed outside."""

    before: npt.NDArray[np.uint8]
    after: npt.NDArray[np.uint8]
    areas: Area
    leaked: int  # grey levels outside the edit mask; 0 is promised


def normals(data: Collection, splits: Sequence[str], modality: Modality) -> list[Normal]:
    """Normal films with a lung mask, or chest slices without COVID-19, of patients that no training has seen."""
    chosen = []
    for index in (i for split in splits for i in data.where(split=split, modality=str(modality), body_part="CHEST")):
        labels = labels_of(data.rows[index])
        if labels.findings != () or labels.extra:
            continue
        pixels = data.pixels[index]
        lungs = data.masks.get(int(index)) if modality == Modality.DX else ct_lungs(pixels.astype(np.float32) / 255)
        if lungs is not None and lungs.mean() > 0.08:
            chosen.append(Normal(pixels, lungs, modality))
    return chosen


def random_area(lungs: Area, code: str, rng: np.random.Generator) -> Area:
    """An ellipse with a wobbly border as a hand draws it, cut where it leaves the lungs: (256, 256) bool."""
    if code == "pleural_effusion":
        return _base_of_a_lung(lungs, rng)
    low, high = AXES_PX.get(code, OTHER_AXES_PX)
    inner = masks.grown(lungs, 2)
    places = np.argwhere(lungs)
    best = np.zeros_like(lungs)
    for _ in range(_TRIES):
        whole = _wobbly(lungs.shape, places[rng.integers(len(places))], rng.uniform(low, high), rng)
        inside = whole & inner
        if inside.sum() > best.sum():
            best = inside
        if inside.sum() > _INSIDE * whole.sum():
            return inside
    return best


def _base_of_a_lung(lungs: Area, rng: np.random.Generator) -> Area:
    """The lowest fifth to half of one lung's height."""
    lung = lung_sides(lungs)[rng.integers(2)]
    rows = np.flatnonzero(lung.any(1))
    level = rows[-1] - (rows[-1] - rows[0]) * rng.uniform(0.2, 0.5)
    return np.asarray(lung & (np.arange(len(lung))[:, None] > level))


def _wobbly(shape: tuple[int, ...], centre: npt.NDArray[np.int64], long_px: float, rng: np.random.Generator) -> Area:
    short_px, turn = long_px * rng.uniform(0.55, 1.0), rng.uniform(0, np.pi)
    dy, dx = (grid - middle for grid, middle in zip(np.indices(shape), centre, strict=True))
    along, across = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
    angle = np.arctan2(dy, dx)
    border = 1.0 + sum(rng.normal(0, WOBBLE) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 4))
    return np.asarray(np.hypot(along / long_px, across / short_px) < border)


def edit(model: Model, picture: Normal, finding: Finding, area: Area, seed: int) -> npt.NDArray[np.uint8]:
    """The picture with the finding drawn into the area, by the way that the app takes."""
    view = View.PA if picture.modality == Modality.DX else View.AXIAL
    asked = Edit("add", base="base", origin="real:evaluation", lesion="area")
    request = GenerationRequest(
        picture.modality,
        view,
        findings=(finding,),
        seed=seed,
        guidance=EDIT_GUIDANCE,
        model_id=model.card.id,
        edit=asked,
    )
    (request,) = closer((request,), (area,))
    order = Order(request, "evaluation", str(seed), Base(picture.pixels, area))
    return np.asarray(generate(model, order, datetime.now(UTC), lambda step: None).pixels, np.uint8)


def draw_all(model: Model, pictures: Sequence[Normal], code: str, count: int, seed: int = 0) -> Drawn:
    """`count` lesions of one finding at random places of random pictures."""
    rng = np.random.default_rng((seed, *code.encode()))
    before, after, areas = [], [], []
    for number in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        areas.append(random_area(picture.lungs, code, rng))
        before.append(picture.pixels)
        after.append(edit(model, picture, Finding(code), areas[-1], number))
    change = np.abs(np.stack(after).astype(int) - np.stack(before))
    leaked = [int(c[~masks.edit_area(area, None, MARGIN_PX)].max()) for c, area in zip(change, areas, strict=True)]
    return Drawn(np.stack(before), np.stack(after), np.stack(areas), max(leaked))


def severities_grow(model: Model, pictures: Sequence[Normal], code: str, count: int, seed: int = 1) -> float:
    """Share of steps mild to moderate to severe, same place and seed, that change the lesion's mean further."""
    rng = np.random.default_rng((seed, *code.encode()))
    grew = []
    for number in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        area = random_area(picture.lungs, code, rng)
        pictures_of = [edit(model, picture, Finding(code, severity=s), area, number) for s in Severity]
        change = [float(after[area].mean()) for after in pictures_of]
        grew += [change[1] > change[0], change[2] > change[1]]
    return float(np.mean(grew))
