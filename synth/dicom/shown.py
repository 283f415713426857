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


def shown_small(decoded: Decoded, side_px: int) -> tuple[Shown, int]:
    """The picture by means of k x k pixels, its longer side below 2 `side_px`, and k: a film in a tenth of the time."""
    factor = max(1, max(decoded.pixels.shape) // side_px)
    if factor == 1:
        return shown(decoded), 1
    drawn = None if decoded.drawn is None else reduced(decoded.drawn, factor)
    return shown(replace(decoded, pixels=reduced(decoded.pixels, factor), drawn=drawn)), factor


def reduced(pixels: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """(H // k, W // k) means of k x k integers, of the same type; a rest at the right and lower border is left out."""
    height, width = (max(side // factor, 1) for side in pixels.shape)
    ky, kx = min(factor, pixels.shape[0]), min(factor, pixels.shape[1])
    part = pixels[: height * ky, : width * kx]
    rows = part[0::ky].astype(np.int32)
    for k in range(1, ky):
        rows += part[k::ky]
    total = rows[:, 0::kx].copy()
    for k in range(1, kx):
        total += rows[:, k::kx]
    small: npt.NDArray[Any] = (total // (ky * kx)).astype(pixels.dtype)
    return small
