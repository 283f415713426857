"""The drawn lesion as a DICOM Segmentation (PS3.3 A.51) of the image that it was drawn on."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import numpy.typing as npt
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from pydicom import dcmread

from synth.dicom.encode import derived_file, equipment, uid
from synth.dicom.objects import Kind, Study, encode_as, identity_of
from synth.errors import DicomError
from synth.findings import VOCABULARY
from synth.types import GeneratedImage

_ABNORMAL = CodedConcept("49755003", "SCT", "Morphologically abnormal structure")  # CID 7150
_LESION = CodedConcept("52988006", "SCT", "Lesion")


def encode_segmentation(
    image: GeneratedImage,
    lesion: npt.NDArray[np.bool_],
    description: str,
    kind: Kind = Kind.SECONDARY_CAPTURE,
    study: Study | None = None,
) -> bytes:
    """A DICOM part-10 file: one binary segment, drawn by hand, that refers to `encode_as` of the rest.

    `lesion` is (H, W), as large as the image. The same image and mask give the same UIDs. Raises DicomError where the
    sizes differ or nothing is drawn.
    """
    if lesion.shape != image.pixels.shape:
        raise DicomError(f"The mask is {lesion.shape}, the image {image.pixels.shape}; they must be of one size.")
    if not lesion.any():
        raise DicomError("The mask is empty; there is no lesion to export.")
    source = dcmread(io.BytesIO(encode_as(image, description, kind, study)))
    drawn = hashlib.sha256(np.packbits(lesion).tobytes()).hexdigest()
    identity = f"{identity_of(image, kind, study)}:{drawn}"  # another mask is another object
    code = image.request.findings[0].code if image.request.findings else ""
    finding = VOCABULARY.get(code)
    name = finding.name if finding else "lesion"
    concept = CodedConcept(finding.snomed, "SCT", name) if finding and finding.snomed else _LESION
    segment = SegmentDescription(1, name, _ABNORMAL, concept, SegmentAlgorithmTypeValues.MANUAL)
    result = Segmentation(
        source_images=[source],
        pixel_array=lesion.astype(np.uint8),
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=[segment],
        series_instance_uid=uid(identity_of(image, kind, study), "segmentation series"),
        series_number=source.SeriesNumber + 1,
        sop_instance_uid=uid(identity, "segmentation"),
        instance_number=1,
        **equipment(image),
        content_description=name[:64],
    )
    result.PatientOrientation = source.PatientOrientation
    return derived_file(result)
