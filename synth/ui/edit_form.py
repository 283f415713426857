"""What is to be done to a base image: finding, course, prompt, margin, strength and seed, as requests without masks."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from synth import masks, prompts
from synth.errors import RequestError
from synth.findings import VOCABULARY
from synth.terms import EDIT_GUIDANCE
from synth.types import (
    MARGIN_MAX_PX,
    MARGIN_PX,
    SEED_MAX,
    Edit,
    Finding,
    GenerationRequest,
    Severity,
)
from synth.ui import bases, resources

MODES = {"add": "Add a finding", "remove": "Remove a lesion", "variation": "Vary the image"}
COURSES = {"severity": "Mild to severe", "days": "Follow-up"}
STAGES = (3, 6)
DAYS = (0, 3, 7, 14, 21, 28)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Requests in order, one image each, and for a course the share of the drawn area that its last stage has."""

    requests: tuple[GenerationRequest, ...]
    share: float = 1.0

    def lesions(self, drawn: masks.Area, base: bases.Picture) -> list[masks.Area]:
        """One lesion mask for each request, none for a variation; those of a course grow or shrink in the patient."""
        if len(self.requests) == 1:
            return [] if self.requests[0].edit and self.requests[0].edit.mode == "variation" else [drawn]
        return masks.course(drawn, len(self.requests), self.share, masks.body(base.pixels))


def settings(base: bases.Picture) -> Wanted:
    """The widgets of the form, and what they ask for."""
    mode = st.segmented_control(
        "Edit", tuple(MODES), default="add", required=True, format_func=MODES.__getitem__, key="mode"
    )
    standard = GenerationRequest(model_id=resources.settings().model_id)
    how = {name: getattr(standard, name) for name in ("steps", "guidance", "model_id")}
    request = replace(base.request, absent=(), **how)
    if mode == "variation":
        return Wanted((_variation(request, base),))
    request = replace(request, guidance=EDIT_GUIDANCE)
    stages: tuple[str, ...] = ("",)
    share = 1.0
    findings: tuple[tuple[Finding, ...], ...] = ((),)
    if mode == "add":
        finding, stages, share = _finding()
        findings = tuple((replace(finding, severity=_severity(stage, finding)),) for stage in stages)
    left, right = st.columns(2, gap="small")
    with left:
        margin = st.slider(
            "Margin", 0, MARGIN_MAX_PX, MARGIN_PX, MARGIN_PX, key="margin", help="Pixels around that may change"
        )
    with right:
        seed = _seed()
    edits = (Edit(mode or "add", "", base.origin, "", None, margin, stage=stage) for stage in stages)
    return Wanted(
        tuple(replace(request, findings=f, seed=seed, edit=e) for f, e in zip(findings, edits, strict=True)), share
    )


def _finding() -> tuple[Finding, tuple[str, ...], float]:
    """The finding, the stages of its course ("" alone without one) and the size at the end."""
    card = resources.engine().status().card
    codes = sorted({*card.drawn_findings, *card.text_findings}) if card else ["consolidation"]
    left, right = st.columns(2, gap="small")
    code = left.selectbox("Finding", codes, format_func=lambda c: VOCABULARY[c].name, key="edit_finding")
    course = right.selectbox(
        "Course", tuple(COURSES), index=None, format_func=COURSES.__getitem__, placeholder="one image", key="course"
    )
    severity = None
    if course != "severity":
        severity = st.segmented_control("Severity", tuple(Severity), key="edit_severity")
    if course is None:
        return Finding(code, severity=severity), ("",), 1.0
    left, right = st.columns(2, gap="small")
    with left:
        count = st.slider("Stages", *STAGES, STAGES[0], key="stages")
    with right:
        percent = st.slider(
            "Size at the end", 20, 300, 200, 10, "%d %%", key="share", help="Of the drawn area; below 100 % it shrinks"
        )
    return Finding(code, severity=severity), stage_names(course, count), percent / 100


def stage_names(course: str, count: int) -> tuple[str, ...]:
    """For instance ("day 0", "day 3", "day 7"), or ("mild 1", "mild 2", "moderate 1", ...) where a word comes twice."""
    if course == "days":
        return tuple(f"day {day}" for day in DAYS[:count])
    words = [list(Severity)[number * len(Severity) // count].value for number in range(count)]
    return tuple(
        word if words.count(word) == 1 else f"{word} {words[: number + 1].count(word)}"
        for number, word in enumerate(words)
    )


def _severity(stage: str, finding: Finding) -> Severity | None:
    word = stage.partition(" ")[0]
    return Severity(word) if word in tuple(Severity) else finding.severity


def _variation(request: GenerationRequest, base: bases.Picture) -> GenerationRequest:
    """A variation of the whole picture; an empty prompt keeps what the base image is said to show."""
    strength = st.slider("Strength", 0.05, 1.0, 0.5, key="strength", help="How much of the image is drawn anew")
    prompt = st.text_input("Prompt", key="edit_prompt", placeholder="as it is", persist_state="session")
    request = replace(request, seed=_seed(), edit=Edit("variation", "", base.origin, strength=strength))
    if not prompt.strip():
        return request
    asked = prompted(request, prompt)
    st.caption(f"Understood: {prompts.describe(replace(asked, edit=None))}")
    return asked


def prompted(request: GenerationRequest, prompt: str) -> GenerationRequest:
    """`request` with the findings, sex and age of a prompt, and the remarks on it on the page.

    Raises RequestError where the prompt names another modality than the request has, and what `prompts.parse` raises.
    """
    parsed = prompts.parse(prompt)
    named = prompts.named_modality(prompt)
    if named not in (None, request.modality) or (parsed.modality is None and parsed.notes):
        asked = bases.NAMES.get(named, "another kind of image") if named else "another kind of image"
        raise RequestError(f"The prompt asks for {asked}, but the base image is {bases.NAMES[request.modality]}.")
    _remarks(parsed, parsed.findings)
    view = parsed.view if request.modality == parsed.modality and parsed.view else request.view
    return replace(
        request,
        view=view,
        sex=parsed.sex or request.sex,
        age=request.age if parsed.age is None else parsed.age,
        findings=parsed.findings,
        absent=parsed.absent,
        note=prompt,
    )


def _remarks(parsed: prompts.ParsedPrompt, findings: Sequence[Finding]) -> None:
    card = resources.engine().status().card
    unlearnt = prompts.unlearnt(findings, card) if card else ()
    unknown = f"Not understood, so not drawn: {', '.join(parsed.unknown_words)}." if parsed.unknown_words else ""
    for sentence in (unknown, *parsed.notes, *unlearnt):
        if sentence:
            st.caption(sentence)


def _seed() -> int:
    seed = st.number_input("Seed", value=None, step=1, key="edit_seed", placeholder="random")
    return secrets.randbelow(SEED_MAX) if seed is None else int(seed)
