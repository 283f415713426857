"""The words of a metadata.csv as codes: findings of `synth.findings`, modality, view, sex, age in years."""

from __future__ import annotations

import re

from synth.dicom.words import age as age
from synth.dicom.words import modality as modality
from synth.dicom.words import sex as sex
from synth.dicom.words import view as view

NORMAL = "normal"
# words of NIH ChestX-ray14, CheXpert, MIMIC-CXR and RSNA that are not their own code
_FINDINGS = {
    "no_finding": NORMAL,
    "no_findings": NORMAL,
    "healthy": NORMAL,
    "effusion": "pleural_effusion",
    "covid": "covid_19",
    "covid19": "covid_19",
    "opacity": "lung_opacity",
    "airspace_opacity": "lung_opacity",
    "pulmonary_edema": "edema",
    "oedema": "edema",
    "ground_glass": "ground_glass_opacity",
    "ggo": "ground_glass_opacity",
    "tb": "tuberculosis",
    "lung_nodule": "nodule",
    "lung_mass": "mass",
    "hemorrhage": "haemorrhage",
    "pituitary_tumor": "pituitary_tumour",
}


def findings(text: str) -> tuple[str, ...]:
    """Codes of "Effusion|Pleural_Thickening"; ("normal",) for "No Finding", () for nothing. Other words stay."""
    words = [re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_") for word in text.split("|")]
    codes = tuple(dict.fromkeys(_FINDINGS.get(word, word) for word in words if word))
    return codes if codes == (NORMAL,) else tuple(code for code in codes if code != NORMAL)
