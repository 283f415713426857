"""Lesions of an axial CT slice in a lung window: tissue takes the place of air, vessels stay visible in haze.

Grey is linear in Hounsfield units, so a voxel that is a share `o` lesion has the grey (1 - o) lung + o lesion. The
image's lower edge is taken as posterior (a supine patient), where free fluid lies.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from synth.training.lesion_chest import Chest, Image
from synth.training.lesion_film import Place
from synth.training.lesion_shapes import airways, disc, patch, pick, ramp, spicules, texture
from synth.types import Side


def nodule(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A solid round nodule of 0.5 to 3 cm, now and then spiculated."""
    radius = max(chest.cm * (0.25 + 1.2 * place.grade**1.3), 1.6)
    centre = pick(rng, chest.lung(place.side), 1.2 * radius)
    body = disc(chest.pixels.shape, centre, radius, rng, 0.08)
    if place.grade > 0.4 and rng.random() < 0.5:
        body = np.maximum(body, 0.5 * spicules(chest.pixels.shape, centre, radius, rng))
    return _solid(chest, body * _inside(chest, place), rng)


def mass(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A lobed solid mass of 3 to 7 cm, with strands and sometimes a necrotic, darker core."""
    radius = chest.cm * (1.5 + 2.0 * place.grade)
    centre = pick(rng, chest.lung(place.side), 0.7 * radius)
    shape = chest.pixels.shape
    body = disc(shape, centre, radius, rng, 0.17)
    if rng.random() < 0.7:
        body = np.maximum(body, 0.55 * spicules(shape, centre, radius, rng))
    if rng.random() < 0.3:
        body = body * (1.0 - 0.10 * patch(shape, centre, 0.6 * radius, rng))
    return _solid(chest, body * _inside(chest, place), rng)


def cavity(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A wall of uneven thickness around air of 1.5 to 6 cm, with a thin halo of haze; sometimes a fluid level."""
    radius = max(chest.cm * (0.8 + 2.0 * place.grade), 5.0)
    centre = pick(rng, chest.lung(place.side), 1.1 * radius)
    shape = chest.pixels.shape
    wall = rng.uniform(0.22, 0.45)
    shift = 0.3 * wall * radius * rng.standard_normal(2)
    hole = (centre[0] + float(shift[0]), centre[1] + float(shift[1]))
    inner = disc(shape, hole, (1.0 - wall) * radius, rng, 0.2)
    outer = disc(shape, centre, radius, rng, 0.14)
    if rng.random() < 0.35:
        level = hole[0] + radius * (1.0 - wall) * rng.uniform(0.2, 0.6)
        inner = inner * (1.0 - ramp(np.arange(shape[0], dtype=np.float32)[:, None], level - 0.7, level + 0.7))
    halo = 0.22 * patch(shape, centre, 1.6 * radius, rng)
    solid = _solid(chest, np.maximum(outer, halo) * _inside(chest, place), rng)
    air = np.minimum(chest.air, float(np.percentile(chest.pixels[chest.lungs], 10)))
    hollow = inner * np.minimum(outer, 1.0) * chest.lungs
    grain = _grain(chest, rng)
    return np.asarray(np.clip(solid + hollow * (air + grain - solid), 0.0, 1.0), dtype=np.float32)


def ground_glass_opacity(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """One to four patches of haze, mostly peripheral, 200 to 500 HU above the lung; vessels are seen through it."""
    shape, lung = chest.pixels.shape, chest.lung(place.side)
    cloud = np.zeros(shape, np.float32)
    for _ in range(1 + int(rng.integers(0, 1 + round(3 * place.grade)))):
        radius = chest.cm * (1.4 + 2.6 * place.grade) * rng.uniform(0.7, 1.2)
        centre = pick(rng, lung, chest.cm * rng.uniform(0.3, 2.0))
        cloud = np.maximum(cloud, patch(shape, centre, 1.4 * radius, rng, 0.28))
    uneven = 1.0 + 0.20 * texture(shape, rng, 0.6 * chest.cm) + 0.10 * texture(shape, rng, 1.0, 1.2)
    share = (0.26 + 0.26 * place.grade) * rng.uniform(0.9, 1.1) * cloud * np.clip(uneven, 0.2, 1.8)
    share = share * _inside(chest, place)
    aerated = np.clip((chest.dense - chest.pixels) / (chest.dense - chest.air), 0.0, 1.0)  # 0 in a vessel
    return np.asarray(np.clip(chest.pixels + share * aerated * (chest.dense - chest.air), 0, 1), dtype=np.float32)


def consolidation(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Airless lung of soft tissue density with air bronchograms and a rim of ground glass."""
    shape, lung = chest.pixels.shape, chest.lung(place.side)
    radius = chest.cm * (1.6 + 2.8 * place.grade)
    centre = pick(rng, lung, 0.3 * radius)
    cloud = patch(shape, centre, 1.4 * radius, rng, 0.3)
    core = ramp(cloud + 0.10 * texture(shape, rng, 0.5 * chest.cm, 2.0), 0.3, 0.95)
    tubes = airways(shape, _root(chest, place), centre, 1.3 * radius, rng)
    share = np.maximum(core * (0.90 + 0.1 * place.grade), 0.38 * cloud) * (1.0 - 0.75 * tubes)
    return _solid(chest, share * _inside(chest, place), rng)


def pleural_effusion(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Fluid along the posterior wall: a crescent when mild, a deep layer with a meniscus when severe."""
    lung, cm, shape = chest.lung(place.side), chest.cm, chest.pixels.shape
    rows, columns = np.flatnonzero(lung.any(axis=1)), np.flatnonzero(lung.any(axis=0))
    across = (np.arange(shape[1], dtype=np.float32) - columns[0]) / max(columns[-1] - columns[0], 1)
    lateral = np.clip(1.0 - across if place.side is Side.RIGHT else across, 0.0, 1.0)
    height = float(rows[-1] - rows[0]) / cm
    depth_cm = height * (0.06 + 0.42 * place.grade) * rng.uniform(0.9, 1.1)
    rise_cm = depth_cm * (0.35 + 0.5 * lateral**2.5) + 0.02 * height
    surface = rows[-1] - cm * (0.65 * depth_cm + rise_cm * lateral**2 + 0.25 * rise_cm * (1.0 - lateral) ** 3)
    depth = np.arange(shape[0], dtype=np.float32)[:, None] - surface[None, :]
    depth = depth + 0.15 * cm * texture(shape, rng, cm, 3.0)
    fluid = np.clip(0.5 + depth / 1.8, 0.0, 1.0) * _inside(chest, place)
    return _solid(chest, fluid, rng, 0.965)  # about 10 HU beside 50 HU of muscle


def _solid(chest: Chest, share: Image, rng: np.random.Generator, level: float = 0.985) -> Image:
    """Replace a `share` (H, W) in [0, 1] of each voxel by soft tissue with the slice's own noise."""
    tissue = level * chest.dense + _grain(chest, rng)
    tissue = np.maximum(tissue, np.minimum(chest.pixels, chest.dense))
    return np.asarray(np.clip(chest.pixels + share * (tissue - chest.pixels), 0.0, 1.0), dtype=np.float32)


def _grain(chest: Chest, rng: np.random.Generator) -> Image:
    """Noise like that of the slice's soft tissue."""
    fine = chest.pixels - ndimage.uniform_filter(chest.pixels, 3)
    flat = fine[~chest.lungs & (chest.pixels > chest.air + 0.25)]
    spread = 1.4826 * float(np.median(np.abs(flat))) if flat.size else 0.01
    return min(1.2 * spread, 0.05) * texture(chest.pixels.shape, rng, 3.0, 1.0)


def _inside(chest: Chest, place: Place) -> Image:
    """1 inside the lung, with a rim of about 2 px that closes the gap to the pleura."""
    soft = ndimage.gaussian_filter(chest.lung(place.side).astype(np.float32), 1.4)
    return np.asarray(np.clip(2.6 * soft, 0.0, 1.0), dtype=np.float32)


def _root(chest: Chest, place: Place) -> tuple[float, float]:
    """Hilum on a slice: the middle of the lung's medial border."""
    lung = chest.lung(place.side)
    rows = np.flatnonzero(lung.any(axis=1))
    row = int(0.5 * (rows[0] + rows[-1]))
    columns = np.flatnonzero(lung[row]) if lung[row].any() else np.flatnonzero(lung.any(axis=0))
    return float(row), float(columns[-1] if place.side is Side.RIGHT else columns[0])
