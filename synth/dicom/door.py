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
from synth.dicom.decode import Decoded, decode, decode_frame
from synth.dicom.deidentify import MEANINGS, Deidentified, deidentify, years
from synth.dicom.encode import part10
from synth.dicom.opening import opened
from synth.dicom.pictures import is_picture
from synth.dicom.shown import brightest, shown, small
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

    Pure: the same bytes and rules give the same. For a process of its own: pydicom's validation is off meanwhile.
    Raises DicomError when the file cannot be read, says or shows that it is synthetic, has more than 512 slices, or
    is refused by the rules (text in its pixels, a face).
    """
    with warnings.catch_warnings(), pydicom.config.disable_value_validation():
        warnings.simplefilter("ignore")  # pydicom's warnings, and its log, quote the values that are then removed
        if is_picture(data):
            return _take_picture(data, decode(data, name), name, rules)
        ds = opened(data, name)
        decoded = decode_frame(ds, name)
        try:
            return _take_dicom(ds, decoded, name, rules)
        except DicomError:
            raise
        except Exception as error:  # as in decode: damage that pydicom meets where we read on
            raise DicomError(f"{name} is damaged: its DICOM content cannot be de-identified.") from error


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
    kept = _look(replace(decoded, pixels=pixels)) if look.boxes else look
    said, flags = (("113101",), ("burnt_in",) * bool(kept.boxes)) if look.boxes else ((), ())
    return Taken(buffer.getvalue(), ".png", (_picture(kept, 1),), tuple(done), said, flags)


def _take_dicom(ds: Dataset, decoded: Decoded, name: str, rules: Rules) -> Taken:
    """A DICOM file in its own transfer syntax, or native where something was blackened."""
    _refuse_synthetic("it says so" if decoded.synthetic else why_synthetic(ds), [], name)
    if not ds.get("SOPClassUID"):
        raise DicomError(f"{name} has no SOP Class UID, so nobody can tell what it is; one of PS3.4 B.5 is needed.")
    flags = _flags(ds, name, rules)
    indices = _indices(decoded, name)
    streams = kept_pixels.streams(ds, indices)
    middle = decoded.frame - 1
    looks = [_look(decoded if index == middle else decode_frame(ds, name, index + 1)) for index in indices]
    _refuse_synthetic(None, looks, name)
    boxes = tuple(dict.fromkeys(box for look in looks for box in look.boxes))
    _refuse_text(boxes, name, rules)
    regions = burnt_in.regions(ds)
    found = deidentify(ds, rules)
    clean, kept = found.dataset, kept_pixels.without_text(ds, streams)
    done = [*found.done, *_notes(decoded, len(indices))]
    if boxes or regions or kept is None:
        mask = burnt_in.mask(decoded.pixels.shape, boxes, regions)
        kept = kept_pixels.blacken(ds, clean, indices, [look.decoded for look in looks], mask, name)
        done += [_blackened(boxes)] if boxes else []
        done += ["Everything outside the ultrasound regions is black."] if regions else []
        kept_pixels.keep(clean, kept, decoded.frames)
        looks = [_look(decode_frame(clean, name, number)) for number in range(1, len(kept) + 1)]
    else:
        kept_pixels.keep(clean, kept, decoded.frames)
    before = {str(item.get("CodeValue")) for item in ds.get("DeidentificationMethodCodeSequence") or ()}
    return _finished(found, looks, done, flags, bool(boxes or regions or "113101" in before))


def _finished(found: Deidentified, looks: list[_Look], done: list[str], flags: list[str], cleaned: bool) -> Taken:
    """The kept file, which says what was done to its pixels, and its pictures."""
    clean, said = found.dataset, found.codes
    if cleaned:
        said = tuple(sorted({*said, "113101"}))
        clean.DeidentificationMethodCodeSequence = [codes.code(code, "DCM", MEANINGS[code]) for code in said]
        flags = [flag for flag in flags if flag != "burnt_in"]
    if any(look.boxes for look in looks) or (clean.get("Modality") == "US" and not burnt_in.regions(clean)):
        flags = list(dict.fromkeys([*flags, "burnt_in"]))  # small crowded letters may be left over
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
    reduced, factor = small(decoded, SMALL_PX)
    seen = shown(reduced)
    found = burnt_in.text_bands(brightest(reduced) if decoded.hounsfield else seen)
    boxes = tuple((top * factor, left * factor, high * factor, wide * factor) for top, left, high, wide in found)
    return _Look(decoded, seen, boxes)


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
