import io
import struct
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
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLosslessSV1

from synth.dicom.decode import decode
from synth.dicom.limits import check_inflated
from synth.errors import DicomError
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
        "is damaged: its compressed pixels are not JPEG Lossless",
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
