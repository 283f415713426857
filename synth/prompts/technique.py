"""How the picture was taken: modality, view and body part out of plain words, and the text that is left."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synth.prompts.patient import MARK
from synth.types import Modality, View

_FILM = r"x-? ?rays?|xr|radiographs?|radiography|films?|roentgenograms?|plain films?"
_MODALITIES: tuple[tuple[Modality, re.Pattern[str]], ...] = (
    (Modality.PET, re.compile(r"\b(?:fdg[- ]?)?pet(?:[-/ ]?ct)?\b(?: scans?)?|\bpositron emission tomograph\w*")),
    (Modality.CT, re.compile(
        r"\b(?:hr|ld)?cta?(?:pa)?\b(?:[- ]?(?:scans?|slices?|images?|sections?|thorax|chest))*(?![- ]guided)"
        r"|\bcat[- ]scans?\b|\bcomputeri[sz]ed tomogra\w+|\bcomputed tomogra\w+|\bct[- ]scan\w*"
        r"|\b(?:trans)?axial (?:chest |thoracic |lung |thin )?(?:slices?|images?|sections?|views?|cuts?)\b"
        r"|\b(?:lung|mediastinal|soft[- ]tissue) windows?\b(?: settings?)?"
        r"|\btomograms?\b|\bslices?\b|\bcross-?[- ]?section(?:al)?(?: images?| slices?)?\b")),
    (Modality.MR, re.compile(r"\bmri\b(?: scans?)?|\bmr\b(?: images?| scans?| imaging)?"
                             r"|\bmagnetic resonance\b(?: imaging)?|\bflair\b|\bt[12][- ]?(?:weighted|w|flair)\b")),
    (Modality.DX, re.compile(rf"\b(?:chest[- ])?(?:{_FILM})\b(?: of the chest| chest)?|\bcxrs?\b|\bpcxr\b"
                             r"|(?:(?<=\bpa )|(?<=\bap )|(?<=\bportable )|(?<=\bfrontal )"
                             r"|(?<=\bsupine )|(?<=\berect ))chest\b")),
)  # fmt: skip
_ELSEWHERE = (
    ("a mammogram", re.compile(r"\bmammogra\w+|\bmammo\b|\btomosynthesis\b")),
    ("an ultrasound image", re.compile(r"\bultrasounds?\b|\bsonogra\w+|\bultrasonogra\w+|\becho(?:cardiogra\w+)?\b")),
    ("a scintigram", re.compile(r"\bspect\b|\bscintigra\w+|\bbone scans?\b|\bv/q scans?\b")),
    ("an endoscopy image", re.compile(r"\b(?:col|gastr|bronch)oscop\w+|\bendoscop\w+")),
    ("a fundus image", re.compile(r"\bfundus\b(?: photo\w*| image\w*)?|\bretinal (?:photo|image)\w*")),
    ("an angiogram", re.compile(r"\bangiogra(?:m|ms|phy|phic)\b|\bfluoroscop\w+")),
)
_PART = (
    r"(?:brain|head|skull|cranial|cerebral|abdom\w+|pelvi[sc]|knees?|hands?|wrists?|foot|feet|ankles?|hips?|elbows?"
    r"|femur|tibia|teeth|dental|lumbar|cervical|breasts?|liver|kidneys?|hepatic|renal|cardiac|prostate)(?: spine)?"
)
_PARTS = re.compile(rf"\b{_PART}\b")
_OTHER_PART = re.compile(rf"\b{_PART}\s*§|§\s*(?:of |for )?(?:the |a |his |her )?(?:left |right |both )?{_PART}\b")
_LATERAL = r"(?:(?:left|right)[- ])?(?:lateral|lat)"
_NOT_DRAWN = re.compile(
    rf"(?:\b(?:and|plus)\b|/|\+|,)? ?\b{_LATERAL}(?: decubitus)?(?: (?:views?|projections?|images?|chest(?! wall)))+"
    rf"|(?:\b(?:and|plus)\b|/|\+|,)? ?\b{_LATERAL}(?=\s*§)|^{_LATERAL}(?=\s*(?:,|of\b|$))"
    rf"|(?<=\b[pa][pa]) ?(?:and|/|\+|,) ?{_LATERAL}\b"
    rf"|\b(?:{_LATERAL} )?(?:decubitus|lordotic|oblique|expiratory)\b(?: (?:view|film))?"
    r"|\b(?:coronal|sagittal)\b(?: (?:reformat\w*|reconstruction\w*|view|plane|slice|image)\b)?"
)
_PA = re.compile(
    r"\bpa\b(?:[- ]?(?:views?|projections?|erect|upright))?|\bpostero-? ?anterior\b"
    r"|\bposterior(?:-| to | )anterior\b"
)
_AP = re.compile(
    r"\bap\b(?:[- ]?(?:views?|projections?|supine|portable|erect))?|\bantero-? ?posterior\b"
    r"|\banterior(?:-| to | )posterior\b"
)
_LYING = re.compile(
    r"\b(?:portable|supine|bedside|mobile|semi-?[- ]?(?:erect|upright|recumbent)|recumbent|lying(?: down| flat)?"
    r"|sitting|seated|in bed|at the bedside|on his back|on her back|icu (?:film|chest)|itu (?:film|chest))\b"
)
_STANDING = re.compile(r"\b(?:frontal|erect|upright|standing(?: up)?)\b")


@dataclass(frozen=True, slots=True)
class Technique:
    """Modality (None: named, but none that can be made), view (None: not said) and the text without their words."""

    modality: Modality | None
    view: View | None
    said: bool  # the prompt names a modality or a view
    rest: str
    notes: tuple[str, ...]


def read_technique(text: str) -> Technique:
    """Read modality and view from plain text; nothing said means a chest film. Pure; raises nothing."""
    notes: list[str] = []
    for name, pattern in _ELSEWHERE:
        if pattern.search(text):
            notes.append(f"{name.capitalize()} is not available on this page; it draws chest X-rays and CT slices.")
            text = take(pattern, text)
    elsewhere = bool(notes)
    named, text = _modality(text, notes)
    text = _odd_view(text, named, notes)
    other = _OTHER_PART.search(text)
    if named in (Modality.MR, Modality.PET):
        name, others = ("MRI", "a CT or PET") if named is Modality.MR else ("PET", "an MRI")
        notes.append(f"{name} is not available on this page; the Translate page makes one from {others} brain slice.")
        text = take(_PARTS, text)
    elif other:
        part = _PARTS.search(other[0])
        name = part[0] if part else other[0]
        notes.append(f"An image of the {name} is not available on this page; it draws the chest.")
        return Technique(None, None, True, take(_PARTS, text), tuple(notes))
    modality = named or (None if elsewhere else Modality.DX)
    view, text = _view(text, modality, notes)
    return Technique(modality, view, named is not None or view is not None or bool(notes), text, tuple(notes))


def take(pattern: re.Pattern[str], text: str) -> str:
    """`text` with a mark where `pattern` stood."""
    return re.sub(r"[ \t]+", " ", pattern.sub(MARK, text))


def _odd_view(text: str, named: Modality | None, notes: list[str]) -> str:
    """Name the views that cannot be drawn and take them out."""
    found = _NOT_DRAWN.search(text)
    if found is None:
        return text
    words = re.sub(r"^(?:and|plus|/|\+|,)", "", found[0].strip()).strip()
    made = "an axial slice" if named is Modality.CT else "a frontal film"
    notes.append(f"A {words} view cannot be drawn; {made} is made.")
    return take(_NOT_DRAWN, text)


def _modality(text: str, notes: list[str]) -> tuple[Modality | None, str]:
    """The modality named first, and the text without the names of all."""
    found = sorted((match.start(), m) for m, pattern in _MODALITIES if (match := pattern.search(text)))
    for _, pattern in _MODALITIES:
        text = take(pattern, text)
    if len(found) > 1:
        notes.append(f"Several modalities are named; the first, {found[0][1].value}, is used.")
    return (found[0][1] if found else None), text


def _view(text: str, modality: Modality | None, notes: list[str]) -> tuple[View | None, str]:
    """The explicit view, else the one that the patient's posture means."""
    pa, ap, lying, standing = (p.search(text) for p in (_PA, _AP, _LYING, _STANDING))
    for pattern in (_PA, _AP, _LYING, _STANDING):
        text = take(pattern, text)
    if modality is not None and modality is not Modality.DX:
        return View.AXIAL, text
    if pa and ap:
        first = View.PA if pa.start() < ap.start() else View.AP
        notes.append(f"Both PA and AP are named; {first.value} is used.")
        return first, text
    if pa or ap:
        return (View.PA if pa else View.AP), text
    posture = lying or standing
    if posture is None:
        return None, text
    view = View.AP if lying else View.PA
    notes.append(f"{posture[0]!r} is read as {view.value}.")
    return view, text
