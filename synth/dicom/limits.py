"""What a file says of its own size, read before anything is decompressed: the guard against bombs."""

from __future__ import annotations

import struct
import zlib

from synth.errors import DicomError

MAX_PIXELS = 40_000_000  # the largest mammograms have about 25 million
MAX_FILE_BYTES = 256 * 2**20
MAX_INFLATED_BYTES = 96 * 2**20  # 40 million pixels of 16 bit and a header
_CHUNK, _PIECE = 1 << 20, 1 << 16  # bytes out of and into the inflater at a time

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8\xff"
# SOF0-15 without DHT (C4), JPG (C8), DAC (CC): ITU-T T.81 table B.1; F7 is SOF55 of JPEG-LS, ITU-T T.87
_JPEG_FRAME_MARKERS = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
_JPEG_BARE_MARKERS = {0x01, *range(0xD0, 0xD9)}


def check_size(width: int, height: int, name: str) -> None:
    """Raises DicomError when an image of width x height pixels is empty or above 40 megapixels."""
    if width < 1 or height < 1:
        raise DicomError(f"{name} says that its image is {width} x {height} pixels; both must be 1 or more.")
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        raise DicomError(
            f"{name} says that its image has {megapixels:,.0f} megapixels ({width} x {height}); "
            f"at most {MAX_PIXELS // 1_000_000} are read."
        )


def check_inflated(deflated: bytes, name: str) -> None:
    """Raises DicomError when a raw deflate stream (PS3.5 A.5) grows beyond 96 MiB. Keeps 1 MiB of it at a time."""
    inflater, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    for start in range(0, len(deflated), _PIECE):
        rest = deflated[start : start + _PIECE]
        while rest and not inflater.eof:
            total += len(inflater.decompress(rest, _CHUNK))
            rest = inflater.unconsumed_tail
            if total > MAX_INFLATED_BYTES:
                raise DicomError(f"{name} unpacks to more than {MAX_INFLATED_BYTES // 2**20} MiB; it is not opened.")


def codestream_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) by the header of a PNG, JPEG, JPEG-LS or JPEG 2000 stream; None when it is none of them."""
    if data.startswith(PNG_MAGIC) and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data.startswith(JPEG_MAGIC):
        return _jpeg_size(data)
    if data.startswith(b"\xff\x4f\xff\x51") and len(data) >= 24:  # SOC, SIZ: ITU-T T.800 A.5.1
        x_size, y_size, x_offset, y_offset = struct.unpack(">IIII", data[8:24])
        return x_size - x_offset, y_size - y_offset
    return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_BARE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        if marker in _JPEG_FRAME_MARKERS:
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + int(struct.unpack(">H", data[at + 2 : at + 4])[0])
    return None
