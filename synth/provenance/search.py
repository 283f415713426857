"""Where in a picture the pattern lies: whitening, then correlation over all shifts for each scale, turn and mirror."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft, ndimage

from synth.provenance.pattern import COLUMNS, FRAME_PX, Pattern, Spectrum
from synth.provenance.payload import CODE_BITS

WIENER_PX = 5  # side of the neighbourhood whose mean and variance tell anatomy from grain
QUIET = 0.2  # the quantile of local variances that stands for grain
SPREAD_PX = 4.0  # reach of the local deviation
FLOOR = 0.05  # of the picture's deviation: residuals in areas flatter than this stay small
CLIP = 3.0  # local deviations
GAMMA = 0.4  # of a coefficient's magnitude: 0 keeps the phase alone, 1 everything

# 1 % and half a degree: at the edge of the frame half a step is 0.6 px, a seventh of the finest wave
SCALES = np.geomspace(0.74, 1.14, 44)
TURNS_DEG = np.linspace(-3.0, 3.0, 13)
NEAR_SCALES, NEAR_TURNS_DEG = (0.995, 1.0, 1.005), (-0.25, 0.0, 0.25)  # around the best of the grid
KEPT = 4  # places of the grid that are looked at again
PARTS_PX = (-0.5, -0.25, 0.0, 0.25, 0.5)  # of a pixel
_NEAR = len(NEAR_SCALES) * len(NEAR_TURNS_DEG)
_PLACES = FRAME_PX**2 * 4 * 2  # shifts, mirrors, signs of one correlation
ALIGNED_TRIALS = (1 + _NEAR) * (_PLACES + len(PARTS_PX) ** 2)  # statistics looked at, for the union bound
ALL_TRIALS = ALIGNED_TRIALS + (len(SCALES) * len(TURNS_DEG) + KEPT * _NEAR) * (_PLACES + len(PARTS_PX) ** 2)

Frame = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Transform:
    """What was done to the marked picture, as found."""

    scale: float = 1.0  # of the frame: 0.8 where a fifth was cropped and the rest fills the picture
    turn_deg: float = 0.0
    mirrored: bool = False
    upside_down: bool = False
    inverted: bool = False
    shift_px: tuple[float, float] = (0.0, 0.0)  # down and right in the frame, modulo 256


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """The best place of one correlation: its z and what the payload part says there."""

    z: float  # sum of the projections on the sync part over their root sum of squares
    transform: Transform
    soft_bits: npt.NDArray[np.float64]  # (352,) of the payload part


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
    seen = variance[variance > (0.01 * deviation) ** 2]  # without flat black
    grain = float(np.quantile(seen, QUIET)) if len(seen) else 1.0
    residual = (frame - mean) * grain / np.maximum(variance, grain)
    spread = np.sqrt(ndimage.gaussian_filter(residual * residual, SPREAD_PX))
    return np.asarray(np.clip(residual / (spread + FLOOR * deviation), -CLIP, CLIP), np.float32)


def warped(frame: Frame, scale: float, turn_deg: float) -> Frame:
    """(256, 256): the whitened picture scaled and turned about its centre, folded by the pattern's period."""
    height, width = frame.shape
    reach = scale * max(height, width)
    side = FRAME_PX if reach <= FRAME_PX else 2 * FRAME_PX
    cos, sin = math.cos(math.radians(turn_deg)) / scale, math.sin(math.radians(turn_deg)) / scale
    x, y = scale * width / 2, scale * height / 2  # the centre afterwards
    matrix = (cos, sin, width / 2 - cos * x - sin * y, -sin, cos, height / 2 + sin * x - cos * y)
    picture = Image.fromarray(frame).transform((side, side), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR)
    values = np.asarray(picture)
    return values if side == FRAME_PX else values.reshape(2, FRAME_PX, 2, FRAME_PX).sum((0, 2))


def coefficients(frame: Frame) -> Spectrum:
    """The spectrum (256, 65) of a frame of 256 px up to the pattern's highest wave, with magnitudes flattened."""
    spectrum = fft.fft(fft.rfft(frame, axis=1)[:, :COLUMNS], axis=0)
    return np.asarray(spectrum * (np.abs(spectrum) + 1e-9) ** (GAMMA - 1.0), np.complex64)


def correlate(frame: Frame, pattern: Pattern, scale: float, turn_deg: float) -> Match:
    """The best of all shifts, mirrors and signs for one scale and turn of the whitened picture."""
    canvas = warped(frame, scale, turn_deg)
    _, which, down, right = _peak(coefficients(canvas), pattern)
    mirrored, upside_down = bool(which & 1), bool(which & 2)
    # Mirroring the canvas moves the peak of the mirrored template to where the plain one has it.
    canvas = canvas[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
    down, right = (-down if upside_down else down), (-right if mirrored else right)
    plain = Transform(scale, turn_deg, mirrored, upside_down, shift_px=(float(down), float(right)))
    return _projected(coefficients(canvas), pattern, plain)


def _peak(spectrum: Spectrum, pattern: Pattern) -> tuple[float, int, int, int]:
    """Height over the root mean square of what a picture without the mark gives; template, row and column."""
    peaks = fft.irfft2(spectrum[None] * pattern.conjugates, (FRAME_PX, FRAME_PX))
    at = max(int(peaks.argmax()), int(peaks.argmin()), key=lambda i: abs(float(peaks.flat[i])))
    power = float((np.abs(spectrum[pattern.rows[: pattern.sync], pattern.columns[: pattern.sync]]) ** 2).sum())
    which, down, right = (int(i) for i in np.unravel_index(at, peaks.shape))
    return abs(float(peaks.flat[at])) / (math.sqrt(power) + 1e-12), which, down, right


def _projected(spectrum: Spectrum, pattern: Pattern, plain: Transform) -> Match:
    """The match at the best part of a pixel around a shift."""
    rows = np.where(pattern.rows < FRAME_PX // 2, pattern.rows, pattern.rows - FRAME_PX)
    turn = 2j * np.pi / FRAME_PX
    down, right = plain.shift_px
    seen = spectrum[pattern.rows, pattern.columns] * pattern.vectors.conj()
    ways_y = [np.exp(turn * rows * (down + part)) for part in PARTS_PX]
    ways_x = [np.exp(turn * pattern.columns * (right + part)) for part in PARTS_PX]
    best = Match(0.0, plain, np.zeros(CODE_BITS))
    for part_y, way_y in zip(PARTS_PX, ways_y, strict=True):
        turned = seen * way_y
        for part_x, way_x in zip(PARTS_PX, ways_x, strict=True):
            values = (turned * way_x).real
            sync = values[: pattern.sync]
            z = float(sync.sum() / (np.sqrt((sync * sync).sum()) + 1e-12))
            if abs(z) > best.z:
                shift = ((down + part_y) % FRAME_PX, (right + part_x) % FRAME_PX)
                found = replace(plain, inverted=z < 0, shift_px=shift)
                best = Match(abs(z), found, pattern.soft_bits(values[pattern.sync :]) * math.copysign(1.0, z))
    return best


def near(frame: Frame, pattern: Pattern, match: Match) -> Match:
    """The best of a finer grid around a match."""
    at = match.transform
    tried = [correlate(frame, pattern, at.scale * s, at.turn_deg + t) for s in NEAR_SCALES for t in NEAR_TURNS_DEG]
    return max([match, *tried], key=lambda m: m.z)


def everywhere(frame: Frame, pattern: Pattern) -> Match:
    """The best of the whole grid of scales and turns, its first few looked at more closely."""
    grid = [(scale, turn) for scale in SCALES.tolist() for turn in TURNS_DEG.tolist()]
    heights = [_peak(coefficients(warped(frame, *place)), pattern)[0] for place in grid]
    first = sorted(range(len(grid)), key=lambda i: -heights[i])[:KEPT]
    return max((near(frame, pattern, correlate(frame, pattern, *grid[i])) for i in first), key=lambda m: m.z)
