"""The Edit page: a base image with a drawing on it, the request made of both, and what became of it."""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks, prompts
from synth.dicom.segmentation import encode_segmentation
from synth.errors import RequestError, SynthError
from synth.findings import VOCABULARY
from synth.types import (
    MARGIN_MAX_PX,
    SEED_MAX,
    Base,
    Edit,
    Finding,
    GeneratedImage,
    GenerationRequest,
    JobState,
    Severity,
)
from synth.ui import bases, canvas, compare, downloads, resources, session, views

MODES = {"add": "Add a finding", "remove": "Remove a lesion", "variation": "Vary the image"}
STEPS = 20


def panel() -> None:
    """Choose a base image; then draw, say what, and submit."""
    address = st.query_params.get("base")
    with st.expander("Base image", expanded=address is None):
        chosen = bases.choose()
    if chosen and chosen != st.session_state.get("base_chosen"):
        st.session_state["base_chosen"] = chosen
        st.query_params.from_dict({"base": chosen})
        st.rerun()
    if not address:
        st.caption("Choose the image to edit: one made here, one of the library, or a file of yours.")
        return
    base = bases.load(address)
    drawing, settings = st.columns([7, 5], gap="medium")
    with drawing:
        lesion, keep = canvas.draw(base.pixels, base.mark, f"canvas-{address}")
    with settings, views.show_error():
        request = _settings(base)
        if st.button("Draw it", type="primary", width="stretch"):
            _submit(request, base, lesion, keep)
        _problem(lesion, keep)
    _outcome()


def _settings(base: bases.Picture) -> GenerationRequest:
    """What is to be done to the base image, as a request whose edit still lacks its masks."""
    mode = st.segmented_control(
        "Edit", tuple(MODES), default="add", required=True, format_func=MODES.__getitem__, key="mode"
    )
    findings: tuple[Finding, ...] = ()
    margin, strength = 8, 1.0
    if mode == "add":
        card = resources.engine().status().card
        codes = sorted({*card.drawn_findings, *card.text_findings}) if card else ["consolidation"]
        code = st.selectbox("Finding", codes, format_func=lambda c: VOCABULARY[c].name, key="edit_finding")
        severity = st.segmented_control("Severity", tuple(Severity), key="edit_severity")
        findings = (Finding(code, severity=severity),)
    if mode == "variation":
        strength = st.slider("Strength", 0.05, 1.0, 0.5, key="strength", help="How much of the image is drawn anew")
        findings = base.request.findings
    else:
        margin = st.slider("Margin", 0, MARGIN_MAX_PX, 8, key="margin", help="Pixels around the lesion that may change")
    seed = st.number_input("Seed", value=None, step=1, key="edit_seed", placeholder="random")
    edit = Edit(mode or "add", "", base.origin, "", None, margin, strength)
    return replace(
        base.request,
        findings=findings,
        absent=(),
        steps=STEPS,
        seed=secrets.randbelow(SEED_MAX) if seed is None else int(seed),
        model_id=resources.settings().model_id,
        edit=edit,
    )


def _asked(request: GenerationRequest, base: bases.Picture, lesion: masks.Area, keep: masks.Area) -> GenerationRequest:
    """The request with its pictures kept in the store. Raises RequestError where the masks leave nothing to draw."""
    assert request.edit is not None
    wanted, kept = None if request.edit.mode == "variation" else lesion, keep if keep.any() else None
    if wanted is not None:
        masks.check(wanted, kept, request.edit.margin_px, base.pixels)
    store = resources.store()
    names = [None if area is None else store.add_picture(np.uint8(255) * area) for area in (wanted, kept)]
    edit = replace(request.edit, base=store.add_picture(base.pixels), lesion=names[0], keep=names[1])
    return replace(request, edit=edit)


def _submit(request: GenerationRequest, base: bases.Picture, lesion: masks.Area, keep: masks.Area) -> None:
    st.session_state.pop("edit_problem", None)
    try:
        job = resources.engine().submit(_asked(request, base, lesion, keep), session.user())
    except SynthError as error:
        st.session_state["edit_problem"] = (str(error), lesion.sum(), keep.sum())
        return
    st.query_params["request"] = job.id
    st.rerun()


def _problem(lesion: masks.Area, keep: masks.Area) -> None:
    """Why nothing was drawn, until the drawing changes: the canvas runs the page again whenever it likes."""
    sentence, *drawn = st.session_state.get("edit_problem", (None,))
    if sentence and drawn == [lesion.sum(), keep.sum()]:
        st.error(sentence)


def _outcome() -> None:
    shown = session.shown()
    if not shown.jobs:
        return
    job = resources.engine().job(shown.jobs[0])
    if job.state in views.LIVE:
        views.progress(shown.jobs)
    elif job.error:
        st.error(job.error)
    elif job.state == JobState.CANCELLED:
        st.caption("Cancelled.")
    elif job.image_id:
        _before_and_after(resources.store().image(job.image_id))


def _before_and_after(image: GeneratedImage) -> None:
    """Base, edited image and their difference, with what changed where."""
    edit = image.request.edit
    if edit is None:
        raise RequestError("This request is no edit; open it on the Generate page.")
    base = resources.store().base(image.request)
    assert base is not None
    before, after = edit.base_mark, image.request.mark
    edited = imaging.to_uint8(image.pixels)
    left = compare.Pane(imaging.to_uint8(imaging.mark(base.pixels, before)), base.pixels, f"BEFORE: {before}")
    right = compare.Pane(imaging.to_uint8(imaging.mark(edited, after)), edited, f"AFTER: {after}")
    st.plotly_chart(compare.figure(left, right), theme=None, config=compare.CONFIG, key=f"edit-{image.id}")
    map_of_change, facts = st.columns([4, 8], gap="medium")
    difference = imaging.mark(imaging.difference(edited, base.pixels), f"{after} DIFFERENCE")
    map_of_change.image(imaging.to_uint8(difference), width="stretch", alt="After less before")
    with facts, views.show_error():
        st.markdown(_change(base, edited, edit))
        with st.container(horizontal=True, gap="small"):
            downloads.buttons(image)
            if base.lesion is not None:
                st.download_button(
                    "SEG",
                    encode_segmentation(image, base.lesion, prompts.describe(image.request)),
                    f"lesion-{image.id}.dcm",
                    "application/dicom",
                    on_click="ignore",
                    help="The drawn lesion as DICOM Segmentation of the DICOM file",
                )
            if st.button("Go on with this image"):
                st.query_params.from_dict({"base": f"synthetic:{image.id}"})
                st.rerun()


def _change(base: Base, after: npt.NDArray[np.uint8], edit: Edit) -> str:
    """How many grey levels changed inside the lesion, and how many outside the edit mask: none."""
    change = after.astype(int) - base.pixels.astype(int)
    if base.lesion is None or edit.mode == "variation":
        return f"Mean change {np.abs(change).mean():.1f} grey levels."
    outside = ~masks.edit_area(base.lesion, base.keep, edit.margin_px)
    return (
        f"Inside the lesion {change[base.lesion].mean():+.1f} grey levels on average; "
        f"outside the edit mask at most {np.abs(change[outside]).max(initial=0)}."
    )
