"""A decoded image in 8 bit as it is shown by default, whole or reduced before its window is applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from synth import imaging
from synth.dicom.decode import Decoded, display, values

Shown = npt.NDArray[np.uint8]


def shown(decoded: Decoded) -> Shown:
    """(H, W): CT in HU in the lung window that the model was trained in; everything else as its file says."""
    if decoded.hounsfield:
        return imaging.window_level(values(decoded), imaging.LUNG_CENTER_HU, imaging.LUNG_WIDTH_HU)
    return display(decoded)


def small(decoded: Decoded, side_px: int) -> tuple[Decoded, int]:
    """The image by means of k x k stored values, its longer side about `side_px` or as it is, and k."""
    factor = max(1, round(max(decoded.pixels.shape) / side_px))
    if factor == 1:
        return decoded, 1
    drawn = None if decoded.drawn is None else reduced(decoded.drawn, factor)
    return replace(decoded, pixels=reduced(decoded.pixels, factor), drawn=drawn), factor


def brightest(decoded: Decoded) -> Shown:
    """(H, W): the upper half of the stored values, the lower black: of a CT only bone, metal and letters remain."""
    low, high = int(decoded.pixels.min()), int(decoded.pixels.max())
    middle = (low + high) / 2
    upper = np.clip(decoded.pixels.astype(np.float32) - middle, 0, None)
    return imaging.to_uint8(upper / max(high - middle, 1.0))


def reduced(pixels: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """(H // k, W // k) means of k x k integers, of the same type; a rest at the right and lower border is left out."""
    height, width = (max(side // factor, 1) for side in pixels.shape)
    ky, kx = min(factor, pixels.shape[0]), min(factor, pixels.shape[1])
    part = pixels[: height * ky, : width * kx]
    total = _added(_added(part, ky).T, kx).T
    small: npt.NDArray[Any] = (total // (ky * kx)).astype(pixels.dtype)
    return small


def _added(pixels: npt.NDArray[Any], factor: int) -> npt.NDArray[np.int32]:
    """(N, M) to (N // k, M): sums of k rows each."""
    total = pixels[0::factor].astype(np.int32)
    for k in range(1, factor):
        total += pixels[k::factor]
    return total
