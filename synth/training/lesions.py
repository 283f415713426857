"""Lesions with known masks for training: simulated physically on real normal films and slices, never shown as real.

Image left is the patient's right. A zone is a third of one lung's height on a film; one axial slice has no zones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from synth.errors import RequestError
from synth.training import lesion_ct, lesion_film, lesion_pleura
from synth.training.lesion_chest import Chest, Image, Mask, ct_lungs, film_chest, lung_sides, slice_chest
from synth.training.lesion_film import Painter, Place
from synth.types import Finding, Modality, Severity, Side, Zone

__all__ = ["FILM_KINDS", "SLICE_KINDS", "TOLERANCE", "Lesion", "box_mask", "ct_lungs", "lung_sides", "simulate"]

TOLERANCE = 1.5 / 255  # grey; a change below it is no lesion, and outside the mask the change is exactly 0
ATTEMPTS = 8
ONE_SIDE = (Side.RIGHT, Side.LEFT)
ANY_SIDE = (Side.RIGHT, Side.LEFT, Side.BOTH)
GRADES = {Severity.MILD: (0.0, 0.28), Severity.MODERATE: (0.36, 0.62), Severity.SEVERE: (0.70, 1.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Lesion:
    """A changed image (H, W) float32 in [0, 1], the mask (H, W) of all that changed, and what was drawn."""

    pixels: Image
    mask: Mask
    finding: Finding


@dataclass(frozen=True, slots=True)
class Kind:
    """How one finding is drawn: its painter, the sides it is drawn on by chance, and whether a third of the lung."""

    paint: Painter
    sides: tuple[Side, ...]
    zoned: bool


FILM_KINDS: dict[str, Kind] = {
    "nodule": Kind(lesion_film.nodule, ONE_SIDE, True),
    "mass": Kind(lesion_film.mass, ONE_SIDE, True),
    "cavity": Kind(lesion_film.cavity, ONE_SIDE, True),
    "consolidation": Kind(lesion_film.consolidation, ANY_SIDE, True),
    "ground_glass_opacity": Kind(lesion_film.ground_glass_opacity, ANY_SIDE, True),
    "infiltration": Kind(lesion_film.infiltration, ANY_SIDE, True),
    "atelectasis": Kind(lesion_film.atelectasis, ONE_SIDE, True),
    "edema": Kind(lesion_film.edema, (Side.BOTH,), False),
    "pleural_effusion": Kind(lesion_pleura.pleural_effusion, ANY_SIDE, False),
    "pneumothorax": Kind(lesion_pleura.pneumothorax, ONE_SIDE, False),
    "cardiomegaly": Kind(lesion_pleura.cardiomegaly, (), False),
}
SLICE_KINDS: dict[str, Kind] = {
    "nodule": Kind(lesion_ct.nodule, ONE_SIDE, False),
    "mass": Kind(lesion_ct.mass, ONE_SIDE, False),
    "cavity": Kind(lesion_ct.cavity, ONE_SIDE, False),
    "ground_glass_opacity": Kind(lesion_ct.ground_glass_opacity, ANY_SIDE, False),
    "consolidation": Kind(lesion_ct.consolidation, ANY_SIDE, False),
    "pleural_effusion": Kind(lesion_ct.pleural_effusion, ANY_SIDE, False),
}


def simulate(
    pixels: Image,
    lungs: Mask,
    finding: Finding,
    rng: np.random.Generator,
    modality: str = Modality.DX,
) -> Lesion:
    """Draw `finding` into a normal image; what the finding leaves open is drawn uniformly and stated in the result.

    `pixels` (H, W) float32 in [0, 1], `lungs` (H, W) bool of the same image. Equal generators give equal lesions.
    Raises RequestError for a code, side or zone that is not drawn, and where the image leaves no room for a lesion.
    """
    kinds = SLICE_KINDS if modality == Modality.CT else FILM_KINDS
    if finding.code not in kinds:
        raise RequestError(f"No lesion {finding.code!r} is drawn on {modality}; drawn are {', '.join(sorted(kinds))}.")
    kind = kinds[finding.code]
    chest = (slice_chest if modality == Modality.CT else film_chest)(pixels, lungs)
    drawn = _settle(kind, chest, finding, rng)
    low, high = GRADES[drawn.severity or Severity.MILD]
    for _ in range(ATTEMPTS):
        changed, grade = chest, float(rng.uniform(low, high))
        for side in _lungs_of(drawn.side):
            changed = replace(changed, pixels=kind.paint(changed, Place(side, drawn.zone, grade), rng))
        mask = _extent(pixels, changed.pixels)
        if mask.any():
            return Lesion(np.where(mask, changed.pixels, pixels), mask, drawn)
    raise RequestError(f"The image leaves no room for {finding.code}: its lungs are already as dense as the lesion.")


def box_mask(boxes: Iterable[tuple[float, float, float, float]], shape: tuple[int, int]) -> Image:
    """Readers' boxes (x, y, width, height as fractions of the image) as one soft mask (H, W) float32 in [0, 1].

    Each box becomes the ellipse inside it, 1 over most of it and 0 just outside: a reader's box is larger than the
    lesion in its corners.
    """
    rows = (np.arange(shape[0], dtype=np.float32)[:, None] + 0.5) / shape[0]
    columns = (np.arange(shape[1], dtype=np.float32)[None, :] + 0.5) / shape[1]
    mask = np.zeros(shape, np.float32)
    for x, y, width, height in boxes:
        if width <= 0 or height <= 0:
            raise RequestError(f"A box is {width} x {height}; both must be above 0.")
        distance = np.hypot((columns - x - width / 2) / (width / 2), (rows - y - height / 2) / (height / 2))
        mask = np.maximum(mask, np.clip((1.12 - distance) / 0.3, 0.0, 1.0))
    return mask


def _settle(kind: Kind, chest: Chest, asked: Finding, rng: np.random.Generator) -> Finding:
    """The finding with side, zone and severity drawn where they were left open."""
    if asked.side is not None and not kind.sides:
        raise RequestError(f"{asked.code} has no side; the side is {asked.side}, it must be left open.")
    if asked.zone is not None and not kind.zoned:
        raise RequestError(f"{asked.code} is drawn without a zone here; the zone is {asked.zone}.")
    present = {side for side in ONE_SIDE if chest.lung(side).sum() > 0.005 * chest.lungs.size}
    for lung in _lungs_of(asked.side) if asked.side else ():
        if lung not in present:
            raise RequestError(f"The {lung} lung is not in the lung mask; it must be for a lesion there.")
    drawable = [side for side in kind.sides if set(_lungs_of(side)) <= present] or sorted(present)
    side = asked.side or (drawable[rng.integers(len(drawable))] if kind.sides else None)
    zone = asked.zone or (list(Zone)[rng.integers(3)] if kind.zoned else None)
    return Finding(asked.code, side, zone, asked.severity or list(Severity)[rng.integers(3)])


def _lungs_of(side: Side | None) -> tuple[Side, ...]:
    """The single lungs to paint: two for BOTH; an unsided finding is painted once, over both."""
    if side is None:
        return (Side.BOTH,)
    return ONE_SIDE if side is Side.BOTH else (side,)


def _extent(before: Image, after: Image) -> Mask:
    """Where the image changed by more than TOLERANCE, holes (bronchi, cavities) filled and specks dropped."""
    changed = np.abs(after - before) > TOLERANCE
    closed = ndimage.binary_closing(np.pad(changed, 3), iterations=2)
    filled = ndimage.binary_fill_holes(closed)[3:-3, 3:-3]
    parts, number = ndimage.label(filled)
    area = np.bincount(parts.ravel(), minlength=number + 1)
    area[0] = 0
    mask: Mask = (area >= max(4, 0.02 * area.max()))[parts]
    return mask
