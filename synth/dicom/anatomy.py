"""What a header tells of what is seen: the view, the part of the body, whether a face could be rendered from it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from synth.dicom import words

RENDERED = ("CT", "MR", "PT")  # slices of which surfaces can be rendered (PS3.15 E.3.2)
_HEAD = re.compile(
    r"\b(HEAD|BRAIN|SKULL|FACE|FACIAL|CRANI\w*|CEREBR\w*|NEURO\w*|SINUS(ES)?|ORBITS?|IAC|PITUITARY|MAXILLO\w*|"
    r"MANDIBLE|TEMPORAL BONE|STROKE|NECK|KOPF|SCHÄDEL|SCHAEDEL|GEHIRN|GESICHT|CRÂNE|CRANE|CERVEAU|CABEZA|CEREBRO|"
    r"TESTA|ENCEFALO|WHOLE ?BODY|EYES?|EARS?|JAW|NOSE|DENTAL)(?=[\W_\d]|$)"
)
_SAID = ("BodyPartExamined", "StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription")
_VIEW_CODES = {"R-10206": "AP", "399348003": "AP", "R-10214": "PA", "272479007": "PA"}  # PS3.16 CID 4010
_PLANES = ("SAGITTAL", "CORONAL", "AXIAL")  # whose normal runs along x, y, z of the patient (PS3.3 C.7.6.2.1.1)


def shows_face(ds: Dataset) -> bool:
    """True for slices of the head, neck or whole body by body part, descriptions or codes, read before cleaning."""
    if words.modality(str(ds.get("Modality") or "")) not in RENDERED:
        return False
    said = [str(ds.get(keyword) or "") for keyword in _SAID]
    for item in ds.get("AnatomicRegionSequence") or ():
        said.append(str(item.get("CodeMeaning") or ""))
    return any(_HEAD.search(text.upper().replace("_", " ")) for text in said)


def view(ds: Dataset) -> str | None:
    """PA, AP, LATERAL, AXIAL, CORONAL, SAGITTAL or what View Position says; None where nothing does."""
    said = words.view(str(ds.get("ViewPosition") or ""))
    if said:
        return said
    for item in ds.get("ViewCodeSequence") or ():
        code, meaning = str(item.get("CodeValue") or ""), str(item.get("CodeMeaning") or "").lower()
        found = _VIEW_CODES.get(code) or ("LATERAL" if "lateral" in meaning else None)
        if found:
            return found
    return _plane(_orientation(ds))


def _orientation(ds: Dataset) -> Any:
    if "ImageOrientationPatient" in ds:
        return ds.ImageOrientationPatient
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in (ds.get(keyword) or ())[:1]:
            for plane in group.get("PlaneOrientationSequence") or ():
                return plane.get("ImageOrientationPatient")
    return None


def _plane(orientation: Any) -> str | None:
    """The plane whose normal is nearest to the product of row and column direction."""
    if not orientation or len(orientation) != 6:
        return None
    directions = np.array([float(number) for number in orientation])
    normal = np.abs(np.cross(directions[:3], directions[3:]))
    return _PLANES[int(normal.argmax())] if np.isfinite(normal).all() and normal.any() else None
