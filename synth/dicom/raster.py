"""What a DICOM file says of its pixels - size, bits, colour, frames, compression - checked against what can be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from synth.dicom.limits import check_size
from synth.errors import DicomError

GREY = ("MONOCHROME1", "MONOCHROME2")
PALETTE = "PALETTE COLOR"
SAMPLES = {
    **dict.fromkeys((*GREY, PALETTE), 1),
    **dict.fromkeys(("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT"), 3),
}  # a pixel, by Photometric Interpretation (PS3.3 C.7.6.3.1.2); the retired ones are not read


@dataclass(frozen=True, slots=True)
class Raster:
    """The image pixel module (PS3.3 C.7.6.3) of a file, checked."""

    rows: int
    columns: int
    frames: int
    samples: int  # a pixel: 1 or 3
    photometric: str
    planar: int  # 1: one colour after the other
    allocated: int  # bits a sample: 8 or 16
    stored: int  # of which hold the value
    high_bit: int  # the highest of them, from 0
    signed: bool
    syntax: UID


def raster(ds: Dataset, name: str) -> Raster:
    """Read and check the header of the pixels; nothing of them is decompressed. Raises DicomError."""
    _check_present(ds, name)
    syntax = _syntax(ds, name)
    photometric = str(_first(ds, "PhotometricInterpretation", name) or "")
    if photometric not in SAMPLES:
        raise DicomError(f"{name} has the colour space {quoted(photometric)}; {', '.join(SAMPLES)} are read.")
    rows, columns = whole(ds, "Rows", name), whole(ds, "Columns", name)
    frames = whole(ds, "NumberOfFrames", name, 1)
    if frames < 1:
        raise DicomError(f"{name} says that it has {frames} frames; it must be 1 or more.")
    check_size(columns, rows, name, frames)
    samples = whole(ds, "SamplesPerPixel", name, 1)
    if samples != SAMPLES[photometric]:
        raise DicomError(f"{name} has {samples} samples a pixel; {photometric} has {SAMPLES[photometric]}.")
    allocated, stored, high_bit = _bits(ds, name)
    if samples == 3 and photometric != "RGB" and allocated != 8:
        raise DicomError(f"{name} has {allocated} bits a sample in {photometric}; 8 are read.")
    planar = whole(ds, "PlanarConfiguration", name, 0)
    if planar not in (0, 1):
        raise DicomError(f"{name} has {planar} as PlanarConfiguration; it must be 0 or 1.")
    signed = whole(ds, "PixelRepresentation", name)
    if signed not in (0, 1):
        raise DicomError(f"{name} has {signed} as PixelRepresentation; it must be 0 or 1.")
    read = Raster(rows, columns, frames, samples, photometric, planar, allocated, stored, high_bit, signed == 1, syntax)
    if not syntax.is_encapsulated:
        _check_length(ds, read, name)
    return read


def whole(ds: Dataset, keyword: str, name: str, absent: int | None = None) -> int:
    """The first value of an attribute as a whole number; `absent` where there is none. Raises DicomError."""
    value = _first(ds, keyword, name)
    if value is None or value == "":
        if absent is None:
            raise DicomError(f"{name} does not say its {keyword}; without it the pixels cannot be read.")
        return absent
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise DicomError(f"{name} has no number as {keyword}; it must be a whole one.") from error
    if number != value:
        raise DicomError(f"{name} has {value} as {keyword}; it must be a whole number.")
    return number


def uid_name(uid: str) -> str:
    """The registered name of a UID, else the UID; what is neither may be anything, a name of a patient too."""
    name = UID(uid).name
    return name if name != uid or UID(uid).is_valid else "of an unknown kind"


def quoted(text: str) -> str:
    """A code string (PS3.5 6.2) as it may stand in a sentence; other text may be anything."""
    return repr(text) if re.fullmatch(r"[A-Z0-9_ ]{0,16}", text) else "that is no code"


def _first(ds: Dataset, keyword: str, name: str) -> Any:
    try:
        value = ds.get(keyword)
    except Exception as error:  # the parser meets a wrong VR or length with whatever it trips over
        raise DicomError(f"{name} is damaged: its {keyword} cannot be read.") from error
    if isinstance(value, MultiValue | list | tuple):
        return value[0] if len(value) else None
    return value


def _check_present(ds: Dataset, name: str) -> None:
    if "PixelData" not in ds:
        said = _first(ds, "SOPClassUID", name) or _first(ds.file_meta, "MediaStorageSOPClassUID", name)
        if not said:
            raise DicomError(f"{name} is damaged: it ends before its pixels.")
        raise DicomError(f"{name} is a DICOM file without integer pixels ({uid_name(str(said))}).")
    if not isinstance(_first(ds, "PixelData", name), bytes):
        raise DicomError(f"{name} is damaged: its pixels are of the type {ds['PixelData'].VR}; OB or OW is needed.")


def _syntax(ds: Dataset, name: str) -> UID:
    syntax = UID(str(ds.file_meta.get("TransferSyntaxUID") or ""))
    if not syntax.is_transfer_syntax or not _readable(syntax):
        raise DicomError(
            f"{name} is compressed as {uid_name(syntax)}, which is not read here; "
            "save it uncompressed or as RLE, JPEG, JPEG-LS or JPEG 2000."
        )
    pieces = ds["PixelData"].is_undefined_length
    if pieces != syntax.is_encapsulated:
        found = "compressed" if pieces else "uncompressed"
        raise DicomError(f"{name} says that its pixels are stored as {syntax.name}, but they are {found}.")
    return syntax


def _readable(syntax: UID) -> bool:
    try:
        return bool(get_decoder(syntax).is_available)
    except NotImplementedError:
        return False


def _bits(ds: Dataset, name: str) -> tuple[int, int, int]:
    """Bits allocated, bits stored and the high bit, PS3.5 8.1.1."""
    allocated = whole(ds, "BitsAllocated", name)
    if allocated not in (8, 16):
        raise DicomError(f"{name} has {allocated} bit{'s' * (allocated != 1)} a pixel; 8 and 16 are read.")
    stored = whole(ds, "BitsStored", name)
    if not 1 <= stored <= allocated:
        raise DicomError(f"{name} has {stored} as BitsStored; it must be from 1 to its {allocated} bits a pixel.")
    high_bit = whole(ds, "HighBit", name, stored - 1)
    if not stored - 1 <= high_bit < allocated:
        raise DicomError(f"{name} has {high_bit} as HighBit; with {stored} bits stored it must be {stored - 1}.")
    return allocated, stored, high_bit


def _check_length(ds: Dataset, read: Raster, name: str) -> None:
    samples = 2 if read.photometric == "YBR_FULL_422" else read.samples  # two pixels share their colour
    expected = read.frames * read.rows * read.columns * samples * read.allocated // 8
    found = len(ds.PixelData)
    if found not in (expected, expected + expected % 2):
        raise DicomError(f"{name} has {found:,} bytes of pixels; its header asks for {expected:,}.")
