"""Text burnt into pixels: lines of letters by their shape, and what lies outside the regions of an ultrasound."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset
from scipy import ndimage
from scipy.sparse.csgraph import connected_components

Box = tuple[int, int, int, int]  # top, left, height, width in px
Shown = npt.NDArray[np.uint8]

SIDE_PX = 1024  # of the longer side, at which letters are looked for; lengths below are in these px
# Letters that make a line, in each round of looking after what was found is black: fewer are a marker of the side or
# chance, until there is a line; beside one they are text too.
LETTERS = (5, 3, 3, 3)
TINY_PX = 400  # of the longer side: smaller pictures are looked at in double size
EDGE = 30  # grey levels from one px to the next: letters are sharp, anatomy is not
BLOCK_PX, BLOCK_EDGES = 16, 0.07  # share of such steps in a block that may hold letters
STROKE_PX = 17  # wider than the strokes of letters
CONTRAST = 36  # grey levels above or below the background around the stroke
BRIGHT = 150  # letters are nearly white, or black, of the picture as it is shown
SMALLEST_PX, LARGEST_PX = 5, 90  # height of letters
FEWEST_PX = 6  # of a letter
MOST_PARTS = 1500  # in one place; more are a texture


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """Connected parts of one place, each a letter perhaps: arrays (N,) in px, and their strongest grey (0-255)."""

    top: npt.NDArray[np.float64]
    left: npt.NDArray[np.float64]
    bottom: npt.NDArray[np.float64]
    right: npt.NDArray[np.float64]
    filled: npt.NDArray[np.float64]  # share of the box
    grey: npt.NDArray[np.float64]


def text_bands(pixels: Shown) -> tuple[Box, ...]:
    """Boxes of lines of at least five letters or digits in a picture (H, W) as it is shown, bright or dark.

    Letters are parts of similar height and one grey, beside each other on a line. Single letters and short markers
    (L, R, PA) are not text. Works on a copy of at most 1024 px: letters below 7 px there are missed.
    """
    longest = max(pixels.shape)
    scale = 0.5 if longest < TINY_PX else max(longest / SIDE_PX, 1.0)
    small = pixels
    if scale != 1.0:
        height, width = (max(1, round(side / scale)) for side in pixels.shape)
        way = Image.Resampling.BOX if scale > 1.0 else Image.Resampling.BICUBIC
        small = np.asarray(Image.fromarray(pixels).resize((width, height), way))
    found: list[Box] = []
    for fewest in LETTERS:
        more = _upright_and_turned(small, fewest)
        if not more:
            break
        found += more
        small = np.where(mask(small.shape, more), np.uint8(0), small)  # a line may hide behind another
    return tuple(
        (int(top * scale), int(left * scale), int(np.ceil(high * scale)) + 1, int(np.ceil(wide * scale)) + 1)
        for top, left, high, wide in dict.fromkeys(found)
    )


def _upright_and_turned(small: Shown, fewest: int) -> list[Box]:
    """Lines of letters from left to right, and those along a side, which run up or down."""
    turned = np.ascontiguousarray(small.T[:, ::-1])
    found = [box for place in _places(small) for box in _lines(small, place, fewest)]
    return found + [_turned_back(box, small) for place in _places(turned) for box in _lines(turned, place, fewest)]


def _places(small: Shown) -> Iterator[Box]:
    """Boxes around blocks with many sharp steps from left to right: where letters may be."""
    wide = small.astype(np.int16)
    steps = np.abs(np.diff(wide, axis=1)) > EDGE
    rows, columns = (side // BLOCK_PX for side in steps.shape)
    if rows == 0 or columns == 0:
        return
    blocks = steps[: rows * BLOCK_PX, : columns * BLOCK_PX].reshape(rows, BLOCK_PX, columns, BLOCK_PX)
    busy = blocks.sum(axis=(1, 3)) >= BLOCK_EDGES * BLOCK_PX**2
    labels, _ = ndimage.label(ndimage.binary_dilation(busy, np.ones((3, 5))), np.ones((3, 3)))
    for part in ndimage.find_objects(labels):
        top, left = part[0].start * BLOCK_PX, part[1].start * BLOCK_PX
        # the last blocks reach to the border, where a rest is left over
        bottom = part[0].stop * BLOCK_PX if part[0].stop < rows else small.shape[0]
        right = part[1].stop * BLOCK_PX if part[1].stop < columns else small.shape[1]
        yield top, left, bottom - top, right - left


def _turned_back(box: Box, small: Shown) -> Box:
    """The box in the picture of one found in the picture turned by a quarter (first axis down, then mirrored)."""
    top, left, high, wide = box
    return small.shape[0] - left - wide, top, wide, high


def _lines(small: Shown, place: Box, fewest: int) -> Iterator[Box]:
    """Lines of letters in this place, bright ones and dark ones, as boxes of the whole picture."""
    top, left, height, width = place
    crop = small[top : top + height, left : left + width]
    for image in (crop, 255 - crop):
        parts = _parts(image)
        if parts is None:
            continue
        _, groups = connected_components(_neighbours(parts), directed=False)
        for group in np.unique(groups):
            chosen = groups == group
            if _is_text(parts, chosen, fewest):
                y, x, high, wide = _grown(parts, chosen)
                yield top + y, left + x, high, wide


def _parts(image: Shown) -> _Parts | None:
    """Parts of the size of letters, brighter than the background that is left without thin strokes; None for too many.

    None also where there are none.
    """
    size = (min(STROKE_PX, image.shape[0]), min(STROKE_PX, image.shape[1]))
    background = ndimage.maximum_filter(ndimage.minimum_filter(image, size), size)
    labels, count = ndimage.label(image.astype(np.int16) - background > CONTRAST, np.ones((3, 3)))
    area = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    if not 0 < (area >= FEWEST_PX).sum() <= MOST_PARTS:
        return None
    boxes = np.array([[r.start, c.start, r.stop, c.stop] for r, c in ndimage.find_objects(labels)], float)
    boxes = boxes.reshape(count, 4)
    numbers = np.arange(1, count + 1)
    high, wide = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    grey = np.asarray(ndimage.maximum(image, labels, numbers), float).reshape(count)
    good = (high >= SMALLEST_PX) & (high <= LARGEST_PX) & (wide <= 4 * high) & (area >= FEWEST_PX)
    top, left, bottom, right = boxes[good].T
    return _Parts(top, left, bottom, right, (area / np.maximum(high * wide, 1))[good], grey[good])


def _neighbours(parts: _Parts) -> npt.NDArray[np.bool_]:
    """(N, N): True for two parts side by side on one line, of similar height and grey."""
    high = parts.bottom - parts.top
    taller = np.maximum(high[:, None], high[None])
    gap = np.maximum(parts.left[:, None], parts.left[None]) - np.minimum(parts.right[:, None], parts.right[None])
    even = np.abs(parts.bottom[:, None] - parts.bottom[None]) <= 0.25 * taller
    similar = taller <= 1.8 * np.minimum(high[:, None], high[None])
    same_grey = np.abs(parts.grey[:, None] - parts.grey[None]) <= 30
    near: npt.NDArray[np.bool_] = even & similar & same_grey & (gap <= 0.9 * taller) & (gap >= -0.3 * taller)
    return near


def _is_text(parts: _Parts, chosen: npt.NDArray[np.bool_], fewest: int) -> bool:
    """Enough letters of one grey and height on a straight line, wide enough, and neither solid nor thin."""
    if chosen.sum() < 3:
        return False
    bottom, high = parts.bottom[chosen], (parts.bottom - parts.top)[chosen]
    wide, left = (parts.right - parts.left)[chosen], parts.left[chosen]
    height = float(np.median(high))
    letters = float(np.maximum(1.0, np.round(wide / (0.75 * height))).sum())  # small letters touch each other
    span = float(parts.right[chosen].max() - left.min())
    line = np.abs(bottom - np.median(bottom)) <= max(1.0, 0.1 * height)
    return (
        letters >= fewest
        and span >= 0.44 * fewest * height
        and float(line.mean()) >= 0.6
        and float((np.abs(high - height) <= max(1.0, 0.2 * height)).mean()) >= 0.6
        and 0.2 <= float(np.median(parts.filled[chosen])) <= 0.85
        and float(np.std(parts.grey[chosen])) <= 15.0
        and float(np.median(parts.grey[chosen])) >= BRIGHT
        and float(wide.sum()) >= 0.4 * span
    )


def _grown(parts: _Parts, chosen: npt.NDArray[np.bool_]) -> Box:
    """The box of the line with what stands beside it, up to three of its heights away: accents, words, figures."""
    height = float(np.median((parts.bottom - parts.top)[chosen]))
    top, bottom = parts.top[chosen].min(), parts.bottom[chosen].max()
    middle = (parts.top + parts.bottom) / 2
    beside = (middle >= top) & (middle <= bottom) & (parts.bottom - parts.top <= 2 * height)
    left, right = parts.left[chosen].min(), parts.right[chosen].max()
    while (more := beside & ~chosen & (parts.left <= right + 3 * height) & (parts.right >= left - 3 * height)).any():
        chosen = chosen | more
        left, right = parts.left[chosen].min(), parts.right[chosen].max()
    top, bottom = parts.top[chosen].min(), parts.bottom[chosen].max()
    return int(top), int(left), int(bottom - top), int(right - left)


def regions(ds: Dataset) -> tuple[Box, ...]:
    """Boxes of the Sequence of Ultrasound Regions (PS3.3 C.8.5.5), () for other images."""
    found = []
    for item in ds.get("SequenceOfUltrasoundRegions") or ():
        left, top = int(item.RegionLocationMinX0), int(item.RegionLocationMinY0)
        right, bottom = int(item.RegionLocationMaxX1), int(item.RegionLocationMaxY1)
        found.append((top, left, bottom - top + 1, right - left + 1))
    return tuple(found)


def mask(shape: tuple[int, ...], boxes: Iterable[Box], inside: Iterable[Box] = ()) -> npt.NDArray[np.bool_]:
    """(H, W), True where it must be black: in the boxes with a margin, and outside of `inside` if that is given."""
    kept = tuple(inside)
    black = np.full(shape, bool(kept))
    for top, left, height, width in kept:
        black[max(top, 0) : max(top + height, 0), max(left, 0) : max(left + width, 0)] = False
    for top, left, height, width in boxes:
        margin = max(2, height // 4)
        rows = slice(max(top - margin, 0), top + height + margin)
        black[rows, max(left - margin, 0) : left + width + margin] = True
    return black
