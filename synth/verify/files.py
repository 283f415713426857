"""The pictures of a file that somebody dropped, whatever it is: PNG, JPEG, WebP, TIFF, DICOM, or on the pages of a PDF.

A file is known by its content. Sizes are checked before anything is decompressed, and every failure is one sentence.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pypdf
from PIL import Image

from synth.dicom.decode import decode, decode_frame, display, opened
from synth.dicom.limits import MAX_PIXELS, check_size
from synth.dicom.pictures import is_picture
from synth.dicom.synthetic import SOURCE_TYPE, why_synthetic, why_synthetic_picture
from synth.errors import DicomError, SynthError
from synth.provenance.credentials import DICOM, MIMES

MAX_BYTES = 64 * 2**20
PDF_MAX_BYTES = 32 * 2**20
PAGES, PICTURES = 20, 12  # of a PDF that are looked at
SMALLEST_PX = 64  # logos and rules are smaller
_TIFF = (b"II*\0", b"MM\0*")


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture of a file: (H, W) uint8 as shown, its own bytes, and what its header or text says of it."""

    shown: npt.NDArray[np.uint8]
    data: bytes
    mime: str
    said: str | None = None  # why it is synthetic by its own words
    where: str = ""  # on which page


def pictures(data: bytes, name: str) -> list[Picture]:
    """One picture, or those of a PDF, the largest first. Raises DicomError, in one sentence, for anything else."""
    if not data:
        raise DicomError(f"{name} is empty.")
    if len(data) > MAX_BYTES:
        raise DicomError(f"{name} has {len(data) // 2**20} MiB; at most {MAX_BYTES // 2**20} are examined.")
    if b"%PDF-" in data[:1024]:
        return _of_pdf(data, name)
    if data.startswith(_TIFF) or (data.startswith(b"RIFF") and data[8:12] == b"WEBP"):
        return [_of_pillow(data, name)]
    return [_decoded(data, name)]


def _decoded(data: bytes, name: str) -> Picture:
    if not is_picture(data):
        if data[128:132] != b"DICM":
            raise DicomError(f"{name} is no PNG, JPEG, WebP, TIFF, DICOM or PDF; one of these can be examined.")
        ds = opened(data, name)
        shown = display(decode_frame(ds, name))
        return Picture(shown, data, DICOM, why_synthetic(ds))
    mime = MIMES["PNG" if data.startswith(b"\x89PNG") else "JPEG"]
    return Picture(display(decode(data, name)), data, mime, why_synthetic_picture(data))


def _of_pillow(data: bytes, name: str) -> Picture:
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF", "WEBP")) as picture:
            check_size(picture.width, picture.height, name)
            said = "its metadata say so" if SOURCE_TYPE in data else None
            return Picture(_grey(picture), data, MIMES[picture.format or ""], said)
    except SynthError:
        raise
    except Image.DecompressionBombError as error:
        raise DicomError(
            f"{name} has too many pixels; at most {MAX_PIXELS // 1_000_000} megapixels are read."
        ) from error
    except Exception as error:  # Pillow's readers raise whatever a broken file makes them
        raise DicomError(f"{name} is damaged and cannot be read ({type(error).__name__}).") from error


def _of_pdf(data: bytes, name: str) -> list[Picture]:
    if len(data) > PDF_MAX_BYTES:
        raise DicomError(f"{name} has {len(data) // 2**20} MiB; of a PDF at most {PDF_MAX_BYTES // 2**20} are read.")
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        if reader.is_encrypted:
            raise DicomError(f"{name} is an encrypted PDF; save it without its password first.")
        found = list(_on_pages(reader, name))
    except SynthError:
        raise
    except Exception as error:  # pypdf raises whatever a broken file makes it
        raise DicomError(f"{name} is a damaged PDF and cannot be read ({type(error).__name__}).") from error
    if not found:
        raise DicomError(f"{name} holds no picture of {SMALLEST_PX} px or more on its first {PAGES} pages.")
    return sorted(found, key=lambda picture: -picture.shown.size)


def _on_pages(reader: pypdf.PdfReader, name: str) -> Iterator[Picture]:
    """The pictures that are embedded in the pages: their own pixels, at their own size."""
    left = PICTURES
    for number, page in enumerate(reader.pages[:PAGES], start=1):
        for key in page.images.keys():  # noqa: SIM118  iterating over it would decompress them all
            path = [key] if isinstance(key, str) else list(key)
            stream = _stream(page, path)
            if stream is None or left == 0:
                continue
            width, height = int(stream["/Width"]), int(stream["/Height"])
            check_size(width, height, name)
            if min(width, height) < SMALLEST_PX:
                continue
            left -= 1
            found = page.images[key]
            if found.image is not None:
                said = "its metadata say so" if SOURCE_TYPE in found.data else None
                kind = MIMES.get(found.image.format or "", MIMES["PNG"])
                yield Picture(_grey(found.image), found.data, kind, said, f"page {number}")


def _stream(holder: Any, path: list[str]) -> Any:
    """The image object at a path of names, through the forms that hold it; None for one within the page's text."""
    for name in path:
        if name.startswith("~"):
            return None
        holder = holder["/Resources"]["/XObject"][name]
    return holder


def _grey(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """(H, W): colour as luma, 16 bit from its lowest to its highest value."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture, np.float64)
        span = float(np.ptp(values)) or 1.0
        return np.asarray(np.rint(255 * (values - values.min()) / span), np.uint8)
    return np.array(picture.convert("L"), np.uint8)
