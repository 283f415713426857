"""Whether a picture is still what left: compared with the kept one, past all that resaving and windowing do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage

from synth import imaging

SIDE_PX = 256  # longer side of both pictures where they are compared
SOFT_PX = 3.0  # reach of the local mean: what compression and resizing do has a mean of nothing over it
EDGE_PX = 1.0  # an edge may lie elsewhere by so much
BINS = 64  # of the tone curve
CHANGED = 9.0  # grey levels of a local mean: resaving and resizing gave 8.7 at most on 42 films and slices

Grey = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Change:
    """The largest local departure in grey levels, and its place as fractions of the sides: from the left, the top."""

    levels: float
    x: float
    y: float

    @property
    def altered(self) -> bool:
        """True for more than resaving does."""
        return self.levels > CHANGED


def change(shown: Grey, left: Grey) -> Change | None:
    """What was changed in a picture (H, W) since it left as (h, w); None where their shapes do not agree.

    Brightness and contrast may differ: the tone curve between both is measured and taken out, be it inverted.
    """
    size = imaging.fitted(left.shape, SIDE_PX)[2:]
    if abs(shown.shape[0] / shown.shape[1] - left.shape[0] / left.shape[1]) > 0.02 * left.shape[0] / left.shape[1]:
        return None
    now, then = (_resized(picture, size) for picture in (shown, left))
    rests = [_rest(now, expected) for expected in (_toned(then, now), _scaled(then, now))]
    rest = min(rests, key=lambda one: float(one.max()))
    row, column = (int(i) for i in np.unravel_index(int(rest.argmax()), rest.shape))
    return Change(float(rest.max()), column / rest.shape[1], row / rest.shape[0])


def _rest(now: Values, expected: Values) -> Values:
    """(h, w) local means of what is not as expected, less what an edge gives that lies a little elsewhere."""
    rest = np.abs(ndimage.gaussian_filter(now - expected, SOFT_PX))
    return np.asarray(rest - EDGE_PX * ndimage.gaussian_gradient_magnitude(expected, SOFT_PX))


def _toned(then: Values, now: Values) -> Values:
    """`then` on its tone curve: the mean of `now` for each of its greys. It takes windowing and gamma out."""
    which = np.clip(then * BINS / 256, 0, BINS - 1).astype(np.int64).ravel()
    counts = np.bincount(which, minlength=BINS)
    known = np.flatnonzero(counts)
    means, centres = (np.bincount(which, picture.ravel(), BINS)[known] / counts[known] for picture in (now, then))
    return np.interp(then, centres, means)


def _scaled(then: Values, now: Values) -> Values:
    """`then` times a factor plus an offset: letters that were blurred do not bend it as they bend a curve."""
    coarse, shown = (ndimage.gaussian_filter(picture, SOFT_PX).ravel() for picture in (then, now))
    slope, offset = np.polyfit(coarse, shown, 1) if np.ptp(coarse) else (1.0, 0.0)
    return np.clip(slope * then + offset, 0.0, 255.0)


def _resized(picture: Grey, size: tuple[int, int]) -> Values:
    floats = Image.fromarray(np.ascontiguousarray(picture, dtype=np.float32))
    return np.asarray(floats.resize(size[::-1], Image.Resampling.BICUBIC), np.float64)
