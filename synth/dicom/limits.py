"""How large a file, an image and what is packed inside may be: checked before anything is decompressed."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from synth.errors import DicomError

MAX_PIXELS = 40_000_000  # the largest mammograms have about 25 million
MAX_ALL_PIXELS = 2_000_000_000  # of all frames: a tomosynthesis of 100 slices has about 1,000 million
MAX_FILE_BYTES = 256 * 2**20
MAX_INFLATED_BYTES = 96 * 2**20  # 40 million pixels of 16 bit and a header
_CHUNK, _PIECE = 1 << 20, 1 << 16  # bytes out of and into the inflater at a time


def check_size(width: int, height: int, name: str, frames: int = 1) -> None:
    """Raises DicomError when an image of width x height pixels is empty or too large, alone or with all its frames."""
    if width < 1 or height < 1:
        raise DicomError(f"{name} says that its image is {width} x {height} pixels; both must be 1 or more.")
    if width * height > MAX_PIXELS:
        megapixels = width * height / 1e6
        raise DicomError(
            f"{name} says that its image has {megapixels:,.0f} megapixels ({width} x {height}); "
            f"at most {MAX_PIXELS // 1_000_000} are read."
        )
    if width * height * frames > MAX_ALL_PIXELS:
        raise DicomError(
            f"{name} says that it has {frames:,} frames of {width} x {height} pixels; "
            f"at most {MAX_ALL_PIXELS // 1_000_000:,} megapixels in all are read."
        )


def check_inflated(deflated: bytes, name: str) -> None:
    """Raises DicomError when a raw deflate stream (PS3.5 A.5) grows beyond 96 MiB. Keeps 1 MiB of it at a time."""
    for _ in _inflated(deflated, -zlib.MAX_WBITS, MAX_INFLATED_BYTES, name):
        pass


def gunzipped(packed: bytes, limit: int, name: str) -> bytes:
    """The content of a gzip file (RFC 1952). Raises DicomError when it is damaged or grows beyond `limit` bytes."""
    for _ in _inflated(packed, zlib.MAX_WBITS | 16, limit, name):  # first without keeping it
        pass
    return b"".join(_inflated(packed, zlib.MAX_WBITS | 16, limit, name))


def _inflated(packed: bytes, wbits: int, limit: int, name: str) -> Iterator[bytes]:
    inflater, total = zlib.decompressobj(wbits), 0
    try:
        for start in range(0, len(packed), _PIECE):
            rest = packed[start : start + _PIECE]
            while rest and not inflater.eof:
                chunk = inflater.decompress(rest, _CHUNK)
                rest = inflater.unconsumed_tail
                total += len(chunk)
                if total > limit:
                    raise DicomError(f"{name} unpacks to more than {limit // 2**20} MiB; it is not opened.")
                yield chunk
        yield inflater.flush()
    except zlib.error as error:
        raise DicomError(f"{name} is damaged: it cannot be unpacked.") from error
    if not inflater.eof:
        raise DicomError(f"{name} is damaged: it ends in the middle of what is packed in it.")
