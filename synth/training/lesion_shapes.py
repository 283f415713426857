"""Shapes and textures of lesions: pure functions from a random generator to arrays (H, W)."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from synth.training.lesion_chest import Image, Mask

Point = tuple[float, float]  # row, column, px


def texture(shape: tuple[int, int], rng: np.random.Generator, coarse: float, beta: float = 2.2) -> Image:
    """Noise of many octaves, (H, W), mean 0, deviation 1: lumps of up to `coarse` px, finer ones as f^-beta."""
    rows = fft.fftfreq(shape[0])[:, None]
    columns = fft.rfftfreq(shape[1])[None, :]
    gain = (rows**2 + columns**2 + 1.0 / (4.0 * max(coarse, 0.5)) ** 2) ** (-beta / 2.0)
    noise = rng.standard_normal(shape, dtype=np.float32)
    field = fft.irfft2(fft.rfft2(noise) * gain.astype(np.float32), s=shape)
    field = field - field.mean()
    return np.asarray(field / max(float(field.std()), 1e-6), dtype=np.float32)


def ramp(values: Image, low: float, high: float) -> Image:
    """Smoothstep from 0 at `low` to 1 at `high`."""
    x = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)


def pick(rng: np.random.Generator, region: Mask, margin: float) -> Point:
    """A random pixel of `region` at least `margin` px inside it, or the deepest one where there is none."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    top, left = rows[0], columns[0]
    crop = np.pad(region[top : rows[-1] + 1, left : columns[-1] + 1], 1)
    depth = ndimage.distance_transform_edt(crop)
    deep = np.argwhere(depth >= min(margin, float(depth.max())))
    row, column = deep[rng.integers(len(deep))]
    return float(row - 1 + top), float(column - 1 + left)


def polar(shape: tuple[int, int], centre: Point) -> tuple[Image, Image]:
    """Distance in px and angle in radians of every pixel from `centre`."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(centre[0])
    columns = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(centre[1])
    return np.hypot(rows, columns), np.arctan2(rows, columns)


def outline(angle: Image, rng: np.random.Generator, roughness: float, waves: int = 5) -> Image:
    """Radius factor about 1 by angle: an ellipse with lobes, amplitude falling with the wave number."""
    factor = np.ones_like(angle)
    for wave in range(2, 2 + waves):
        factor += np.float32(roughness * rng.normal() / wave) * np.cos(wave * angle + np.float32(rng.uniform(0, 6.28)))
    return np.clip(factor, 0.6, 1.5)


def ball(shape: tuple[int, int], centre: Point, radius: float, rng: np.random.Generator, roughness: float) -> Image:
    """Projected thickness of a lobed ball, 1 at its centre: sqrt(1 - d^2), edge blurred by the focal spot."""
    box, local = _window(shape, centre, 1.5 * radius + 8.0)
    distance, angle = polar((box[0].stop - box[0].start, box[1].stop - box[1].start), local)
    d = distance / (radius * outline(angle, rng, roughness))
    canvas = np.zeros(shape, np.float32)
    canvas[box] = ndimage.gaussian_filter(np.sqrt(np.clip(1.0 - d * d, 0.0, None)), 0.7 + 0.045 * radius)
    return canvas


def disc(shape: tuple[int, int], centre: Point, radius: float, rng: np.random.Generator, roughness: float) -> Image:
    """Cross-section of a lobed ball in a thin slice: 1 inside, 0 outside, about 1 px of partial volume."""
    box, local = _window(shape, centre, 1.5 * radius + 3.0)
    distance, angle = polar((box[0].stop - box[0].start, box[1].stop - box[1].start), local)
    canvas = np.zeros(shape, np.float32)
    canvas[box] = np.clip(0.5 + (radius * outline(angle, rng, roughness, waves=9) - distance) / 1.6, 0.0, 1.0)
    return canvas


def spicules(shape: tuple[int, int], centre: Point, radius: float, rng: np.random.Generator) -> Image:
    """Fine strands that leave a malignant nodule, in [0, 1], gone at two radii."""
    box, local = _window(shape, centre, 2.0 * radius + 1.0)
    distance, angle = polar((box[0].stop - box[0].start, box[1].stop - box[1].start), local)
    strands = np.zeros(distance.shape, np.float32)
    beyond = np.clip(distance - radius, 0.0, None)
    for _ in range(int(rng.integers(7, 14))):
        turn = np.mod(angle - np.float32(rng.uniform(-np.pi, np.pi)) + np.pi, 2 * np.pi) - np.float32(np.pi)
        fall = np.exp(-((turn * distance) ** 2) / 1.2 - beyond / np.float32(radius * rng.uniform(0.3, 0.8)))
        strands = np.maximum(strands, np.where(np.abs(turn) < 1.0, fall, 0.0))
    canvas = np.zeros(shape, np.float32)
    canvas[box] = strands * ramp(distance, 0.3 * radius, 0.9 * radius) * ramp(-distance, -2.0 * radius, -1.4 * radius)
    return canvas


def _window(shape: tuple[int, int], centre: Point, reach: float) -> tuple[tuple[slice, slice], Point]:
    """The part of the image within `reach` px of `centre`, and the centre counted from its corner."""
    top, left = max(int(centre[0] - reach), 0), max(int(centre[1] - reach), 0)
    bottom, right = min(int(centre[0] + reach) + 2, shape[0]), min(int(centre[1] + reach) + 2, shape[1])
    return (slice(top, bottom), slice(left, right)), (centre[0] - top, centre[1] - left)


def patch(shape: tuple[int, int], centre: Point, radius: float, rng: np.random.Generator, rough: float = 0.4) -> Image:
    """A cloud with an irregular soft edge, in [0, 1]: an ellipse whose edge a coarse texture moves."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(centre[0])
    columns = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(centre[1])
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.65, 1.0)
    along = rows * np.sin(turn) + columns * np.cos(turn)
    across = (rows * np.cos(turn) - columns * np.sin(turn)) / stretch
    distance = np.hypot(along, across) / np.float32(radius)
    field = 1.0 - distance + np.float32(rough) * texture(shape, rng, 0.3 * radius, 2.6)
    return ramp(field, 0.0, 0.9) * ramp(-distance, -1.6, -0.9)


def airways(shape: tuple[int, int], start: Point, centre: Point, reach: float, rng: np.random.Generator) -> Image:
    """Branching air-filled bronchi in [0, 1] that fan out from `start` (the hilum) through `centre`."""
    canvas = np.zeros(shape, np.float32)
    heading = float(np.arctan2(centre[0] - start[0], centre[1] - start[1]))
    length = float(np.hypot(centre[0] - start[0], centre[1] - start[1]))
    back = 0.7 * min(length, reach)
    origin = (centre[0] - back * np.sin(heading), centre[1] - back * np.cos(heading))
    branches = [(origin, heading + rng.normal(0, 0.45), 1.0) for _ in range(int(rng.integers(2, 4)))]
    while branches:
        (row, column), turn, width = branches.pop()
        for step in range(int(reach * rng.uniform(0.5, 1.1) * width)):
            row, column = row + np.sin(turn) * 0.7, column + np.cos(turn) * 0.7
            turn += rng.normal(0, 0.06)
            r, c = int(row), int(column)
            if not (0 <= r < shape[0] and 0 <= c < shape[1]):
                break
            canvas[r, c] = max(canvas[r, c], width)
            if step > 5 and width > 0.5 and rng.random() < 0.05:
                branches.append(((row, column), turn + rng.choice((-1, 1)) * rng.uniform(0.35, 0.8), width * 0.7))
    return np.asarray(np.clip(2.8 * ndimage.gaussian_filter(canvas, 1.0), 0.0, 1.0), dtype=np.float32)


def strand(shape: tuple[int, int], centre: Point, length: float, width: float, turn: float, bend: float) -> Image:
    """A thin curved band in [0, 1] about `centre`: `length` and `width` in px, `turn` in radians, `bend` per px."""
    rows = np.arange(shape[0], dtype=np.float32)[:, None] - np.float32(centre[0])
    columns = np.arange(shape[1], dtype=np.float32)[None, :] - np.float32(centre[1])
    along = columns * np.cos(turn) + rows * np.sin(turn)
    across = rows * np.cos(turn) - columns * np.sin(turn) - bend * along**2
    profile = np.exp(-((across / (0.5 * width)) ** 2)) * ramp(-np.abs(along), -0.5 * length, -0.1 * length)
    return np.asarray(profile, dtype=np.float32)
