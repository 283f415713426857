"""Files damaged on purpose: number n is always the same one, whoever asks and in whatever process."""

from __future__ import annotations

import signal
import struct
import time

import numpy as np

from synth.dicom.decode import decode, display
from synth.errors import DicomError
from tests.dicom.specimens import specimens

SEED = 20260504
LENGTHS = (0, 1, 2, 7, 0xFF, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
HEADER_BIAS = 0.7  # of the changes go to the first bytes of the file or of its compressed pixels
TAGS = (0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101, 0x00280102,
        0x00280103, 0x00281052, 0x00281053, 0x00281050, 0x00283000, 0x00283010, 0x00020010, 0x52009230, 0x7FE00001,
        0x7FE00010, 0x00281201)  # fmt: skip
SECONDS = 10  # that one file may take, before its process is ended


def damaged(number: int) -> tuple[str, bytes]:
    """What file `number` was, and its bytes after one to three injuries."""
    random = np.random.default_rng((SEED, number))
    name, whole = specimens()[number % len(specimens())]
    data = bytearray(whole)
    for _ in range(random.integers(1, 4)):
        if data:
            INJURIES[random.integers(len(INJURIES))](data, random)
    return name, bytes(data)


def outcome(number: int) -> tuple[str, float]:
    """("decoded", "refused" or what else was raised, seconds) of one damaged file; too slow ends the process."""
    name, data = damaged(number)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(SECONDS)
    start = time.perf_counter()
    try:
        display(decode(data, "x"))
        found = "decoded"
    except DicomError as error:
        said = str(error)
        found = "refused" if said.endswith(".") and "\n" not in said and "x " in said else f"no sentence: {said!r}"
    except BaseException as error:  # what is looked for
        found = f"{name}: {type(error).__name__}: {error}"
    signal.alarm(0)
    return found, time.perf_counter() - start


def _place(data: bytearray, random: np.random.Generator) -> int:
    pixels = data.find(b"\xe0\x7f\x10\x00")
    start = pixels if pixels > 0 and random.random() < 0.5 else 128
    end = start + 700 if random.random() < HEADER_BIAS else len(data)
    return int(random.integers(min(start, len(data) - 1), max(start + 1, min(end, len(data))))) % len(data)


def _flip(data: bytearray, random: np.random.Generator) -> None:
    for _ in range(random.integers(1, 9)):
        data[_place(data, random)] ^= 1 << int(random.integers(8))


def _set(data: bytearray, random: np.random.Generator) -> None:
    data[_place(data, random)] = (0, 0xFF, 0x80, 0x7F, int(random.integers(256)))[random.integers(5)]


def _cut(data: bytearray, random: np.random.Generator) -> None:
    del data[_place(data, random) :]


def _swap(data: bytearray, random: np.random.Generator) -> None:
    size = int(random.integers(1, 64))
    first, second = sorted((_place(data, random), _place(data, random)))
    data[first : first + size], data[second : second + size] = data[second : second + size], data[first : first + size]


def _length(data: bytearray, random: np.random.Generator) -> None:
    at, width = _place(data, random), "<H<I>H>I"[2 * random.integers(4) :][:2]
    value = LENGTHS[random.integers(len(LENGTHS))] & (0xFFFF if width[1] == "H" else 0xFFFFFFFF)
    data[at : at + struct.calcsize(width)] = struct.pack(width, value)


def _tag(data: bytearray, random: np.random.Generator) -> None:
    tag = TAGS[random.integers(len(TAGS))]
    at = data.find(struct.pack("<HH", tag >> 16, tag & 0xFFFF))
    vr = (b"US", b"SS", b"IS", b"DS", b"CS", b"SQ", b"UN", b"OB", b"OW", b"UI", b"\0\0")[random.integers(11)]
    value = bytes(random.integers(0, 256, 2 * int(random.integers(0, 5)), dtype=np.uint8))
    element = struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value
    if at < 0 or random.random() < 0.3:
        at = _place(data, random)
        data[at:at] = element
    elif random.random() < 0.5:
        data[at + 4 : at + 6] = vr
    else:
        data[at + 8 : at + 10] = random.integers(0, 256, 2, dtype=np.uint8).tobytes()


def _repeat(data: bytearray, random: np.random.Generator) -> None:
    at, size = _place(data, random), int(random.integers(1, 200))
    data[at:at] = data[at : at + size] * int(random.integers(1, 20))


INJURIES = (_flip, _set, _cut, _swap, _length, _length, _tag, _tag, _repeat)
