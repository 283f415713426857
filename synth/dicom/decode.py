"""A DICOM, PNG or JPEG file as grey pixels with what is needed to show them; anything else is one sentence."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.filereader import read_dataset, read_preamble
from pydicom.multival import MultiValue
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import UID, CTImageStorage, DeflatedExplicitVRLittleEndian

from synth import imaging
from synth.dicom.limits import MAX_FILE_BYTES, check_inflated, check_size, codestream_size
from synth.dicom.pictures import coloured, is_picture, read_picture
from synth.errors import DicomError

Stored = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.int16]
VOI_FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")  # PS3.3 C.11.2.1.3


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
    frame: int = 1  # which one of `frames` this is, from 1: the middle one
    frames: int = 1
    synthetic: bool = False  # the file says of itself that it is synthetic
    colour: float = 0.0  # share of the pixels that are not grey: only their luma is kept
    drawn: npt.NDArray[np.uint8] | None = None  # as the VOI LUT Sequence draws it, where there is one and no window
    hounsfield: bool = False  # the file says that its unit is HU


def decode(data: bytes, name: str, frame: int | None = None) -> Decoded:
    """Read one file, known by its content and not by its ending; `name` is for the sentences.

    Of several frames the middle one is read, colour becomes luma. Raises DicomError when the file is empty, damaged,
    without pixels, of a wrong length, above 40 megapixels, an archive, compressed in a way not known here or neither
    DICOM, PNG nor JPEG. Nothing is decompressed before its size is known.
    """
    if not data:
        raise DicomError(f"{name} is empty; a DICOM, PNG or JPEG file is needed.")
    if len(data) > MAX_FILE_BYTES:
        raise DicomError(f"{name} has {len(data) // 2**20} MiB; at most {MAX_FILE_BYTES // 2**20} are read.")
    if data.startswith(b"PK\x03\x04"):
        raise DicomError(f"{name} is a zip archive, not an image; unpack it and add its images one by one.")
    if is_picture(data):
        picture, synthetic, colour = read_picture(data, name)
        picture.flags.writeable = False
        return Decoded(picture, synthetic=synthetic, colour=colour)
    if data[128:132] != b"DICM":
        raise DicomError(f"{name} is neither a DICOM file (no DICM at byte 128) nor a PNG or JPEG.")
    try:
        return _read(_open(data, name), name, frame)
    except DicomError:
        raise
    except Exception as error:  # pydicom meets damage with whatever its parser trips over
        raise DicomError(f"{name} is damaged: its DICOM content cannot be read.") from error


def values(decoded: Decoded) -> npt.NDArray[np.float32]:
    """(H, W) in the file's unit, HU for CT: stored values times slope plus intercept (PS3.3 C.11.1.1.2)."""
    return decoded.pixels.astype(np.float32) * np.float32(decoded.slope) + np.float32(decoded.intercept)


def display(decoded: Decoded) -> npt.NDArray[np.uint8]:
    """(H, W) in 8 bit, bright = dense: the file's own window or VOI LUT, else 8 bit as is, else lowest to highest."""
    shown = _windowed(decoded) if decoded.drawn is None else decoded.drawn
    return (255 - shown) if decoded.inverted else shown.copy()


def _windowed(decoded: Decoded) -> npt.NDArray[np.uint8]:
    if decoded.window_center is not None and decoded.window_width is not None:
        center, width = decoded.window_center, decoded.window_width
        return imaging.window_level(values(decoded), center, width, decoded.voi_function)
    if decoded.pixels.dtype == np.uint8:
        return imaging.to_uint8(decoded.pixels)
    low, high = int(decoded.pixels.min()), int(decoded.pixels.max())
    return imaging.to_uint8((decoded.pixels.astype(np.float32) - low) / max(high - low, 1))


def _open(data: bytes, name: str) -> Dataset:
    buffer = io.BytesIO(data)
    read_preamble(buffer, force=False)
    meta = read_dataset(buffer, False, True, stop_when=lambda tag, vr, length: tag.group != 2)
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        check_inflated(data[buffer.tell() :], name)
    return pydicom.dcmread(io.BytesIO(data))


def _read(ds: Dataset, name: str, frame: int | None) -> Decoded:
    _check_pixels(ds, name)
    frames = int(ds.get("NumberOfFrames") or 1)
    index = frames // 2 if frame is None else frame - 1
    _check_codestream(ds, index, frames, name)
    array = np.asarray(pixel_array(ds, index=index))
    grey, slope, intercept = _stored(ds, array, name)
    window = _window(ds, name)
    synthetic = str(ds.get("SyntheticData") or "") == "YES"
    return Decoded(
        pixels=grey,
        modality=str(ds.get("Modality") or "") or None,
        window_center=window[0] if window else None,
        window_width=window[1] if window else None,
        spacing_mm=None if synthetic else _spacing(ds, name),
        slope=slope,
        intercept=intercept,
        voi_function=window[2] if window else "LINEAR",
        inverted=ds.PhotometricInterpretation == "MONOCHROME1",
        frame=index + 1,
        frames=frames,
        synthetic=synthetic,
        colour=_colour(ds, array),
        drawn=_drawn(ds, grey) if "VOILUTSequence" in ds and window is None else None,
        hounsfield=_hounsfield(ds),
    )


def _check_pixels(ds: Dataset, name: str) -> None:
    """The image pixel module (PS3.3 C.7.6.3) against what can be read, before a byte of it is decompressed."""
    if "PixelData" not in ds:
        kind = UID(str(ds.get("SOPClassUID", ""))).name
        if not kind:
            raise DicomError(f"{name} is damaged: it ends before its pixels.")
        raise DicomError(f"{name} is a DICOM file without integer pixels ({kind}).")
    check_size(int(ds.Columns), int(ds.Rows), name)
    if ds.BitsAllocated not in (8, 16):
        raise DicomError(f"{name} has {ds.BitsAllocated} bits a pixel; 8 and 16 are read.")
    syntax = UID(ds.file_meta.TransferSyntaxUID)
    if not syntax.is_transfer_syntax or not _readable(syntax):
        raise DicomError(
            f"{name} is compressed as {syntax.name}, which is not read here; "
            "save it uncompressed or as RLE, baseline JPEG or JPEG 2000."
        )
    if not syntax.is_encapsulated:
        expected, found = get_expected_length(ds), len(ds.PixelData)
        if found not in (expected, expected + expected % 2):
            raise DicomError(f"{name} has {found:,} bytes of pixels; its header asks for {expected:,}.")


def _readable(syntax: UID) -> bool:
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _check_codestream(ds: Dataset, index: int, frames: int, name: str) -> None:
    """A compressed frame must be as large as the DICOM header says; a liar could unpack to anything."""
    if not ds.file_meta.TransferSyntaxUID.is_encapsulated:
        return
    size = codestream_size(get_frame(ds.PixelData, index, number_of_frames=frames))
    if size is not None and size != (ds.Columns, ds.Rows):
        raise DicomError(
            f"{name} says {ds.Columns} x {ds.Rows} pixels in its header and {size[0]} x {size[1]} in its image."
        )


def _stored(ds: Dataset, array: npt.NDArray[Any], name: str) -> tuple[Stored, float, float]:
    """Grey stored values, slope and intercept; a modality LUT is applied here and leaves 1 and 0."""
    slope, intercept = 1.0, 0.0
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        array = apply_color_lut(array, ds)
    if array.ndim == 3:
        array = np.rint(array[..., :3] @ np.array([0.299, 0.587, 0.114])).astype(array.dtype)  # luma, ITU-R BT.601
    elif "ModalityLUTSequence" in ds:
        array = apply_modality_lut(array, ds)
    else:
        slope, intercept = _number(ds, "RescaleSlope", name, 1.0), _number(ds, "RescaleIntercept", name, 0.0)
        if slope == 0.0:
            raise DicomError(f"{name} has a rescale slope of 0; every pixel would be the same.")
    kinds: dict[str, npt.DTypeLike] = {"i": np.int16, "u1": np.uint8, "u2": np.uint16}
    kind = "i" if array.dtype.kind == "i" else f"u{array.dtype.itemsize}"
    own: Stored = np.array(array, dtype=kinds[kind])
    own.flags.writeable = False
    return own, slope, intercept


def _colour(ds: Dataset, array: npt.NDArray[Any]) -> float:
    seen = apply_color_lut(array, ds) if ds.PhotometricInterpretation == "PALETTE COLOR" else array
    return coloured(seen) if seen.ndim == 3 else 0.0


def _hounsfield(ds: Dataset) -> bool:
    """True for HU by Rescale Type, which in a CT Image may be left out (PS3.3 C.8.2.1.1.2)."""
    if "ModalityLUTSequence" in ds or ds.get("Modality") != "CT":
        return False
    said = str(ds.get("RescaleType") or "")
    return said == "HU" or (not said and ds.get("SOPClassUID") == CTImageStorage)


def _drawn(ds: Dataset, grey: Stored) -> npt.NDArray[np.uint8]:
    shown = apply_voi(apply_modality_lut(grey, ds) if "ModalityLUTSequence" not in ds else grey, ds)
    return imaging.to_uint8(shown.astype(np.float32) / max(float(shown.max()), 1.0))


def _number(ds: Dataset, keyword: str, name: str, absent: float) -> float:
    """The first value of a DICOM number; `absent` where there is none."""
    value = ds.get(keyword)
    if isinstance(value, MultiValue):
        value = value[0] if value else None
    if value is None or value == "":
        return absent
    if not math.isfinite(float(value)):
        raise DicomError(f"{name} has {value} as {keyword}; it must be a number.")
    return float(value)


def _window(ds: Dataset, name: str) -> tuple[float, float, str] | None:
    """Center, width and function of the file's first window; None without one and for colour."""
    if ds.SamplesPerPixel == 3 or ds.PhotometricInterpretation == "PALETTE COLOR" or "WindowWidth" not in ds:
        return None
    center, width = _number(ds, "WindowCenter", name, 0.0), _number(ds, "WindowWidth", name, 0.0)
    function = str(ds.get("VOILUTFunction") or "LINEAR")
    if width <= 0 or (function == "LINEAR" and width < 1):
        raise DicomError(f"{name} has a window width of {width:g}; it must be 1 or more.")
    if function not in VOI_FUNCTIONS:
        raise DicomError(f"{name} has the VOI LUT function {function!r}; {', '.join(VOI_FUNCTIONS)} are read.")
    return center, width, function


def _spacing(ds: Dataset, name: str) -> tuple[float, float] | None:
    """Row and column spacing in mm: in the patient, else at the detector, else of the scanned page."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        given = ds.get(keyword)
        if given:
            numbers = [float(number) for number in given]
            if len(numbers) != 2 or not all(math.isfinite(number) and number > 0 for number in numbers):
                shown = " x ".join(f"{number:g}" for number in numbers)
                raise DicomError(f"{name} has a pixel spacing of {shown} mm; it must be two positive numbers.")
            return numbers[0], numbers[1]
    return None
