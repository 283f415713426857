"""PNG and JPEG to grey pixels, checked before they are decompressed."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from synth.dicom.codestreams import JPEG_MAGIC, PNG_MAGIC, codestream
from synth.dicom.limits import check_size
from synth.errors import DicomError
from synth.types import Pixels

CHROMA_MIN = 0.1  # compression and a yellowed scan stay below
SCAN, MAX_SCANS = b"\xff\xda", 128  # each goes over the whole picture again; progressive JPEGs have about ten


def is_picture(data: bytes) -> bool:
    """True when the bytes begin as a PNG or JPEG does."""
    return data.startswith((PNG_MAGIC, JPEG_MAGIC))


def read_picture(data: bytes, name: str) -> tuple[Pixels, bool, float]:
    """Pixels (H, W), uint8 or uint16 (grey PNG of 16 bit), whether its text says `SyntheticData: YES`, and its colour.

    Colour becomes luma (ITU-R BT.601), transparency is ignored. Raises DicomError when the file is damaged or above
    40 megapixels.
    """
    kind = "PNG" if data.startswith(PNG_MAGIC) else "JPEG"
    header = codestream(data)
    if header is None:
        raise DicomError(f"{name} is damaged: it begins as a {kind} but has no size in its header.")
    check_size(header.width, header.height, name)
    if kind == "JPEG" and data.count(SCAN) > MAX_SCANS:
        raise DicomError(f"{name} is a JPEG of more than {MAX_SCANS} scans; it is not opened.")
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as picture:
            picture.load()
            synthetic = str(picture.info.get("SyntheticData", "")).upper() == "YES"
            flat = picture.mode in ("L", "1", "LA") or picture.mode.startswith("I")
            return _grey(picture), synthetic, 0.0 if flat else coloured(np.asarray(picture.convert("RGB")))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, UnidentifiedImageError) as error:
        raise DicomError(f"{name} is damaged: it begins as a {kind} but cannot be read to its end.") from error


def coloured(channels: npt.NDArray[Any]) -> float:
    """The share of pixels, 0-1, whose channels (H, W, 3) differ by more than CHROMA_MIN of the range of their type."""
    return float((np.ptp(channels[..., :3], axis=-1) > CHROMA_MIN * np.iinfo(channels.dtype).max).mean())


def _grey(picture: Image.Image) -> Pixels:
    if picture.mode.startswith("I"):  # I;16 for a grey PNG of 16 bit, I where Pillow widens it
        deep: Pixels = np.clip(np.asarray(picture), 0, 65535).astype(np.uint16)
        return deep
    grey: Pixels = np.array(picture if picture.mode == "L" else picture.convert("L"), dtype=np.uint8)
    return grey
