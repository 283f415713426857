"""Pictures for "real or synthetic?", all made alike in size, rim, greys, sharpness and grain: the anatomy is to decide.

A real film comes with 1024 px, letters, bars, JPEG's grid and fine noise; a drawn one with 256 px and the grid of its
codec. Both go one way, which never asks where a picture comes from: flat bars are cut off; a square is resampled with a
zoom and a shift of chance, so that no grid stays on the pixels; letters at the rim of a film, and what lies about the
body in CT, are taken out; greys, spectrum and grain are brought to one look (`synth.reading.look`); and one frame is
laid over all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synth.errors import RequestError
from synth.reading import look
from synth.reading.clutter import body, without_letters
from synth.terms import Modality

SIDE_PX = 256  # of every blind picture: what the shipped model draws
SMALLEST_PX = 64  # a narrower source has too little to show
LONGEST = 2  # times the shorter side: a longer source would lose more than it shows

BAR_RANGE = 24  # grey levels between the 5 % and 95 % of a row or column: below, it is a bar and no picture
BAR_MAX = 0.25  # of a side at most is cut off as a bar
ZOOM = (1.03, 1.07)  # side of the square over that of the content, by chance: what it adds lies under the frame
BODY_MARGIN = (1.06, 1.12)  # side of the square around a body, by chance, over the longer side of the body
SHIFT = 0.02  # of the side at most, by chance: more than half of the codec's 8 px

FRAME_POWER = 4  # of the superellipse that is shown: corners hold letters and collimators, seldom a lung
FRAME_RADIUS = 0.94  # of half the side: the outermost 8 px, where shrunk bars and frames end, are black in all
FRAME_FADE_PX = 5

_across = np.abs((np.arange(SIDE_PX, dtype=np.float32) + 0.5) / SIDE_PX * 2 - 1)
_radius = (_across[:, None] ** FRAME_POWER + _across[None] ** FRAME_POWER) ** (1 / FRAME_POWER)
FRAME = np.clip((FRAME_RADIUS - _radius) * SIDE_PX / 2 / FRAME_FADE_PX, 0, 1)  # (SIDE_PX, SIDE_PX): share that is shown
FRAME.flags.writeable = False

Picture = npt.NDArray[np.uint8]
Area = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Square:
    """A square of the source, in px of the source from the outer corner of its first pixel; it may reach beyond."""

    top: float
    left: float
    side: float

    def of(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """(SIDE_PX, SIDE_PX) of values (H, W): antialiased, linear; beyond its edge the source is mirrored."""
        step = self.side / SIDE_PX
        if step > 1:  # a Gaussian of half a step per axis, less what the source has already
            values = ndimage.gaussian_filter(values, 0.5 * np.sqrt(step**2 - 1), mode="mirror")
        at = (np.arange(SIDE_PX) + 0.5) * step - 0.5
        grid = np.meshgrid(self.top + at, self.left + at, indexing="ij")
        sampled: npt.NDArray[np.float32] = ndimage.map_coordinates(values, grid, order=1, mode="mirror")
        return sampled


@dataclass(frozen=True, slots=True, eq=False)
class Blind:
    """A picture as the reader sees it, (SIDE_PX, SIDE_PX) uint8, and the square of its source (H, W) that it shows."""

    pixels: Picture
    square: Square
    source: tuple[int, int]

    def area(self, mask: Area) -> Area:
        """(SIDE_PX, SIDE_PX) bool: an area (H, W) of the source, as far as it is shown.

        Raises RequestError where the area is not of the size of the source.
        """
        if mask.shape != self.source:
            raise RequestError(f"The lesion mask has {_size(mask.shape)} px; its picture has {_size(self.source)} px.")
        beyond = max(mask.shape) // 4  # an area is not mirrored
        padded = np.pad(mask, beyond)
        square = Square(self.square.top + beyond, self.square.left + beyond, self.square.side)
        shown: Area = (square.of(padded.astype(np.float32)) >= 0.5) & (FRAME >= 0.5)
        return shown


def blinded(pixels: Picture, seed: int, modality: Modality = Modality.DX) -> Blind:
    """The blind picture of a film or slice (H, W) uint8, CT in the lung window; equal input gives equal output.

    A seed must not be used for two pictures of a set, nor follow from their kind. Raises RequestError where there is
    no look for the modality, or the picture is too small or too long.
    """
    _check(pixels, modality)
    rng = np.random.default_rng(seed)
    values = pixels.astype(np.float32)
    square = _without_bars(pixels, rng)
    inside = FRAME >= 0.5
    if modality is Modality.CT:
        square = _around(body(square.of(values)), square, rng)
        image = square.of(values)
        inside &= body(image)
    else:
        image = without_letters(square.of(values))
    image = look.given(image, inside, look.LOOKS[modality], rng)
    shown = np.rint(np.clip(image, 1, 254) * FRAME).astype(np.uint8)
    return Blind(shown, square, (pixels.shape[0], pixels.shape[1]))


def _check(pixels: Picture, modality: Modality) -> None:
    if modality not in look.LOOKS:
        raise RequestError(f"{modality} is not read blind; only films and CT slices of the chest are.")
    if pixels.ndim != 2 or pixels.dtype != np.uint8:
        raise RequestError(f"A picture of {pixels.shape} {pixels.dtype} is not read blind; it must be grey of 8 bit.")
    if min(pixels.shape) < SMALLEST_PX:
        raise RequestError(f"The picture has {_size(pixels.shape)} px; {SMALLEST_PX} or more a side are read blind.")
    if max(pixels.shape) > LONGEST * min(pixels.shape):
        raise RequestError(f"The picture is a strip of {_size(pixels.shape)} px; a whole film or slice is read blind.")


def _size(shape: tuple[int, ...]) -> str:
    """Width x height, as people say it."""
    return " x ".join(map(str, reversed(shape)))


def _without_bars(pixels: Picture, rng: np.random.Generator) -> Square:
    """The middle square of what is no bar, zoomed and shifted by chance."""
    (top, bottom), (left, right) = _content(pixels), _content(pixels.T)
    side = min(bottom - top, right - left) * rng.uniform(*ZOOM)
    return _square((top + bottom) / 2, (left + right) / 2, side, rng)


def _around(area: Area, square: Square, rng: np.random.Generator) -> Square:
    """The square around an area (SIDE_PX, SIDE_PX) of another square, in px of the source."""
    rows, columns = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
    step = square.side / SIDE_PX
    side = (max(np.ptp(rows), np.ptp(columns)) + 1) * step * rng.uniform(*BODY_MARGIN)
    y, x = (rows[0] + rows[-1] + 1) / 2 * step, (columns[0] + columns[-1] + 1) / 2 * step
    return _square(square.top + y, square.left + x, side, rng)


def _square(y: float, x: float, side: float, rng: np.random.Generator) -> Square:
    """The square of this side around (y, x), shifted by chance."""
    y, x = (middle + rng.uniform(-SHIFT, SHIFT) * side for middle in (y, x))
    return Square(float(y - side / 2), float(x - side / 2), float(side))


def _content(pixels: Picture) -> tuple[int, int]:
    """The first row that is no bar, and the row after the last."""
    low, high = np.percentile(pixels, (5, 95), axis=1)
    full = np.flatnonzero(high - low >= BAR_RANGE)
    count, most = len(pixels), int(BAR_MAX * len(pixels))
    if not full.size:
        return 0, count
    return min(int(full[0]), most), max(int(full[-1]) + 1, count - most)
