"""Lesions of a frontal film that follow the shape of the chest: fluid and air in the pleural space, a large heart."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from synth.training.lesion_chest import Chest, Image, Mask, zone_rows
from synth.training.lesion_film import Place, attenuate, hilum
from synth.training.lesion_shapes import ramp, texture
from synth.types import Side, Zone


def pleural_effusion(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Fluid in the dependent pleural space: a blunted angle when mild, an opaque lower chest when severe.

    Its upper border is a meniscus, concave upward: highest at the lateral wall, with a lesser rise at the medial one.
    """
    lung, cm = chest.lung(place.side), chest.cm
    top, bottom = zone_rows(lung, Zone.LOWER)
    columns = np.flatnonzero(lung[top:bottom].any(axis=0))
    across = (np.arange(lung.shape[1], dtype=np.float32) - columns[0]) / max(columns[-1] - columns[0], 1)
    lateral = np.clip(1.0 - across if place.side is Side.RIGHT else across, 0.0, 1.1)
    depth_cm = -1.6 + 17.0 * place.grade**1.3 + rng.uniform(-0.4, 0.4)
    rise_cm = (3.4 + 2.2 * place.grade) * rng.uniform(0.85, 1.2)
    surface = depth_cm + rise_cm * lateral**3 + 0.3 * rise_cm * np.clip(1.0 - lateral / 0.45, 0.0, 1.0) ** 2
    drift = cm * 0.25 * texture(lung.shape, rng, cm, 3.0)
    rows = np.arange(lung.shape[0], dtype=np.float32)[:, None]
    below = (rows - (bottom - cm * surface[None, :]) + drift) / cm  # depth under the surface, cm
    thickness = (1.7 + 1.9 * place.grade) * ramp(below, -0.8 - 0.6 * place.grade, 2.2 + 0.8 * place.grade)
    down = np.zeros_like(lung)
    drop = max(round(1.2 * cm), 1)
    down[drop:] = lung[:-drop]
    other = chest.left if place.side is Side.RIGHT else chest.right
    held = (lung | down).astype(np.float32)
    over_heart = ndimage.gaussian_filter1d(held, 0.8 * cm, axis=1) * (lateral < 0.5)  # its border goes under the fluid
    space = np.clip(1.7 * np.maximum(ndimage.gaussian_filter(held, 0.35 * cm), over_heart), 0.0, 1.0) * ~other
    under = np.zeros_like(lung)
    under[drop * 2 :] = lung[: -drop * 2]
    under &= ~down & ~chest.lungs
    belly = float(np.percentile(chest.pixels[under], 85)) if under.any() else chest.dense
    deeper = min(max(belly - chest.dense, 0.06), 0.97 - chest.dense)
    greys = chest.dense + deeper * ramp(below, 0.0, 9.0)  # the lower, the more fluid in the way of the beam
    return attenuate(chest, thickness * space, fading=0.55 + 0.25 * place.grade, dense=greys)


def pneumothorax(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """Air around the lung, from the apex down the lateral wall: darker, no vessels, inside a thin pleural line."""
    lung, shape = chest.lung(place.side), chest.pixels.shape
    rows = np.flatnonzero(lung.any(axis=1))
    anchor_row, anchor_column = hilum(lung, place.side)
    anchor_row += 0.15 * (rows[-1] - rows[0])
    wall = ndimage.gaussian_filter(_signed_depth(lung), 1.0)  # px inside the lung, negative outside
    shrink = (0.06 + 0.40 * place.grade) * rng.uniform(0.9, 1.1)
    down = np.clip((np.arange(shape[0]) - rows[0]) / max(rows[-1] - rows[0], 1), 0.0, 1.0)
    local = shrink * (1.0 - (1.0 - 0.6 * place.grade) * down**1.3)  # less at the base of an upright chest
    y = np.arange(shape[0], dtype=np.float32)[:, None] - anchor_row
    x = np.arange(shape[1], dtype=np.float32)[None, :] - anchor_column
    scale = 1.0 / (1.0 - local)[:, None]
    source = np.stack([anchor_row + np.where(y < 0, y * scale, y + 0.0 * x), anchor_column + x * scale])
    wave = 0.25 * chest.cm * texture(shape, rng, 1.2 * chest.cm, 3.0)
    pleura = ndimage.map_coordinates(wall, source, order=1, mode="nearest") + wave
    apart = ramp(wall - pleura, 0.3 * chest.cm, 0.6 * chest.cm)  # where the lung has left the wall
    space = np.clip(0.5 - pleura / 1.6, 0.0, 1.0) * ramp(wall, 0.0, 0.5 * chest.cm) * apart
    bare = chest.pixels.copy()
    box = _box(lung)
    bare[box] = _without_vessels(chest.pixels[box], chest.cm)
    dark = (0.12 + 0.12 * place.grade) * (chest.dense - chest.air) * rng.uniform(0.85, 1.15)
    air = np.maximum(bare + 0.3 * (chest.pixels - bare) - dark, 0.35 * bare)
    line = np.exp(-((pleura / 1.0) ** 2)) * ramp(wall, 0.25 * chest.cm, 0.8 * chest.cm) * apart
    bright = rng.uniform(0.14, 0.20) * (chest.dense - chest.air)
    result = chest.pixels + space * (air - chest.pixels) + bright * line
    return np.asarray(np.clip(result, 0.0, 1.0), dtype=np.float32)


def cardiomegaly(chest: Chest, place: Place, rng: np.random.Generator) -> Image:
    """A heart widened to a cardiothoracic ratio of 0.53 (mild) to 0.70 (severe), most of it to the left.

    The heart's border is that of the lung masks, pushed outwards between the hila and the diaphragm.
    """
    cm = chest.cm
    columns = np.flatnonzero(chest.lungs.any(axis=0))
    rows = np.flatnonzero(chest.lungs.any(axis=1))
    (right, right_floor), (left, floor) = _heart_border(chest)
    widest, right_widest = int(floor - 1.5 * cm), int(min(floor, right_floor) - 1.0 * cm)
    thorax = float(columns[-1] - columns[0] + 1)
    target = 0.53 + 0.17 * place.grade
    missing = max(target * thorax - float(left[widest] - right[right_widest]), 0.05 * thorax)
    share = rng.uniform(0.68, 0.82)  # of the growth goes to the left: the left ventricle makes the apex
    y = np.arange(chest.lungs.shape[0], dtype=np.float32)
    hila = rows[0] + rng.uniform(0.36, 0.44) * (floor - rows[0])
    rounding = np.sqrt(np.clip(1.0 - np.clip((y - widest) / (4.0 * cm), 0.0, 1.0) ** 2, 0.0, 1.0))
    growth = ramp(y, hila, widest) ** rng.uniform(0.6, 0.85) * rounding
    right, left = right.copy(), left.copy()
    right[right_widest:], left[widest:] = right[right_widest], left[widest]  # below it the lungs end at the diaphragm
    x = np.arange(chest.lungs.shape[1], dtype=np.float32)[None, :]
    from_left = (left + share * missing * growth)[:, None] - x  # depth under the new left border, px
    depth = np.minimum(from_left, x - (right - (1.0 - share) * missing * growth)[:, None])
    fringe = np.clip(1.9 * ndimage.gaussian_filter(chest.lungs.astype(np.float32), 0.35 * cm), 0.0, 1.0)
    inside = np.clip(0.5 + depth / 2.6, 0.0, 1.0) * fringe * ramp(growth[:, None], 0.0, 0.25)
    thick = 1.3 + 1.4 * ramp(depth, 0.0, 2.5 * cm)  # a heart is round: thinner under its border
    greys = np.minimum(_heart_greys(chest, right, left) + 0.02, 0.97)
    return attenuate(chest, np.asarray(thick * inside, np.float32), fading=0.5, dense=greys)


def _heart_border(chest: Chest) -> tuple[tuple[Image, float], tuple[Image, float]]:
    """Of the right and the left lung: the medial border (column by row, smoothed) and the row of the dome below."""
    height, width = chest.lungs.shape
    y = np.arange(height)
    found = []
    for lung, first in ((chest.right, False), (chest.left, True)):
        own = np.flatnonzero(lung.any(axis=1))
        edge = lung.argmax(axis=1) if first else width - 1 - lung[:, ::-1].argmax(axis=1)
        smooth = ndimage.gaussian_filter1d(np.interp(y, own, edge[own]), 0.5 * chest.cm)
        used = np.flatnonzero(lung.any(axis=0))
        dome = used[int(0.4 * used.size) : int(0.7 * used.size) + 1]
        floor = float(np.median(height - 1 - lung[::-1, dome].argmax(axis=0)))
        found.append((smooth.astype(np.float32), floor))
    return found[0], found[1]


def _heart_greys(chest: Chest, right: Image, left: Image) -> Image:
    """Grey of the heart beside its border, by row, carried outwards to each side (H, W)."""
    x = np.arange(chest.pixels.shape[1], dtype=np.float32)[None, :]
    sides = []
    for edge, inwards in ((right, 1.0), (left, -1.0)):
        depth = inwards * (x - edge[:, None])
        beside = (depth > 0.5 * chest.cm) & (depth < 2.0 * chest.cm)
        row_sum, count = (chest.pixels * beside).sum(axis=1), beside.sum(axis=1)
        known = np.maximum(ndimage.gaussian_filter1d(count * 1.0, chest.cm), 0.1)
        sides.append((ndimage.gaussian_filter1d(row_sum, chest.cm) / known)[:, None])
    return np.asarray(np.where(x < 0.5 * (right + left)[:, None], sides[0], sides[1]), dtype=np.float32)


def _signed_depth(lung: Mask) -> Image:
    """Distance in px from the border of the lung: positive inside, negative (to -6) outside."""
    box = _box(lung)
    depth = np.full(lung.shape, -6.0, np.float32)
    crop = np.pad(lung[box], 1)
    outside = np.minimum(ndimage.distance_transform_edt(~crop), 6.0)
    depth[box] = (ndimage.distance_transform_edt(crop) - outside)[1:-1, 1:-1]
    return depth


def _box(lung: Mask) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(lung.any(axis=1)), np.flatnonzero(lung.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _without_vessels(pixels: Image, cm: float) -> Image:
    """The image without lines thinner than about 0.4 cm; the edges of ribs stay."""
    return np.asarray(ndimage.median_filter(pixels, size=max(round(0.7 * cm) | 1, 3)), dtype=np.float32)
