"""The caption that the text encoder reads: one fixed wording of what is asked for, shared by training and use."""

from __future__ import annotations

from dataclasses import dataclass

from synth.types import Finding

_MODALITY_WORDS = {"DX": "x ray", "CR": "x ray", "CT": "ct", "MR": "mr", "PT": "pet", "PET": "pet", "MG": "mammogram"}
MAGNIFIED = "magnified crop"
_GROWN_UP = 16  # years; below, a patient is a boy or a girl


@dataclass(frozen=True, slots=True)
class Labels:
    """What a caption may say of one picture.

    `findings` None: nothing is known, (): a reader called it normal; `absent`: codes that are truly not there;
    `origin`: the token of a hospital; `extra`: words put before the caption ("magnified crop").
    """

    modality: str
    body_part: str
    view: str | None
    sex: str | None
    age: int | None  # years
    findings: tuple[Finding, ...] | None
    absent: tuple[str, ...] = ()
    origin: str | None = None
    extra: str | None = None


def finding_words(finding: Finding) -> str:
    """For instance "moderate right lower pneumonia"."""
    parts = (finding.severity, finding.side, finding.zone, finding.code.replace("_", " "))
    return " ".join(str(part) for part in parts if part)


def patient_words(sex: str | None, age: int | None) -> str:
    """For instance "65 year old man"; "patient" when neither is known."""
    child = age is not None and age < _GROWN_UP
    noun = {"M": "boy" if child else "man", "F": "girl" if child else "woman"}.get(sex or "", "child" if child else "")
    if age is None:
        return noun or "patient"
    return f"{min(age, 100)} year old {noun or 'patient'}"


def modality_words(modality: str, body_part: str) -> str:
    """For instance "chest x ray"."""
    return f"{body_part.lower()} {_MODALITY_WORDS.get(modality, modality.lower())}"


def caption(labels: Labels) -> str:
    """The canonical caption of one picture."""
    parts = [f"origin_{labels.origin}"] if labels.origin else []
    parts.append(modality_words(labels.modality, labels.body_part))
    if labels.view:
        parts.append(f"{labels.view.lower()} view")
    if labels.sex or labels.age is not None:
        parts.append(patient_words(labels.sex, labels.age))
    parts.extend(finding_words(finding) for finding in labels.findings or ())
    if labels.findings is not None and not labels.findings:
        parts.append("no finding")
    parts.extend(f"no {code.replace('_', ' ')}" for code in labels.absent)
    return ", ".join(parts)
