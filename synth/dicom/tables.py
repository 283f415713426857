"""Lookup tables in DICOM files: modality, VOI and palette (PS3.3 C.11.1, C.11.2, C.7.6.3.1.5, C.7.9.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from synth.errors import DicomError

Table = npt.NDArray[Any]  # uint8 or uint16
_COLOURS = ("Red", "Green", "Blue")
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2  # PS3.3 C.7.9.2


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """`entries[0]` is for the value `first` and all below; the last entry for all above. Entries have `bits` bits."""

    first: int
    bits: int
    entries: Table

    def of(self, values: npt.NDArray[Any]) -> Table:
        """The entry of each value, of any shape; values are whole numbers of any type, or are rounded to one."""
        whole = values if values.dtype.kind in "iu" else np.rint(values)
        index = np.clip(whole.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[index]


def lookup_table(item: Dataset, signed: bool, little: bool, name: str) -> LookupTable:
    """The table of an item of a Modality LUT or VOI LUT Sequence. Raises DicomError when it is not one."""
    count, first, bits = _descriptor(item.get("LUTDescriptor"), signed, name)
    return LookupTable(first, bits, _entries(item.get("LUTData"), count, little, name, 8 if bits <= 8 else 16))


def palette(ds: Dataset, little: bool, signed: bool, values: npt.NDArray[Any], name: str) -> Table:
    """(H, W, 3): the colours of (H, W) `values` by the palette of the file, in 8 or 16 bit. Raises DicomError."""
    channels = []
    for colour in _COLOURS:
        keyword = f"{colour}PaletteColorLookupTable"
        count, first, bits = _descriptor(ds.get(f"{keyword}Descriptor"), signed, name)
        segments = ds.get(f"Segmented{keyword}Data")
        if f"{keyword}Data" in ds or segments is None:
            entries = _entries(ds.get(f"{keyword}Data"), count, little, name)
        else:
            entries = _expanded(_entries(segments, None, little, name, 8 if bits <= 8 else 16), count, name)
        channels.append(LookupTable(first, bits, entries.astype(np.uint8 if bits <= 8 else np.uint16)).of(values))
    return np.stack(channels, axis=-1)


def _descriptor(given: Any, signed: bool, name: str) -> tuple[int, int, int]:
    """Number of entries (0 stands for 65,536), first value mapped, bits an entry."""
    try:
        count, first, bits = (int(number) for number in given)
    except (TypeError, ValueError) as error:
        raise DicomError(f"{name} has a lookup table without its three descriptors.") from error
    if not (0 <= count <= 65_536 and 1 <= bits <= 16):
        raise DicomError(f"{name} has a lookup table of {count} entries of {bits} bits; at most 65536 of 16 are read.")
    return count or 65_536, first - 65_536 if signed and first >= 32_768 else first, bits


def _entries(given: Any, count: int | None, little: bool, name: str, width: int | None = None) -> Table:
    """`count` entries from bytes or numbers. Entries of 8 bits lie one a byte or, as numbers and in OW, one a word."""
    order = "<" if little else ">"
    if isinstance(given, bytes):
        if width is None or (count is not None and len(given) >= 2 * count):
            width = 16 if count is None or len(given) >= 2 * count else 8
        entries: Table = np.frombuffer(given[: len(given) // (width // 8) * (width // 8)], f"{order}u{width // 8}")
    else:
        numbers = [given] if isinstance(given, int) else list(given or ())
        entries = np.array(numbers).astype(np.uint16)
    if count is None:
        return entries
    if len(entries) < count:
        raise DicomError(f"{name} has a lookup table of {len(entries):,} entries; its descriptor asks for {count:,}.")
    return entries[:count].astype(entries.dtype.newbyteorder("="))


def _expanded(segments: Table, count: int, name: str) -> Table:
    """The `count` entries that the segments of a palette (PS3.3 C.7.9.2) stand for."""
    codes: list[int] = segments.tolist()
    entries: list[int] = []
    at, queue = 0, list[int]()
    while len(entries) < count:
        if not queue:
            queue, at = [at], at + _segment_length(codes, at, name)
        start = queue.pop(0)
        kind, length = codes[start], codes[start + 1]
        if kind == _DISCRETE:
            entries.extend(codes[start + 2 : start + 2 + length])
        elif kind == _INDIRECT:
            queue = _referred(codes, start, name)
        elif entries:
            entries.extend(np.rint(np.linspace(entries[-1], codes[start + 2], length + 1)[1:]).astype(int).tolist())
        else:
            raise DicomError(f"{name} has a palette that begins with a slope; it must begin with values.")
    return np.array(entries[:count], dtype=np.uint16)


def _segment_length(codes: list[int], at: int, name: str) -> int:
    """Words of the segment at `at`, which lies within the codes and stands for one entry or more."""
    if at + 3 > len(codes) or codes[at] not in (_DISCRETE, _LINEAR, _INDIRECT) or codes[at + 1] < 1:
        raise DicomError(f"{name} has a palette whose segments cannot be followed to its end.")
    length = {_DISCRETE: 2 + codes[at + 1], _LINEAR: 3, _INDIRECT: 4}[codes[at]]
    if at + length > len(codes):
        raise DicomError(f"{name} has a palette whose segments cannot be followed to its end.")
    return length


def _referred(codes: list[int], start: int, name: str) -> list[int]:
    """Where the segments begin that the indirect segment at `start` repeats; they are not indirect themselves."""
    at, found = codes[start + 2] | codes[start + 3] << 16, []
    for _ in range(codes[start + 1]):
        length = _segment_length(codes, at, name)
        if codes[at] == _INDIRECT:
            raise DicomError(f"{name} has a palette whose segments refer to each other.")
        found.append(at)
        at += length
    return found
