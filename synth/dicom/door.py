"""The door of the library: one file comes in as bytes, and what is kept of it goes out de-identified, or a sentence."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image
from pydicom.dataset import Dataset

from synth import imaging
from synth.dicom import anatomy, burnt_in, codes, kept_pixels, words
from synth.dicom.decode import Decoded, decode
from synth.dicom.deidentify import MEANINGS, Deidentified, deidentify, years
from synth.dicom.encode import part10
from synth.dicom.pictures import is_picture
from synth.dicom.shown import shown_small
from synth.dicom.synthetic import marked, why_synthetic, why_synthetic_picture
from synth.dicom.taken import BurntIn, Picture, Rules, Taken
from synth.errors import DicomError

THUMBNAIL_PX = 256
SMALL_PX = 1024  # of the longer side, at which text is looked for
STACKS = ("CT", "MR", "PT", "NM")  # whose frames are slices: one picture each
MAX_FRAMES = 512
COLOUR_MIN = 0.001  # share of coloured pixels that is worth a note


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """One frame as it was looked at: decoded, small as shown, and the boxes of text in its own px."""

    decoded: Decoded
    small: npt.NDArray[np.uint8]
    boxes: tuple[burnt_in.Box, ...]


def take(data: bytes, name: str, rules: Rules) -> Taken:
    """What is kept of one DICOM, PNG or JPEG file: de-identified, with its pictures and what was done to it.

    Pure: the same bytes and rules give the same. Raises DicomError when the file cannot be read, says or shows that
    it is synthetic, has more than 512 slices, or is refused by the rules (text in its pixels, a face).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom and Pillow grumble about values that are then cleaned
        decoded = decode(data, name)
        if is_picture(data):
            return _take_picture(data, decoded, name, rules)
        try:
            return _take_dicom(_opened(data), decoded, name, rules)
        except DicomError:
            raise
        except Exception as error:  # as in decode: damage that pydicom meets where we read on
            raise DicomError(f"{name} is damaged: its DICOM content cannot be de-identified.") from error


def _opened(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


def _frame(ds: Dataset, index: int, stream: bytes, name: str) -> Decoded:
    """The frame with this index (from 0), decoded as an image of its own."""
    return decode(part10(kept_pixels.one_frame(ds, index, stream)), name)


def _take_picture(data: bytes, decoded: Decoded, name: str, rules: Rules) -> Taken:
    """A PNG or JPEG as a grey PNG without any metadata."""
    look = _look(decoded)
    _refuse_synthetic("its text says so" if decoded.synthetic else why_synthetic_picture(data), [look], name)
    _refuse_text(look.boxes, name, rules)
    done = ["Kept as grey PNG without metadata.", *_notes(decoded, 1)]
    pixels: npt.NDArray[Any] = decoded.pixels
    if look.boxes:
        pixels = pixels.copy()
        pixels[burnt_in.mask(pixels.shape, look.boxes)] = pixels.min()
        done.append(_blackened(look.boxes))
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    picture = _picture(_look(replace(decoded, pixels=pixels)) if look.boxes else look, 1)
    return Taken(buffer.getvalue(), ".png", (picture,), tuple(done), ("113101",) if look.boxes else ())


def _take_dicom(ds: Dataset, decoded: Decoded, name: str, rules: Rules) -> Taken:
    """A DICOM file in its own transfer syntax, or native where something was blackened."""
    _refuse_synthetic("it says so" if decoded.synthetic else why_synthetic(ds), [], name)
    flags = _flags(ds, name, rules)
    indices = _indices(decoded, name)
    streams = kept_pixels.streams(ds, indices)
    middle = decoded.frame - 1
    looks = [
        _look(decoded if index == middle else _frame(ds, index, stream, name))
        for index, stream in zip(indices, streams, strict=True)
    ]
    _refuse_synthetic(None, looks, name)
    boxes = tuple(dict.fromkeys(box for look in looks for box in look.boxes))
    _refuse_text(boxes, name, rules)
    regions = burnt_in.regions(ds)
    found = deidentify(ds, rules)
    clean, kept = found.dataset, kept_pixels.without_text(ds, streams)
    done = [*found.done, *_notes(decoded, len(indices))]
    if boxes or regions or kept is None:
        mask = burnt_in.mask(decoded.pixels.shape, boxes, regions)
        kept = kept_pixels.blacken(ds, clean, indices, [look.decoded for look in looks], mask)
        done += [_blackened(boxes)] if boxes else []
        done += ["Everything outside the ultrasound regions is black."] if regions else []
        kept_pixels.keep(clean, kept, decoded.frames)
        looks = [_look(_frame(clean, at, stream, name)) for at, stream in enumerate(kept)]
    else:
        kept_pixels.keep(clean, kept, decoded.frames)
    return _finished(found, looks, done, flags, bool(boxes or regions))


def _finished(found: Deidentified, looks: list[_Look], done: list[str], flags: list[str], cleaned: bool) -> Taken:
    """The kept file, which says what was done to its pixels, and its pictures."""
    clean, said = found.dataset, found.codes
    if cleaned:
        said = tuple(sorted({*said, "113101"}))
        clean.DeidentificationMethodCodeSequence = [codes.code(code, "DCM", MEANINGS[code]) for code in said]
        flags = [flag for flag in flags if flag != "burnt_in"]
    clean.BurnedInAnnotation = "YES" if "burnt_in" in flags else "NO"
    if "face" in flags:
        clean.RecognizableVisualFeatures = "YES"
    facts = _facts(clean)
    pictures = tuple(replace(_picture(look, number), **facts) for number, look in enumerate(looks, start=1))
    return Taken(part10(clean), ".dcm", pictures, tuple(done), said, tuple(flags), found.original)


def _indices(decoded: Decoded, name: str) -> tuple[int, ...]:
    """Which frames (from 0) become pictures: all slices of a stack, else the middle frame alone."""
    if decoded.modality not in STACKS or decoded.frames == 1:
        return (decoded.frame - 1,)
    if decoded.frames > MAX_FRAMES:
        raise DicomError(f"{name} has {decoded.frames} slices; at most {MAX_FRAMES} are taken from one file.")
    return tuple(range(decoded.frames))


def _look(decoded: Decoded) -> _Look:
    small, factor = shown_small(decoded, SMALL_PX)
    boxes = tuple(
        (top * factor, left * factor, high * factor, wide * factor)
        for top, left, high, wide in burnt_in.text_bands(small)
    )
    return _Look(decoded, small, boxes)


def _refuse_synthetic(why: str | None, looks: list[_Look], name: str) -> None:
    if why is None and any(marked(look.small) for look in looks):
        why = "it carries the mark of SynthRead"
    if why is not None:
        raise DicomError(f"{name} is synthetic ({why}); the library holds real images only.")


def _refuse_text(boxes: tuple[burnt_in.Box, ...], name: str, rules: Rules) -> None:
    if boxes and rules.burnt_in is BurntIn.REFUSE:
        raise DicomError(
            f"{name} seems to have text burnt into its pixels (in {len(boxes)} places); the rules refuse such images."
        )


def _flags(ds: Dataset, name: str, rules: Rules) -> list[str]:
    """What somebody should look at, by the header as it came."""
    face, text = anatomy.shows_face(ds), str(ds.get("BurnedInAnnotation") or "").strip() == "YES"
    if face and rules.refuse_faces:
        raise DicomError(f"{name} shows a head, from which a face could be rendered; the rules refuse such slices.")
    if text and rules.burnt_in is BurntIn.REFUSE:
        raise DicomError(f"{name} says that text is burnt into its pixels; the rules refuse such images.")
    return ["face"] * face + ["burnt_in"] * text


def _notes(decoded: Decoded, taken: int) -> list[str]:
    colour = ["Colour is shown as grey."] if decoded.colour > COLOUR_MIN else []
    return colour + ([f"Only the middle one of {decoded.frames} frames is kept."] if taken < decoded.frames else [])


def _blackened(boxes: tuple[burnt_in.Box, ...]) -> str:
    return f"Text was found in the pixels and blackened, in {len(boxes)} place{'s' * (len(boxes) > 1)}."


def _picture(look: _Look, number: int) -> Picture:
    pixels = look.decoded.pixels
    thumbnail = imaging.resize(look.small, THUMBNAIL_PX) if max(look.small.shape) > THUMBNAIL_PX else look.small.copy()
    thumbnail.flags.writeable = False
    height, width = pixels.shape
    hashed = hashlib.sha256(f"{height}x{width} {pixels.dtype.name}:".encode())
    hashed.update(np.ascontiguousarray(pixels).data)
    return Picture(number, hashed.hexdigest(), thumbnail, height, width)


def _facts(clean: Dataset) -> dict[str, Any]:
    """What the cleaned header still says, as fields of a Picture."""
    return {
        "modality": words.modality(_word(clean, "Modality")),
        "view": anatomy.view(clean),
        "body_part": _word(clean, "BodyPartExamined"),
        "sex": words.sex(_word(clean, "PatientSex")),
        "age": years(clean),
        "patient": _word(clean, "PatientID"),
        "study_uid": _word(clean, "StudyInstanceUID"),
        "series_uid": _word(clean, "SeriesInstanceUID"),
        "instance_uid": _word(clean, "SOPInstanceUID"),
        "series_number": _number(clean, "SeriesNumber"),
        "instance_number": _number(clean, "InstanceNumber"),
    }


def _word(ds: Dataset, keyword: str) -> str:
    return str(ds.get(keyword) or "").strip()


def _number(ds: Dataset, keyword: str) -> int | None:
    word = _word(ds, keyword)
    return int(word) if word.lstrip("-").isdigit() else None
