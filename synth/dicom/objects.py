"""A synthetic image as the DICOM object that a training PACS expects, in a study with what belongs to it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

import numpy as np
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID, CTImageStorage, DigitalXRayImageStorageForPresentation

from synth.dicom.encode import in_hounsfield, mode, part10, secondary_capture, shown, uid
from synth.errors import DicomError
from synth.types import GeneratedImage, Modality, View

# Width in mm that the picture is given where DICOM demands a spacing: a 35 cm cassette, a usual lung field of view.
NOMINAL_WIDTH_MM = 350.0
NOMINAL_SPACING = " Pixel spacing is nominal (350 mm a width) because DICOM demands one; nothing may be measured."
_SLICE_MM = "1"  # nominal too
_NUMBERS_MAX = 2**31 - 1  # IS, PS3.5 section 6.2
_EDITED = 5  # series numbers of edits lie so much higher


class Kind(StrEnum):
    """Which DICOM object is made: the honest default, or one that passes for an acquired image in its headers."""

    SECONDARY_CAPTURE = "secondary_capture"
    DX = "dx"
    CT = "ct"


_SERIES_NUMBER = {Kind.SECONDARY_CAPTURE: 1, Kind.DX: 11, Kind.CT: 21}

_VIEWS: dict[View | None, tuple[str, str, str]] = {  # PS3.16 CID 4010
    View.PA: ("399348003", "SCT", "postero-anterior"),
    View.AP: ("399067008", "SCT", "antero-posterior"),
}


@dataclass(frozen=True, slots=True)
class Study:
    """What images of one study share: a patient who is nobody, and a day."""

    key: str  # sha256 (hex)
    made_on: date  # UTC
    sex: str = ""
    age: int | None = None  # years


def study_of(image: GeneratedImage, root: GeneratedImage | None = None) -> Study:
    """The study of an image: everything drawn on one day from one request, whatever the seed.

    For an edit `root` is the image that it began with (the base of its base ...): both then lie in one study.
    """
    first = image if root is None else root
    made_on = first.provenance.created_at.date()
    key = hashlib.sha256(f"{_prompt(first)}:{made_on.isoformat()}".encode()).hexdigest()
    return Study(key, made_on, first.request.sex or "", first.request.age)


def encode_as(image: GeneratedImage, description: str, kind: Kind, study: Study | None = None) -> bytes:
    """A DICOM part-10 file as `encode` makes it, but as an object of this kind and in this study.

    Without a study each image has its own. UIDs follow from image, kind and study. Raises DicomError for a kind that
    the image cannot be, and where `encode` does.
    """
    _check(image, kind)
    ds = secondary_capture(image, description)
    identity = identity_of(image, kind, study)
    if identity != image.id:
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid(identity, "instance")
        ds.SeriesInstanceUID = uid(identity, "series")
        ds.SeriesNumber = _SERIES_NUMBER[kind] + (_EDITED if image.request.edit else 0)
    if study is not None:
        _group(ds, image, kind, study)
    if kind in _BUILD:
        _BUILD[kind](ds, image)
    return part10(ds)


def identity_of(image: GeneratedImage, kind: Kind, study: Study | None) -> str:
    """What the UIDs of the object, and of what refers to it, are made of: the image's id for the default one."""
    default = kind is Kind.SECONDARY_CAPTURE and study is None
    return image.id if default else f"{image.id}:{kind}:{study.key if study else ''}"


def _prompt(image: GeneratedImage) -> str:
    return replace(image.request, seed=0).digest()


def _check(image: GeneratedImage, kind: Kind) -> None:
    if kind is Kind.SECONDARY_CAPTURE:
        return
    if mode(image) in ("restore", "translate"):
        raise DicomError(f"A {mode(image)}d image cannot be a {kind.upper()} object; it can be a secondary capture.")
    film = image.request.modality is Modality.DX and image.request.view in _VIEWS
    if kind is Kind.DX and not film:
        raise DicomError("Only a PA or AP film of the chest can be a DX object; this image can be a secondary capture.")
    if kind is Kind.CT and not in_hounsfield(image):
        raise DicomError("Only a CT slice whose greys stand for HU can be a CT object; this image is none.")


def _group(ds: FileDataset, image: GeneratedImage, kind: Kind, study: Study) -> None:
    """Patient, study and series of a group (PS3.3 C.7.1.1, C.7.2.1, C.7.3.1): the same in all its files."""
    ds.PatientName, ds.PatientID = f"SYNTHETIC^{study.key[:16]}", f"SYN-{study.key[:16]}"
    ds.PatientSex = study.sex
    if study.age is not None:
        ds.PatientAge = f"{study.age:03d}Y"
    elif "PatientAge" in ds:
        del ds.PatientAge
    ds.StudyInstanceUID = uid(study.key, "study")
    ds.StudyDate, ds.StudyTime = study.made_on.strftime("%Y%m%d"), "000000"  # the whole day
    if kind is not Kind.CT:  # slices are drawn one by one: in one series a viewer would stack them to a volume
        ds.SeriesInstanceUID = uid(f"{study.key}:{kind}:{_prompt(image)}", "series")
        ds.InstanceNumber = 1 + image.request.seed % _NUMBERS_MAX  # images of a batch have seeds that follow


def _object(ds: FileDataset, sop_class: UID, modality: str) -> None:
    """From a secondary capture to another class: what only the former has goes (PS3.3 C.8.6.1)."""
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.Modality = modality
    del ds.ConversionType
    ds.DerivationDescription += NOMINAL_SPACING


def _spacing(image: GeneratedImage) -> list[str]:
    return [f"{NOMINAL_WIDTH_MM / image.pixels.shape[1]:.6f}"] * 2


def _dx(ds: FileDataset, image: GeneratedImage) -> None:
    """DX For Presentation (PS3.3 A.26.3; modules C.8.11.1-5): 8 bit, for presentation, as a film looks."""
    _object(ds, DigitalXRayImageStorageForPresentation, "DX")
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImageLaterality = "U"  # the chest is not paired
    ds.AnatomicRegionSequence = [_code("51185008", "SCT", "Thoracic structure")]
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1  # bright is dense
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "IDENTITY"
    ds.DetectorType = ds.PositionerType = ""  # there was none
    ds.ImagerPixelSpacing = _spacing(image)
    ds.AcquisitionContextSequence = []
    ds.ViewPosition = str(image.request.view)
    ds.ViewCodeSequence = [_code(*_VIEWS[image.request.view])]


def _ct(ds: FileDataset, image: GeneratedImage) -> None:
    """CT Image (PS3.3 A.3; modules C.7.6.2, C.8.2.1): the same greys in 16 bit, with the same rescale to HU."""
    _object(ds, CTImageStorage, "CT")
    ds.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    ds.FrameOfReferenceUID = uid(str(ds.SOPInstanceUID), "frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.ImagePositionPatient, ds.ImageOrientationPatient = ["0", "0", "0"], ["1", "0", "0", "0", "1", "0"]
    ds.PatientPosition = "HFS"
    ds.PixelSpacing, ds.SliceThickness = _spacing(image), _SLICE_MM
    ds.KVP = ds.AcquisitionNumber = None
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, 12, 11  # C.8.2.1: 8 bit is no CT
    ds.add_new("PixelData", "OW", shown(image).astype(np.uint16).tobytes())


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


_BUILD = {Kind.DX: _dx, Kind.CT: _ct}
