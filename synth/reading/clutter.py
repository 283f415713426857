"""What lies about the patient and tells where a picture comes from: letters at the rim, the table, the air beside.

Pictures are square, (S, S) float32 in grey levels of 0 to 255; sizes hold for about 256 px.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull

Image = npt.NDArray[np.float32]
Area = npt.NDArray[np.bool_]

RIM = 0.62  # of half the side: nearer to the middle nothing is taken for a letter
STROKE_PX = 15  # wider things are no letters; markers of NIH films have strokes of 2 to 5 px at 256 px
LETTER_MIN, LETTER_EDGE = 45, 20  # grey levels above the ground: of the core of a letter, and of all of it
LETTER_MAX_PX = 400  # area; larger ones are arms, bones and tubes
FILL_PX = (12, 6, 3)  # widths of the Gaussians that fill a hole, the finest last

WALL_MIN = 140  # grey level of soft tissue in the lung window, about -530 HU
WALL_PX = 7  # thinner bright things are table and blankets
WALL_SHARE = 0.01  # of the picture: smaller pieces are no wall of a chest


def without_letters(image: Image) -> Image:
    """The film with small bright things near the rim filled in from around."""
    above = image - ndimage.grey_opening(image, (STROKE_PX, STROKE_PX))
    across = np.abs(np.linspace(-1, 1, len(image)))
    rim = np.maximum(across[:, None], across[None]) > RIM
    things, count = ndimage.label(rim & (above > LETTER_EDGE))
    if not count:
        return image
    index = np.arange(1, count + 1)
    bright = ndimage.maximum(above, things, index) > LETTER_MIN
    small = ndimage.sum(things > 0, things, index) <= LETTER_MAX_PX
    letters = np.isin(things, index[bright & small])
    return _filled(image, ndimage.binary_dilation(letters, iterations=2)) if letters.any() else image


def _filled(image: Image, hole: Area) -> Image:
    """The hole with the mean of its surroundings: from afar in its middle, from near at its edge."""
    known = (~hole).astype(np.float32)
    filled = image.copy()
    for width in FILL_PX:
        weight = ndimage.gaussian_filter(known, width)
        near = ndimage.gaussian_filter(image * known, width) / np.maximum(weight, 1e-6)
        filled = np.where(hole & (weight > 0.05), near, filled)
    return filled


def body(image: Image) -> Area:
    """(S, S): the convex hull of the chest wall in a slice in the lung window; all of it where no wall is seen."""
    wall = ndimage.binary_opening(ndimage.gaussian_filter(image, 1) > WALL_MIN, np.ones((WALL_PX, WALL_PX)))
    pieces, count = ndimage.label(wall)
    sizes = ndimage.sum(wall, pieces, np.arange(1, count + 1))
    points = np.argwhere(np.isin(pieces, 1 + np.flatnonzero(sizes >= WALL_SHARE * image.size)))
    if len(points) == 0:
        return np.ones(image.shape, bool)
    edges = ConvexHull(points).equations  # (E, 3): normal and offset, 0 or less inside
    at = np.argwhere(np.ones(image.shape, bool))
    inside: Area = (at @ edges[:, :2].T + edges[:, 2] <= 1).all(axis=1).reshape(image.shape)
    return inside
