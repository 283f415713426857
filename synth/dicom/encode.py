"""A synthetic image as a DICOM Secondary Capture that says everywhere that it is synthetic."""

from __future__ import annotations

import hashlib
import io
import re

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from synth.errors import DicomError
from synth.imaging import LUNG_CENTER_HU, LUNG_INTERCEPT_HU, LUNG_SLOPE_HU, LUNG_WIDTH_HU, mark, to_uint8
from synth.types import GeneratedImage, Modality, View

NOT_FOR_DIAGNOSIS = "SYNTHETIC - NOT FOR DIAGNOSIS"
RESTORED = "Restored from another image by software with a diffusion model as its prior: altered, not for diagnosis."
DERIVATION = "Drawn by a diffusion model from a text prompt: not acquired, shows no patient, not for diagnosis."
ALTERATION = "Drawn by a diffusion model into or from another image: not acquired as it is, not for diagnosis."
NOMINAL_HU = " HU are nominal, those of the lung window; nothing was calibrated, and values beyond it are not there."
# Models whose CT was trained in the lung window; what the greys of another model's CT stand for is not known.
LUNG_WINDOW_MODELS = ("synthread-", "tiny")
# rows run to the patient's left on a film and a slice; columns to the feet on a film, to the back on a slice
ORIENTATION = {View.PA: ["L", "F"], View.AP: ["L", "F"], View.AXIAL: ["L", "P"]}
_ID = re.compile(r"[A-Za-z0-9._-]{1,48}")
_IMPLEMENTATION = "SYNTHREAD"


def encode(image: GeneratedImage, description: str) -> bytes:
    """A DICOM part-10 file: Secondary Capture (PS3.3 A.8.1), 8 bit, uncompressed, the mark burnt in.

    Where the greys stand for HU (see `in_hounsfield`) it is a CT with a rescale to HU, else plainly 8 bit.
    `description` is one sentence without identifiers (at most 10,240 characters), kept as Image Comments. The same
    image gives the same bytes and UIDs. Raises DicomError when the id or the description does not fit into DICOM.
    """
    return part10(secondary_capture(image, description))


def secondary_capture(image: GeneratedImage, description: str) -> FileDataset:
    """The dataset of `encode`, on which the other objects are built. Raises what `encode` raises."""
    if not _ID.fullmatch(image.id):
        raise DicomError(f"The image id {image.id!r} does not fit into DICOM; it must be 1-48 of A-Z a-z 0-9 . _ -")
    if not exported(image):
        raise DicomError(f"Modality {image.request.modality} cannot be exported; DX and CT of the chest can.")
    if len(description) > 10_240:
        raise DicomError(f"The description has {len(description)} characters; DICOM keeps at most 10240.")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = uid(image.id, "instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid(_IMPLEMENTATION, "implementation")
    meta.ImplementationVersionName = _IMPLEMENTATION
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    _patient(ds, image)
    _study_and_series(ds, image)
    _image(ds, image, description)
    _origin(ds, image)
    _pixels(ds, image)
    _grey_scale(ds, image)
    return ds


def part10(ds: Dataset) -> bytes:
    """The file of a dataset that has its file meta information (PS3.10 section 7)."""
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def derived_file(ds: Dataset) -> bytes:
    """The file of an object made of a synthetic image, which says of itself that it is synthetic too."""
    ds.SyntheticData = "YES"
    return part10(ds)


def equipment(image: GeneratedImage) -> dict[str, str]:
    """Who made an object derived from the image, as highdicom names the attributes of PS3.3 C.7.5.2."""
    return {
        "manufacturer": "SynthRead",
        "manufacturer_model_name": image.provenance.model_id[:64],
        "software_versions": image.provenance.model_revision,
        "device_serial_number": "none",
    }


def exported(image: GeneratedImage) -> bool:
    """True for what `encode` writes: films and slices of the chest, and whatever was restored or translated."""
    return image.request.modality in (Modality.DX, Modality.CT) or mode(image) in ("restore", "translate")


def in_hounsfield(image: GeneratedImage) -> bool:
    """True for a CT in the lung window: drawn by our model, or an edit of one that was shown in this window."""
    request, model = image.request, image.provenance.model_id
    return request.modality is Modality.CT and request.lung_window and model.startswith(LUNG_WINDOW_MODELS)


def mode(image: GeneratedImage) -> str:
    """The mode of the edit, empty for an image that is none."""
    return "" if image.request.edit is None else image.request.edit.mode


def uid(identity: str, purpose: str) -> UID:
    """A UID under 2.25 (PS3.5 B.2): a UUID of version 8 (RFC 9562, 5.8) made of sha256 of both words."""
    number = int.from_bytes(hashlib.sha256(f"{purpose}:{identity}".encode()).digest()[:16])
    number = number & ~(0xF << 76) | 0x8 << 76  # version 8
    number = number & ~(0x3 << 62) | 0x2 << 62  # variant 10
    return UID(f"2.25.{number}")


def _patient(ds: Dataset, image: GeneratedImage) -> None:
    """Patient and patient study modules (PS3.3 C.7.1.1, C.7.2.2): nobody; sex and age only if asked for."""
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName = f"SYNTHETIC^{image.id}"
    ds.PatientID = f"SYN-{image.id}"
    ds.IssuerOfPatientID = _IMPLEMENTATION
    ds.PatientBirthDate = ""
    ds.PatientSex = image.request.sex or ""
    if image.request.age is not None:
        ds.PatientAge = f"{image.request.age:03d}Y"


def _study_and_series(ds: Dataset, image: GeneratedImage) -> None:
    """General study, general series and SC equipment modules (C.7.2.1, C.7.3.1, C.8.6.1)."""
    made = image.provenance.created_at
    ds.StudyInstanceUID = uid(image.id, "study")
    ds.SeriesInstanceUID = uid(image.id, "series")
    ds.StudyDate = ds.ContentDate = ds.InstanceCreationDate = made.strftime("%Y%m%d")
    ds.StudyTime = ds.ContentTime = ds.InstanceCreationTime = made.strftime("%H%M%S")
    ds.TimezoneOffsetFromUTC = "+0000"
    ds.ReferringPhysicianName = ds.AccessionNumber = ""
    ds.StudyID = "1"
    ds.StudyDescription = ds.SeriesDescription = NOT_FOR_DIAGNOSIS
    ds.Modality = "CT" if in_hounsfield(image) else "OT"  # no modality acquired it; a viewer shows HU of a CT alone
    ds.SeriesNumber = ds.InstanceNumber = 1
    if mode(image) != "restore":  # which may show anything
        # with either Laterality must be absent: neither is paired
        ds.BodyPartExamined = "BRAIN" if mode(image) == "translate" else "CHEST"
    ds.ConversionType = "SYN"  # Synthetic Image
    ds.Manufacturer = "SynthRead"


def _image(ds: Dataset, image: GeneratedImage, description: str) -> None:
    """General image and SOP common modules (C.7.6.1, C.12.1)."""
    ds.SOPClassUID = SecondaryCaptureImageStorage
    ds.SOPInstanceUID = uid(image.id, "instance")
    ds.SyntheticData = "YES"
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.PatientOrientation = ORIENTATION.get(image.request.view, "") if image.request.view else ""
    derivation = DERIVATION if image.request.mark == "SYNTHETIC" else ALTERATION
    if mode(image) == "restore":
        derivation = RESTORED
    ds.DerivationDescription = derivation + (NOMINAL_HU if in_hounsfield(image) else "")
    ds.ImageComments = description
    ds.BurnedInAnnotation = "YES"
    ds.LossyImageCompression = "00"


def _origin(ds: Dataset, image: GeneratedImage) -> None:
    """Contributing Equipment Sequence (C.12.1.1.5): the model, as the Synthesizing Equipment."""
    origin, request, item, purpose = image.provenance, image.request, Dataset(), Dataset()
    purpose.CodeValue, purpose.CodingSchemeDesignator = "109100", "DCM"
    purpose.CodeMeaning = "Synthesizing Equipment"
    item.PurposeOfReferenceCodeSequence = [purpose]
    item.Manufacturer = "SynthRead"
    item.ManufacturerModelName = origin.model_id[:64]
    item.SoftwareVersions = [f"{package} {version}"[:64] for package, version in sorted(origin.versions.items())]
    item.ContributionDateTime = origin.created_at.strftime("%Y%m%d%H%M%S+0000")
    item.ContributionDescription = (
        f"model {origin.model_id} {origin.model_revision}; weights sha256 {origin.weights_hash}; "
        f"request sha256 {origin.request_digest}; seed {origin.seed}; {origin.sampler}, {request.steps} steps, "
        f"guidance {request.guidance:g}"
    )[:1024]
    ds.ContributingEquipmentSequence = [item]


def _pixels(ds: Dataset, image: GeneratedImage) -> None:
    """Image pixel module (C.7.6.3): 8 bit, bright is dense, no scale in mm because nothing was measured."""
    marked = shown(image)
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = marked.shape
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit = 7
    ds.PixelRepresentation = 0
    data = marked.tobytes()
    ds.add_new("PixelData", "OB", data + b"\0" * (len(data) % 2))


def shown(image: GeneratedImage) -> npt.NDArray[np.uint8]:
    """(H, W) uint8: what every object shows, the mark burnt in."""
    return to_uint8(mark(to_uint8(image.pixels), image.request.mark))


def _grey_scale(ds: Dataset, image: GeneratedImage) -> None:
    """Modality LUT and VOI LUT modules (C.11.1, C.11.2): greys 0-255 are -1350 to +150 HU, or just greys."""
    if in_hounsfield(image):
        ds.RescaleIntercept = f"{LUNG_INTERCEPT_HU:g}"
        ds.RescaleSlope = f"{LUNG_SLOPE_HU:.14f}"  # 16 characters, as many as DICOM keeps
        ds.RescaleType = "HU"
        ds.WindowCenter, ds.WindowWidth = f"{LUNG_CENTER_HU:g}", f"{LUNG_WIDTH_HU:g}"
        ds.WindowCenterWidthExplanation = "LUNG"
    else:
        ds.WindowCenter, ds.WindowWidth = "128", "256"
