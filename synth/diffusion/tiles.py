"""Any size by overlapping tiles: where they lie, and how they are laid together again without seams."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.diffusion.kinds import KINDS

TILE_PX = 256  # of the result
OVERLAP_PX = 32
SIDE_MIN_PX = 64  # a smaller picture carries no mark and cannot be judged
COUNT_MAX = 64  # about 1,800 px a side

Grey = npt.NDArray[np.float32]


def places(height: int, width: int, side: int = TILE_PX, overlap: int = OVERLAP_PX) -> list[tuple[int, int]]:
    """Top left corners of the tiles of side `side` that cover a picture; neighbours share `overlap` px or more."""
    return [(top, left) for top in _starts(height, side, overlap) for left in _starts(width, side, overlap)]


def count(height: int, width: int, kind: str) -> int:
    """How many tiles a picture of this size takes, which is what its time goes with."""
    spec = KINDS[kind]
    if spec.light:
        return 1
    side, overlap = TILE_PX // spec.factor, OVERLAP_PX // spec.factor
    return len(places(max(height, side), max(width, side), side, overlap))


def padded(pixels: Grey, side: int = TILE_PX) -> Grey:
    """The picture mirrored below and to the right until each side has `side` px or more: (H', W')."""
    more = [(0, max(0, side - length)) for length in pixels.shape]
    return np.pad(pixels, more, mode="symmetric")


class Mosaic:
    """Tiles laid over each other with feathered edges; the sum of their weights is 1 everywhere."""

    def __init__(self, height: int, width: int, side: int = TILE_PX, overlap: int = OVERLAP_PX) -> None:
        """Room for a picture of `height` x `width` px, both at least `side`."""
        ramp = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1)) / (overlap + 1.0)
        self._weight = np.minimum.outer(np.minimum(ramp, 1.0), np.minimum(ramp, 1.0)).astype(np.float32)
        self._sum = np.zeros((height, width), np.float32)
        self._weights = np.zeros((height, width), np.float32)

    def lay(self, place: tuple[int, int], tile: Grey) -> None:
        """Add one tile (side, side) with its top left corner at `place`."""
        at = tuple(slice(start, start + length) for start, length in zip(place, tile.shape, strict=True))
        self._sum[at] += self._weight * tile
        self._weights[at] += self._weight

    def picture(self) -> Grey:
        """(H, W), once every pixel is covered."""
        return self._sum / self._weights


def _starts(length: int, side: int, overlap: int) -> list[int]:
    count = 1 + max(0, -(-(length - side) // (side - overlap)))
    return [round(k * max(0, length - side) / max(1, count - 1)) for k in range(count)]
