"""A row of the data to what its caption may say: the labels in the words of `synth.findings`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synth.captions import MAGNIFIED, Labels
from synth.types import Finding

CODES = {
    "pneumonia": "pneumonia",
    "bacterial": "bacterial_pneumonia",
    "viral": "viral_pneumonia",
    "covid-19": "covid_19",
    "effusion": "pleural_effusion",
    "infiltration": "infiltration",
    "nodule": "nodule",
    "lung opacity": "lung_opacity",
    "edema": "edema",
    "atelectasis": "atelectasis",
    "tuberculosis": "tuberculosis",
    "pleural thickening": "pleural_thickening",
    "consolidation": "consolidation",
    "cardiomegaly": "cardiomegaly",
    "mass": "mass",
    "fibrosis": "fibrosis",
    "pneumothorax": "pneumothorax",
    "emphysema": "emphysema",
    "hernia": "hernia",
    "ards": "ards",
    "pneumocystis": "pneumocystis",
    "ground-glass opacity": "ground_glass_opacity",
    "lung cancer": "lung_cancer",
    "haemorrhage": "haemorrhage",
    "glioma": "glioma",
    "meningioma": "meningioma",
    "pituitary tumour": "pituitary_tumour",
    "benign": "benign",
    "malignant": "malignant",
}
_NORMAL = {"no finding", "normal", "no covid-19", "no tumour"}
_BACTERIA = {"e.coli", "klebsiella", "legionella", "mycoplasma bacterial pneumonia", "streptococcus"}
_ORIGINS = (  # beginning of the column `origin` -> token
    ("NIH ChestX-ray14", "nih"),
    ("Kermany", "kermany"),
    ("COVID-19 Radiography", "covidb"),
    ("Hannover", "hannover"),
    ("JSRT", "jsrt"),
    ("Montgomery", "montgomery"),
    ("Shenzhen", "shenzhen"),
    ("ieee8023", "ieee"),
    ("LIDC", "lidc"),
    ("SARS-CoV-2", "sarsct"),
    ("TCIA Lung-PET", "petct"),
    ("coronacases", "corona"),
    ("medicalsegmentation", "medseg"),
    ("Kaggle siim", "siim"),
    ("Kaggle felipekitamura", "headct"),
    ("Harvard", "harvard"),
    ("mixed (figshare", "figshare"),
    ("MSD", "msd"),
    ("RSNA Pediatric", "boneage"),
    ("mini-MIAS", "mias"),
    ("BUSI", "busi"),
    ("CVC", "cvc"),
    ("Kvasir", "kvasir"),
    ("CHASE", "chase"),
    ("DRIVE", "drive"),
)


def labels_of(row: dict[str, Any]) -> Labels:
    """The labels of one row of the parquet shards."""
    view = row["view"] or ""
    age = row["age"]
    return Labels(
        modality="PT" if row["modality"] in ("PET", "SPECT") else row["modality"],
        body_part=row["body_part"].split("/")[0].lower(),
        view="AP" if view.startswith("AP") else view if view in ("PA", "MLO") else None,
        sex=row["sex"] if row["sex"] in ("M", "F") else None,
        age=None if age is None or age != age else int(age),
        findings=findings_of(row["findings"]),
        origin=next((token for start, token in _ORIGINS if row["origin"].startswith(start)), None),
        extra=MAGNIFIED if "crop" in view else None,
    )


def kind_of(labels: Labels) -> int:
    """The kind of picture for the Gaussian prior: 0 adult film, 1 child's film, 2 chest CT slice, 3 anything else."""
    if labels.body_part != "chest" or labels.extra:
        return 3
    if labels.modality == "CT":
        return 2
    return 1 if labels.origin == "kermany" else 0


def findings_of(words: Sequence[str] | None) -> tuple[Finding, ...] | None:
    """Label words to findings; None when the words say nothing about findings."""
    lowered = [word.lower() for word in words or ()]
    codes = [CODES[word] for word in lowered if word in CODES]
    codes += ["bacterial_pneumonia" for word in lowered if word in _BACTERIA]
    if any(code.endswith("_pneumonia") for code in codes):
        codes = [code for code in codes if code != "pneumonia"]
    if codes:
        return tuple(Finding(code) for code in dict.fromkeys(codes))
    return () if any(word in _NORMAL for word in lowered) else None
