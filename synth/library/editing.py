"""What a person may write about a real image: every field checked, the first wrong one as one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.library.labels import NORMAL
from synth.types import Box, RealImage

OLDEST = 120  # years
BOXES_MAX = 64
# Longest words of each field; those of modality and view are the widths of their columns.
LONGEST = {
    "modality": 16,
    "view": 32,
    "body_part": 64,
    "origin": 200,
    "licence": 200,
    "attribution": 1000,
    "note": 4000,
}
NAMES = {"body_part": "body part", "note": "teaching note"}
FIELDS = (
    *("modality", "view", "body_part", "sex", "age", "findings", "boxes", "mask", "note", "origin", "licence"),
    "attribution",
)


def checked(image: RealImage, before: RealImage) -> RealImage:
    """The image with its texts stripped and its words in capitals where DICOM has them.

    Codes that `before` had already may stay, as a folder's metadata names other ones too. Raises RequestError.
    """
    texts: dict[str, Any] = {name: _text(image, name) for name in LONGEST}
    texts |= {name: texts[name].upper() for name in ("modality", "view", "body_part")}
    if not texts["modality"]:
        raise RequestError("The modality is missing; DX, CT, MR and PT are usual ones.")
    if image.sex not in (None, "F", "M"):
        raise RequestError(f"The sex is {image.sex!r}; it must be F, M or unknown.")
    if image.age is not None and image.age < 0:
        raise RequestError(f"The age is no whole number of years; it must lie between 0 and {OLDEST}.")
    if image.age is not None and not 0 <= image.age <= OLDEST:
        raise RequestError(f"The age is {image.age} years; it must lie between 0 and {OLDEST}.")
    _check_findings(image.findings, texts["modality"], before)
    _check_boxes(image.boxes, before)
    return replace(image, **{**texts, "view": texts["view"] or None})


def codes_of(modality: str) -> tuple[str, ...]:
    """The findings that can be seen in a modality, all of them where it is not known to the vocabulary."""
    found = tuple(code for code, term in VOCABULARY.items() if modality in term.modalities)
    return found or tuple(VOCABULARY)


def changed(before: RealImage, after: RealImage) -> tuple[str, ...]:
    """The fields that a person may write and that differ."""
    return tuple(name for name in FIELDS if getattr(before, name) != getattr(after, name))


def _text(image: RealImage, name: str) -> str:
    text = (getattr(image, name) or "").strip().replace("\0", "")
    if len(text) > LONGEST[name]:
        raise RequestError(f"The {NAMES.get(name, name)} has {len(text)} letters; at most {LONGEST[name]} are kept.")
    return text


def _check_findings(findings: tuple[str, ...], modality: str, before: RealImage) -> None:
    if NORMAL in findings and len(findings) > 1:
        others = ", ".join(code.replace("_", " ") for code in findings if code != NORMAL)
        raise RequestError(f"An image cannot be normal and show {others}; take one away.")
    same = modality == before.modality
    known = {NORMAL, *codes_of(modality), *(code for code in before.findings if same or code not in VOCABULARY)}
    strange = [code.replace("_", " ") for code in findings if code not in known]
    if strange:
        raise RequestError(f"{modality} images do not show {', '.join(strange)} in the vocabulary; take it away.")


def _check_boxes(boxes: tuple[Box, ...], before: RealImage) -> None:
    if len(boxes) > BOXES_MAX:
        raise RequestError(f"There are {len(boxes)} boxes; at most {BOXES_MAX} are kept.")
    for number, box in enumerate(boxes, start=1):
        if box.code not in VOCABULARY and box not in before.boxes:
            raise RequestError(f"Box {number} has no finding of the vocabulary; choose one.")
        if box.width <= 0 or box.height <= 0:
            raise RequestError(f"Box {number} has no extent; width and height must be above 0 %.")
        if min(box.x, box.y) < 0 or box.x + box.width > 1.0001 or box.y + box.height > 1.0001:
            raise RequestError(f"Box {number} leaves the picture; left + width and top + height must be 100 % at most.")
