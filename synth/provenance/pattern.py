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

Spectrum = npt.NDArray[np.complex64]  # (256, 65), the first columns of what rfft2 gives


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """N frequencies of the half plane with one unit vector each; the first `sync` of them are always the same."""

    rows: npt.NDArray[np.int64]  # (N,) in 0-255
    columns: npt.NDArray[np.int64]  # (N,) in 1-128
    vectors: npt.NDArray[np.complex64]  # (N,) of length 1
    sync: int
    conjugates: npt.NDArray[np.complex64]  # (4, 256, 65) of the sync part: as it is, mirrored, upside down, both

    def spectrum(self, code: Bits) -> Spectrum:
        """The whole pattern with 352 code bits in it, each spread over every 352nd frequency of the payload part."""
        full = np.zeros((FRAME_PX, COLUMNS), np.complex64)
        signs = np.ones(len(self.rows), np.float32)
        signs[self.sync :] = 2.0 * code[np.arange(len(signs) - self.sync) % CODE_BITS] - 1.0
        full[self.rows, self.columns] = signs * self.vectors
        return full

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
    rows, columns, sync = rows[shuffled], columns[shuffled], round(SYNC_SHARE * len(rows))
    one = np.zeros((FRAME_PX, COLUMNS), np.complex64)
    one[rows[:sync], columns[:sync]] = vectors[:sync]
    picture = np.fft.irfft2(one, (FRAME_PX, FRAME_PX))
    turned = (picture, picture[:, ::-1], picture[::-1], picture[::-1, ::-1])
    templates = np.stack([np.fft.rfft2(p)[:, :COLUMNS] for p in turned])
    return Pattern(rows, columns, vectors.astype(np.complex64), sync, templates.conj().astype(np.complex64))
