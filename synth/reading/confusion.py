"""Which finding was taken for which: what readers named, by what was there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.findings import VOCABULARY
from synth.reading.reads import NORMAL, Read


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """`counts` (N, N): of the readings of cases with the row's finding, those that named the column's.

    A finding that was named stands on the diagonal; beside it stand the names that are not among the true ones, so a
    row need not sum to its `readings`.
    """

    codes: tuple[str, ...]  # N
    counts: npt.NDArray[np.int_]
    readings: tuple[int, ...]  # N

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """(N, N) in [0, 1], of the readings of each row; 0 where there are none."""
        return np.asarray(self.counts / np.maximum(self.readings, 1)[:, None], np.float64)


def confusion(reads: Iterable[Read]) -> Confusion:
    """Of rows that name findings; others, as marks on a picture, are left out. Normal comes last."""
    rows = [read for read in reads if read.true and read.named]
    codes = sorted({code for read in rows for code in (*read.true, *read.named)}, key=lambda c: (c == NORMAL, c))
    place = {code: k for k, code in enumerate(codes)}
    counts = np.zeros((len(codes), len(codes)), int)
    for read in rows:
        for true in read.true:
            for name in _taken_for(true, read):
                counts[place[true], place[name]] += 1
    return Confusion(tuple(codes), counts, tuple(sum(code in read.true for read in rows) for code in codes))


def _taken_for(true: str, read: Read) -> Sequence[str]:
    """The finding itself where it was named; and every name that is not true."""
    false = [name for name in read.named if name not in read.true]
    return [true, *false] if true in read.named else false


def name(code: str) -> str:
    """A code in words."""
    return VOCABULARY[code].name if code in VOCABULARY else code
