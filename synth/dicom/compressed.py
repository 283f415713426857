"""Comments inside compressed frames: JPEG, JPEG-LS and JPEG 2000 streams carry text that no header shows."""

from __future__ import annotations

import re
import struct

from synth.dicom.codestreams import JPEG_MAGIC

# ITU-T T.81 table B.1: application data and comments
_COM, _APP = 0xFE, range(0xE0, 0xF0)
_SOS, _EOI = 0xDA, 0xD9
_BARE = {0x01, *range(0xD0, 0xD9)}
_NEXT = re.compile(rb"\xff[\x80-\xcf\xd9-\xfe]")  # after entropy-coded data: no stuffed byte, no restart marker
_KEPT_BYTES = {b"JFIF": 12, b"Adob": 12, b"mrfx": 5}  # of the payload: density and colour transform (mrfx: JPEG-LS)
_J2K_SOC, _J2K_COM, _J2K_SOT, _J2K_SOD, _J2K_EOC = b"\xff\x4f", 0x64, 0x90, 0x93, b"\xff\xd9"


def without_comments(frame: bytes) -> bytes | None:
    """The same stream, as long as before, with text in comments and application data blanked, and what follows its end.

    Other streams (RLE) come back as they are; None where the stream is not built as it should be: decode it instead.
    """
    try:
        if frame.startswith(JPEG_MAGIC):
            return _jpeg(frame)
        if frame.startswith(_J2K_SOC):
            return _jpeg_2000(frame)
    except (struct.error, IndexError):
        return None
    return None if frame.startswith(b"\x00\x00\x00\x0cjP") else frame  # a JP2 file instead of a stream


def _jpeg(frame: bytes) -> bytes | None:
    out, at = bytearray(frame), 2
    while True:
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker == _EOI:
            return bytes(out[: at + 2]) + bytes(len(out) - at - 2)
        if marker == 0xFF or marker in _BARE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack(">H", frame[at + 2 : at + 4])
        if marker == _COM or marker in _APP:
            start = at + 4 + (_KEPT_BYTES.get(frame[at + 4 : at + 8], 0) if marker in _APP else 0)
            end = max(start, at + 2 + length)
            out[start:end] = bytes(end - start)
        at += 2 + length
        if marker == _SOS:
            following = _NEXT.search(frame, at)
            if following is None:
                return None
            at = following.start()


def _jpeg_2000(frame: bytes) -> bytes | None:
    """Main header, then every tile-part header (ITU-T T.800 A.2, A.9.2), whose lengths lead to the next."""
    out, at, part = bytearray(frame), 2, 0
    while frame[at : at + 2] != _J2K_EOC:
        marker = frame[at + 1]
        if frame[at] != 0xFF:
            return None
        if marker == _J2K_SOD:
            (_, length) = struct.unpack(">HI", frame[part + 4 : part + 10])
            if length == 0:  # the last part reaches to the end of the stream
                return bytes(out)
            at = part + length
            continue
        (length,) = struct.unpack(">H", frame[at + 2 : at + 4])
        if marker == _J2K_SOT:
            part = at
        if marker == _J2K_COM:
            out[at + 6 : at + 2 + length] = b" " * (length - 4)
        at += 2 + length
    return bytes(out[: at + 2]) + bytes(len(out) - at - 2)
