"""What a compressed image says of itself in its header, and whether that agrees with the DICOM header around it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    UID,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from synth.dicom.raster import Raster
from synth.errors import DicomError

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
J2K_MAGIC = b"\xff\x4f\xff\x51"  # SOC, SIZ: ITU-T T.800 A.4.1, A.5.1
_JP2_MAGIC = b"\x00\x00\x00\x0cjP  "  # the file format around a codestream, which some writers leave on
# SOF0-15 without DHT (C4), JPG (C8), DAC (CC): ITU-T T.81 table B.1; F7 is SOF55 of JPEG-LS, ITU-T T.87
_JPEG_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}
_JPEG_END, _TAIL = b"\xff\xd9", 64  # with what writers leave behind it, zeros apart
_SEQUENTIAL, _LOSSLESS, _LS, _J2K = {0xC0, 0xC1}, {0xC3}, {0xF7}, {0x51}
_PROCESSES: dict[UID, set[int]] = {
    JPEGBaseline8Bit: _SEQUENTIAL,
    JPEGExtended12Bit: _SEQUENTIAL,
    JPEGLossless: _LOSSLESS,
    JPEGLosslessSV1: _LOSSLESS,
    JPEGLSLossless: _LS,
    JPEGLSNearLossless: _LS,
    **dict.fromkeys((JPEG2000Lossless, JPEG2000, HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K), _J2K),
}  # the progressive processes are retired in DICOM: PS3.5 8.2.1
_MAX_TILES = 65_535  # ITU-T T.800 A.4.2: their number has 16 bits


@dataclass(frozen=True, slots=True)
class Codestream:
    """The header of a compressed image."""

    width: int
    height: int
    components: int
    precision: int  # bits of the deepest component
    process: int  # the marker that begins its frame header


def codestream(data: bytes) -> Codestream | None:
    """The header of a PNG, JPEG, JPEG-LS or JPEG 2000 stream; None when it is none of them or cut or absurd."""
    if data.startswith(PNG_MAGIC) and len(data) >= 26:
        width, height, depth, colour = struct.unpack(">IIBB", data[16:26])
        return Codestream(width, height, 1 if colour in (0, 3) else 3, depth, 0)
    if data.startswith(JPEG_MAGIC):
        return _jpeg(data)
    return _jpeg2000(data) if data.startswith(J2K_MAGIC) else None


def without_boxes(data: bytes) -> bytes:
    """A JPEG 2000 codestream without the boxes of the file format around it, which DICOM forbids (PS3.5 A.4.4)."""
    return data[max(0, data.find(J2K_MAGIC)) :] if data.startswith(_JP2_MAGIC) else data


def check_codestream(data: bytes, raster: Raster, name: str) -> int:
    """The bits of a sample (1-16) of a compressed frame that is as the DICOM header says; a liar could unpack to
    anything. Raises DicomError."""
    if raster.syntax == RLELossless:
        _check_rle(data, raster, name)
        return raster.allocated
    found = codestream(data)
    if found is None or found.process not in _PROCESSES[raster.syntax]:
        raise DicomError(f"{name} is damaged: its compressed pixels are not {raster.syntax.name}.")
    if found.process != 0x51 and _JPEG_END not in data.rstrip(b"\0")[-_TAIL:]:  # decoders would search long
        raise DicomError(f"{name} is damaged: a compressed image ends in its middle.")
    if (found.width, found.height) != (raster.columns, raster.rows):
        raise DicomError(
            f"{name} says {raster.columns} x {raster.rows} pixels in its header and "
            f"{found.width} x {found.height} in its image."
        )
    if found.components != raster.samples:
        raise DicomError(
            f"{name} says {raster.samples} samples a pixel in its header and {found.components} in its image."
        )
    if not 1 <= found.precision <= raster.allocated:
        raise DicomError(
            f"{name} says {raster.allocated} bits a sample in its header and {found.precision} in its image."
        )
    return found.precision


def _jpeg(data: bytes) -> Codestream | None:
    """The frame header behind the marker segments before it, ITU-T T.81 B.2.2."""
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_BARE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if marker in _JPEG_FRAME_MARKERS:
            precision, height, width, components = struct.unpack_from(">BHHB", data, at + 4)
            sampling = data[at + 11 : at + 2 + length : 3]
            if length != 8 + 3 * components or len(sampling) != components:
                return None
            if any(not (1 <= factors >> 4 <= 4 and 1 <= factors & 15 <= 4) for factors in sampling):
                return None
            return Codestream(width, height, components, precision, marker)
        if length < 2:
            return None
        at += 2 + length
    return None


def _jpeg2000(data: bytes) -> Codestream | None:
    """The SIZ segment, ITU-T T.800 A.5.1."""
    if len(data) < 42:
        return None
    x1, y1, x0, y0, tile_x, tile_y, tile_x0, tile_y0, components = struct.unpack_from(">8IH", data, 8)
    depths = data[42 : 42 + 3 * components]
    if len(depths) != 3 * components or not components or not (tile_x and tile_y):
        return None
    if x1 <= x0 or y1 <= y0 or tile_x0 > x0 or tile_y0 > y0:
        return None
    tiles = -(-(x1 - tile_x0) // tile_x) * -(-(y1 - tile_y0) // tile_y)
    if tiles > _MAX_TILES or any(step not in (1, 2) for step in (*depths[1::3], *depths[2::3])):
        return None
    return Codestream(x1 - x0, y1 - y0, components, max((depth & 0x7F) + 1 for depth in depths[::3]), 0x51)


def _check_rle(data: bytes, raster: Raster, name: str) -> None:
    """The header of a frame of run lengths: a segment for each byte of a pixel, one after the other, PS3.5 G.5."""
    wanted = raster.samples * raster.allocated // 8
    count, *offsets = struct.unpack("<16L", data[:64].ljust(64, b"\0"))
    if len(data) < 64 or count != wanted:
        raise DicomError(f"{name} says {wanted} bytes a pixel in its header and {count} in its image.")
    used = [*offsets[:wanted], len(data)]
    if used[0] != 64 or any(first >= second for first, second in pairwise(used)):
        raise DicomError(f"{name} is damaged: its RLE segments are not one after the other.")
