"""What happens to pictures on their way: named functions of a marked picture, each with its parameters."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from scipy import ndimage

from synth import imaging
from synth.dicom.decode import decode, display
from synth.dicom.encode import part10, uid
from synth.provenance import watermark

Picture = npt.NDArray[np.uint8]
MOST, MANY = 0.99, 0.95  # goals

CROPPED = 0.10  # of each side's length, a third of it at the top and left
SHIFT_PX = (11, -17)  # of 256: down and right
TURN_DEG = 2.0
NOISE = 5.0  # grey levels
TWELVE_BIT = 4095
SCAN = {"enlarged": 2.0, "turn_deg": 1.0, "gamma": 1.15, "blur_px": 1.2, "shading": 0.08, "noise": 0.012, "jpeg": 80}


@dataclass(frozen=True, slots=True, eq=False)
class Marked:
    """A picture (256, 256) without and with the mark; `number` seeds what an attack draws."""

    clean: Picture
    marked: Picture
    payload: int
    key: bytes
    number: int


@dataclass(frozen=True, slots=True)
class Attack:
    """What is done, with its parameters in words, and the share that must be found afterwards (None: only stated)."""

    name: str
    what: str
    goal: float | None
    apply: Callable[[Sequence[Marked]], list[Picture]]


def jpeg(pixels: Picture, quality: int) -> Picture:
    """Through a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.asarray(Image.open(buffer))


def resized(pixels: Picture, factor: float, how: Image.Resampling = Image.Resampling.BICUBIC) -> Picture:
    """Both sides times a factor."""
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, how))


def gamma(pixels: Picture, exponent: float) -> Picture:
    """Grey in [0, 1] to the power of `exponent`."""
    return _bytes((pixels / 255.0) ** exponent)


def noisy(pixels: Picture, number: int) -> Picture:
    """With Gaussian noise of NOISE grey levels."""
    return _bytes((pixels + np.random.default_rng([5, number]).normal(0.0, NOISE, pixels.shape)) / 255)


def blurred(pixels: Picture) -> Picture:
    """By a Gaussian of 1 px."""
    return _bytes(ndimage.gaussian_filter(pixels / 255.0, 1.0))


def cropped(pixels: Picture) -> Picture:
    """Without CROPPED of its height and width, off centre."""
    height, width = (round((1 - CROPPED) * side) for side in pixels.shape)
    top, left = (pixels.shape[0] - height) // 3, (pixels.shape[1] - width) // 3
    return pixels[top : top + height, left : left + width]


def shifted(pixels: Picture) -> Picture:
    """By SHIFT_PX of 256; what leaves is lost, what is uncovered is black."""
    return np.asarray(ndimage.shift(pixels, [s * pixels.shape[0] / 256 for s in SHIFT_PX], order=0))


def turned(pixels: Picture, degrees: float) -> Picture:
    """About its centre, anticlockwise, black corners, bicubic."""
    return np.asarray(Image.fromarray(pixels).rotate(degrees, Image.Resampling.BICUBIC))


def as_slide(pixels: Picture) -> Picture:
    """A white slide of 1280 x 720 px exported as a picture, JPEG 90: the film 400 px high beside lines of text."""
    slide = np.full((720, 1280), 255, np.uint8)
    slide[60:100, 80:900:9] = 30  # strokes of a title
    for line in range(8):
        slide[190 + 50 * line : 202 + 50 * line, 640:1150:6] = 60
    slide[180:580, 90:490] = np.asarray(Image.fromarray(pixels).resize((400, 400), Image.Resampling.LANCZOS))
    return jpeg(slide, 90)


def compressed_in_slide(pixels: Picture) -> Picture:
    """5 cm wide on a slide, "compress pictures" at 96 ppi: 189 px and JPEG 85."""
    side = round(5 / 2.54 * 96)
    return jpeg(np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)), 85)


def printed_and_scanned(pixels: Picture, number: int) -> Picture:
    """Simulated with SCAN: enlarged, turned, the printer's gamma and blur, the scanner's shading and noise, JPEG."""
    page = turned(resized(pixels, SCAN["enlarged"]), SCAN["turn_deg"]) / 255.0
    page = ndimage.gaussian_filter(page ** SCAN["gamma"], SCAN["blur_px"])
    y, x = np.mgrid[-1 : 1 : page.shape[0] * 1j, -1 : 1 : page.shape[1] * 1j]
    noise = np.random.default_rng([6, number]).normal(0.0, SCAN["noise"], page.shape)
    return jpeg(_bytes(page * (1 - SCAN["shading"] * (x + y) / 2) + noise), int(SCAN["jpeg"]))


def through_twelve_bit(item: Marked) -> Picture:
    """The clean picture in 12 bit, marked there, through a DICOM file of 12 bits stored, shown in a narrower window."""
    fine = item.clean * (TWELVE_BIT / 255) + np.random.default_rng([7, item.number]).uniform(-8, 8, item.clean.shape)
    stored = np.clip(np.rint(fine), 0, TWELVE_BIT).astype(np.uint16)
    marked = np.asarray(watermark.embed(stored, item.payload, item.key), np.uint16)
    return display(decode(twelve_bit_file(marked), "twelve.dcm"))


def twelve_bit_file(pixels: npt.NDArray[np.uint16]) -> bytes:
    """A DICOM part-10 file of 12 bits stored with the window 2047 / 3276: four fifths of the range."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = uid("evaluation", "instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.Rows, ds.Columns = "DX", *pixels.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.WindowCenter, ds.WindowWidth = 2047, 3276
    ds.PixelData = pixels.astype("<u2").tobytes()
    return part10(ds)


def each(change: Callable[[Picture], Picture]) -> Callable[[Sequence[Marked]], list[Picture]]:
    """A change of one picture as a change of many."""
    return lambda items: [change(item.marked) for item in items]


def _bytes(share: npt.NDArray[np.float64]) -> Picture:
    return np.rint(255 * np.clip(share, 0.0, 1.0)).astype(np.uint8)


ATTACKS = (
    Attack("none", "as it left", MOST, each(lambda p: p)),
    *(Attack(f"JPEG {q}", f"quality {q}", MOST, each(partial(jpeg, quality=q))) for q in (95, 75, 50)),
    *(Attack(f"resize {f}", "bicubic", MOST, each(partial(resized, factor=f))) for f in (0.5, 0.75, 2.0)),
    Attack("narrow window", "centre 128, width 160", MOST, each(lambda p: imaging.window_level(p, 128, 160))),
    Attack("wide window", "centre 128, width 400", MOST, each(lambda p: imaging.window_level(p, 128, 400))),
    *(Attack(f"gamma {g}", f"exponent {g}", MOST, each(partial(gamma, exponent=g))) for g in (0.7, 1.4)),
    Attack("noise", "Gaussian, sd 5 grey levels", MOST, lambda items: [noisy(i.marked, i.number) for i in items]),
    Attack("blur", "Gaussian, sd 1 px", MOST, each(blurred)),
    Attack("crop", "10 % of each side's length, off centre", MANY, each(cropped)),
    Attack("shift", "11 px down, 17 px left, black border", MANY, each(shifted)),
    Attack("rotate", "2 degrees, bicubic, black corners", MANY, each(partial(turned, degrees=TURN_DEG))),
    Attack("flip", "left-right", None, each(lambda p: p[:, ::-1])),
    Attack("quarter turn", "90 degrees", None, each(lambda p: np.rot90(p))),
    Attack("invert", "255 - grey", None, each(lambda p: 255 - p)),
    Attack("PPTX, compressed (simulated)", "5 cm wide at 96 ppi: 189 px, JPEG 85", None, each(compressed_in_slide)),
    Attack("slide as a picture (simulated)", "film 400 px in 1280 x 720, JPEG 90", None, each(as_slide)),
    Attack("DICOM 12 bit", "marked in 12 bit, part-10 file, window of 4/5 of the range", None,
           lambda items: [through_twelve_bit(item) for item in items]),
    Attack("print and scan (simulated)", ", ".join(f"{k} {v}" for k, v in SCAN.items()), None,
           lambda items: [printed_and_scanned(i.marked, i.number) for i in items]),
)  # fmt: skip
