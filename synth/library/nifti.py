"""Axial slices of a NIfTI volume as DICOM files: how CT and MR volumes from open collections enter the library."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
from nibabel import imageglobals
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from synth.dicom.limits import MAX_FILE_BYTES, check_size, gunzipped
from synth.errors import DicomError
from synth.types import Modality

AT_MOST = 40  # slices of one volume
MAX_VOLUME_BYTES = 2**30  # 512 x 512 x 1,000 voxels of 32 bits
_GZIP_MAGIC = b"\x1f\x8b"
_NIFTI_MAGICS = {b"n+1\0": nibabel.Nifti1Image, b"n+2\0": nibabel.Nifti2Image}
_LARGEST = 65_535  # of a stored value
_FARTHEST_HU = 1e6
_SMALLEST_MM, _LARGEST_MM = 0.001, 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A volume in radiological orientation: (S, H, W), the feet first, anterior on top, patient right on the left."""

    voxels: npt.NDArray[np.float32]  # as displayed: HU for CT
    spacing_mm: tuple[float, float, float]  # between slices, rows, columns
    notes: tuple[str, ...] = ()  # sentences on what is not kept


def volume(data: bytes, name: str) -> Volume:
    """Read a .nii or .nii.gz file, known by its content; the first volume of several in time.

    Raises DicomError when it is damaged, too large, in colour, of complex numbers or has voxels that are not finite.
    """
    if len(data) > MAX_FILE_BYTES:
        raise DicomError(f"{name} has {len(data) // 2**20} MiB; at most {MAX_FILE_BYTES // 2**20} are read.")
    raw = gunzipped(data, MAX_VOLUME_BYTES, name) if data.startswith(_GZIP_MAGIC) else data
    warnings.filterwarnings("ignore", module="nibabel")  # stays: to put it back would race between threads
    kind = _NIFTI_MAGICS.get(raw[344:348]) or _NIFTI_MAGICS.get(raw[4:8])  # NIfTI-1 and NIfTI-2
    if kind is None:
        raise DicomError(f"{name} is not a NIfTI file of one part (.nii or .nii.gz).")
    try:
        # nibabel warns and prints of headers that are judged below
        with np.errstate(all="ignore"), imageglobals.LoggingOutputSuppressor():
            image = kind.from_bytes(raw)
            _check_header(image, len(raw), name)
            image, notes = _first(image)
            upright = nibabel.as_closest_canonical(image)  # axes to patient left-right: R, A, S
            voxels = np.asarray(upright.dataobj, dtype=np.float32)
    except DicomError:
        raise
    except Exception as error:  # nibabel meets damage with whatever it trips over
        raise DicomError(f"{name} is damaged: its NIfTI content cannot be read.") from error
    if not np.isfinite(voxels).all():
        raise DicomError(f"{name} has voxels that are no numbers (NaN or infinite).")
    across, along, up = (float(size) for size in upright.header.get_zooms()[:3])
    if not all(_SMALLEST_MM <= size <= _LARGEST_MM for size in (across, along, up)):
        raise DicomError(
            f"{name} has a voxel size of {across:g} x {along:g} x {up:g} mm; "
            f"from {_SMALLEST_MM:g} to {_LARGEST_MM:g} mm are read."
        )
    return Volume(voxels.transpose(2, 1, 0)[:, ::-1, ::-1], (up, along, across), notes)


def slices(data: bytes, name: str, modality: Modality, at_most: int = AT_MOST) -> Iterator[bytes]:
    """At most `at_most` (1 or more) axial slices, evenly spaced from feet to head, as DICOM files of one series.

    CT keeps its HU exactly where they are whole numbers; other modalities keep 65,536 grey levels. Slices of one grey
    are left out. Nothing of the descriptions in the NIfTI header is kept. Raises DicomError as `volume` does.
    """
    if at_most < 1:
        raise ValueError(f"at most {at_most} slices are none")
    read = volume(data, name)
    filled = np.flatnonzero(np.ptp(read.voxels, axis=(1, 2)) > 0)
    if not len(filled):
        raise DicomError(f"{name} has one grey level only; there is nothing to show.")
    chosen = filled[np.unique(np.linspace(0, len(filled) - 1, min(at_most, len(filled))).round().astype(int))]
    slope, intercept = _rescale(read.voxels, modality)
    digest = hashlib.sha256(data).digest()
    for index in chosen.tolist():
        levels = np.rint((read.voxels[index].astype(np.float64) - intercept) / slope)
        stored = np.clip(levels, 0, _LARGEST).astype(np.uint16)
        yield _dicom(_described(read, modality, index, digest), stored, slope, intercept)


def _check_header(image: Any, length: int, name: str) -> None:
    """Dimensions, type and length before a voxel is read."""
    shape, kind = image.shape, image.get_data_dtype()
    if kind.fields is not None or kind.kind not in "iuf":
        raise DicomError(f"{name} has voxels of the type {kind.names or kind.name}; grey values are needed.")
    if len(shape) < 3 or min(shape) < 1 or len(shape) > 5:
        raise DicomError(f"{name} has the dimensions {' x '.join(map(str, shape))}; a volume has three.")
    for rows, columns in ((shape[1], shape[0]), (shape[2], shape[0]), (shape[2], shape[1])):
        check_size(int(columns), int(rows), name)
    needed = int(np.prod([int(size) for size in shape[:3]], dtype=object))
    if needed * max(kind.itemsize, 4) > MAX_VOLUME_BYTES:
        raise DicomError(
            f"{name} has {needed / 1e6:,.0f} million voxels; at most {MAX_VOLUME_BYTES // 4_000_000} are read."
        )
    whole = int(np.prod([int(size) for size in shape], dtype=object)) * kind.itemsize
    if int(image.dataobj.offset) + whole > length:
        raise DicomError(f"{name} is damaged: it ends before its {whole:,} bytes of voxels.")


def _first(image: Any) -> tuple[Any, tuple[str, ...]]:
    """The first volume of a series, and a note where others are left out."""
    if len(image.shape) == 3:
        return image, ()
    count = int(np.prod(image.shape[3:]))
    only = image.slicer[(slice(None),) * 3 + (0,) * (len(image.shape) - 3)] if len(image.shape) == 4 else None
    if only is None:
        only = type(image)(np.asarray(image.dataobj[..., 0, 0]), image.affine)
    return only, (f"The first of {count} volumes.",) if count > 1 else ()


def _rescale(voxels: npt.NDArray[np.float32], modality: Modality) -> tuple[float, float]:
    """Slope and intercept that bring the values into 16 bits: 1 and a whole number where HU allow it."""
    low, high = float(voxels.min()), float(voxels.max())
    if modality is Modality.CT and high - low <= _LARGEST - 1 and abs(low) < _FARTHEST_HU:
        return 1.0, float(np.floor(low))
    # six digits: a Decimal String holds 16 characters (PS3.5 6.2)
    return max(float(f"{(high - low) / (_LARGEST - 1):.6g}"), 1e-9), float(f"{low:.6g}")


def _described(read: Volume, modality: Modality, index: int, digest: bytes) -> Dataset:
    """All but the pixels. UIDs follow from the content of the file, so that the same volume is the same series."""
    ds = Dataset()
    ct = modality is Modality.CT
    ds.SOPClassUID = CTImageStorage if ct else SecondaryCaptureImageStorage
    ds.StudyInstanceUID = _uid(digest, "study")
    ds.SeriesInstanceUID = _uid(digest, "series")
    ds.FrameOfReferenceUID = _uid(digest, "frame")
    ds.SOPInstanceUID = _uid(digest, f"slice {index}")
    ds.Modality = str(modality)
    ds.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    if not ct:
        ds.ConversionType = "WSD"  # workstation, PS3.3 C.8.6.1
    ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.PatientSex = ""
    ds.StudyDate = ds.StudyTime = ds.AccessionNumber = ds.ReferringPhysicianName = ds.StudyID = ""
    ds.PatientIdentityRemoved, ds.DeidentificationMethod = "YES", "NIfTI voxels and voxel size only"
    ds.SeriesNumber, ds.InstanceNumber = 1, index + 1
    thickness, rows, columns = read.spacing_mm
    ds.PixelSpacing = [round(rows, 6), round(columns, 6)]
    ds.SliceThickness = round(thickness, 6)
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.ImagePositionPatient = [0, 0, round(index * thickness, 4)]
    ds.ImageComments = " ".join(read.notes)
    return ds


def _dicom(ds: Dataset, stored: npt.NDArray[np.uint16], slope: float, intercept: float) -> bytes:
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.RescaleIntercept, ds.RescaleSlope = intercept, slope
    ds.RescaleType = "HU" if ds.Modality == "CT" else "US"
    ds.add_new("PixelData", "OW", stored.astype("<u2").tobytes())
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _uid(digest: bytes, of: str) -> str:
    """A UID under 2.25 (PS3.5 B.2): 128 bits of a hash."""
    return f"2.25.{int.from_bytes(hashlib.sha256(digest + of.encode()).digest()[:16], 'big')}"
