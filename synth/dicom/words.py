"""Words of headers and of a metadata.csv as codes: modality, view, sex, age in years."""

from __future__ import annotations

import re

_MODALITIES = {"CR": "DX", "XR": "DX", "CXR": "DX", "X-RAY": "DX", "XRAY": "DX", "PET": "PT", "MRI": "MR"}
_SEXES = {"M": "M", "MALE": "M", "F": "F", "FEMALE": "F"}
_AGE = re.compile(r"(\d{1,3})(?:\.0)?\s*([YMWD]?)", re.IGNORECASE)  # 58, 58.0, 058Y (DICOM AS, PS3.5 6.2)
_OLDEST = 120  # NIH ChestX-ray14 has ages such as 411: taken as unknown


def modality(text: str) -> str:
    """DX, CT, MR or PT; other words in capitals, "" for nothing."""
    word = text.strip().upper()
    return _MODALITIES.get(word, word)


def view(text: str) -> str | None:
    """PA, AP ("AP Supine" too), AXIAL, LATERAL; other words in capitals, None for nothing."""
    word = text.strip().upper()
    if re.match(r"(PA|AP)\b", word):
        return word[:2]
    return {"L": "LATERAL", "LL": "LATERAL"}.get(word, word) or None


def sex(text: str) -> str | None:
    """F or M; None for anything else."""
    return _SEXES.get(text.strip().upper())


def age(text: str) -> int | None:
    """Whole years of "58", "058Y" or "006M"; None for nothing, for other text and above 120 years."""
    match = _AGE.fullmatch(text.strip())
    if match is None:
        return None
    years = int(match[1]) // {"M": 12, "W": 52, "D": 365}.get(match[2].upper(), 1)
    return years if years <= _OLDEST else None
