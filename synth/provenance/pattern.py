"""The keyed pattern: which frequencies of the frame carry the sign of presence, which the payload, and their phases."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from synth.provenance.payload import CODE_BITS, Bits

FRAME_PX = 256  # the longer side of a picture in the frame where the pattern is defined, and the pattern's period
LOW, HIGH = 12.0, 64.0  # cycles per frame: below lies the anatomy, above what halving a picture of 256 px takes
AXIS = 2  # cycles: the axes hold the edges of the film, of collimators and of JPEG blocks
SYNC_SHARE = 0.45  # of the frequencies; the others carry the payload

COLUMNS = int(HIGH) + 1  # of a spectrum that are kept: no wave is finer
SURFACE_PX = 128  # of a surface over all shifts: every second pixel of the frame, exact for waves below 64 cycles

Spectrum = npt.NDArray[np.complex64]  # (256, 65), the first columns of what rfft2 gives
Integers = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.complex64]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """N frequencies of the half plane with one unit vector each; the first `sync` of them are always the same."""

    rows: Integers  # (N,) in -63..63
    columns: Integers  # (N,) in 2..63
    vectors: Vectors  # (N,) of length 1
    sync: int
    places: tuple[Integers, Integers]  # (sync,) each: where in a flattened (128, 65) spectrum, as is and upside down

    def spectrum(self, code: Bits) -> Spectrum:
        """The whole pattern with 352 code bits in it, each spread over every 352nd frequency of the payload part."""
        full = np.zeros((FRAME_PX, COLUMNS), np.complex64)
        full[self.rows, self.columns] = self.signs(code) * self.vectors
        return full

    def signs(self, code: Bits) -> npt.NDArray[np.float32]:
        """(N,) of 1 and -1: what 352 code bits do to the vectors."""
        signs = np.ones(len(self.rows), np.float32)
        signs[self.sync :] = 2.0 * code[np.arange(len(signs) - self.sync) % CODE_BITS] - 1.0
        return signs

    def soft_bits(self, projections: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(352,) sums of the projections (N - sync,) of the payload part."""
        bits = np.arange(len(projections)) % CODE_BITS
        sums: npt.NDArray[np.float64] = np.bincount(bits, projections, CODE_BITS).astype(np.float64)
        return sums


@lru_cache(maxsize=8)
def pattern(key: bytes) -> Pattern:
    """The pattern of a key: order, phases and signs are drawn with SHAKE-256, the same on every machine."""
    y, x = np.fft.fftfreq(FRAME_PX, 1 / FRAME_PX)[:, None], np.arange(COLUMNS)[None]
    radius = np.hypot(y, x)
    rows, columns = np.nonzero((radius >= LOW) & (radius <= HIGH) & (x >= AXIS) & (np.abs(y) >= AXIS))
    drawn = np.frombuffer(hashlib.shake_256(b"synthread watermark 1\0" + key).digest(12 * len(rows)), "<u4")
    order, turns, signs = drawn.reshape(3, -1)
    shuffled = np.argsort(order, kind="stable")
    vectors = np.exp(2j * np.pi * turns / 2**32) * np.where(signs & 1, 1.0, -1.0)
    rows = np.where(rows < FRAME_PX // 2, rows, rows - FRAME_PX)
    rows, columns, sync = rows[shuffled], columns[shuffled], round(SYNC_SHARE * len(rows))
    places = tuple((way * rows[:sync] % SURFACE_PX) * (SURFACE_PX // 2 + 1) + columns[:sync] for way in (1, -1))
    return Pattern(rows, columns, vectors.astype(np.complex64), sync, (places[0], places[1]))
