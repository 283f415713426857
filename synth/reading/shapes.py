"""Marks on a picture: points, boxes and outlines cut to the picture, filled as areas, and areas kept as numbers.

Coordinates are (x, y) in px from the upper left corner of the picture, so that pixel (row r, column c) covers x in
[c, c + 1] and y in [r, r + 1].
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import RequestError

Area = npt.NDArray[np.bool_]  # (H, W), True inside
Point = tuple[float, float]  # (x, y) in px
Box = tuple[float, float, float, float]  # left, top, right, bottom in px

SIDE_MAX_PX = 8192  # of a picture; more is no picture of ours


def clipped(corners: Sequence[Point], width: int, height: int) -> tuple[Point, ...]:
    """The closed outline cut to the picture (Sutherland and Hodgman, Comm. ACM 1974); empty when nothing is inside."""
    kept = list(corners)
    for axis, limit, sign in ((0, 0.0, 1), (0, float(width), -1), (1, 0.0, 1), (1, float(height), -1)):
        kept = list(_half_plane(kept, axis, limit, sign))
    apart = [b for a, b in pairwise([*kept[-1:], *kept]) if a != b]
    return tuple(apart) if outlined_px(apart) > 0 else ()


def _half_plane(corners: Sequence[Point], axis: int, limit: float, sign: int) -> Iterator[Point]:
    """The corners on one side of a border, with the crossings of the outline and that border."""
    if not corners:
        return
    for a, b in pairwise([corners[-1], *corners]):
        depth_a, depth_b = sign * (a[axis] - limit), sign * (b[axis] - limit)
        if (depth_a < 0) != (depth_b < 0):
            share = depth_a / (depth_a - depth_b)
            across = a[1 - axis] + share * (b[1 - axis] - a[1 - axis])
            yield (limit, across) if axis == 0 else (across, limit)
        if depth_b >= 0:
            yield b


def outlined_px(corners: Sequence[Point]) -> float:
    """Area in square px of a closed outline, by the shoelace formula."""
    if len(corners) < 3:
        return 0.0
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise([*corners, corners[0]]))) / 2


def filled(corners: Sequence[Point], width: int, height: int) -> Area:
    """(H, W) area of the pixels whose centres lie in the closed outline, by the even-odd rule."""
    x = np.arange(width) + 0.5
    inside = np.zeros((height, width), bool)
    for edge in pairwise([*corners, corners[0]] if corners else []):
        (x0, y0), (x1, y1) = sorted(edge, key=lambda point: point[1])  # there and back give the same crossings
        top, bottom = (min(max(math.ceil(y - 0.5), 0), height) for y in (y0, y1))
        if top < bottom:  # the rows whose centres the edge passes
            y = np.arange(top, bottom) + 0.5
            crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
            inside[top:bottom] ^= x[None, :] < crossing[:, None]
    return inside


def boxed(box: Box) -> tuple[Point, ...]:
    """The corners of a box, clockwise from the upper left."""
    left, top, right, bottom = box
    return (left, top), (right, top), (right, bottom), (left, bottom)


def box_of(corners: Sequence[Point]) -> Box:
    """The smallest box around the corners."""
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def dice(a: Area, b: Area) -> float:
    """Dice coefficient of two areas of one shape, in [0, 1]; 0 where both are empty."""
    total = int(a.sum()) + int(b.sum())
    return 2 * int((a & b).sum()) / total if total else 0.0


def to_runs(area: Area) -> dict[str, Any]:
    """An area as shape and run lengths along the rows, the first run outside (the uncompressed form of COCO)."""
    flat = np.asarray(area, bool).ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate(([0], edges, [flat.size])))
    if flat.size and flat[0]:
        runs = np.concatenate(([0], runs))
    return {"shape": list(area.shape), "runs": [int(run) for run in runs]}


def from_runs(data: dict[str, Any]) -> Area:
    """The area back from `to_runs`. Raises RequestError where the runs do not fill the shape."""
    height, width = (int(side) for side in data["shape"])
    runs = [int(run) for run in data["runs"]]
    if not (0 < height <= SIDE_MAX_PX and 0 < width <= SIDE_MAX_PX):
        raise RequestError(f"An area of {height} x {width} px is kept; sides lie between 1 and {SIDE_MAX_PX} px.")
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise RequestError(f"The runs of a kept area sum to {sum(runs)} px; {height * width} px would fill it.")
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(height, width)


def finite(points: Sequence[Point]) -> bool:
    """True when every coordinate is a number."""
    return all(math.isfinite(value) for point in points for value in point)
