"""A DICOM, PNG or JPEG file as grey pixels with what is needed to show them; anything else is one sentence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.uid import CTImageStorage

from synth import imaging
from synth.dicom.frames import Samples, frame_samples
from synth.dicom.opening import check_file, damage_told, frame_count, opened
from synth.dicom.pictures import coloured, is_picture, read_picture
from synth.dicom.raster import GREY, PALETTE, Raster, quoted, raster
from synth.dicom.tables import LookupTable, lookup_table, palette
from synth.errors import DicomError

__all__ = ["Decoded", "decode", "decode_frame", "display", "frame_count", "opened", "values"]

Stored = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.int16]
VOI_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")  # PS3.3 C.11.2.1.3
LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
# Functional groups that say of a frame what other files say of all (PS3.3 C.7.6.16.2.1, .9, .10)
GROUPS = ("PixelMeasuresSequence", "PixelValueTransformationSequence", "FrameVOILUTSequence")


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """One grey image as stored: (H, W), read-only; `pixels * slope + intercept` is in the file's unit (HU for CT)."""

    pixels: Stored
    modality: str | None = None  # DICOM (0008,0060); None for PNG and JPEG
    window_center: float | None = None  # in the file's unit, first window of the file
    window_width: float | None = None
    spacing_mm: tuple[float, float] | None = None  # between rows, between columns; None for synthetic: not measured
    slope: float = 1.0
    intercept: float = 0.0
    voi_function: str = "LINEAR"
    inverted: bool = False  # MONOCHROME1: low values are bright
    frame: int = 1  # which one of `frames` this is, from 1: the middle one unless another was asked for
    frames: int = 1
    synthetic: bool = False  # the file says of itself that it is synthetic
    colour: float = 0.0  # share of the pixels that are not grey: only their luma is kept
    drawn: npt.NDArray[np.uint8] | None = None  # as the VOI LUT Sequence draws it, where there is one and no window
    hounsfield: bool = False  # the file says that its unit is HU
    notes: tuple[str, ...] = ()  # sentences on what is not kept


def decode(data: bytes, name: str, frame: int | None = None) -> Decoded:
    """Read one file, known by its content and not by its ending; `name` is for the sentences.

    Of several frames `frame` is read, from 1, else the middle one; colour becomes luma. Raises DicomError when the file
    is empty, damaged, without pixels, of a wrong length, above 40 megapixels, an archive, compressed in a way not known
    here or neither DICOM, PNG nor JPEG, or has no such frame. Nothing is decompressed before its size is known.
    """
    check_file(data, name)
    if not is_picture(data):
        return decode_frame(opened(data, name), name, frame)
    if frame not in (None, 1):
        raise DicomError(f"{name} has one frame; there is no frame {frame}.")
    with damage_told(name):
        picture, synthetic, colour = read_picture(data, name)
    picture.flags.writeable = False
    return Decoded(picture, synthetic=synthetic, colour=colour, notes=_notes("RGB", colour))


def decode_frame(ds: Dataset, name: str, frame: int | None = None) -> Decoded:
    """One frame of an opened file, from 1; the middle one without a number. Raises DicomError."""
    with damage_told(name):
        header = raster(ds, name)
        if frame is not None and not 1 <= frame <= header.frames:
            raise DicomError(f"{name} has {header.frames} frames; there is no frame {frame}.")
        return _read(ds, header, header.frames // 2 if frame is None else frame - 1, name)


def values(decoded: Decoded) -> npt.NDArray[np.float32]:
    """(H, W) in the file's unit, HU for CT: stored values times slope plus intercept (PS3.3 C.11.1.1.2)."""
    return _scaled(decoded, decoded.pixels)


def display(decoded: Decoded) -> npt.NDArray[np.uint8]:
    """(H, W) in 8 bit, bright = dense: the file's own window or VOI LUT, else 8 bit as is, else lowest to highest."""
    shown = _windowed(decoded) if decoded.drawn is None else decoded.drawn.copy()
    return 255 - shown if decoded.inverted else shown


def _scaled(decoded: Decoded, stored: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    return stored.astype(np.float32) * np.float32(decoded.slope) + np.float32(decoded.intercept)


def _windowed(decoded: Decoded) -> npt.NDArray[np.uint8]:
    """By way of a table of all values of the type: a film has more pixels than there are values."""
    kind = decoded.pixels.dtype
    every = np.arange(1 << 8 * kind.itemsize).astype(f"u{kind.itemsize}").view(kind)  # in the order of their bits
    if decoded.window_center is not None and decoded.window_width is not None:
        center, width = decoded.window_center, decoded.window_width
        table = imaging.window_level(_scaled(decoded, every), center, width, decoded.voi_function)
    elif kind == np.uint8:
        return imaging.to_uint8(decoded.pixels)
    else:
        low, high = int(decoded.pixels.min()), int(decoded.pixels.max())
        table = imaging.to_uint8((every.astype(np.float32) - low) / max(high - low, 1))
    shown: npt.NDArray[np.uint8] = table[decoded.pixels.view(f"u{kind.itemsize}")]
    return shown


def _read(ds: Dataset, header: Raster, index: int, name: str) -> Decoded:
    samples = frame_samples(ds, header, index, name)
    little = ds.file_meta.TransferSyntaxUID.is_little_endian
    if header.photometric == PALETTE:
        samples = palette(ds, little, header.signed, samples, name)
    said = _of_frame(ds, index)
    table = _table(said, "ModalityLUTSequence", header, little, name)
    grey, slope, intercept = _stored(said, samples, table, name)
    window = _window(said, name) if header.photometric in GREY else None
    voi = _table(said, "VOILUTSequence", header, little, name) if window is None else None
    colour = coloured(samples) if samples.ndim == 3 else 0.0
    synthetic = str(ds.get("SyntheticData") or "") == "YES"
    return Decoded(
        pixels=grey,
        modality=str(ds.get("Modality") or "") or None,
        window_center=window[0] if window else None,
        window_width=window[1] if window else None,
        spacing_mm=None if synthetic else _spacing(said, name),
        slope=slope,
        intercept=intercept,
        voi_function=window[2] if window else "LINEAR",
        inverted=header.photometric == "MONOCHROME1",
        frame=index + 1,
        frames=header.frames,
        synthetic=synthetic,
        colour=colour,
        drawn=_drawn(voi, grey, slope, intercept) if voi else None,
        hounsfield=table is None and _hounsfield(said),
        notes=_notes(header.photometric, colour),
    )


def _of_frame(ds: Dataset, index: int) -> Dataset:
    """What the file says of one frame: its own functional groups, else the shared ones, else the file's attributes."""
    if "SharedFunctionalGroupsSequence" not in ds and "PerFrameFunctionalGroupsSequence" not in ds:
        return ds
    said = Dataset()
    said.update({element.tag: element for element in ds.elements() if element.tag.group in (0x0008, 0x0018, 0x0028)})
    shared = ds.get("SharedFunctionalGroupsSequence") or []
    own = ds.get("PerFrameFunctionalGroupsSequence") or []
    for groups in (*shared[:1], *own[index : index + 1]):
        for keyword in GROUPS:
            for group in (groups.get(keyword) or [])[:1]:
                said.update(group)
    return said


def _table(said: Dataset, keyword: str, header: Raster, little: bool, name: str) -> LookupTable | None:
    """The first table of a Modality or VOI LUT Sequence; None without one and for colour."""
    items = said.get(keyword)
    if not items or header.photometric not in GREY:
        return None
    return lookup_table(items[0], header.signed and keyword == "ModalityLUTSequence", little, name)


def _stored(said: Dataset, samples: Samples, table: LookupTable | None, name: str) -> tuple[Stored, float, float]:
    """Grey stored values, slope and intercept; a modality LUT is applied here and leaves 1 and 0."""
    slope, intercept = 1.0, 0.0
    if samples.ndim == 3:
        samples = np.rint(samples @ np.array(LUMA)).astype(samples.dtype)
    elif table is not None:
        samples = table.of(samples)
    else:
        slope, intercept = _number(said, "RescaleSlope", name) or 1.0, _number(said, "RescaleIntercept", name) or 0.0
        if _number(said, "RescaleSlope", name) == 0.0:
            raise DicomError(f"{name} has a rescale slope of 0; every pixel would be the same.")
    own: Stored = samples.astype(np.int16) if samples.dtype == np.int8 else samples
    own.flags.writeable = False
    return own, slope, intercept


def _drawn(voi: LookupTable, grey: Stored, slope: float, intercept: float) -> npt.NDArray[np.uint8]:
    """The output of a VOI LUT spans all values of its bits: PS3.3 C.11.2.1.1."""
    shown = voi.of(grey if (slope, intercept) == (1.0, 0.0) else grey * slope + intercept)
    return imaging.to_uint8(shown.astype(np.float32) / (2**voi.bits - 1))


def _hounsfield(said: Dataset) -> bool:
    """True for HU by Rescale Type, which in a CT Image may be left out (PS3.3 C.8.2.1.1.2)."""
    if said.get("Modality") != "CT":
        return False
    unit = str(said.get("RescaleType") or "")
    return unit == "HU" or (not unit and said.get("SOPClassUID") == CTImageStorage)


def _notes(photometric: str, colour: float) -> tuple[str, ...]:
    return (f"Colour ({photometric}) on {colour:.0%} of the picture: only its brightness is kept.",) if colour else ()


def _number(said: Dataset, keyword: str, name: str) -> float | None:
    """The first value of a DICOM number; None where there is none."""
    value = said.get(keyword)
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    if value is None or value == "":
        return None
    if not math.isfinite(float(value)):
        raise DicomError(f"{name} has {value} as {keyword}; it must be a number.")
    return float(value)


def _window(said: Dataset, name: str) -> tuple[float, float, str] | None:
    """Center, width and function of the first window; None without one."""
    center, width = _number(said, "WindowCenter", name), _number(said, "WindowWidth", name)
    if center is None or width is None:
        return None
    function = str(said.get("VOILUTFunction") or "LINEAR")
    if width <= 0 or (function == "LINEAR" and width < 1):
        raise DicomError(f"{name} has a window width of {width:g}; it must be 1 or more.")
    if function not in VOI_FUNCTIONS:
        raise DicomError(f"{name} has the VOI LUT function {quoted(function)}; {', '.join(VOI_FUNCTIONS)} are read.")
    return center, width, function


def _spacing(said: Dataset, name: str) -> tuple[float, float] | None:
    """Row and column spacing in mm: in the patient, else at the detector, else of the scanned page."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        given = said.get(keyword)
        if given:
            numbers = [float(number) for number in given]
            if len(numbers) != 2 or not all(math.isfinite(number) and number > 0 for number in numbers):
                found = " x ".join(f"{number:g}" for number in numbers[:3])
                raise DicomError(f"{name} has a pixel spacing of {found} mm; it must be two positive numbers.")
            return numbers[0], numbers[1]
    return None
