"""The invisible mark: a keyed pattern of waves too faint to see, found again by correlation, with 64 bits in it.

Spread spectrum (Cox et al. 1997) in a frame of 256 px that scales with the picture. A part of the frequencies always
carries the same keyed vectors and tells presence and place; the others carry the payload with a checksum and a
convolutional code. The mark proves that a picture is ours; that it is absent proves nothing: who wants can remove it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import fft, ndimage

from synth.errors import RequestError
from synth.provenance import cutout, search
from synth.provenance import payload as words
from synth.provenance.cutout import Box
from synth.provenance.pattern import FRAME_PX, Pattern, Spectrum, pattern
from synth.provenance.search import Peak, Transform
from synth.types import Pixels

SHORT_PX, LONG_PX = 128, 256  # sides that can carry the mark
SEEN_PX = 64  # shorter sides are not searched
RMS = 1.37 / 255  # of the used range: 45.4 dB, 45.2 after rounding to 8 bit
PSNR_DB = 45.0
PEAK = 3.0 / 255  # where the mask is 1, so that a small body on black is not overloaded
QUIET, LOUD, BEND = 1.0 / 255, 3.0 / 255, 0.3  # local deviation from which texture hides more, up to which, how much
BLACK, GREY = 1.5 / 255, 8.0 / 255  # brightness below which nothing is added, above which all
PROTECTED = 0.3  # of the strength inside a drawn lesion
SOFT_PX = 3.0  # in the frame: reach of every mean in the mask
KEY_BYTES = 16

DETECTOR = 1  # raised whenever an answer of `detect` may change: what was measured with another number is void
FAMILIES = 3  # of places, in place, aligned, everywhere: each may use a third of the false alarms
QUARTER = 90.0  # degrees
# Statistics that one picture and its cut-outs could meet in each family: in place; shifted, also in quarter turns; all
LOOKS = 1 + cutout.MOST
TRIALS = (FAMILIES * search.IN_PLACE, FAMILIES * LOOKS * 2 * search.ALIGNED, FAMILIES * LOOKS * search.EVERYWHERE)
FALSE_ALARMS = 1e-6  # of one picture, over the whole search
DOUBTFUL = 1e-2

Grey = npt.NDArray[np.float32]


class State(StrEnum):
    """What the detector says."""

    DETECTED = "detected"
    INCONCLUSIVE = "inconclusive"
    NOT_DETECTED = "not detected"


@dataclass(frozen=True, slots=True)
class Detection:
    """The answer: `log10_p` bounds the chance that a picture without the mark answers as strongly, search included."""

    state: State
    score: float  # z of the sync part at the best place
    log10_p: float
    payload: int | None  # None where no mark was detected or the checksum refuses what was read
    bits_agreed: int | None  # of 352 code bits, with those of the payload
    transform: Transform | None  # None unless detected
    box: Box | None = None  # the part of the picture where it was found; None where it is the whole


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """A picture, or a part of one, ready to be searched."""

    seen: search.Values
    centre: tuple[float, float]  # down and right in the frame
    box: Box | None
    turn_deg: float = 0.0  # undone before


def embed(pixels: Pixels, payload: int | bytes, key: bytes, protect: npt.NDArray[np.bool_] | None = None) -> Pixels:
    """A marked copy of (H, W) uint8 or uint16 at 45 dB or more of its used range; weaker where `protect` is True.

    The payload is 64 bits. Equal input gives equal output. RequestError where a value does not fit.
    """
    _check(pixels, key, SHORT_PX, LONG_PX)
    if pixels.dtype not in (np.uint8, np.uint16):
        raise RequestError(f"The mark goes into uint8 or uint16 pixels, not {pixels.dtype}.")
    if protect is not None and protect.shape != pixels.shape:
        raise RequestError(f"The protected area is {protect.shape}, the picture {pixels.shape}: they must be equal.")
    low, high = int(pixels.min()), int(pixels.max())
    base, full = (0, 255) if pixels.dtype == np.uint8 else (low, high - low)  # 16 bits often hold 12
    if full == 0:
        return pixels.copy()
    values = (pixels.astype(np.float32) - np.float32(base)) / np.float32(full)
    change = _mask(values, protect) * _waves(pattern(key).spectrum(words.encode(_number(payload))), pixels.shape)
    rms = float(np.sqrt(np.mean(change * change)))
    strength = min(RMS / max(rms, 1e-9), PEAK) * full
    while True:
        changed = np.clip(np.rint(pixels + strength * change), low, high)
        marked: Pixels = changed.astype(np.uint8) if pixels.dtype == np.uint8 else changed.astype(np.uint16)
        if psnr(pixels, marked, full) >= PSNR_DB:
            return marked
        strength *= 0.97


def detect(pixels: npt.NDArray[Any], key: bytes) -> Detection:
    """Look for the mark of `key` in (H, W): as it lies; shifted, in quarter turns, on pages; then cropped or turned.

    Any size (resizing needs no search), mirrored or inverted; 0.74-1.14 of its frame and 3 degrees of turn at last.
    RequestError where the picture is too small or not grey.
    """
    _check(pixels, key, SEEN_PX, SEEN_PX)
    whole, keyed = _view(pixels, None), pattern(key)
    best = _judged(whole, keyed, search.in_place(whole.seen, keyed, whole.centre), TRIALS[0])
    if best.payload is not None:
        return best
    views = [whole, *(_view(box.of(pixels), box) for box in cutout.pictures(pixels))]
    turned = [replace(_view(np.rot90(_part(pixels, view)), view.box), turn_deg=QUARTER) for view in views]
    tries = [(view, search.aligned, TRIALS[1]) for view in (*views, *turned)]
    tries += [(view, search.everywhere, TRIALS[2]) for view in views]
    for view, look, trials in tries:
        best = min(best, _judged(view, keyed, look(view.seen, keyed), trials), key=_rank)
        if best.payload is not None:
            break
    return best


def detect_aligned(pixels: npt.NDArray[Any], key: bytes) -> Detection:
    """As `detect` without cut-outs, crops and turns: some 30 ms, for files that only changed size or format."""
    _check(pixels, key, SEEN_PX, SEEN_PX)
    view, keyed = _view(pixels, None), pattern(key)
    found = _judged(view, keyed, search.in_place(view.seen, keyed, view.centre), 2 * search.IN_PLACE)
    if found.payload is not None:
        return found
    return min(found, _judged(view, keyed, search.aligned(view.seen, keyed), 2 * search.ALIGNED), key=_rank)


def psnr(first: npt.NDArray[Any], second: npt.NDArray[Any], full: float) -> float:
    """dB, for a peak of `full`; infinite where both are equal."""
    error = float(np.mean((first.astype(np.float64) - second.astype(np.float64)) ** 2))
    return 10 * math.log10(full**2 / error) if error else math.inf


def _view(pixels: npt.NDArray[Any], box: Box | None) -> _View:
    frame = search.framed(pixels)
    if not np.isfinite(frame).all():
        raise RequestError("The picture holds values that are not finite.")
    return _View(search.spectrum(search.whitened(frame)), (frame.shape[0] / 2, frame.shape[1] / 2), box)


def _part(pixels: npt.NDArray[Any], view: _View) -> npt.NDArray[Any]:
    return pixels if view.box is None else view.box.of(pixels)


def _judged(view: _View, keyed: Pattern, peak: Peak, trials: int) -> Detection:
    match = search.matched(view.seen, keyed, peak, view.centre)
    log10_p = _log10_p(match.z, trials)
    if log10_p > math.log10(FALSE_ALARMS):
        state = State.INCONCLUSIVE if log10_p <= math.log10(DOUBTFUL) else State.NOT_DETECTED
        return Detection(state, match.z, log10_p, None, None, None)
    payload = words.decode(match.soft_bits)
    agreed = None if payload is None else int(((match.soft_bits > 0) == words.encode(payload)).sum())
    done = replace(match.transform, turn_deg=match.transform.turn_deg + view.turn_deg)
    return Detection(State.DETECTED, match.z, log10_p, payload, agreed, done, view.box)


def _rank(found: Detection) -> tuple[float, float]:
    """The most telling first: at equal bounds the higher score."""
    return found.log10_p, -found.score


def _log10_p(z: float, trials: int) -> float:
    """Hoeffding's bound for a sum of random signs (1963, theorem 2), times the statistics looked at.

    It holds for every picture, however far from Gaussian, over the draw of the key: the signs of the sync vectors are
    independent of a picture that was made without them.
    """
    return min(0.0, (math.log(trials) - z * z / 2) / math.log(10))


def _mask(values: Grey, protect: npt.NDArray[np.bool_] | None) -> Grey:
    """(H, W) strength: more in texture, none in black, less in the protected area; made in the frame, then enlarged."""
    frame = search.framed(values)
    mean = ndimage.gaussian_filter(frame, SOFT_PX)
    deviation = np.sqrt(ndimage.gaussian_filter((frame - ndimage.gaussian_filter(frame, 1.5)) ** 2, SOFT_PX))
    strength = (np.clip(deviation, QUIET, LOUD) / QUIET) ** BEND * np.clip((mean - BLACK) / (GREY - BLACK), 0.0, 1.0)
    size = values.shape[1], values.shape[0]
    mask = np.asarray(Image.fromarray(strength.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
    if protect is None:
        return mask
    soft = ndimage.gaussian_filter(protect.astype(np.float32), SOFT_PX * max(values.shape) / FRAME_PX)
    return np.asarray(mask * (1.0 - (1.0 - PROTECTED) * np.maximum(soft, protect)), np.float32)


def _waves(spectrum: Spectrum, shape: tuple[int, ...]) -> Grey:
    """The pattern (H, W) of deviation 1 at the picture's own size: exact, for its waves fit into 256 px."""
    side, columns = max(shape), spectrum.shape[1]
    large = np.zeros((side, side // 2 + 1), np.complex64)
    half = FRAME_PX // 2
    centre = 1j * np.pi * (1 / side - 1 / FRAME_PX)  # pixels are areas: their centres, not their corners, coincide
    y, x = np.fft.fftfreq(FRAME_PX, 1 / FRAME_PX)[:, None], np.arange(columns)[None]
    placed = spectrum * np.exp(centre * (y + x))
    large[:half, :columns], large[-half:, :columns] = placed[:half], placed[half:]
    waves = fft.irfft2(large, (side, side), norm="forward")[: shape[0], : shape[1]]
    return np.asarray(waves / math.sqrt(2 * np.count_nonzero(spectrum)), np.float32)


def _check(pixels: npt.NDArray[Any], key: bytes, short: int, long: int) -> None:
    if len(key) < KEY_BYTES:
        raise RequestError(f"The watermark key has {len(key)} bytes; it needs {KEY_BYTES} random ones.")
    if pixels.ndim != 2:
        raise RequestError(f"The watermark needs one grey picture (H, W), not {pixels.shape}.")
    if min(pixels.shape) < short or max(pixels.shape) < long:
        raise RequestError(
            f"The picture is {pixels.shape[1]} x {pixels.shape[0]} px; its sides need {short} and {long} px at least."
        )


def _number(payload: int | bytes) -> int:
    size = words.PAYLOAD_BITS // 8
    if isinstance(payload, bytes) and len(payload) == size:
        return int.from_bytes(payload, "big")
    if isinstance(payload, int) and 0 <= payload < 1 << words.PAYLOAD_BITS:
        return payload
    raise RequestError("The payload of the watermark is 64 bits: 8 bytes or a number from 0 to 2**64 - 1.")
