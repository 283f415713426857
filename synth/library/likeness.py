"""Which images are most alike: nearest vectors by cosine, and whether one is so near that it may be a copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BLOCK = 2048  # rows compared at a time: vectors kept in fp16 are widened block by block
DECIMALS = 6  # of a distance: beyond them is rounding, which must not decide between equals
SAMPLE = 256  # images from which the usual distance is taken
FEWEST = 30  # images of different patients, below which nothing is said about what is usual
MAY_BE_COPY = 0.99  # share of real images that have no other patient's image as near as this

Vectors = npt.NDArray[np.float16] | npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Near:
    """One neighbour. `distance` is 1 - cosine: 0 the same, about 1 nothing in common."""

    id: str
    distance: float


class Likeness:
    """N images as unit vectors of one embedder. Fixed when made; safe to share between threads."""

    def __init__(self, ids: Sequence[str], vectors: Vectors, patients: Sequence[str] = ()) -> None:
        """`vectors` (N, D) with rows of length 1, `patients` the patient of each image, "" where unknown."""
        if len(ids) != len(vectors) or (patients and len(patients) != len(ids)):
            raise ValueError(f"{len(ids)} ids, {len(vectors)} vectors and {len(patients)} patients do not fit")
        self._ids = np.array(ids, dtype=np.str_)
        self._vectors = vectors
        self._row = {name: row for row, name in enumerate(ids)}
        people: dict[str, int] = {}  # an image of nobody known is a patient of its own
        named = patients or [""] * len(ids)
        self._patient = np.array([people.setdefault(p or f"\0{i}", len(people)) for i, p in enumerate(named)], np.int64)
        self._usual: dict[bytes, npt.NDArray[np.float32]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def rows(self, ids: Iterable[str]) -> npt.NDArray[np.int64]:
        """The row numbers of those ids that are in the index, for a mask."""
        return np.array([self._row[name] for name in ids if name in self._row], np.int64)

    def nearest(self, vector: npt.NDArray[np.floating], k: int, among: Mask | None = None) -> list[Near]:
        """The k nearest to a unit vector (D,), nearest first and equals by id; `among` (N,) says which may be given."""
        distances = self._distances(vector)
        allowed = np.arange(len(self)) if among is None else np.flatnonzero(among)
        return self._best(distances, allowed, k)

    def like(self, image_id: str, k: int, among: Mask | None = None, others_only: bool = False) -> list[Near]:
        """The k nearest to an image of the index without itself; `others_only` without its patient's other images.

        Raises KeyError for an id that is not in the index.
        """
        row = self._row[image_id]
        keep = np.ones(len(self), bool) if among is None else among.copy()
        keep[self._patient == self._patient[row] if others_only else row] = False
        return self.nearest(self._vectors[row], k, keep)

    def nearer_than(self, distance: float, among: Mask | None = None) -> float | None:
        """Share in [0, 1] of real images whose nearest image of another patient is farther away than `distance`.

        MAY_BE_COPY or more is unusual for two patients: it may be a copy. None where there are too few to say.
        Measured on 256 images of the index, once for each `among`; give those of the same kind.
        """
        usual = self._nearest_of_others(among)
        return None if not len(usual) else float(np.mean(usual > round(distance, DECIMALS)))

    def _nearest_of_others(self, among: Mask | None) -> npt.NDArray[np.float32]:
        """Distance of a sample of images to the nearest of another patient, (at most 256,); empty for too few."""
        rows = np.arange(len(self)) if among is None else np.flatnonzero(among)
        key = rows.tobytes()
        if key not in self._usual:
            sample = rows[:: max(1, -(-len(rows) // SAMPLE))]
            few = len(np.unique(self._patient[rows])) < FEWEST
            self._usual[key] = np.empty(0, np.float32) if few else self._away(sample, rows)
        return self._usual[key]

    def _away(self, sample: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        ours = self._vectors[sample].astype(np.float32)
        best = np.full(len(sample), np.inf, np.float32)
        for at in range(0, len(rows), BLOCK):
            part = rows[at : at + BLOCK]
            distances = 1 - ours @ self._vectors[part].astype(np.float32).T
            distances[self._patient[sample][:, None] == self._patient[part]] = np.inf
            best = np.minimum(best, distances.min(axis=1))
        return best.round(DECIMALS)

    def _distances(self, vector: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """(N,) float32 in [0, 2]."""
        wide = vector.astype(np.float32)
        out = np.empty(len(self), np.float32)
        for at in range(0, len(self), BLOCK):
            out[at : at + BLOCK] = self._vectors[at : at + BLOCK].astype(np.float32, copy=False) @ wide
        return np.clip(1 - out, 0, 2).round(DECIMALS)

    def _best(self, distances: npt.NDArray[np.float32], allowed: npt.NDArray[np.int64], k: int) -> list[Near]:
        if k < 1 or not len(allowed):
            return []
        found = distances[allowed]
        if k < len(allowed):
            allowed = allowed[found <= np.partition(found, k - 1)[k - 1]]  # with all that tie for the last place
        order = allowed[np.lexsort((self._ids[allowed], distances[allowed]))][:k]
        return [Near(str(self._ids[row]), float(distances[row])) for row in order]
