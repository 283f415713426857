"""Small DICOM files in every transfer syntax that can be written here, and pydicom's own test files."""

import io
import shutil
import struct
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
from PIL import Image
from pydicom.data import get_testdata_files
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tests.phantoms import axial_slice, dicom_bytes, film

NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
LOSSLESS = (RLELossless, JPEGLSLossless, JPEG2000Lossless)


def compressed(pixels: npt.NDArray[np.generic], syntax: UID, stored: int, **options: object) -> bytes:
    """One image, compressed by pydicom's encoders for `syntax`, as encapsulated pixel data."""
    colour = pixels.ndim == 3
    settings: dict[str, object] = {
        "rows": pixels.shape[0],
        "columns": pixels.shape[1],
        "samples_per_pixel": 3 if colour else 1,
        "photometric_interpretation": "RGB" if colour else "MONOCHROME2",
        "planar_configuration": 0,
        "bits_allocated": 8 * pixels.dtype.itemsize,
        "bits_stored": stored,
        "pixel_representation": int(pixels.dtype.kind == "i"),
        "number_of_frames": 1,
    }
    return encapsulate([get_encoder(syntax).encode(pixels.tobytes(), index=0, **settings, **options)])


def lossless_jpeg(pixels: npt.NDArray[np.unsignedinteger], bits: int) -> bytes:
    """JPEG process 14, selection value 1 (ITU-T T.81 annex H), with a Huffman code of 5 bits for each category."""
    height, width = pixels.shape
    left = np.empty((height, width), np.int64)
    left[:, 1:] = pixels[:, :-1]
    left[1:, 0] = pixels[:-1, 0]
    left[0, 0] = 1 << (bits - 1)
    differences = (pixels.astype(np.int64) - left + (1 << 15)) % (1 << 16) - (1 << 15)
    words = []
    for difference in differences.ravel().tolist():
        category = abs(difference).bit_length()
        words.append(f"{category:05b}")
        if 0 < category < 16:
            words.append(f"{difference if difference > 0 else difference + (1 << category) - 1:0{category}b}")
    stream = "".join(words)
    stream += "1" * (-len(stream) % 8)
    data = int(stream, 2).to_bytes(len(stream) // 8, "big").replace(b"\xff", b"\xff\x00")
    table = b"\0" + bytes([0, 0, 0, 0, 17]) + bytes(11) + bytes(range(17))
    frame = struct.pack(">BHHBBBB", bits, height, width, 1, 1, 0x11, 0)
    parts = ((0xC3, frame), (0xC4, table), (0xDA, bytes([1, 1, 0, 1, 0, 0])))
    segments = b"".join(struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body for marker, body in parts)
    return b"\xff\xd8" + segments + data + b"\xff\xd9"


def jpeg(pixels: npt.NDArray[np.uint8], **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def enhanced(frames: npt.NDArray[np.int16], **changes: object) -> bytes:
    """An enhanced CT: frame n has the intercept -n, the window center 10 n and the spacing (n, n) mm, from 1."""

    def group(keyword: str, **attributes: object) -> Dataset:
        outer, inner = Dataset(), Dataset()
        for name, value in attributes.items():
            setattr(inner, name, value)
        setattr(outer, keyword, Sequence([inner]))
        return outer

    own = []
    for number in range(1, len(frames) + 1):
        item = group("PixelMeasuresSequence", PixelSpacing=[number, number])
        item.update(group("FrameVOILUTSequence", WindowCenter=10 * number, WindowWidth=400))
        item.update(
            group("PixelValueTransformationSequence", RescaleIntercept=-number, RescaleSlope=1, RescaleType="HU")
        )
        own.append(item)
    return dicom_bytes(
        frames,
        NumberOfFrames=len(frames),
        PixelSpacing=None,
        PerFrameFunctionalGroupsSequence=own,
        SharedFunctionalGroupsSequence=[group("FrameVOILUTSequence", WindowCenter=7, WindowWidth=9)],
        **changes,
    )


@cache
def specimens() -> tuple[tuple[str, bytes], ...]:
    """(name, file): what this module writes in each syntax, then pydicom's files below 100 kB."""
    grey, deep, signed = film(32), film(32).astype(np.uint16) * 16, axial_slice(32)
    colour = np.stack([grey, 255 - grey, grey.T], axis=-1)
    made = [(f"native {syntax.name} {p.dtype}", dicom_bytes(p, syntax)) for syntax in NATIVE for p in (grey, signed)]
    for syntax in LOSSLESS:
        made += [
            (f"{syntax.name} 8", dicom_bytes(grey, syntax, compressed(grey, syntax, 8))),
            (f"{syntax.name} 12", dicom_bytes(deep, syntax, compressed(deep, syntax, 12), BitsStored=12, HighBit=11)),
            (f"{syntax.name} signed", dicom_bytes(signed, syntax, compressed(signed, syntax, 16))),
            (f"{syntax.name} colour", dicom_bytes(colour, syntax, compressed(colour, syntax, 8))),
        ]
    near = compressed(grey, JPEGLSNearLossless, 8, jls_error=2)
    made += [
        ("near", dicom_bytes(grey, JPEGLSNearLossless, near)),
        ("j2k lossy", dicom_bytes(deep, JPEG2000, compressed(deep, JPEG2000, 16, j2k_cr=[5]))),
        ("baseline", dicom_bytes(grey, JPEGBaseline8Bit, encapsulate([jpeg(grey)]))),
        ("baseline colour", dicom_bytes(colour, JPEGBaseline8Bit, encapsulate([jpeg(colour)]))),
        ("lossless 12", dicom_bytes(deep, JPEGLosslessSV1, encapsulate([lossless_jpeg(deep, 12)]))),
        ("enhanced", enhanced(np.stack([signed, signed]))),
        ("jpeg", jpeg(colour, progressive=True)),
    ]
    theirs = [(path.name, path.read_bytes()) for path in shipped_files() if path.stat().st_size < 100_000]
    images = [(name, data) for name, data in theirs if b"\xe0\x7f\x10\x00" in data]  # pixel data, little endian
    return (*made, *images, *(pair for pair in theirs if pair[0].startswith(("DICOMDIR", "test-SR", "rtplan", "priv"))))


def shipped_files() -> list[Path]:
    """The files that pydicom ships with its package for tests."""
    return sorted(path for name in get_testdata_files() if (path := Path(name)).is_file())


def independent(data: bytes, folder: Path) -> Dataset | None:
    """The same file, decompressed by dcmtk or gdcm; None where they cannot, or are not installed."""
    syntax = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True).file_meta.TransferSyntaxUID
    tools = {"JPEG 2000": "gdcmconv --raw", "JPEG-LS": "dcmdjpls", "JPEG": "dcmdjpeg", "RLE": "dcmdrle"}
    tool = next((tool for kind, tool in tools.items() if kind in syntax.name), "dcmconv +te").split()
    source, target = folder / "source.dcm", folder / "target.dcm"
    source.write_bytes(data)
    target.unlink(missing_ok=True)
    if shutil.which(tool[0]) is None:
        return None
    done = subprocess.run([*tool, source, target], capture_output=True, timeout=60)
    return pydicom.dcmread(target) if done.returncode == 0 and target.exists() else None
