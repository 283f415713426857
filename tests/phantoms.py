"""Analytic chest phantoms, DICOM files and a whole library of them: `python -m tests.phantoms FOLDER`."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

# (centre x, centre y, half width, half height, attenuation x depth); the patient's left is on the right
TRUNK = ((0.0, 0.35, 0.86, 1.25, 0.95), (0.0, -0.9, 0.25, 0.5, 0.3))
LUNGS = ((-0.40, -0.08, 0.30, 0.62, -0.62), (0.42, -0.08, 0.28, 0.62, -0.60))
HEART = ((0.12, 0.26, 0.30, 0.30, 0.45), (0.02, -0.2, 0.12, 0.45, 0.30))
ABDOMEN = ((-0.40, 0.86, 0.46, 0.40, 0.55), (0.42, 0.92, 0.46, 0.40, 0.50))


def film(size_px: int = 256, seed: int = 0, effusion: bool = False) -> npt.NDArray[np.uint8]:
    """A frontal film, (size_px, size_px): chords through ellipsoids, ribs as bands; `effusion` fills the left base."""
    y, x = _grid(size_px)
    random = np.random.default_rng(seed)
    scale = 1.0 + random.uniform(-0.05, 0.05)
    body = sum((_chord(x, y * scale, e) for e in (*TRUNK, *LUNGS, *HEART, *ABDOMEN)), np.zeros_like(x))
    spine = 0.22 * np.exp(-((x / 0.07) ** 2))
    ribs = sum((_rib(x, y, -0.72 + 0.16 * i) for i in range(9)), np.zeros_like(x))
    body = body + spine + 0.10 * ribs * (np.abs(x) < 0.75)
    if effusion:
        filled = 1.0 / (1.0 + np.exp(-(y - 0.22 + 0.3 * (x - 0.5)) / 0.03))  # the meniscus rises to the side
        body = body + 0.45 * filled * (_chord(x, y, LUNGS[1]) < 0)
    noise = random.normal(0.0, 0.008, x.shape)
    return np.rint(255 * np.clip(1.0 - np.exp(-1.3 * np.maximum(body, 0.0)) + noise, 0.0, 1.0)).astype(np.uint8)


def axial_slice(size_px: int = 128, seed: int = 0) -> npt.NDArray[np.int16]:
    """A chest slice in HU: air -1000, lung -850 with vessels, soft tissue 40, spine 400."""
    y, x = _grid(size_px)
    random = np.random.default_rng(seed)
    hu = np.full(x.shape, -1000.0)
    hu[_within(x, y, 0.0, 0.0, 0.9, 0.66)] = 40.0
    for centre in (-0.42, 0.42):
        lung = _within(x, y, centre, -0.02, 0.34, 0.46)
        hu[lung] = -850.0
        for _ in range(12):
            at_x, at_y = centre + random.uniform(-0.25, 0.25), random.uniform(-0.35, 0.35)
            hu[lung & _within(x, y, at_x, at_y, 0.02, 0.02)] = 0.0
    hu[_within(x, y, 0.06, -0.16, 0.26, 0.24)] = 45.0
    hu[_within(x, y, 0.0, 0.42, 0.12, 0.12)] = 400.0
    return np.rint(hu).astype(np.int16)


def dicom_bytes(
    pixels: npt.NDArray[Any], syntax: UID = ExplicitVRLittleEndian, encapsulated: bytes | None = None, **changes: Any
) -> bytes:
    """One image as DICOM; `changes` sets attributes by keyword, None removes one. Frames: pixels of (F, H, W)."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ct = pixels.dtype == np.int16
    ds.SOPClassUID = CTImageStorage if ct else DigitalXRayImageStorageForPresentation
    ds.SOPInstanceUID = generate_uid(prefix=None)
    ds.Modality = "CT" if ct else "DX"
    colour = pixels.ndim == 3 and pixels.shape[-1] == 3
    ds.Rows, ds.Columns = pixels.shape[:2] if colour else pixels.shape[-2:]
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    ds.PixelSpacing = [0.7, 0.7]
    data = pixels.tobytes() if encapsulated is None else encapsulated
    ds.add_new("PixelData", "OW" if ds.BitsAllocated == 16 else "OB", data + b"\0" * (len(data) % 2))
    ds["PixelData"].is_undefined_length = encapsulated is not None
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def cat() -> Image.Image:
    """No phantom: an orange animal on green grass."""
    picture = Image.new("RGB", (320, 240), (60, 140, 50))
    picture.paste((220, 130, 40), (80, 60, 240, 200))
    return picture


def png(picture: Image.Image | npt.NDArray[Any], kind: str = "PNG") -> bytes:
    """The picture as a file, PNG or JPEG."""
    file = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(file, kind)
    return file.getvalue()


def make_library(folder: Path, size_px: int = 256) -> Path:
    """Twelve phantoms with their metadata.csv: films with and without effusion as PNG and JPEG, two CT slices."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number in range(10):
        effusion = number % 2 == 1
        name = f"film-{number:02d}.{'jpg' if number % 3 == 0 else 'png'}"
        Image.fromarray(film(size_px, number, effusion)).save(folder / name)
        view, sex, age = ("PA", "AP")[number % 4 == 3], "FM"[number % 2], 20 + 7 * number
        rows.append((name, "DX", view, sex, age, "Effusion" if effusion else "No Finding", "analytic phantom"))
    for number in range(2):
        name = f"slice-{number:02d}.dcm"
        (folder / name).write_bytes(dicom_bytes(axial_slice(size_px, number)))
        rows.append((name, "CT", "axial", "FM"[number], "058Y", "No Finding", "analytic phantom"))
    with open(folder / "metadata.csv", "w", encoding="utf-8", newline="") as lines:
        csv.writer(lines).writerows([("file", "modality", "view", "sex", "age", "findings", "origin"), *rows])
    return folder


def _grid(size_px: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    line = np.linspace(-1.0, 1.0, size_px)
    y, x = np.meshgrid(line, line, indexing="ij")
    return y, x


def _chord(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], ellipsoid: tuple[float, float, float, float, float]
) -> npt.NDArray[np.float64]:
    at_x, at_y, half_x, half_y, depth = ellipsoid
    inside = 1.0 - ((x - at_x) / half_x) ** 2 - ((y - at_y) / half_y) ** 2
    return np.asarray(depth * np.sqrt(np.maximum(inside, 0.0)))


def _rib(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], top: float) -> npt.NDArray[np.float64]:
    return np.asarray(np.exp(-(((y - top - 0.55 * x**2) / 0.022) ** 2)))


def _within(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], at_x: float, at_y: float, half_x: float, half_y: float
) -> npt.NDArray[np.bool_]:
    return np.asarray(((x - at_x) / half_x) ** 2 + ((y - at_y) / half_y) ** 2 < 1.0)


if __name__ == "__main__":
    print(make_library(Path(sys.argv[1]), size_px=512))
