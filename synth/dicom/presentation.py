"""The outline of the drawn lesion as a Grayscale Softcopy Presentation State (DICOM PS3.3 A.33.1) of its image."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from highdicom.pr import (
    AnnotationUnitsValues,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GraphicTypeValues,
    GrayscaleSoftcopyPresentationState,
)
from pydicom import dcmread

from synth.dicom.encode import derived_file, equipment, uid
from synth.dicom.objects import Kind, Study, encode_as, identity_of
from synth.errors import DicomError
from synth.types import GeneratedImage

LAYER = "LESION"


def encode_presentation(
    image: GeneratedImage,
    lines: Sequence[npt.NDArray[np.float64]],
    description: str,
    kind: Kind = Kind.SECONDARY_CAPTURE,
    study: Study | None = None,
) -> bytes:
    """A DICOM part-10 file with closed polylines that refers to `encode_as` of the rest.

    Each of `lines` is (N, 2): x and y in px from the corner of the first pixel, the unit PIXEL of PS3.3 C.10.5. The
    same image and lines give the same UIDs. Raises DicomError where there is no line.
    """
    if not lines:
        raise DicomError("The mask is empty; there is no lesion to export.")
    source = dcmread(io.BytesIO(encode_as(image, description, kind, study)))
    drawn = hashlib.sha256(b"".join(line.tobytes() for line in lines)).hexdigest()
    identity = f"{identity_of(image, kind, study)}:{drawn}"  # another outline is another object
    layer = GraphicLayer(LAYER, 1, "Outline of the drawn lesion")
    objects = [GraphicObject(GraphicTypeValues.POLYLINE, line, AnnotationUnitsValues.PIXEL) for line in lines]
    result = GrayscaleSoftcopyPresentationState(
        referenced_images=[source],
        series_instance_uid=uid(identity_of(image, kind, study), "presentation series"),
        series_number=source.SeriesNumber + 2,
        sop_instance_uid=uid(identity, "presentation"),
        instance_number=1,
        **equipment(image),
        content_label=LAYER,
        content_description="Outline of the drawn lesion",
        graphic_annotations=[GraphicAnnotation([source], layer, graphic_objects=objects)],
        graphic_layers=[layer],
    )
    result.BodyPartExamined = source.BodyPartExamined
    return derived_file(result)
