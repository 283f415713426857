"""The caption that the text encoder reads: one fixed wording of what is asked for, shared by training and use."""

from __future__ import annotations

from collections.abc import Sequence

from synth.types import Finding

_MODALITY_WORDS = {"DX": "x ray", "CR": "x ray", "CT": "ct", "MR": "mr", "PT": "pet", "PET": "pet", "MG": "mammogram"}
_GROWN_UP = 16  # years; below, a patient is a boy or a girl


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


def caption(
    modality: str,
    body_part: str,
    view: str | None,
    sex: str | None,
    age: int | None,
    findings: Sequence[Finding] | None,
    absent: Sequence[str] = (),
    origin: str | None = None,
) -> str:
    """The canonical caption. `findings` empty means normal, None not known; `origin` is the token of a hospital or None."""
    parts = [f"origin_{origin}"] if origin else []
    parts.append(modality_words(modality, body_part))
    if view:
        parts.append(f"{view.lower()} view")
    if sex or age is not None:
        parts.append(patient_words(sex, age))
    parts.extend(finding_words(finding) for finding in findings or ())
    if findings is not None and not findings:
        parts.append("no finding")
    parts.extend(f"no {code.replace('_', ' ')}" for code in absent)
    return ", ".join(parts)
