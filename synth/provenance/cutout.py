"""Pictures inside a larger picture: films on a page, a slide or a screen, as rectangles against their surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

MOST = 4  # rectangles of one picture
SHORT_PX = 96  # a shorter side is a button or a line of text
INNER = 0.88  # of the whole's longer side: what fills more needs no cutting out
LEVELS = 256  # of grey, between darkest and brightest
SAME = 3  # levels: as near to the commonest grey is surroundings
BRIDGE_PX = 4  # of surroundings on each side that do not part a picture
PICTURE = 48  # levels that a picture shows at least; panels and buttons show few
DEPTH = 2  # a film on a card on a page
LARGE_PX = 2048  # of the longer side; in larger pictures every second, third ... pixel is looked at

Levels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, order=True)
class Box:
    """Rows top to bottom and columns left to right, ends excluded, in pixels of the whole."""

    top: int
    left: int
    bottom: int
    right: int

    def of(self, pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The part of (H, W) inside."""
        return pixels[self.top : self.bottom, self.left : self.right]


def pictures(pixels: npt.NDArray[Any]) -> list[Box]:
    """At most MOST rectangles of (H, W) that hold a picture; none where one fills it nearly.

    Those on the page come before those inside them, what shows most before what shows less.
    """
    step = -(-max(pixels.shape) // LARGE_PX)
    seen = pixels[::step, ::step].astype(np.float32)
    low, high = float(seen.min()), float(seen.max())
    if low == high:
        return []
    levels = np.rint((LEVELS - 1) * ((seen - low) / (high - low))).astype(np.uint8)
    whole = Box(0, 0, *levels.shape)
    found = [(depth, box) for depth, box in _inside(levels, whole, 1) if max(_sides(box)) < INNER * max(_sides(whole))]
    first = sorted(found, key=lambda one: (one[0], -_content(levels, one[1]), one[1]))
    kept = list(dict.fromkeys(box for _, box in first))[:MOST]
    return [Box(b.top * step, b.left * step, b.bottom * step, b.right * step) for b in kept]


def _inside(levels: Levels, outer: Box, depth: int) -> list[tuple[int, Box]]:
    """What stands out from the commonest grey of a rectangle, and what stands out inside that, with its depth."""
    part = outer.of(levels)
    other = np.abs(part.astype(np.int16) - int(_counts(part).argmax())) > SAME
    other = ndimage.binary_opening(other, np.ones((3, 3)))  # frames and letters are thin
    areas, _ = ndimage.label(ndimage.binary_dilation(other, iterations=BRIDGE_PX))
    found = []
    for rows, columns in ndimage.find_objects(areas * other):
        box = Box(outer.top + rows.start, outer.left + columns.start, outer.top + rows.stop, outer.left + columns.stop)
        if min(_sides(box)) < SHORT_PX:
            continue
        if np.count_nonzero(_counts(box.of(levels))) >= PICTURE:
            found.append((depth, box))
        if depth < DEPTH and box != outer:
            found += _inside(levels, box, depth + 1)
    return found


def _content(levels: Levels, box: Box) -> int:
    """Pixels that are not of the commonest grey: many in a film, few in a panel with letters."""
    counts = _counts(box.of(levels))
    return int(counts.sum() - counts.max())


def _counts(part: Levels) -> npt.NDArray[np.int64]:
    return np.bincount(part.ravel(), minlength=LEVELS)


def _sides(box: Box) -> tuple[int, int]:
    return box.bottom - box.top, box.right - box.left
