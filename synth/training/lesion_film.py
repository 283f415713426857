"""Lesions of a frontal film: attenuation added to the logarithmic film, in front of which ribs stay visible.

A film value in [0, 1] is close to the attenuation integral of the Beer-Lambert law, so that tissue adds to it. What is
added has low spatial frequencies only; ribs and vessels ride on top, and greys approach those of the mediastinum as
1 - exp(-thickness).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from synth.training.lesion_chest import Chest, Image, Mask, zone_of, zone_rows
from synth.training.lesion_shapes import (
    Point,
    airways,
    ball,
    outline,
    patch,
    pick,
    polar,
    ramp,
    spicules,
    strand,
    texture,
)
from synth.types import Side, Zone


@dataclass(frozen=True, slots=True)
class Place:
    """Where one lesion goes: one lung, a third of it or all, and its grade in [0, 1] (mild below 1/3)."""

    side: Side
    zone: Zone | None
    grade: float


Painter = Callable[[Chest, Place, np.random.Generator], Image]


def attenuate(chest: Chest, thickness: Image, fading: float = 0.35, dense: Image | None = None) -> Image:
    """Add tissue of `thickness` >= 0 (H, W), 1 = 63 % of the way to the mediastinum; (H, W) in [0, 1].

    `fading` is the share of rib and vessel contrast lost under full opacity, `dense` (H, W) other greys to approach.
    """
    opacity = 1.0 - np.exp(-np.maximum(thickness, 0.0))
    head = np.maximum((chest.dense if dense is None else dense) - chest.base, 0.0)
    head = np.maximum(head, 0.10 * (1.0 - chest.base))
    detail = chest.pixels - chest.base
    return np.asarray(np.clip(chest.pixels + opacity * (head - fading * detail), 0.0, 1.0), dtype=np.float32)


def hilum(lung: Mask, side: Side) -> Point:
    """Row and column of the root of one lung: its medial border at 45 % of its height."""
    rows = np.flatnonzero(lung.any(axis=1))
    row = int(rows[0] + 0.45 * (rows[-1] - rows[0]))
    columns = np.flatnonzero(lung[row]) if lung[row].any() else np.flatnonzero(lung.any(axis=0))
    return float(row), float(columns[-1] if side is Side.RIGHT else columns[0])


def nodule(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A round opacity of 0.7 to 3 cm; faint when small, now and then calcified or spiculated."""
    radius = chest.cm * (0.35 + 1.15 * place.grade**1.2)
    centre = pick(rng, zone_of(chest.lung(place.side), place.zone), 1.3 * radius)
    shape = chest.pixels.shape
    peak = (0.30 + 0.55 * place.grade) * rng.uniform(0.85, 1.2)
    body = ball(shape, centre, radius, rng, 0.09)
    if place.grade > 0.5 and rng.random() < 0.4:
        body = body + 0.25 * spicules(shape, centre, radius, rng)
    return attenuate(chest, peak * body * (1.0 + 0.08 * texture(shape, rng, radius)))


def mass(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A lobed opacity of 3 to 8 cm, often with strands into the lung around it."""
    radius = chest.cm * (1.5 + 2.4 * place.grade)
    centre = pick(rng, zone_of(chest.lung(place.side), place.zone), 0.8 * radius)
    shape = chest.pixels.shape
    peak = (0.6 + 0.75 * place.grade) * rng.uniform(0.85, 1.15)
    body = ball(shape, centre, radius, rng, 0.14) * (1.0 + 0.08 * texture(shape, rng, 0.5 * radius))
    strands = spicules(shape, centre, radius, rng) * (0.18 if rng.random() < 0.6 else 0.0)
    return attenuate(chest, (peak * body + strands) * _inside(chest, place, 0.6))


def cavity(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A ring with an irregular wall around air of 2 to 7 cm; half of them hold a fluid level."""
    radius = chest.cm * (1.1 + 1.9 * place.grade)
    centre = pick(rng, zone_of(chest.lung(place.side), place.zone), 1.1 * radius)
    shape = chest.pixels.shape
    wall = rng.uniform(0.25, 0.45)
    shift = radius * 0.3 * wall * rng.standard_normal(2)
    hole = (centre[0] + float(shift[0]), centre[1] + float(shift[1]))
    outer = ball(shape, centre, radius, rng, 0.10)
    inner = ball(shape, hole, radius * (1.0 - wall), rng, 0.12)
    solid = outer - (1.0 - 0.6 * wall) * inner
    if rng.random() < 0.5:
        level = hole[0] + radius * (1.0 - wall) * rng.uniform(0.1, 0.6)
        below = ramp(np.arange(shape[0], dtype=np.float32)[:, None], level - 0.6, level + 0.6)
        solid = solid + 0.7 * (1.0 - wall) * inner * below
    halo = 0.12 * patch(shape, centre, 1.7 * radius, rng)
    peak = (0.9 + 0.5 * place.grade) * rng.uniform(0.9, 1.15)
    rough = 1.0 + 0.15 * texture(shape, rng, 0.25 * radius)
    return attenuate(chest, (peak * np.maximum(solid, 0.0) * rough + halo) * _inside(chest, place, 0.4))


def consolidation(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Patchy airspace opacity of a segment or lobe through which air-filled bronchi run."""
    lung, shape = chest.lung(place.side), chest.pixels.shape
    radius = chest.cm * (2.2 + 3.2 * place.grade)
    centre = pick(rng, zone_of(lung, place.zone), 0.35 * radius)
    cloud = patch(shape, centre, 1.4 * radius, rng, 0.22)
    lumps = np.clip(1.0 + 0.20 * texture(shape, rng, chest.cm, 2.4), 0.3, 1.8)
    tubes = airways(shape, hilum(lung, place.side), centre, 1.5 * radius, rng)
    peak = (0.75 + 1.45 * place.grade) * rng.uniform(0.85, 1.15)
    thickness = peak * cloud * lumps * (1.0 - rng.uniform(0.30, 0.5) * tubes)
    return attenuate(chest, thickness * _inside(chest, place, 0.2), fading=0.45)


def ground_glass_opacity(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Hazy opacity in which vessels stay visible."""
    shape = chest.pixels.shape
    radius = chest.cm * (2.8 + 3.2 * place.grade)
    centre = pick(rng, zone_of(chest.lung(place.side), place.zone), 0.3 * radius)
    cloud = patch(shape, centre, 1.5 * radius, rng, 0.2)
    haze = np.clip(1.0 + 0.18 * texture(shape, rng, chest.cm) + 0.06 * texture(shape, rng, 1.5, 2.0), 0.2, 2.0)
    peak = (0.26 + 0.36 * place.grade) * rng.uniform(0.9, 1.15)
    return attenuate(chest, peak * cloud * haze * _inside(chest, place, 0.2), fading=0.0)


def infiltration(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Ill-defined streaks and small patches along the bronchi."""
    lung, shape = chest.lung(place.side), chest.pixels.shape
    radius = chest.cm * (2.5 + 2.8 * place.grade)
    centre = pick(rng, zone_of(lung, place.zone), 0.35 * radius)
    cloud = patch(shape, centre, 1.5 * radius, rng, 0.25)
    flecks = ramp(texture(shape, rng, 0.5 * chest.cm, 2.8), -0.4, 2.4)
    strands = airways(shape, hilum(lung, place.side), centre, 1.8 * radius, rng)
    strands = ndimage.gaussian_filter(strands, 0.35 * chest.cm)
    peak = (0.45 + 0.6 * place.grade) * rng.uniform(0.9, 1.1)
    thickness = peak * cloud * (0.35 + 0.9 * flecks + 0.9 * strands)
    return attenuate(chest, thickness * _inside(chest, place, 0.2), fading=0.0)


def edema(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Perihilar haze that spares apex and rim, with septal (Kerley B) lines at the base from moderate on."""
    lung, shape = chest.lung(place.side), chest.pixels.shape
    root = hilum(lung, place.side)
    top, bottom = zone_rows(lung, Zone.LOWER)
    reach = chest.cm * (5.0 + 4.0 * place.grade)
    distance, angle = polar(shape, (root[0] + 1.2 * chest.cm, root[1]))
    wing = np.exp(-((distance / (reach * outline(angle, rng, 0.12))) ** 2)) - 0.06
    cloud = np.clip(1.0 + 0.25 * texture(shape, rng, chest.cm) + 0.07 * texture(shape, rng, 1.5, 2.0), 0.2, 2.2)
    thickness = (0.45 + 0.85 * place.grade) * np.clip(wing, 0.0, None) * cloud
    rim = np.flatnonzero(lung[top:bottom].any(axis=0))
    outer = float(rim[0] if place.side is Side.RIGHT else rim[-1])
    inward = 1.0 if place.side is Side.RIGHT else -1.0
    for _ in range(int(rng.integers(4, 9)) if place.grade > 0.33 else 0):
        row = rng.uniform(top, bottom - chest.cm)
        start = outer + inward * chest.cm * rng.uniform(0.6, 1.4)
        line = strand(shape, (row, start), 1.6 * chest.cm, 1.4, rng.normal(0, 0.12), 0.0)
        thickness += 0.10 * line
    return attenuate(chest, thickness * _inside(chest, place, 0.2), fading=0.1)


def atelectasis(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Plate-like bands of collapsed lung; at the base, from moderate on, the lung above a raised diaphragm."""
    lung, shape = chest.lung(place.side), chest.pixels.shape
    zone = zone_of(lung, place.zone)
    thickness = np.zeros(shape, np.float32)
    for _ in range(1 + round(1.6 * place.grade)):
        centre = pick(rng, zone, 1.5 * chest.cm)
        length, width = chest.cm * rng.uniform(5.0, 9.0), chest.cm * (0.25 + 0.4 * place.grade) * rng.uniform(0.8, 1.2)
        bend = rng.normal(0, 0.03) / chest.cm
        band = strand(shape, centre, length, width, rng.normal(0, 0.25), bend)
        haze = strand(shape, centre, length, 4.0 * width, rng.normal(0, 0.25), bend)
        thickness += (0.32 + 0.4 * place.grade) * band + 0.10 * haze
    if place.zone is Zone.LOWER and place.grade > 0.33:
        thickness += _raised_base(chest, place, rng)
    rough = np.clip(1.0 + 0.2 * texture(shape, rng, 0.5 * chest.cm), 0.3, 1.8)
    return attenuate(chest, thickness * rough * _inside(chest, place, 0.2), fading=0.3)


def _raised_base(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Collapsed base, convex upward like the dome of a raised diaphragm."""
    lung = chest.lung(place.side)
    top, bottom = zone_rows(lung, Zone.LOWER)
    columns = np.flatnonzero(lung[top:bottom].any(axis=0))
    x = np.linspace(-1.0, 1.0, columns.size)
    crest = bottom - chest.cm * (2.0 + 4.5 * place.grade) * rng.uniform(0.85, 1.1)
    line = np.full(lung.shape[1], float(bottom), np.float32)
    line[columns] = crest + 0.35 * chest.cm * (2.0 + 4.5 * place.grade) * (x - rng.uniform(-0.2, 0.2)) ** 2
    depth = np.arange(lung.shape[0], dtype=np.float32)[:, None] - line[None, :]
    return np.asarray((1.0 + 1.2 * place.grade) * ramp(depth, -0.4 * chest.cm, 0.9 * chest.cm), dtype=np.float32)


def _inside(chest: Chest, place: Place, overlap_cm: float) -> Image:
    """1 in the chosen third of the chosen lung, falling softly to 0 within 1.5 cm beyond the third."""
    lung = chest.lung(place.side)
    soft = ndimage.gaussian_filter(lung.astype(np.float32), 1.0 + overlap_cm)
    soft = np.asarray(np.clip(1.8 * soft, 0.0, 1.0), dtype=np.float32)
    if place.zone is None:
        return soft
    top, bottom = zone_rows(lung, place.zone)
    rows = np.arange(lung.shape[0], dtype=np.float32)[:, None]
    edge = 1.2 * chest.cm
    wobble = 0.5 * edge * np.sin(np.arange(lung.shape[1], dtype=np.float32)[None, :] / (1.7 * chest.cm))
    above = ramp(rows + wobble, top - edge, top + edge) if place.zone is not Zone.UPPER else np.float32(1.0)
    below = ramp(-rows - wobble, -bottom - edge, -bottom + edge) if place.zone is not Zone.LOWER else np.float32(1.0)
    return np.asarray(soft * above * below, dtype=np.float32)
