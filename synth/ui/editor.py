"""The Edit page: a base image with a drawing on it, the requests made of both, and what became of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest

import numpy as np
import streamlit as st

from synth import masks
from synth.close_up import closer
from synth.errors import SynthError
from synth.types import GenerationRequest
from synth.ui import bases, canvas, edit_form, outcome, purpose, resources, trail, views


def panel() -> None:
    """Choose a base image; then draw, say what, and submit."""
    here = trail.place()
    place = st.container() if here.base is None else st.expander("Base image")
    with place, views.show_error():
        chosen = bases.choose()
        if chosen and chosen != st.session_state.get("base_chosen"):
            st.session_state["base_chosen"] = chosen
            trail.go(trail.Place(chosen))
            st.rerun()
    if not here.base:
        st.caption("Choose the image to edit: one made here, one of the library, or a file of yours.")
        return
    base = bases.load(here.base)
    done = trail.finished(here.jobs)
    st.fragment(_desk)(base, here)
    outcome.show(here)
    if trail.finished(here.jobs) != done:  # it ended between the two, and the trail does not know it yet
        st.rerun()


def _desk(base: bases.Picture, here: trail.Place) -> None:
    """Canvas and settings. A fragment: a stroke runs nothing else of the page."""
    drawing, settings = st.columns([15, 11], gap="medium")
    with drawing:
        lesion, keep = canvas.draw(base.pixels, base.mark, f"canvas-{base.address}")
    with settings, views.show_error():
        if base.note:
            st.caption(base.note)
        wanted = edit_form.settings(base)
        purpose.choose()
        if st.button("Draw it", type="primary", width="stretch"):
            _submit(wanted, base, lesion, keep)
        _problem(lesion, keep)
    with settings, views.show_error():
        trail.show(here)


def _asked(
    request: GenerationRequest, base: bases.Picture, lesion: masks.Area | None, keep: masks.Area | None
) -> GenerationRequest:
    """The request with its pictures kept in the store. Raises RequestError where the masks leave nothing to draw."""
    assert request.edit is not None
    if lesion is not None:
        masks.check(lesion, keep, request.edit.margin_px, base.pixels)
    store = resources.store()
    names = [None if area is None else store.add_picture(np.uint8(255) * area) for area in (lesion, keep)]
    edit = replace(request.edit, base=store.add_picture(base.pixels), lesion=names[0], keep=names[1])
    return replace(request, edit=edit)


def _submit(wanted: edit_form.Wanted, base: bases.Picture, lesion: masks.Area, keep: masks.Area) -> None:
    st.session_state.pop("edit_problem", None)
    try:
        kept = keep if keep.any() else None
        areas = wanted.lesions(lesion, base)
        asked = zip_longest(closer(wanted.requests, areas), areas)
        requests = [_asked(request, base, area, kept) for request, area in asked]
        jobs = purpose.submit(requests)
    except SynthError as error:
        st.session_state["edit_problem"] = (str(error), lesion.sum(), keep.sum())
        return
    trail.go(trail.Place(base.address, tuple(job.id for job in jobs)))
    st.rerun()


def _problem(lesion: masks.Area, keep: masks.Area) -> None:
    """Why nothing was drawn, until the drawing changes: the canvas runs the page again whenever it likes."""
    sentence, *drawn = st.session_state.get("edit_problem", (None,))
    if sentence and drawn == [lesion.sum(), keep.sum()]:
        st.error(sentence)
