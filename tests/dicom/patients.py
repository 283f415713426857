"""Headers of invented patients: a CT slice and a film as a scanner writes them, and one stuffed with identifiers."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from pydicom import config, dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
)

from synth.dicom.encode import part10
from tests.phantoms import axial_slice, film

KEY = b"0123456789abcdef0123456789abcdef"


def read(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))


def written(ds: Dataset) -> bytes:
    with config.disable_value_validation():
        return part10(ds)


def coded(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def ct(instance: int = 1, day: str = "20200310", patient: str = "4711", size_px: int = 64) -> Dataset:
    """A slice with what a CT image must have (PS3.3 A.3), of Erika Muster, who is invented."""
    ds = _common(axial_slice(size_px), CTImageStorage, "CT", instance)
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
    ds.PatientID, ds.PatientName = patient, "MUSTER^ERIKA"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = "1.2.3.4.5.6", ""
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-100, -100, 5 * instance], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.SliceThickness, ds.KVP, ds.AcquisitionNumber = [0.7, 0.7], 5, 120, 1
    ds.PatientPosition, ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "HFS", 0, 1, "HU"
    return ds


def dx(pixels: npt.NDArray[Any] | None = None) -> Dataset:
    """A film with what a digital X-ray image for presentation must have (PS3.3 A.26)."""
    ds = _common(film(64) if pixels is None else pixels, DigitalXRayImageStorageForPresentation, "DX", 1)
    ds.ImageType, ds.PatientOrientation = ["DERIVED", "PRIMARY"], ["L", "F"]
    ds.ImageLaterality, ds.ViewPosition, ds.PositionerType, ds.DetectorType = "U", "PA", "", ""
    ds.AnatomicRegionSequence = [coded("51185008", "SCT", "Chest of Erika Muster")]
    ds.ViewCodeSequence = [coded("399348003", "SCT", "antero-posterior")]
    ds.AcquisitionContextSequence = []
    ds.ImagerPixelSpacing, ds.PresentationIntentType, ds.PresentationLUTShape = (
        [0.7, 0.7],
        "FOR PRESENTATION",
        "IDENTITY",
    )
    ds.PixelIntensityRelationship, ds.PixelIntensityRelationshipSign = "LOG", -1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType, ds.LossyImageCompression = 0, 1, "US", "00"
    ds.BurnedInAnnotation, ds.WindowCenter, ds.WindowWidth = "NO", 128, 256
    ds.AcquisitionDate, ds.AcquisitionTime = "20200310", "101500"
    return ds


def _common(pixels: npt.NDArray[Any], sop_class: UID, modality: str, instance: int) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SpecificCharacterSet, ds.SOPClassUID, ds.Modality = "ISO_IR 100", sop_class, modality
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.4.7.{instance}"
    ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4.1", "1.2.3.4.2"
    ds.StudyDate, ds.StudyTime, ds.ContentDate, ds.ContentTime = "20200310", "101112", "20200310", "101500"
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = "ACC0815", "99", "HAUSARZT^HANS"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate, ds.PatientSex = "MUSTER^ERIKA", "4711", "19610515", "F"
    ds.Manufacturer, ds.ManufacturerModelName, ds.StationName = "SIEMENS", "Room 7", "CTAWP12345"
    ds.InstitutionName, ds.StudyDescription, ds.SeriesDescription = "St. Nowhere", "Chest of Ms Muster", "5 mm"
    ds.SeriesNumber, ds.InstanceNumber, ds.BodyPartExamined = 3, instance, "CHEST"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated = ds.BitsStored = 8 * pixels.dtype.itemsize
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(pixels.dtype.kind == "i")
    ds.add_new("PixelData", "OW" if ds.BitsAllocated == 16 else "OB", pixels.tobytes())
    return ds


def stuffed() -> bytes:
    """The file of `_stuffed`, written although its values are none of their types."""
    with config.disable_value_validation():
        return part10(_stuffed()) + b"CANARY NAME after the end"


def _stuffed() -> Dataset:
    """A film with the words CANARY and NAME wherever a header can hold text that no table thinks of."""
    ds = dx()
    ds.file_meta.SourceApplicationEntityTitle = "CANARY"
    ds.file_meta.PrivateInformationCreatorUID = "1.2.3"
    ds.file_meta.PrivateInformation = b"CANARY^NAME "
    ds.preamble = b"CANARY^NAME".ljust(128, b"\0")
    inner = Dataset()
    inner.PatientName, inner.PatientID, inner.PatientComments = "CANARY^NAME", "CANARY", "CANARY NAME"
    inner.private_block(0x0011, "CANARY NAME", create=True).add_new(1, "LO", "CANARY")
    outer = Dataset()
    inner.add_new("ExposureControlModeDescription", "LT", "CANARY NAME")
    outer.CTExposureSequence, outer.ImageComments = [inner], "CANARY NAME"
    ds.CTExposureSequence = [outer]
    ds.private_block(0x0009, "CANARY CREATOR", create=True).add_new(1, "UT", "CANARY^NAME was here")
    ds.private_block(0x0019, "GEMS_ACQU_01", create=True).add_new(0x27, "LO", "CANARY")
    ds.FrameOfReferenceUID, ds.IrradiationEventUID = "1.2.CANARY.NAME", "1.2.3.CANARY"
    ds.ProcedureCodeSequence = [coded("CANARY", "99LOCAL", "Name: CANARY")]
    ds.AnatomicRegionSequence = [coded("51185008", "SCT", "Chest of CANARY NAME")]
    ds.Manufacturer, ds.ConvolutionKernel, ds.RescaleType = "CANARY NAME", "CANARY", "CANARY"
    ds.DetectorDescription, ds.ExposureControlModeDescription = "of CANARY NAME", "CANARY NAME"
    ds.WindowCenterWidthExplanation, ds.PerformedProtocolCodeSequence = "CANARY", [coded("1", "DCM", "CANARY")]
    ds.add_new(0x60000010, "US", 8)
    ds.add_new(0x60000022, "LO", "CANARY NAME")
    ds.add_new(0x60003000, "OB", b"CANARY^NAME ")
    ds.add_new(0x60021500, "LO", "CANARY NAME")
    ds.add_new(0x50003000, "OB", b"CANARY^NAME ")
    ds.add_new(0xFFFCFFFC, "OB", b"CANARY^NAME ")
    ds.add_new(0x00081235, "LO", "CANARY NAME")  # even, and in no dictionary
    ds.add_new(0x00080041, "LO", "CANARY NAME")  # retired
    ds.add_new("ViewPosition", "CS", "canary^name")
    ds.add_new("ContentDate", "DA", "CANARY")
    ds.add_new("StudyTime", "TM", "CANARY")
    ds.add_new("ICCProfile", "OB", b"CANARY^NAME ")
    ds.IconImageSequence = Sequence([dx()])
    ds.IconImageSequence[0].ImageComments = "CANARY"
    ds.DigitalSignaturesSequence = Sequence([Dataset()])
    ds.DigitalSignaturesSequence[0].add_new("CertificateOfSigner", "OB", b"CANARY^NAME ")
    return ds


def lettered(
    pixels: npt.NDArray[np.uint8], text: str, size: float, at: tuple[int, int], grey: int = 255
) -> npt.NDArray[np.uint8]:
    """The picture with a text of this height at (x, y)."""
    picture = Image.fromarray(pixels.copy())
    ImageDraw.Draw(picture).text(at, text, fill=grey, font=ImageFont.load_default(size))
    return np.asarray(picture)
