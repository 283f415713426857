"""An uploaded brain slice to the picture that is translated; everything else becomes one sentence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth import imaging
from synth.dicom.decode import Decoded, decode, display, values
from synth.errors import RequestError
from synth.translation import NAMES
from synth.types import Modality

SIZE_PX = 256  # at which the shipped model draws
COLOUR_MAX = 0.01  # share of coloured pixels: a colour map covers little of a dark slice
SMALLEST_PX = 64  # of the longer side: PET matrices begin at 128
LONGEST = 2.0  # times the shorter side
# Brings the brain of a CT in HU to the greys of the training slices (median about 105 of 255, ventricles about 50).
BRAIN_CENTER_HU, BRAIN_WIDTH_HU = 40.0, 100.0
FRAME = 0.03  # of a side: the border that must be dark, as around a head
DARK = 64  # of 255: median grey of that border
UNSAID = (None, "OT", "SC")  # DICOM modalities that say nothing of what is shown


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """A brain slice, (256, 256) uint8, bright as in the training; `remarks` say what was done to it."""

    pixels: npt.NDArray[np.uint8]
    modality: Modality
    remarks: tuple[str, ...]


def read_slice(data: bytes, name: str, chosen: Modality | None) -> Slice:
    """Read a DICOM, PNG or JPEG file. `chosen` is what the reader says it is; a DICOM header may say it too.

    Raises DicomError where the file cannot be read, RequestError where it is no grey slice of a head on black, too
    small, or of another modality than chosen.
    """
    decoded = decode(data, name)
    modality = _modality(decoded, name, chosen)
    if decoded.colour > COLOUR_MAX:
        raise RequestError(f"{name} is a colour picture; a grey slice of the brain is needed.")
    height, width = decoded.pixels.shape
    if max(height, width) < SMALLEST_PX:
        raise RequestError(f"{name} has {width} x {height} pixels; {SMALLEST_PX} or more a side are needed.")
    if max(height, width) > LONGEST * min(height, width):
        raise RequestError(f"{name} is a strip of {width} x {height} pixels; a whole slice is needed.")
    pixels = _shown(decoded)
    if np.ptp(pixels) == 0:
        raise RequestError(f"{name} has one grey level only; there is nothing to translate.")
    if _border(pixels) > DARK:
        raise RequestError(f"{name} is bright at its border; a slice of a head on black is needed.")
    return Slice(imaging.fit_square(pixels, SIZE_PX), modality, tuple(_remarks(decoded, modality)))


def _modality(decoded: Decoded, name: str, chosen: Modality | None) -> Modality:
    if decoded.modality in UNSAID:
        if chosen is None:
            raise RequestError(f"{name} does not say what it is; choose CT, MRI or PET.")
        return chosen
    if decoded.modality not in tuple(NAMES):
        raise RequestError(f"{name} is of modality {decoded.modality}; a brain slice of CT, MRI or PET is needed.")
    said = Modality(decoded.modality)
    if chosen not in (None, said):
        assert chosen is not None
        raise RequestError(
            f"{name} says that it is {NAMES[said]}, but {NAMES[chosen]} was chosen; choose {NAMES[said]}."
        )
    return said


def _shown(decoded: Decoded) -> npt.NDArray[np.uint8]:
    if decoded.hounsfield:
        return imaging.window_level(values(decoded), BRAIN_CENTER_HU, BRAIN_WIDTH_HU)
    return display(decoded)


def _border(pixels: npt.NDArray[np.uint8]) -> float:
    inner = np.ones(pixels.shape, bool)
    width = max(1, round(FRAME * min(pixels.shape)))
    inner[width:-width, width:-width] = False
    return float(np.median(pixels[inner]))


def _remarks(decoded: Decoded, modality: Modality) -> list[str]:
    height, width = decoded.pixels.shape
    remarks = []
    if max(height, width) != SIZE_PX:
        done = "enlarged" if max(height, width) < SIZE_PX else "reduced"
        remarks.append(f"{width} x {height} pixels, {done} to {SIZE_PX}.")
    if decoded.hounsfield:
        remarks.append(f"Shown in the brain window {BRAIN_WIDTH_HU:g}/{BRAIN_CENTER_HU:g} HU.")
    elif modality is Modality.CT:
        remarks.append("Without HU: taken as it is, as if in a brain window.")
    if decoded.frames > 1:
        remarks.append(f"Slice {decoded.frame} of {decoded.frames}.")
    return remarks
