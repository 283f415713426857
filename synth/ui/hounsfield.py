"""CT in the viewer: real slices in HU under any window, synthetic ones in the lung window, which is all they hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth import imaging
from synth.imaging import LUNG_CENTER_HU, LUNG_INTERCEPT_HU, LUNG_SLOPE_HU, LUNG_WIDTH_HU
from synth.types import GeneratedImage
from synth.ui.compare import Pane, Scale

Hounsfield = npt.NDArray[np.int16]
LUNG = ("Lung", int(LUNG_WIDTH_HU), int(LUNG_CENTER_HU))
# (name, width, level) in HU; lung and mediastinum as OHIF's presets, bone as radiology texts give it
PRESETS = (LUNG, ("Mediastinum", 400, 40), ("Bone", 1800, 400))
LOWEST, HIGHEST, STEP = -1350, 1650, 50
SCALE = Scale("HU", PRESETS, tuple(range(LOWEST, HIGHEST + 1, STEP)), -1350, 150, (-1000, -500, 0, 500, 1000, 1500))
LUNG_ONLY = Scale("HU", (LUNG,), tuple(range(-1350, 151, STEP)), -1350, 150, (-1000, -500, 0))
WHY_LUNG_ONLY = (
    "The synthetic slice has the lung window 1500/-600 only: the model draws nothing below -1350 or above +150 HU, so "
    "contrast within soft tissue and bone is not there. Its HU are nominal; nothing was calibrated."
)
_ZERO = 2000  # added to HU while the mark is burnt in, which needs values without a sign


def pane(values: Hounsfield, word: str) -> Pane:
    """A real slice (H, W) in HU with its mark burnt in; any window fits."""
    shifted = np.clip(values.astype(np.int32) + _ZERO, 0, 65535).astype(np.uint16)
    marked = imaging.mark(shifted, word).astype(np.int32) - _ZERO
    return Pane(np.clip(marked, -_ZERO, 4095), values, word)


def synthetic_pane(image: GeneratedImage) -> Pane:
    """A synthetic slice in the HU that its grey levels stand for, in the lung window and no other."""
    return of_greys(imaging.to_uint8(image.pixels), image.request.mark)


def of_greys(grey: npt.NDArray[np.uint8], word: str) -> Pane:
    """A slice of 8 bit, taken for one in the lung window."""
    return Pane(_in_hu(imaging.to_uint8(imaging.mark(grey, word))), _in_hu(grey), word, (-1350, 150))


def _in_hu(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.int32]:
    values: npt.NDArray[np.int32] = np.rint(grey * LUNG_SLOPE_HU + LUNG_INTERCEPT_HU).astype(np.int32)
    return values
