"""A request in words: the caption for the text encoder, a sentence for the user, what the model has not learnt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypedDict, Unpack

from synth.captions import MAGNIFIED, Labels, caption, modality_words
from synth.close_up import shows_magnified
from synth.errors import RequestError
from synth.findings import VOCABULARY, term
from synth.prompts.identifiers import guard
from synth.prompts.reading import ParsedPrompt
from synth.types import Edit, Finding, GenerationRequest, Modality, ModelCard, Sex, View

ADULT = 18  # years; below, a patient is a boy or a girl
_BODY = {
    Modality.DX: "chest",
    Modality.CT: "chest",
    Modality.MR: "brain",
    Modality.PET: "brain",
    Modality.OTHER: "other",
}
_IMAGE = {
    Modality.DX: "X-ray",
    Modality.CT: "CT slice",
    Modality.MR: "MRI slice",
    Modality.PET: "PET slice",
    Modality.OTHER: "image",
}
_CAPTION = {Modality.DX: "DX", Modality.CT: "CT", Modality.MR: "MR", Modality.PET: "PET", Modality.OTHER: "OT"}


class SamplingSettings(TypedDict, total=False):
    """The fields of a request that are set on the page, not typed in the prompt."""

    size_px: int
    seed: int
    steps: int
    guidance: float
    sampler: str
    model_id: str
    edit: Edit | None
    lung_window: bool


def to_request(parsed: ParsedPrompt, note: str, **settings: Unpack[SamplingSettings]) -> GenerationRequest:
    """The request of an understood prompt; a film without a view is PA.

    Raises RequestError when the prompt names an image that cannot be made here or a setting is out of range, and
    PolicyError when `note` holds an identifier.
    """
    guard(note)
    if parsed.modality not in (Modality.DX, Modality.CT):
        reason = next((n for n in parsed.notes if "not available" in n), "This image is not available on this page.")
        raise RequestError(reason)
    return GenerationRequest(
        modality=parsed.modality,
        view=parsed.view or (View.PA if parsed.modality is Modality.DX else View.AXIAL),
        sex=parsed.sex,
        age=parsed.age,
        findings=parsed.findings,
        absent=parsed.absent,
        note=note,
        **settings,
    )


def render(request: GenerationRequest) -> str:
    """The caption that the text encoder reads. The origin token is left to the model."""
    if request.edit is not None and request.edit.mode == "translate":  # the pairs were learnt by these words alone
        return modality_words(_CAPTION[request.modality], "brain")
    return _closer(request) + caption(_labels(request))


def render_unasked(request: GenerationRequest) -> str:
    """The caption of the same view and patient that says nothing on findings: what guidance leads away from.

    Led away from no caption at all, every portable film would become as ill as the average one.
    """
    if request.edit is not None and request.edit.mode == "translate":
        return ""
    return _closer(request) + caption(replace(_labels(request), findings=None, absent=()))


def _closer(request: GenerationRequest) -> str:
    """How the captions of magnified slices begin: they show nodules, and no other finding."""
    return f"{MAGNIFIED}, " if shows_magnified(request) else ""


def _labels(request: GenerationRequest) -> Labels:
    return Labels(
        modality=_CAPTION[request.modality],
        body_part=_BODY[request.modality],
        view=request.view.value if request.view in (View.PA, View.AP) else None,
        sex=request.sex.value if request.sex else None,
        age=request.age,
        findings=request.findings,
        absent=request.absent,
    )


_EDITED = {
    "add": "; the finding was drawn into another image.",
    "remove": "; a lesion was removed from another image.",
    "variation": "; a variation of another image.",
}
_RESTORED = {
    "low_light": "low light",
    "gaussian": "Gaussian noise",
    "poisson": "Poisson noise",
    "blur": "blur",
    "enlarge_2": "a size of half",
    "enlarge_4": "a size of a quarter",
    "stripes": "lost stripes",
    "blocks": "lost blocks",
}


def describe(request: GenerationRequest) -> str:
    """One sentence for a person, which `parse` reads back (but for an edit). Holds no free text of the prompt."""
    if request.edit is not None and request.edit.restoration is not None:
        asked = request.edit.restoration
        return f"Another image ({asked.group or 'of no named group'}), restored from {_RESTORED[asked.kind]}."
    view = {View.PA: "PA ", View.AP: "AP ", View.AXIAL: "Axial "}[request.view] if request.view else ""
    image = f"{view}{_BODY[request.modality]} {_IMAGE[request.modality]}"
    if request.edit is not None and request.edit.source is not None:
        source = _IMAGE[Modality(request.edit.source)]
        return f"Brain {_IMAGE[request.modality]}, translated from another picture ({source})."
    sentence = f"{image[0].upper()}{image[1:]} of {_patient(request)}"
    sentence += f" with {_listed(map(_words, request.findings), 'and')}" if request.findings else ", normal"
    if request.absent:
        sentence += f", without {_listed((term(code).name for code in request.absent), 'or')}"
    if request.edit is None:
        return f"{sentence}."
    stage = f", {request.edit.stage} of an imagined course" if request.edit.stage else ""
    return f"{sentence}{_EDITED[request.edit.mode].removesuffix('.')}{stage}."


def _patient(request: GenerationRequest) -> str:
    child = request.age is not None and request.age < ADULT
    noun = {Sex.MALE: "boy" if child else "man", Sex.FEMALE: "girl" if child else "woman", None: "patient"}[request.sex]
    if request.age is None:
        return f"a {noun}"
    article = "an" if str(request.age).startswith("8") or request.age in (11, 18) else "a"
    return f"{article} {request.age}-year-old {noun}"


def _words(finding: Finding) -> str:
    """For instance "mild right lower zone pneumonia"."""
    zone = f"{finding.zone.value} zone" if finding.zone else ""
    parts = (finding.severity, finding.side, zone, term(finding.code).name)
    return " ".join(str(part) for part in parts if part)


def _listed(words: Iterable[str], last: str) -> str:
    """Commas and one "and" or "or"."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail


def unlearnt(findings: Iterable[Finding], card: ModelCard) -> tuple[str, ...]:
    """One sentence for each finding that the model of `card` has not learnt from text, with its training images."""
    sentences = []
    for code in dict.fromkeys(finding.code for finding in findings):
        if code in card.text_findings:
            continue
        count = card.training_counts.get(code, 0)
        images = f"{count or 'no'} training image{'' if count == 1 else 's'}"
        name = VOCABULARY[code].name if code in VOCABULARY else code.replace("_", " ")
        ending = "; it can be drawn as a lesion with a mask." if code in card.drawn_findings else "."
        sentences.append(f"The model has not learnt {name} from text: {images}{ending}")
    return tuple(sentences)
