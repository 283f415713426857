"""A DICOM header as plain text for the screen: identifiers are named and never shown, long values cut."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
from pydicom.datadict import get_entry
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from synth.dicom import deidentify_table as table
from synth.errors import DicomError

HIDDEN = "(identifier, not shown)"
LONGEST = 80  # characters of a value
DEEPEST = 3  # sequences within sequences that are listed
MOST_LINES, MOST_ITEMS = 1000, 8
_BINARY = {"OB", "OD", "OF", "OL", "OV", "OW", "UN", "OB or OW", "US or OW"}
# What a kept file says anew, or keeps by an option of the profile
_OWN = table.tags("PatientIdentityRemoved", "DeidentificationMethod", "DeidentificationMethodCodeSequence")
_SHOWN = _OWN | table.TEMPORAL | frozenset().union(*table.KEPT.values()) | table.REFERENCES
_PSEUDONYM = table.tags("PatientID", "PatientName")


@dataclass(frozen=True, slots=True)
class Line:
    """One element: "(0008,0060)", its keyword ("" if unknown), VR, value as plain text, depth within sequences."""

    tag: str
    keyword: str
    vr: str
    value: str
    depth: int = 0


def safe_header(data: bytes) -> tuple[Line, ...]:
    """The header of a kept DICOM file, line by line; () for a picture without one.

    A second line of defence: what Table E.1-1 of PS3.15 names is not shown even if it is there, nor are private and
    unknown attributes, person names and invalid values. Raises DicomError when the file cannot be read.
    """
    if data[128:132] != b"DICM":
        return ()
    try:
        ds = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
        lines = [
            line for part in (ds.file_meta, ds) for line, _ in zip(_lines(part, 0), range(MOST_LINES), strict=False)
        ]
    except Exception as error:  # pydicom meets damage with whatever its parser trips over
        raise DicomError("The header is damaged: its DICOM content cannot be read.") from error
    return tuple(lines)


def _lines(ds: Dataset, depth: int) -> Iterator[Line]:
    cleaned = str(ds.get("PatientIdentityRemoved") or "") == "YES"
    for tag in sorted(ds.keys()):
        number = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        try:
            keyword, element = get_entry(tag)[4], ds[tag]
        except Exception as error:  # private, unknown, or a value that its type does not allow
            yield Line(number, "", "", f"(not shown: {type(error).__name__})", depth)
            continue
        if element.VR == "SQ" and not _hidden(element, False):
            yield Line(number, keyword, "SQ", _items(len(element.value)), depth)
            if depth < DEEPEST:
                for item in element.value[:MOST_ITEMS]:
                    yield from _lines(item, depth + 1)
        elif _hidden(element, cleaned and depth == 0) and not element.is_empty:
            yield Line(number, keyword, element.VR, HIDDEN, depth)
        else:
            yield Line(number, keyword, element.VR, _value(element), depth)


def _hidden(element: DataElement, pseudonyms: bool) -> bool:
    """True for identifying attributes; in a cleaned file the pseudonym of the patient is none."""
    tag = int(element.tag)
    if tag in _PSEUDONYM and pseudonyms:
        return not str(element.value).startswith("ANON-")
    if tag in _SHOWN:
        return False
    action = table.TABLE.get(tag)
    if action is table.Action.MAP:
        return not all(str(one).startswith("2.25.") for one in _several(element.value))
    return (action is not None and str(element.value) != table.DUMMY_TEXT) or element.VR == "PN"


def _value(element: DataElement) -> str:
    if element.VR in _BINARY:
        return f"<{len(element.value or b''):,} bytes>"
    return plain(" \\ ".join(str(one) for one in _several(element.value)))


def plain(text: str) -> str:
    """One line without control characters, with round instead of angle brackets, at most 80 characters."""
    kept = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text[: 4 * LONGEST])
    kept = " ".join(kept.replace("<", "(").replace(">", ")").split())
    return kept if len(kept) <= LONGEST else kept[: LONGEST - 1] + "…"


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, MultiValue) else [value]


def _items(count: int) -> str:
    return f"{count} item{'' if count == 1 else 's'}"
