"""What says of itself that it is synthetic: every mark that our files carry, and those of other makers."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset

from synth import imaging
from synth.dicom.encode import ALTERATION, DERIVATION, NOT_FOR_DIAGNOSIS, RESTORED, uid

MARKS = ("SYNTHETIC", "ALTERED")  # burnt into the lower left corner by `imaging.mark`
MARK_MATCH = 0.5  # correlation of the corner with the mark: 83 real images reach 0.15, marks at half their size 0.59
MARK_SIDES_PX = (256, 512, 1024)  # sizes in which marked pictures leave the app
_TEXTS = tuple(text.upper() for text in (NOT_FOR_DIAGNOSIS, DERIVATION, ALTERATION, RESTORED))
_DESCRIPTIONS = ("StudyDescription", "SeriesDescription", "DerivationDescription", "ImageComments")
_WORDS = re.compile(r"\bSYNTHETIC\b|\bGAN[- ]GENERATED|\bDIFFUSION MODEL")
SOURCE_TYPE = b"rainedAlgorithmicMedia"  # IPTC digital source types of C2PA manifests and XMP: made by a trained model
_FLAG = re.compile(rb"SyntheticData[\"'<>/=:\s\0]{1,40}YES")


def why_synthetic(ds: Dataset) -> str | None:
    """The mark of a DICOM dataset by which it is synthetic, or None; a removed (0008,001C) leaves the others."""
    if _word(ds, "SyntheticData") == "YES":
        return "Synthetic Data is YES"
    if _word(ds, "ConversionType") == "SYN":
        return "its Conversion Type is SYN"
    if _word(ds, "Manufacturer") == "SYNTHREAD" or _word(ds, "IssuerOfPatientID") == "SYNTHREAD":
        return "SynthRead made it"
    if _word(ds, "PatientID").startswith("SYN-") or _word(ds, "PatientName").startswith("SYNTHETIC"):
        return "its patient is none"
    meta = getattr(ds, "file_meta", Dataset())
    if _word(meta, "ImplementationClassUID") == uid("SYNTHREAD", "implementation"):
        return "SynthRead wrote it"
    for item in ds.get("ContributingEquipmentSequence") or ():
        purposes = item.get("PurposeOfReferenceCodeSequence") or ()
        if _word(item, "Manufacturer") == "SYNTHREAD" or any(_word(p, "CodeValue") == "109100" for p in purposes):
            return "it names the equipment that synthesised it"
    for keyword in _DESCRIPTIONS:
        said = _word(ds, keyword)
        if any(text in said for text in _TEXTS) or _WORDS.search(said):
            return f"its {keyword} says so"
    return None


def why_synthetic_picture(data: bytes) -> str | None:
    """The mark in the text of a PNG or JPEG by which it is synthetic, or None. Expects one that can be read."""
    if SOURCE_TYPE in data or (b"SyntheticData" in data and _FLAG.search(data)):
        return "its metadata say so"
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            picture.load()
            words = list(_info(picture))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        return f"its text cannot be read ({type(error).__name__})"
    for key, value in words:
        if key == "syntheticdata" and value.strip().upper() == "YES":
            return "its text says so"
        if key == "software" and value.lower().startswith("synthread"):
            return "SynthRead made it"
        if _WORDS.search(value.upper()) or value.upper().strip() in MARKS:
            return "its text says so"
    return None


def marked(shown: npt.NDArray[np.uint8]) -> bool:
    """True where the lower left corner carries our burnt-in mark, at its own size or that of the app's pictures.

    `shown` is (H, W) as displayed. All metadata may be gone: a screenshot cropped to the picture is recognised.
    """
    longest = max(shown.shape)
    shapes = {tuple(max(1, round(n * side / longest)) for n in shown.shape) for side in (longest, *MARK_SIDES_PX)}
    return any(
        _corner_match(shown, letters, height) >= MARK_MATCH
        for height, width in shapes
        for text in MARKS
        if (letters := _letters(height, width, text)) is not None
    )


@lru_cache(maxsize=32)
def _letters(height: int, width: int, text: str) -> npt.NDArray[np.float32] | None:
    """The mark alone, (h, w) from the lower left corner of a black picture; None where it does not fit."""
    try:
        black = imaging.mark(np.zeros((height, width), np.uint8), text)
    except ValueError:  # a picture too narrow for a mark
        return None
    rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
    return black[rows[0] :, : columns[-1] + columns[0] + 1].astype(np.float32)


def _corner_match(shown: npt.NDArray[np.uint8], mark: npt.NDArray[np.float32], height: int) -> float:
    """Correlation of the corner of the picture with the mark of a picture of that height."""
    scale = shown.shape[0] / height
    high, wide = (max(1, round(side * scale)) for side in mark.shape)
    corner = Image.fromarray(np.ascontiguousarray(shown[-high:, :wide])).resize(
        mark.shape[::-1], Image.Resampling.BILINEAR
    )
    here = np.asarray(corner, np.float32)
    if here.std() == 0.0:
        return 0.0
    return float(np.corrcoef(mark.ravel(), here.ravel())[0, 1])


def _word(ds: Dataset, keyword: str) -> str:
    return str(ds.get(keyword) or "").strip().upper()


def _info(picture: Image.Image) -> Iterator[tuple[str, str]]:
    for key, value in picture.info.items():
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, str):
            yield str(key).lower(), value
    for tag, value in picture.getexif().items():
        yield {305: "software"}.get(tag, str(tag)), str(value)
