"""Tags, lengths and nesting of a DICOM data set, walked before it is parsed: bounded in time, memory and depth.

The parser behind it calls itself once for each level of nesting and makes objects for each item, so that a few bytes
could stop or fill the process. Here nothing is kept. Lengths are read by the rules of PS3.5 chapter 7.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pydicom.datadict import dictionary_VR
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

from synth.errors import DicomError

MAX_DEPTH = 32  # the deepest standard documents, structured reports, stay below
MAX_ELEMENTS = 300_000  # an enhanced CT of 2,000 frames has about 150,000
META_START = 132  # after preamble and magic, PS3.10 7.1
_META_ELEMENTS = 200

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD  # PS3.5 7.5
_UNDEFINED = 0xFFFFFFFF
_KNOWN = {str(vr).encode() for vr in VR}
_LONG = {str(vr).encode() for vr in EXPLICIT_VR_LENGTH_32}


@dataclass(frozen=True, slots=True)
class _Element:
    tag: int
    vr: bytes  # b"" where the encoding does not say it
    length: int | None  # None for undefined
    at: int  # where the value begins


@dataclass(frozen=True, slots=True)
class _Level:
    end: int
    items: bool  # a sequence, else the elements of a data set
    implicit: bool


def meta_end(data: bytes, name: str) -> int:
    """Where the file meta information (PS3.10 7.1) of a file with magic ends. Raises DicomError when it is damaged."""
    at = META_START
    for _ in range(_META_ELEMENTS):
        if at + 8 > len(data) or data[at : at + 2] != b"\x02\x00":
            return at
        element = _element(data, at, False, "<", name)
        if element.length is None or element.at + element.length > len(data):
            break
        at = element.at + element.length
    raise DicomError(f"{name} is damaged: its file meta information has no end.")


def check_structure(data: bytes, start: int, implicit: bool, little: bool, name: str) -> None:
    """Walk the data set that begins at `start`. Raises DicomError when it is nested deeper than 32 levels, has more
    than 300,000 elements, items that are none or longer than what holds them, or compressed pixels without end."""
    order = "<" if little else ">"
    at, levels = start, [_Level(len(data), False, _is_implicit(data, start, implicit, False))]
    for _ in range(MAX_ELEMENTS):
        while levels and (at == levels[-1].end or (len(levels) == 1 and at + 8 > len(data))):
            levels.pop()
        if not levels:
            return
        if at + 8 > levels[-1].end:
            raise _damaged(name, at)
        at = (_enter_item if levels[-1].items else _enter_element)(data, at, levels, order, name)
        if len(levels) > 2 * MAX_DEPTH:
            raise DicomError(f"{name} nests sequences more than {MAX_DEPTH} deep; it is not opened.")
    raise DicomError(f"{name} has more than {MAX_ELEMENTS:,} elements; it is not opened.")


def _enter_item(data: bytes, at: int, levels: list[_Level], order: str, name: str) -> int:
    """Step into the item at `at`, or out of the sequence at its delimiter; where to go on."""
    tag, length = _tag_and_length(data, at, order)
    level = levels[-1]
    if tag == _SEQUENCE_END:
        levels.pop()
        return at + 8
    end = level.end if length == _UNDEFINED else at + 8 + length
    if tag != _ITEM or end > level.end:
        raise _damaged(name, at)
    levels.append(_Level(end, False, _is_implicit(data, at + 8, level.implicit, True)))
    return at + 8


def _enter_element(data: bytes, at: int, levels: list[_Level], order: str, name: str) -> int:
    """Step over the element at `at`, into it where it is a sequence, or out of the item at its delimiter."""
    level = levels[-1]
    element = _element(data, at, level.implicit, order, name)
    if element.tag == _ITEM_END:
        levels.pop()
        return at + 8
    sequence = _is_sequence(data, element, order)
    if element.length is None:
        if not sequence:
            return _fragments_end(data, element.at, level.end, order, name)
        levels.append(_Level(level.end, True, level.implicit))
        return element.at
    end = element.at + element.length
    if end > level.end and (sequence or len(levels) > 1):
        raise _damaged(name, at)
    if not sequence:
        return min(end, level.end)  # a cut pixel element: its length is told where the pixels are read
    levels.append(_Level(end, True, level.implicit))
    return element.at


def _element(data: bytes, at: int, implicit: bool, order: str, name: str) -> _Element:
    """The header of one element, PS3.5 7.1.2 and 7.1.3; letters that are no VR mean an implicit header."""
    tag, length = _tag_and_length(data, at, order)
    vr = data[at + 4 : at + 6]
    value = at + 8
    if tag >> 16 == 0xFFFE or implicit or (vr not in _KNOWN and not b"AA" <= vr <= b"ZZ"):
        vr = b""
    elif vr in _LONG:
        if at + 12 > len(data):
            raise _damaged(name, at)
        (length,) = struct.unpack_from(order + "L", data, at + 8)
        value = at + 12
    else:
        (length,) = struct.unpack_from(order + "H", data, at + 6)
        return _Element(tag, vr, length, value)
    return _Element(tag, vr, None if length == _UNDEFINED else length, value)


def _is_sequence(data: bytes, element: _Element, order: str) -> bool:
    if element.length is not None and element.length < 8:  # too short for an item
        return False
    if element.vr not in (b"", b"UN"):
        return element.vr == b"SQ"
    try:
        known = dictionary_VR(element.tag)
    except KeyError:  # private, or of a later standard: by its content
        known = ""
    if known and known != "UN":
        return known == "SQ"
    beginning = data[element.at : element.at + 4]
    return beginning == struct.pack(order + "HH", _ITEM >> 16, _ITEM & 0xFFFF)


def _fragments_end(data: bytes, at: int, end: int, order: str, name: str) -> int:
    """Where compressed pixels end that begin at `at`: items and a delimiter, PS3.5 A.4."""
    for _ in range(MAX_ELEMENTS):
        if at + 8 > end:
            raise DicomError(f"{name} is damaged: it ends in the middle of its compressed pixels.")
        tag, length = _tag_and_length(data, at, order)
        if tag == _SEQUENCE_END:
            return at + 8
        if tag != _ITEM or length == _UNDEFINED:
            raise _damaged(name, at)
        at += 8 + length
    raise DicomError(f"{name} has compressed pixels in more than {MAX_ELEMENTS:,} pieces; it is not opened.")


def _tag_and_length(data: bytes, at: int, order: str) -> tuple[int, int]:
    group, number, length = struct.unpack_from(order + "HHL", data, at)
    return group << 16 | number, length


def _is_implicit(data: bytes, at: int, assumed: bool, nested: bool) -> bool:
    """Whether the elements at `at` name no VR: two capitals are one; items may differ from what holds them."""
    letters = data[at + 4 : at + 6]
    if len(letters) < 2 or (nested and assumed):
        return assumed
    return not all(0x40 < letter < 0x5B for letter in letters)


def _damaged(name: str, at: int) -> DicomError:
    return DicomError(f"{name} is damaged: its DICOM structure cannot be followed beyond byte {at:,}.")
