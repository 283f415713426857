"""The same pixels and the same picture as other people's decoders: dcmtk, and gdcm for JPEG 2000."""

import io
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from synth.dicom.decode import Decoded, decode, decode_frame, display, opened
from synth.dicom.frames import frame_samples
from synth.dicom.raster import raster
from synth.errors import DicomError
from tests.dicom.specimens import independent, shipped_files
from tests.dicom.test_decode import lut
from tests.phantoms import axial_slice, dicom_bytes, film

# The cosine transform of lossy JPEG may be rounded either way (ITU-T T.83): by one level of 12 bits here.
ROUNDED = {"JPGExtended.dcm": 1}
# Neither gdcm nor dcmtk can be asked for these: they are refused by them, or need gdcm, which may not be there.
UNASKED = {"SC_rgb_jpeg.dcm"}


def readable() -> list[Path]:
    paths = []
    for path in shipped_files():
        try:
            decode(path.read_bytes(), path.name)
        except DicomError:
            continue
        paths.append(path)
    return paths


@pytest.fixture(autouse=True)
def dcmtk() -> None:
    if shutil.which("dcm2pnm") is None:
        assert not os.environ.get("CI"), "dcmtk is not installed: apt-get install dcmtk"
        pytest.skip("dcmtk is not installed")


def theirs(ds: Dataset, index: int) -> np.ndarray:
    """Frame `index` of an uncompressed file by numpy alone; colour by pixel."""
    kind = f"<{'ui'[ds.PixelRepresentation]}{ds.BitsAllocated // 8}"
    shape = (int(ds.get("NumberOfFrames") or 1), ds.Rows, ds.Columns)
    if ds.SamplesPerPixel == 1:
        values = np.frombuffer(ds.PixelData, kind, int(np.prod(shape))).reshape(shape)[index]
        above = ds.BitsAllocated - ds.BitsStored
        return values << above >> above
    planar = ds.get("PlanarConfiguration")
    parts = (shape[0], 3, *shape[1:]) if planar else (*shape, 3)
    frame = np.frombuffer(ds.PixelData, kind, 3 * int(np.prod(shape))).reshape(parts)[index]
    return frame.transpose(1, 2, 0) if planar else frame


def shown_by_dcmtk(ds: Dataset, decoded: Decoded, folder: Path) -> np.ndarray:
    """(H, W) in 8 bit by dcm2pnm with the first window of the file, else from lowest to highest; no overlays."""
    ds.save_as(folder / "raw.dcm")
    window = (
        ["+Wi", "1"]
        if decoded.window_center is not None
        else ["+Wl", "1"]
        if decoded.drawn is not None
        else ["+Wm"]
        if decoded.pixels.dtype != np.uint8
        else []
    )
    command = ["dcm2pnm", "-O", "--frame", str(decoded.frame), *window, "raw.dcm", "shown.pnm"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=60)
    return np.asarray(Image.open(folder / "shown.pnm").convert("RGB"))


def compared(path: Path, folder: Path) -> tuple[int, int] | None:
    """The largest difference of the stored values and of the picture; None where the others cannot read the file."""
    data = path.read_bytes()
    ds = opened(data, path.name)
    other = independent(data, folder)
    if other is None:
        return None
    decoded, header = decode_frame(ds, path.name), raster(ds, path.name)
    stored = 0
    if not other.PhotometricInterpretation.startswith("YBR"):
        ours = frame_samples(ds, header, decoded.frame - 1, path.name)
        stored = int(np.abs(ours.astype(int) - theirs(other, decoded.frame - 1)).max())
    luma = np.rint(shown_by_dcmtk(other, decoded, folder) @ np.array([0.299, 0.587, 0.114]))
    return stored, int(np.abs(luma - display(decoded)).max())


@pytest.mark.parametrize("path", readable(), ids=lambda path: "/".join(path.parts[-2:]))
def test_stored_values_and_picture_are_those_of_dcmtk(path: Path, tmp_path: Path) -> None:
    differences = compared(path, tmp_path)
    if differences is None:
        syntax = pydicom.dcmread(io.BytesIO(path.read_bytes())).file_meta.TransferSyntaxUID.name
        assert path.name in UNASKED or ("JPEG 2000" in syntax and shutil.which("gdcmconv") is None)
        pytest.skip(f"no other decoder reads {path.name}")
    stored, shown = differences
    assert stored <= ROUNDED.get(path.name, 0)
    assert shown <= 1 + stored  # dcmtk cuts off where we round: one grey level


DEEP, SLICE = film(64).astype(np.uint16) * 16, axial_slice(64)
MADE = {
    "window": dicom_bytes(SLICE, WindowCenter=-600, WindowWidth=1500),
    "rescale": dicom_bytes(DEEP, RescaleSlope=0.5, RescaleIntercept=-100, WindowCenter=900, WindowWidth=1700.5),
    "inverted": dicom_bytes(DEEP, PhotometricInterpretation="MONOCHROME1", WindowCenter=2000, WindowWidth=3000),
    "exact": dicom_bytes(DEEP, WindowCenter=2000, WindowWidth=3000, VOILUTFunction="LINEAR_EXACT"),
    "sigmoid": dicom_bytes(DEEP, WindowCenter=2000, WindowWidth=3000, VOILUTFunction="SIGMOID"),
    "narrow": dicom_bytes(SLICE, WindowCenter=40, WindowWidth=1),
    "dirty": dicom_bytes(DEEP | 0x6000, BitsStored=12, HighBit=11, WindowCenter=2000, WindowWidth=3000),
    "shifted": dicom_bytes(DEEP << 4 | 9, BitsStored=12, HighBit=15, WindowCenter=2000, WindowWidth=3000),
    "big": dicom_bytes(DEEP.astype(">u2"), ExplicitVRBigEndian, WindowCenter=2000, WindowWidth=3000),
    "lut": dicom_bytes(DEEP, BitsStored=12, HighBit=11, **lut("VOILUTSequence", [n * n // 260 for n in range(4096)])),
    "unit": dicom_bytes(
        DEEP, BitsStored=12, HighBit=11, **lut("ModalityLUTSequence", [65535 - 16 * n for n in range(4096)])
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_windows_bits_and_tables_are_shown_as_dcmtk_shows_them(name: str, tmp_path: Path) -> None:
    (tmp_path / "made.dcm").write_bytes(MADE[name])
    stored, shown = compared(tmp_path / "made.dcm", tmp_path)
    assert (stored if name != "shifted" else 0, shown <= 1) == (0, True)  # numpy alone knows of no high bit


def test_films_and_slices_of_a_real_library_are_shown_as_dcmtk_shows_them(real_library: Path, tmp_path: Path) -> None:
    paths = sorted(real_library.rglob("*.dcm"))
    if not paths:
        pytest.skip("the library of real images holds no DICOM")
    worst = [compared(path, tmp_path) for path in paths]
    assert None not in worst and max(stored for stored, _ in worst) == 0 and max(shown for _, shown in worst) <= 1
