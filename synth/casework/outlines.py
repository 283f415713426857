"""Where a lesion is outlined on a picture that is not drawn yet: by side and zone of the mean lung, as a hand does it.

All coordinates are shares of the side of the picture, x to the right and y down; the patient's right lies left.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.reading.shapes import Box, Point
from synth.types import Modality, Side, Zone

CORNERS = 32
WOBBLE = 0.06  # of the radius: how far each of three waves moves a drawn border, as in synth.evaluation.drawn

# Left, top, right, bottom of what lies in at least half of the lungs of the zone atlas of the shipped model, and for
# the most part in four fifths of them.
LUNG: dict[tuple[Modality, Side, Zone | None], Box] = {
    (Modality.DX, Side.RIGHT, Zone.UPPER): (0.27, 0.19, 0.42, 0.34),
    (Modality.DX, Side.RIGHT, Zone.MIDDLE): (0.22, 0.32, 0.41, 0.48),
    (Modality.DX, Side.RIGHT, Zone.LOWER): (0.20, 0.43, 0.38, 0.59),
    (Modality.DX, Side.LEFT, Zone.UPPER): (0.59, 0.19, 0.74, 0.34),
    (Modality.DX, Side.LEFT, Zone.MIDDLE): (0.64, 0.32, 0.79, 0.48),
    (Modality.DX, Side.LEFT, Zone.LOWER): (0.69, 0.43, 0.81, 0.59),
    (Modality.CT, Side.RIGHT, None): (0.09, 0.37, 0.30, 0.68),
    (Modality.CT, Side.LEFT, None): (0.74, 0.39, 0.93, 0.68),
}
# Half the long axis, px of 256, as synth.evaluation.drawn measures them; the smallest nodules are left to experts.
HALF_PX = {"nodule": (7, 12), "mass": (14, 24)}
OTHER_HALF_PX = (18, 36)
SIDE_PX = 256


def outlined(
    code: str, modality: Modality, side: Side, zone: Zone | None, rng: np.random.Generator
) -> tuple[Point, ...]:
    """The corners of one lesion, in [0, 1]. A zone of a CT slice is passed over: the level of a slice is not known."""
    box = LUNG[modality, side, None if modality is Modality.CT else zone or Zone.MIDDLE]
    low, high = HALF_PX.get(code, OTHER_HALF_PX)
    long = float(rng.uniform(low, high)) / SIDE_PX
    short = long * float(rng.uniform(0.6, 1.0))
    width, height = box[2] - box[0], box[3] - box[1]
    half = min(short, width / 2), min(long, height / 2)  # a lung is taller than it is wide
    x = float(rng.uniform(box[0] + half[0], box[2] - half[0]))
    y = float(rng.uniform(box[1] + half[1], box[3] - half[1]))
    return _ellipse((x - half[0], y - half[1], x + half[0], y + half[1]), float(rng.uniform(-0.4, 0.4)), rng)


def grown(outline: tuple[Point, ...], times: float) -> tuple[Point, ...]:
    """The outline with `times` its extent around its own middle, cut to the picture."""
    points = np.array(outline)
    middle = (points.min(0) + points.max(0)) / 2
    return _rounded(middle + times * (points - middle))


def _ellipse(box: Box, turn: float, rng: np.random.Generator) -> tuple[Point, ...]:
    """An ellipse in a box, turned by `turn` radians, with a border as wobbly as a hand draws it."""
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    waves = (rng.normal(0, WOBBLE) * np.cos(k * angle + rng.uniform(0, 2 * np.pi)) for k in (2, 3, 4))
    radius = 1.0 + sum(waves)
    along = (box[2] - box[0]) / 2 * radius * np.cos(angle)
    down = (box[3] - box[1]) / 2 * radius * np.sin(angle)
    x = (box[0] + box[2]) / 2 + along * np.cos(turn) - down * np.sin(turn)
    y = (box[1] + box[3]) / 2 + along * np.sin(turn) + down * np.cos(turn)
    return _rounded(np.stack([x, y], axis=1))


def _rounded(points: npt.NDArray[np.float64]) -> tuple[Point, ...]:
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in np.clip(points, 0.0, 1.0))
