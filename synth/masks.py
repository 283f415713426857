"""Areas of a picture: growing them, softening their border, finding what is lost, and what cannot be edited."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from synth.errors import RequestError
from synth.types import Pixels

Area = npt.NDArray[np.bool_]  # (H, W), True inside

FEATHER_PX = 6  # over which a change sets in, inward from the border of the edit mask
LARGEST_SHARE = 0.6  # of the picture that may be drawn anew: the model has learnt holes up to that
SMALLEST_PX = 12  # pixels of an area; fewer are a slip of the pen
INSIDE_BODY = 0.5  # share of a lesion that must lie on the patient
LOST_MAX = 0.5  # share of a picture that may be lost
_STRIPE_MAX_PX = 32
_BLOCK_MIN_PX = 6
_BLOCK_STRAIGHT = 0.97  # of an even area that squares of 6 px cover: what a machine lost has straight borders
_AIR = 0.08  # of the range of grey: darker regions that touch the border of the picture are air around the patient


def grown(area: npt.NDArray[Any], by_px: float) -> Area:
    """The area (non-zero inside) with everything within `by_px` pixels of it."""
    inside = np.asarray(area) > 0.5
    if not inside.any():
        return inside
    return np.asarray(ndimage.distance_transform_edt(~inside) <= by_px)


def course(lesion: Area, stages: int, share: float, within: Area) -> list[Area]:
    """`stages` areas from the lesion to one of `share` times its pixels, each inside the next or the other way round.

    Cut at levels of the signed distance from the lesion's border, sizes in equal ratios; it grows only `within`
    (H, W) and shrinks to SMALLEST_PX at least. Raises RequestError where the lesion is smaller than that.
    """
    if lesion.sum() < SMALLEST_PX:
        raise RequestError("No lesion is drawn; draw its area on the picture first.")
    depth = ndimage.distance_transform_edt(lesion) - ndimage.distance_transform_edt(~lesion)
    depth += 1e-3 * ndimage.gaussian_filter(depth, 3.0)  # tells pixels of one distance apart
    depth = np.where(within | lesion, depth, -np.inf)
    falling = -np.sort(-depth[np.isfinite(depth)], axis=None)
    ratios = share ** np.linspace(0.0, 1.0, stages)
    counts = np.clip(np.rint(lesion.sum() * ratios).astype(int), SMALLEST_PX, falling.size)
    return [depth >= falling[count - 1] for count in counts]


def outline(area: Area) -> list[npt.NDArray[np.float64]]:
    """The borders of an area (H, W) as closed polylines (N, 2), along the edges of its pixels.

    Each point is (x, y) in px from the upper left corner of the picture, the first one repeated at the end; only
    corners are kept. The area lies to the right of the way, holes run the other way round.
    """
    padded = np.pad(area, 1)
    ways: dict[tuple[int, int], list[tuple[int, int]]] = {}
    # (neighbour, start and end of the edge between) as (dy, dx), from the upper left corner of the pixel
    sides = (((-1, 0), (0, 0), (0, 1)), ((0, 1), (0, 1), (1, 1)), ((1, 0), (1, 1), (1, 0)), ((0, -1), (1, 0), (0, 0)))
    for (dy, dx), start, end in sides:
        bare = padded & ~np.roll(padded, (-dy, -dx), (0, 1))
        for y, x in np.argwhere(bare[1:-1, 1:-1]).tolist():
            ways.setdefault((x + start[1], y + start[0]), []).append((x + end[1], y + end[0]))
    lines = []
    while ways:
        first = here = next(iter(ways))
        walked = [first]
        while here != first or len(walked) == 1:
            onward = ways[here]
            here_next = onward.pop()
            if not onward:
                del ways[here]
            here = here_next
            walked.append(here)
        lines.append(_corners(np.array(walked, float)))
    return lines


def _corners(line: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A closed line (N, 2) without the points on its straights."""
    steps = np.diff(line[:-1], axis=0, append=line[:1])
    turns = np.any(steps != np.roll(steps, 1, axis=0), axis=1)
    kept = line[:-1][turns]
    return np.concatenate([kept, kept[:1]])


def edit_area(lesion: Area, keep: Area | None, margin_px: int) -> Area:
    """Where pixels may change: the lesion grown by `margin_px`, less the keep mask."""
    area = grown(lesion, margin_px)
    return area if keep is None else area & ~keep


def feathered(area: Area, width_px: float = FEATHER_PX) -> npt.NDArray[np.float32]:
    """Weight (H, W): 0 outside the area, rising to 1 over `width_px` pixels inward from its border."""
    if area.all():  # then there is no border to measure from
        return np.ones(area.shape, np.float32)
    depth = ndimage.distance_transform_edt(area)
    weight: npt.NDArray[np.float32] = np.clip(depth / width_px, 0.0, 1.0).astype(np.float32)
    return weight


def body(pixels: Pixels) -> Area:
    """The patient: everything but the dark regions that reach the border of the picture."""
    values = pixels.astype(np.float32)
    low, high = np.percentile(values, (1, 99))
    regions, _ = ndimage.label(values < low + _AIR * (high - low))
    border = np.unique(np.concatenate((regions[0], regions[-1], regions[:, 0], regions[:, -1])))
    return ~np.isin(regions, border[border > 0])


def check(lesion: Area, keep: Area | None, margin_px: int, pixels: Pixels) -> None:
    """Raises RequestError, in one sentence, where these masks leave nothing sensible to draw in `pixels` (H, W)."""
    if lesion.sum() < SMALLEST_PX:
        raise RequestError("No lesion is drawn; draw its area on the picture first.")
    area = edit_area(lesion, None, margin_px)
    if area.mean() > LARGEST_SHARE:
        raise RequestError(
            f"The edit covers {area.mean():.0%} of the picture; draw a smaller lesion or margin, "
            f"at most {LARGEST_SHARE:.0%} may change."
        )
    inside = (lesion & body(pixels)).sum() / lesion.sum()
    if inside < INSIDE_BODY:
        raise RequestError(f"Only {inside:.0%} of the lesion lies on the patient; draw it inside the body.")
    if keep is not None and (lesion & ~keep).sum() < SMALLEST_PX:
        raise RequestError("The keep mask covers the whole lesion, so nothing could change; make one of them smaller.")


def lost(grey: npt.NDArray[np.float32], kind: str) -> Area:
    """Where (H, W) greys in [0, 1] hold nothing: "stripes", rows and columns of one grey, or "blocks" of one grey.

    What reaches the border of the picture, or has no straight border, is taken for air or for saturation: a loss that
    joins air of its own grey must be drawn.
    """
    if kind == "stripes":
        rows, columns = _even_lines(grey), _even_lines(grey.T)
        return np.asarray(rows[:, None] | columns[None, :])
    levels = np.rint(grey * 255).astype(np.int16)
    square = np.ones((_BLOCK_MIN_PX, _BLOCK_MIN_PX), bool)
    found = np.zeros(grey.shape, bool)
    flat = ndimage.maximum_filter(levels, _BLOCK_MIN_PX) == ndimage.minimum_filter(levels, _BLOCK_MIN_PX)
    for level in np.unique(levels[flat]):
        regions, count = ndimage.label(levels == level)
        border = {0, *regions[0], *regions[-1], *regions[:, 0], *regions[:, -1]}
        for label, box in enumerate(ndimage.find_objects(regions, count), start=1):
            region = np.pad(regions[box] == label, 1)
            if label in border or min(region.shape) < _BLOCK_MIN_PX + 2:
                continue
            if ndimage.binary_opening(region, square).sum() >= _BLOCK_STRAIGHT * region.sum():
                found[box] |= region[1:-1, 1:-1]
    return found


def _even_lines(grey: npt.NDArray[np.float32]) -> Area:
    """(H,): rows of one grey between rows that are not, at most 32 together."""
    even = np.ptp(grey, axis=1) < 1.5 / 255
    runs, count = ndimage.label(even)
    outer = {runs[0], runs[-1]}
    long = {label for label in range(1, count + 1) if (runs == label).sum() > _STRIPE_MAX_PX}
    return np.asarray(even & ~np.isin(runs, list(outer | long)))
