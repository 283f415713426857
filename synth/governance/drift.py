"""Do new pictures still look like those of when all was well? Control charts of their distance to a reference.

A picture is a unit vector (see `synth.models.embedding`); what is charted is its distance to the mean vector of the
reference pictures. Means of batches go on a Shewhart chart (Montgomery, Introduction to Statistical Quality Control, 6;
NIST/SEMATECH e-Handbook 6.3.2.1), for sudden changes, and on an EWMA chart (Montgomery 9.2; e-Handbook 6.3.2.4), for
slow ones. The reference is an estimate itself: its own error widens the limits, or there would be more false alarms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

IMAGES = 100  # a reference is made of
BATCH = 10  # images a point of the chart
BATCHES = 50  # the latest ones, which the chart shows
LAMBDA = 0.2  # weight of the newest batch
SIGMAS = 3.0  # from the centre line to the limits of both charts

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What pictures of one kind looked like. `mean` and `sd` are of the distances of single pictures to `centre`."""

    id: str
    model: str
    revision: str
    modality: str
    embedder: str
    made_at: datetime  # UTC
    made_by: str
    reason: str
    count: int
    centre: Vectors  # (D,)
    mean: float
    sd: float


@dataclass(frozen=True, slots=True)
class Point:
    """One batch: the mean of its distances, the EWMA up to it, and how far either may be from the centre line."""

    value: float
    ewma: float
    reach: float
    ewma_reach: float


@dataclass(frozen=True, slots=True)
class Chart:
    """The control chart of one kind of picture. `images` are counted up to the next point too."""

    modality: str
    centre: float
    points: tuple[Point, ...]
    images: int = 0

    @property
    def sudden(self) -> bool:
        """True where the newest batch lies outside the limits of the Shewhart chart."""
        return bool(self.points) and abs(self.points[-1].value - self.centre) > self.points[-1].reach

    @property
    def slow(self) -> bool:
        """True where the EWMA lies outside its limits now."""
        return bool(self.points) and abs(self.points[-1].ewma - self.centre) > self.points[-1].ewma_reach

    @property
    def statistic(self) -> float:
        """How far the EWMA is from the centre line as a share of what is allowed: above 1 alarms; 0 without points."""
        return abs(self.points[-1].ewma - self.centre) / self.points[-1].ewma_reach if self.points else 0.0


def measured(vectors: Vectors) -> tuple[Vectors, float, float]:
    """Centre (D,), and mean and standard deviation of the distances of reference pictures (N, D) to it, N >= 3.

    Each picture is measured from the mean of the others: from a mean that it is part of itself it would be too near.
    """
    count = len(vectors)
    centre: Vectors = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    apart = distances(vectors, centre) * count / (count - 1)
    return centre, float(apart.mean()), float(apart.std(ddof=1))


def distances(vectors: Vectors, centre: Vectors) -> npt.NDArray[np.float64]:
    """Euclidean distances (N,) of pictures (N, D) to a centre (D,)."""
    found: npt.NDArray[np.float64] = np.linalg.norm(vectors.astype(np.float64) - centre, axis=1)
    return found


def chart(reference: Reference, apart: Sequence[float]) -> Chart:
    """The chart of distances in the order of drawing; an unfinished batch at the end is left for later."""
    points: list[Point] = []
    ewma = reference.mean
    for number in range(len(apart) // BATCH):
        value = float(np.mean(apart[number * BATCH : (number + 1) * BATCH]))
        ewma = LAMBDA * value + (1 - LAMBDA) * ewma
        share = LAMBDA / (2 - LAMBDA) * (1 - (1 - LAMBDA) ** (2 * (number + 1)))
        points.append(Point(value, ewma, _reach(reference, 1.0), _reach(reference, share)))
    return Chart(reference.modality, reference.mean, tuple(points), len(apart))


def _reach(reference: Reference, share: float) -> float:
    """Three standard errors of a difference: of `share` of a batch mean's variance, and of the reference's mean."""
    return SIGMAS * reference.sd * math.sqrt(share / BATCH + 1 / reference.count)
