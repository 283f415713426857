"""Where in a picture the pattern lies: whitening, then correlation over all shifts for each scale, turn and mirror.

A place is a scale, a turn, a mirror, a sign and a shift, all from one fixed lattice. The search looks at few of its
places but chooses them by the key's own signs, so the bound on false alarms counts every place it could reach.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft, ndimage

from synth.provenance.pattern import FRAME_PX, HIGH, SURFACE_PX, Pattern

WIENER_PX = 5  # side of the neighbourhood whose mean and variance tell anatomy from grain
QUIET = 0.15  # the quantile of local variances that stands for grain
SPREAD_PX = 4.0  # reach of the local deviation
FLOOR = 0.05  # of the picture's deviation: residuals in areas flatter than this stay small
CLIP = 3.0  # local deviations
BLACK, GREY = 2.0 / 255, 8.0 / 255  # of the range of brightness: `embed` adds nothing in black, so noise there is mute
SOFT_PX = 2.0  # reach of that brightness
GAMMA = 0.4  # of a coefficient's magnitude: 0 keeps the phase alone, 1 everything

# 1 % and half a degree: at the edge of the frame half a step is 0.6 px, a seventh of the finest wave
SCALE_STEP, SCALE_FROM, SCALE_TO = 1.01, -30, 13  # powers: 0.742 to 1.138 of the frame
TURN_STEP_DEG, TURN_TO = 0.5, 6  # steps each way
SCALES = tuple(SCALE_STEP**k for k in range(SCALE_FROM, SCALE_TO + 1))
TURNS_DEG = tuple(TURN_STEP_DEG * k for k in range(-TURN_TO, TURN_TO + 1))
HALVES = (-0.5, 0.0, 0.5)  # of a step, around a place of the grid
KEPT, CLOSE = 16, 3  # peaks whose shift is looked at more closely; of these, whose scale and turn are

FINE = 2  # shifts are halves of a pixel
AROUND = np.arange(-2, 3)  # in halves of a pixel, around a peak
PADDING = 4  # of the frame before its transform, so that the nearest sample stands for a turned frequency
REACH = math.ceil(PADDING * HIGH * SCALE_STEP ** (SCALE_TO + 1))
LEFT = math.ceil(PADDING * HIGH * math.sin(math.radians(TURN_STEP_DEG * (TURN_TO + 1))) * 1.2)
FLIPS = 4 * 2  # mirrors and signs
_SHIFTS = (FINE * FRAME_PX) ** 2 * FLIPS
IN_PLACE = len(HALVES) ** 2 * len(AROUND) ** 2 * FLIPS  # places of a picture that was not moved
ALIGNED = len(HALVES) ** 2 * _SHIFTS  # of one that was shifted
EVERYWHERE = (2 * len(SCALES) + 1) * (2 * len(TURNS_DEG) + 1) * _SHIFTS

Frame = npt.NDArray[np.float32]
Values = npt.NDArray[np.complex64]
ROOTS = np.exp(2j * np.pi * np.arange(FINE * FRAME_PX) / (FINE * FRAME_PX)).astype(np.complex64)


@dataclass(frozen=True, slots=True)
class Transform:
    """What was done to the marked picture, as found."""

    scale: float = 1.0  # of the frame: 0.8 where a fifth was cropped and the rest fills the picture
    turn_deg: float = 0.0  # clockwise
    mirrored: bool = False
    upside_down: bool = False
    inverted: bool = False
    shift_px: tuple[float, float] = (0.0, 0.0)  # of the centre, down and right in the frame, modulo 256


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The best place: its z and what the payload part says there."""

    z: float  # sum of the projections on the sync part over their root sum of squares
    transform: Transform
    soft_bits: npt.NDArray[np.float64]  # (352,) of the payload part


@dataclass(frozen=True, slots=True)
class Peak:
    """A place, by its numbers in the lattice; `mirror` is 0-3: none, left-right, upside down, both."""

    z: float  # without its sign
    scale: float
    turn_deg: float
    mirror: int
    down: int  # halves of a pixel
    right: int


def framed(pixels: npt.NDArray[np.generic]) -> Frame:
    """The picture with its longer side at 256 px."""
    height, width = pixels.shape
    scale = FRAME_PX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BICUBIC))


def whitened(frame: Frame) -> Frame:
    """(h, w) to the same: Wiener residual (Lim 1990, 536) over its local deviation, so that edges do not shout."""
    mean = ndimage.uniform_filter(frame, WIENER_PX)
    variance = np.maximum(ndimage.uniform_filter(frame * frame, WIENER_PX) - mean * mean, 0.0)
    deviation = float(frame.std()) + 1e-6
    weight = _brightness(frame)
    seen = variance[(weight > 0.5) & (variance > (0.01 * deviation) ** 2)]  # without flat areas
    grain = float(np.quantile(seen, QUIET)) if len(seen) else 1.0
    residual = (frame - mean) * grain / np.maximum(variance, grain)
    spread = np.sqrt(ndimage.gaussian_filter(residual * residual, SPREAD_PX))
    return np.asarray(weight * np.clip(residual / (spread + FLOOR * deviation), -CLIP, CLIP), np.float32)


def _brightness(frame: Frame) -> Frame:
    """0 in black, 1 in grey: nothing is marked in black, and what is there is noise of others."""
    soft = ndimage.gaussian_filter(frame, SOFT_PX)
    low, high = np.quantile(soft, (0.001, 0.999))
    share = (soft - low) / (high - low + 1e-6)
    return np.asarray(np.clip((share - BLACK) / (GREY - BLACK), 0.0, 1.0), np.float32)


def spectrum(frame: Frame) -> Values:
    """Frequencies of the whitened picture in quarters of a cycle, about its centre, with magnitudes flattened.

    Rows are -REACH to REACH, columns -LEFT to REACH. What shifts, turns and scales a picture about its centre moves,
    turns and scales these.
    """
    size = PADDING * FRAME_PX
    half = fft.fft(fft.rfft(frame, size, axis=1)[:, : REACH + 1], size, axis=0)
    half = np.concatenate([half[-REACH:], half[: REACH + 1]])  # rows -REACH to REACH
    y, x = np.arange(-REACH, REACH + 1)[:, None], np.arange(REACH + 1)[None]
    centre = (frame.shape[0] - 1) / 2, (frame.shape[1] - 1) / 2
    half *= np.exp(2j * np.pi / size * centre[0] * y) * np.exp(2j * np.pi / size * centre[1] * x)
    whole = np.concatenate([half[::-1, LEFT:0:-1].conj(), half], axis=1)
    return np.asarray(whole * (np.abs(whole) + 1e-9) ** (GAMMA - 1.0), np.complex64)


def sampled(seen: Values, rows: Frame, columns: Frame, scale: float, turn_deg: float) -> Values:
    """The spectrum at frequencies (N,) of a frame that is scaled and turned about its centre."""
    cos, sin = (PADDING * scale * f(math.radians(turn_deg)) for f in (math.cos, math.sin))
    y = np.rint(cos * rows + sin * columns).astype(np.int32) + REACH
    x = np.rint(cos * columns - sin * rows).astype(np.int32) + LEFT
    return seen[y, x]


def peak(seen: Values, pattern: Pattern, scale: float, turn_deg: float) -> Peak:
    """The best of all mirrors, signs and every second pixel of shift for one scale and turn."""
    rows, columns = pattern.rows[: pattern.sync].astype(np.float32), pattern.columns[: pattern.sync].astype(np.float32)
    vectors = pattern.vectors[: pattern.sync]
    against = vectors.conj()
    plain, turned = (sampled(seen, sign * rows, columns, scale, turn_deg) for sign in (1, -1))
    sums = np.zeros((4, SURFACE_PX * (SURFACE_PX // 2 + 1)), np.complex64)
    same, flipped = pattern.places
    sums[0, same], sums[3, same] = plain * against, plain * vectors
    sums[2, flipped], sums[1, flipped] = turned * against, turned * vectors
    surfaces = fft.irfft2(sums.reshape(4, SURFACE_PX, -1), (SURFACE_PX, SURFACE_PX), norm="forward")
    surfaces = surfaces.reshape(4, -1)
    best = np.maximum(surfaces.max(1), -surfaces.min(1))
    power = [float(np.vdot(part, part).real) for part in (plain, turned)]
    heights = best / np.sqrt([2 * power[m in (1, 2)] + 1e-12 for m in range(4)])
    mirror = int(heights.argmax())
    at = int(np.abs(surfaces[mirror]).argmax())
    step = FINE * FRAME_PX // SURFACE_PX
    return Peak(float(heights[mirror]), scale, turn_deg, mirror, at // SURFACE_PX * step, at % SURFACE_PX * step)


def closer(seen: Values, pattern: Pattern, start: Peak) -> Peak:
    """The best of the 25 shifts around a peak, in halves of a pixel."""
    part = slice(0, pattern.sync)
    values, rows, columns = _facing(seen, pattern, start, part)
    ways_y = ROOTS[(rows[None] * (start.down + AROUND)[:, None]) % len(ROOTS)]  # (5, N)
    ways_x = ROOTS[(columns[None] * (start.right + AROUND)[:, None]) % len(ROOTS)]
    turned = values * ways_y
    sums = (turned @ ways_x.T).real
    squares = (np.vdot(values, values).real + ((turned * turned) @ (ways_x * ways_x).T).real) / 2  # of real parts
    scores = np.abs(sums) / np.sqrt(squares + 1e-12)
    y, x = divmod(int(scores.argmax()), len(AROUND))
    down, right = (start.down + int(AROUND[y])) % len(ROOTS), (start.right + int(AROUND[x])) % len(ROOTS)
    return Peak(float(scores[y, x]), start.scale, start.turn_deg, start.mirror, down, right)


def near(seen: Values, pattern: Pattern, start: Peak) -> Peak:
    """The best of the scales and turns half a step around a peak."""
    tried = (
        Peak(
            0.0, start.scale * SCALE_STEP**s, start.turn_deg + TURN_STEP_DEG * t, start.mirror, start.down, start.right
        )
        for s, t in product(HALVES, HALVES)
    )
    return max((closer(seen, pattern, place) for place in tried), key=lambda p: p.z)


def in_place(seen: Values, pattern: Pattern, centre: tuple[float, float]) -> Peak:
    """The best place of a picture that was not moved but perhaps mirrored; `centre` as for `matched`."""
    lies = [round(FINE * (0.5 - c)) for c in centre]
    ways = [(*(-at if m in ms else at for at, ms in zip(lies, ((2, 3), (1, 3)), strict=True)), m) for m in range(4)]
    first = (closer(seen, pattern, Peak(0.0, 1.0, 0.0, m, down, right)) for down, right, m in ways)
    best = max(first, key=lambda p: p.z)
    down, right, _ = ways[best.mirror]
    return near(seen, pattern, Peak(best.z, 1.0, 0.0, best.mirror, down, right))


def aligned(seen: Values, pattern: Pattern) -> Peak:
    """The best place of a picture that was neither turned nor cropped, half a step to each side included."""
    places = [(SCALE_STEP**s, TURN_STEP_DEG * t) for s, t in product(HALVES, HALVES)]
    return _best(seen, pattern, places)[0]


def everywhere(seen: Values, pattern: Pattern) -> Peak:
    """The best place of the whole lattice, as far as the coarse grid leads to it."""
    first = _best(seen, pattern, product(SCALES, TURNS_DEG))[:CLOSE]
    return max((near(seen, pattern, found) for found in first), key=lambda p: p.z)


def matched(seen: Values, pattern: Pattern, found: Peak, centre: tuple[float, float]) -> Match:
    """The place as what was done to the picture, whose centre in the frame is `centre`; and the payload's soft bits."""
    both = [_facing(seen, pattern, found, part) for part in (slice(0, pattern.sync), slice(pattern.sync, None))]
    sync, code = ((v * ROOTS[(r * found.down + c * found.right) % len(ROOTS)]).real.astype(float) for v, r, c in both)
    z = float(sync.sum() / (np.sqrt((sync * sync).sum()) + 1e-12))
    mirrored, upside_down = found.mirror in (1, 3), found.mirror in (2, 3)
    down = (found.down / FINE + (centre[0] - 0.5) * (-1 if upside_down else 1)) % FRAME_PX
    right = (found.right / FINE + (centre[1] - 0.5) * (-1 if mirrored else 1)) % FRAME_PX
    done = Transform(found.scale, found.turn_deg, mirrored, upside_down, z < 0, (down, right))
    return Match(abs(z), done, pattern.soft_bits(code) * math.copysign(1.0, z))


def _best(seen: Values, pattern: Pattern, places: Iterable[tuple[float, float]]) -> list[Peak]:
    """The highest peaks of some scales and turns, their shifts looked at more closely, best first."""
    peaks = sorted((peak(seen, pattern, *place) for place in places), key=lambda p: -p.z)[:KEPT]
    return sorted((closer(seen, pattern, found) for found in peaks), key=lambda p: -p.z)


def _facing(
    seen: Values, pattern: Pattern, place: Peak, part: slice
) -> tuple[Values, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Samples of a part of the pattern as its mirror image lies, times the vectors it expects; rows and columns."""
    rows, columns = pattern.rows[part] * (1, -1, -1, 1)[place.mirror], pattern.columns[part]
    vectors = pattern.vectors[part]
    values = sampled(seen, rows.astype(np.float32), columns.astype(np.float32), place.scale, place.turn_deg)
    return values * (vectors if place.mirror in (1, 3) else vectors.conj()), rows, columns
