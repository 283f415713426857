import gzip
import io
import struct
import time
import tracemalloc
import warnings
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    MPEG4HP41,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from synth.dicom.decode import decode
from synth.dicom.limits import check_inflated, gunzipped
from synth.errors import DicomError
from tests.dicom.specimens import lossless_jpeg
from tests.phantoms import axial_slice, dicom_bytes, film

FILM, SLICE = film(64), axial_slice(64)


def picture(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(4_000_000))
    return buffer.getvalue()


def deflate_bomb(mebibytes: int) -> bytes:
    """Pixel data of that many MiB of zeros in the deflated transfer syntax, put together from one deflated MiB."""
    data = dicom_bytes(np.zeros((2, 2), np.uint8), DeflatedExplicitVRLittleEndian)
    (length,) = struct.unpack("<I", data[140:144])  # of the file meta information, PS3.10 7.1
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    header = zlib.decompress(data[144 + length :], -zlib.MAX_WBITS)
    start = deflater.compress(header) + deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(bytes(2**20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return data[: 144 + length] + start + block * mebibytes


def huge_jpeg() -> bytes:
    data = picture(FILM, "JPEG")
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", 60_000, 60_000) + data[at + 9 :]


SENTENCES = {
    "empty.dcm": (b"", "is empty"),
    "text.dcm": (b"Dear colleague, the film is attached." * 9, "is neither a DICOM file"),
    "short.dcm": (b"\0" * 60, "is neither a DICOM file"),
    "cut.dcm": (dicom_bytes(FILM)[:-1000], "has 3,096 bytes of pixels; its header asks for 4,096"),
    "header.dcm": (dicom_bytes(FILM)[:140], "is damaged: its file meta information has no end"),
    "cut.png": (picture(FILM, "PNG")[:-800], "is damaged: it begins as a PNG"),
    "cut.jpg": (picture(FILM, "JPEG")[:-400], "is damaged: it begins as a JPEG"),
    "head.jpg": (picture(FILM, "JPEG")[:30], "is damaged: it begins as a JPEG but has no size"),
    "report.dcm": (dicom_bytes(FILM, PixelData=None), "without integer pixels"),
    "long.dcm": (dicom_bytes(FILM, PixelData=bytes(5000)), "has 5,000 bytes of pixels; its header asks for 4,096"),
    "lack.dcm": (dicom_bytes(FILM, PixelData=bytes(4000)), "has 4,000 bytes of pixels; its header asks for 4,096"),
    "rows.dcm": (dicom_bytes(FILM, Rows=0), "64 x 0 pixels; both must be 1 or more"),
    "nosize.dcm": (dicom_bytes(FILM, Rows=None), "does not say its Rows; without it the pixels cannot be read"),
    "bits.dcm": (dicom_bytes(FILM, BitsAllocated=32), "has 32 bits a pixel"),
    "lossless.dcm": (
        dicom_bytes(FILM, JPEGLosslessSV1, encapsulate([b"\xff\xd8"])),
        "pixels are not JPEG Lossless",
    ),
    "huge.dcm": (dicom_bytes(FILM, Rows=10_000, Columns=10_000), r"has 100 megapixels \(10000 x 10000\); at most 40"),
    "huge.png": (picture(np.zeros((10_000, 10_000), bool), "PNG"), r"has 100 megapixels \(10000 x 10000\); at most 40"),
    "huge.jpg": (huge_jpeg(), r"has 3,600 megapixels \(60000 x 60000\)"),
    "bomb.dcm": (zip_bomb(), "is a zip archive"),
    "spacing.dcm": (dicom_bytes(SLICE, PixelSpacing=[123, 0.7]).replace(b"123.0", b"nan  "), "spacing of nan x 0.7 mm"),
    "zero.dcm": (dicom_bytes(SLICE, PixelSpacing=[0, 0.7]), "has a pixel spacing of 0 x 0.7 mm"),
    "slope.dcm": (dicom_bytes(SLICE, RescaleSlope=123).replace(b"123.0", b"nan  "), "has nan as RescaleSlope"),
    "flat.dcm": (dicom_bytes(SLICE, RescaleSlope=0), "has a rescale slope of 0"),
    "window.dcm": (dicom_bytes(SLICE, WindowCenter=40, WindowWidth=0), "has a window width of 0"),
    "curve.dcm": (dicom_bytes(SLICE, WindowCenter=40, WindowWidth=9, VOILUTFunction="CUBE"), "VOI LUT function 'CUBE'"),
    "liar.dcm": (
        dicom_bytes(FILM, JPEGBaseline8Bit, encapsulate([picture(film(80), "JPEG")])),
        "says 64 x 64 pixels in its header and 80 x 80 in its image",
    ),
    "liar2000.dcm": (
        dicom_bytes(FILM, JPEG2000Lossless, encapsulate([picture(film(80), "JPEG2000", no_jp2=True)])),
        "says 64 x 64 pixels in its header and 80 x 80 in its image",
    ),
}


@pytest.mark.filterwarnings("ignore:Invalid value for VR")  # pydicom says it too
@pytest.mark.parametrize("name", SENTENCES)
def test_a_bad_file_is_one_sentence_with_its_name(name: str) -> None:
    data, why = SENTENCES[name]
    with pytest.raises(DicomError, match=why) as caught:
        decode(data, name)
    sentence = str(caught.value)
    assert sentence.startswith(name) and sentence.endswith(".") and "\n" not in sentence


def test_a_file_above_the_limit_is_not_parsed() -> None:
    with pytest.raises(DicomError, match=r"big\.dcm has 256 MiB; at most 256 are read"):
        decode(bytes(256 * 2**20 + 1), "big.dcm")


def test_a_deflate_bomb_is_refused_within_little_memory() -> None:
    bomb = deflate_bomb(2048)
    assert len(bomb) < 4_000_000
    tracemalloc.start()
    with pytest.raises(DicomError, match=r"bomb\.dcm unpacks to more than 96 MiB"):
        decode(bomb, "bomb.dcm")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50_000_000


def test_a_small_deflated_stream_passes() -> None:
    deflater = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    check_inflated(deflater.compress(bytes(8 * 2**20)) + deflater.flush(), "x.dcm")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_gives_an_image_or_a_sentence(data: st.DataObject) -> None:
    kinds = [dicom_bytes(SLICE), dicom_bytes(FILM), picture(FILM, "PNG"), picture(FILM, "JPEG")]
    whole = bytearray(data.draw(st.sampled_from(kinds)))
    for at in data.draw(st.lists(st.integers(0, min(len(whole), 900) - 1), min_size=1, max_size=6)):
        whole[at] = data.draw(st.integers(0, 255))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom and Pillow grumble about damage
        try:
            assert decode(bytes(whole), "x").pixels.ndim == 2
        except DicomError as error:
            assert str(error).startswith("x ")


def nested(levels: int, undefined: bool) -> bytes:
    """An image with that many sequences one in the other, of undefined or of defined length."""
    inner = b""
    for _ in range(levels):
        if undefined:
            inner = b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner
        else:
            item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(inner)) + inner
            inner = b"\x40\x00\x75\x02SQ\0\0" + struct.pack("<I", len(item)) + item
    if undefined:
        inner += (b"\xfe\xff\x0d\xe0\0\0\0\0" + b"\xfe\xff\xdd\xe0\0\0\0\0") * levels
    data = dicom_bytes(FILM)
    return data[: (at := data.index(b"\xe0\x7f\x10\x00"))] + inner + data[at:]


def in_tiles_of_one_pixel() -> bytes:
    """A JPEG 2000 image that says it has 64 x 1,100 tiles."""
    data = picture(FILM, "JPEG2000", no_jp2=True)
    return data[:8] + struct.pack(">8I", 64, 1_100, 0, 0, 1, 1, 0, 0) + data[40:]


def with_element(element: bytes, data: bytes | None = None) -> bytes:
    """An image with the bytes of an element before its pixels."""
    data = dicom_bytes(FILM) if data is None else data
    return data[: (at := data.index(b"\xe0\x7f\x10\x00"))] + element + data[at:]


LS = b"\xff\xd8\xff\xf7\x00\x0b\x08\x00\x40\x00\x40\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x00\x00"
FRAMES = np.zeros((2, 8, 8), np.uint8)
MORE = {
    "one.dcm": (dicom_bytes(FILM, BitsAllocated=1), "has 1 bit a pixel; 8 and 16 are read"),
    "stored.dcm": (dicom_bytes(FILM, BitsStored=0), "has 0 as BitsStored; it must be from 1 to its 8 bits a pixel"),
    "over.dcm": (dicom_bytes(FILM, BitsStored=12), "has 12 as BitsStored; it must be from 1 to its 8 bits a pixel"),
    "high.dcm": (dicom_bytes(FILM, HighBit=3), "has 3 as HighBit; with 8 bits stored it must be 7"),
    "sign.dcm": (dicom_bytes(FILM, PixelRepresentation=2), "has 2 as PixelRepresentation; it must be 0 or 1"),
    "planar.dcm": (dicom_bytes(FILM, PlanarConfiguration=2), "has 2 as PlanarConfiguration"),
    "samples.dcm": (dicom_bytes(FILM, SamplesPerPixel=3), "has 3 samples a pixel; MONOCHROME2 has 1"),
    "space.dcm": (dicom_bytes(FILM, PhotometricInterpretation="CMYK"), "has the colour space 'CMYK'"),
    "name.dcm": (dicom_bytes(FILM).replace(b"MONOCHROME2", b"Doe^John^Jr"), "has the colour space that is no code;"),
    "none.dcm": (dicom_bytes(FILM, NumberOfFrames=0), "says that it has 0 frames; it must be 1 or more"),
    "minus.dcm": (dicom_bytes(FILM, NumberOfFrames=-3), "says that it has -3 frames"),
    "more.dcm": (dicom_bytes(FRAMES, NumberOfFrames=9), "has 128 bytes of pixels; its header asks for 576"),
    "fewer.dcm": (dicom_bytes(FRAMES, NumberOfFrames=1), "has 128 bytes of pixels; its header asks for 64"),
    "many.dcm": (dicom_bytes(FILM, NumberOfFrames=9_999_999), "has 9,999,999 frames of 64 x 64 pixels; at most 2,000"),
    "lie.dcm": (
        dicom_bytes(FILM, JPEG2000Lossless, encapsulate([b"\xff\x4f"]), NumberOfFrames=9),
        "frame 5 of 9 is not among its compressed pixels",
    ),
    "float.dcm": (dicom_bytes(FILM, PixelData=None, FloatPixelData=bytes(8)), "without integer pixels"),
    "plain.dcm": (
        dicom_bytes(FILM).replace(b".1.2.1\0", b".1.2.5\0"),
        "stored as RLE Lossless, but they are uncompressed",
    ),
    "private.dcm": (
        dicom_bytes(FILM).replace(b"1.2.840.10008.1.2.1\0", b"1.2.999.10008.1.2.1\0"),
        "as 1.2.999.10008.1.2.1, which is not read here",
    ),
    "video.dcm": (
        dicom_bytes(FILM, MPEG4HP41, encapsulate([bytes(8)])),
        "is compressed as MPEG-4 .* which is not read here",
    ),
    "nosyntax.dcm": (
        dicom_bytes(FILM).replace(b"\x02\0\x10\0UI", b"\x02\0\x11\0UI"),
        "does not say its transfer syntax",
    ),
    "deep.dcm": (nested(4_000, True), "nests sequences more than 32 deep"),
    "deeper.dcm": (nested(300, False), "nests sequences more than 32 deep"),
    "item.dcm": (
        with_element(b"\x40\0\x75\x02SQ\0\0\x10\0\0\0" + bytes(16)),
        "structure cannot be followed beyond byte",
    ),
    "zeros.dcm": (with_element(bytes(8_000_000)), "has more than 300,000 elements"),
    "items.dcm": (
        with_element(b"\x40\0\x75\x02SQ\0\0" + struct.pack("<I", 8_000_000) + b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000),
        "has more than 300,000 elements",
    ),
    "endless.dcm": (
        dicom_bytes(FILM, JPEGBaseline8Bit, encapsulate([picture(FILM, "JPEG")]))[:-8],
        "ends in the middle of its compressed pixels",
    ),
    "cutls.dcm": (
        dicom_bytes(FILM, JPEGLSLossless, encapsulate([LS + bytes(99)])),
        "compressed image ends in its middle",
    ),
    "precision.dcm": (
        dicom_bytes(FILM, JPEGLosslessSV1, encapsulate([lossless_jpeg(FILM.astype(np.uint16), 12)])),
        "says 8 bits a sample in its header and 12 in its image",
    ),
    "colours.dcm": (
        dicom_bytes(FILM, JPEGBaseline8Bit, encapsulate([picture(np.stack([FILM] * 3, -1), "JPEG")])),
        "says 1 samples a pixel in its header and 3 in its image",
    ),
    "rle.dcm": (
        dicom_bytes(FILM, RLELossless, encapsulate([bytes(80)])),
        "says 1 bytes a pixel in its header and 0 in its",
    ),
    "order.dcm": (
        dicom_bytes(FILM, RLELossless, encapsulate([struct.pack("<16I", 1, 9_999, *[0] * 14) + bytes(9)])),
        "RLE segments are not one after the other",
    ),
    "panic.dcm": (
        dicom_bytes(SLICE, RLELossless, encapsulate([struct.pack("<16I", 2, 64, 130, *[0] * 13) + b"\x81\0" * 66])),
        "frame 1 of 1 cannot be decompressed",
    ),
    "boxes.dcm": (
        dicom_bytes(FILM, JPEG2000Lossless, encapsulate([b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40)])),
        "its compressed pixels are not JPEG 2000",
    ),
    "tiles.dcm": (
        dicom_bytes(FILM, JPEG2000Lossless, encapsulate([in_tiles_of_one_pixel()])),
        "its compressed pixels are not JPEG 2000",
    ),
    "scans.jpg": (picture(FILM, "JPEG")[:-2] + b"\xff\xda\0\0" * 200, "is a JPEG of more than 128 scans"),
    "table.dcm": (
        dicom_bytes(FILM, PhotometricInterpretation="PALETTE COLOR"),
        "has a lookup table without its three descriptors",
    ),
    "dicomdir.dcm": (
        dicom_bytes(FILM, PixelData=None).replace(b"\x08\0\x16\0UI", b"\x08\0\x14\0UI"),
        r"without integer pixels \(Digital X-Ray Image Storage - For Presentation\)",
    ),
}


@pytest.mark.parametrize("name", MORE)
def test_hostile_and_contradictory_files_are_one_sentence_within_seconds(name: str) -> None:
    data, why = MORE[name]
    start = time.process_time()
    with pytest.raises(DicomError, match=why) as caught:
        decode(data, name)
    sentence = str(caught.value)
    assert sentence.startswith(name) and sentence.endswith(".") and "\n" not in sentence and len(sentence) < 250
    assert time.process_time() - start < 5.0


def test_thirty_sequences_one_in_the_other_are_read() -> None:
    for undefined in (True, False):
        assert np.array_equal(decode(nested(30, undefined), "x").pixels, FILM)


def test_a_gzip_bomb_is_refused_within_little_memory() -> None:
    packed = gzip.compress(bytes(64 * 2**20))
    tracemalloc.start()
    with pytest.raises(DicomError, match=r"x unpacks to more than 16 MiB; it is not opened\."):
        gunzipped(packed, 16 * 2**20, "x")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
    assert gunzipped(gzip.compress(b"volume"), 6, "x") == b"volume"
    with pytest.raises(DicomError, match="ends in the middle of what is packed in it"):
        gunzipped(packed[:-9], 2**30, "x")
