"""A DICOM header as plain text for the screen: identifiers are named and never shown, long values cut."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
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
_KEPT = table.TEMPORAL.union(*table.KEPT.values())
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
        cleaned = str(ds.get("PatientIdentityRemoved") or "") == "YES"
        lines = [*_lines(ds.file_meta, 0, cleaned), *islice(_lines(ds, 0, cleaned), MOST_LINES)]
    except Exception as error:  # pydicom meets damage with whatever its parser trips over
        raise DicomError("The header is damaged: its DICOM content cannot be read.") from error
    return tuple(lines)


def _lines(ds: Dataset, depth: int, cleaned: bool) -> Iterator[Line]:
    for tag in sorted(ds.keys()):
        number = f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        try:
            keyword, element = get_entry(tag)[4], ds[tag]
        except Exception as error:  # private, unknown, or a value that its type does not allow
            yield Line(number, "", "", f"(not shown: {type(error).__name__})", depth)
            continue
        if element.VR == "SQ" and not _hidden(element, cleaned):
            yield Line(number, keyword, "SQ", _items(len(element.value)), depth)
            if depth < DEEPEST:
                for item in element.value[:MOST_ITEMS]:
                    yield from _lines(item, depth + 1, cleaned)
        elif _hidden(element, cleaned) and not element.is_empty:
            yield Line(number, keyword, element.VR, HIDDEN, depth)
        else:
            yield Line(number, keyword, element.VR, _value(element), depth)


def _hidden(element: DataElement, cleaned: bool) -> bool:
    """True for identifying attributes; in a cleaned file pseudonyms and what an option keeps are none."""
    tag, said = int(element.tag), [str(one) for one in _several(element.value)]
    if tag in _OWN or tag in table.REFERENCES:
        return False
    if tag in _PSEUDONYM or element.VR == "PN":
        return not (cleaned and all(one.startswith("ANON-") for one in said))
    action = table.TABLE.get(tag)
    if action is table.Action.MAP:
        return not all(one.startswith("2.25.") for one in said)
    kept = cleaned and tag in _KEPT
    return action is not None and not kept and said != [table.DUMMY_TEXT]


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
