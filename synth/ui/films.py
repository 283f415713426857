"""One synthetic image beside a real one (or beside another synthetic one), with what it is and what can be done."""

from __future__ import annotations

import numpy as np
import streamlit as st

from synth import imaging, prompts
from synth.dicom.encode import in_hounsfield
from synth.types import GeneratedImage
from synth.ui import (
    compare,
    downloads,
    forms,
    hounsfield,
    neighbours,
    resources,
    session,
    shelf_push,
    standing,
    viewer,
    views,
)

MORE_SEEDS = 4


def reading(image: GeneratedImage, beside: GeneratedImage | None) -> None:
    """The two films, their facts and the buttons. A fragment: paging through real images redraws nothing else."""
    st.fragment(_reading)(image, beside)


def _reading(image: GeneratedImage, beside: GeneratedImage | None) -> None:
    films, facts = st.container(gap="small"), st.columns(2, gap="medium")
    in_hu = in_hounsfield(image) and (beside is None or in_hounsfield(beside))
    left = synthetic_pane(image, in_hu)
    with facts[0]:
        _synthetic_facts(image)
    with facts[1], views.show_error():
        right = synthetic_pane(beside, in_hu) if beside else neighbours.pane(image, in_hu)
        if in_hu:
            st.caption(hounsfield.WHY_LUNG_ONLY)
        if beside:
            _synthetic_facts(beside)
            if st.button("Back to real images"):
                session.show(session.shown().jobs, image.id)
                st.rerun()
    with films:
        _films(image, left, right, in_hu)
    with facts[0], views.show_error():
        _actions(image)
        _provenance(image)


def _films(image: GeneratedImage, left: compare.Pane, right: compare.Pane | None, in_hu: bool) -> None:
    """Both films as a figure with histograms, or at the reading station, linked."""
    words = f"Synthetic image: {prompts.describe(image.request)}"
    how = st.segmented_control(
        "Films", ("Compare", "Read"), default="Compare", required=True, key="films_how", label_visibility="collapsed"
    )
    if how == "Read":
        panes = [_to_read(pane, in_hu) for pane in (left, right) if pane is not None]
        viewer.show(panes, key="generate-reader", label=words)
        return
    figure = compare.figure(left, right, scale=_scale(in_hu, right))
    st.plotly_chart(figure, theme=None, config=compare.CONFIG, key=f"films-{image.id}", alt=words)


def _to_read(pane: compare.Pane, in_hu: bool) -> viewer.Pane:
    if not in_hu:
        return viewer.Pane(pane.shown, title=pane.title)
    presets = hounsfield.PRESETS if pane.fixed is None else hounsfield.LUNG_ONLY.presets
    return viewer.Pane(pane.shown.astype(np.int16), unit="HU", title=pane.title, presets=presets)


def synthetic_pane(image: GeneratedImage, in_hu: bool) -> compare.Pane:
    """The pane of a synthetic image with its mark burnt in, in HU of the lung window or in grey levels."""
    pixels, word = imaging.to_uint8(image.pixels), standing.mark(image)
    if in_hu:
        return hounsfield.of_greys(pixels, word)
    return compare.Pane(imaging.to_uint8(imaging.mark(pixels, word)), pixels, word)


def _scale(in_hu: bool, right: compare.Pane | None) -> compare.Scale:
    if not in_hu:
        return compare.GREYS
    return hounsfield.SCALE if right is not None and right.fixed is None else hounsfield.LUNG_ONLY


def _synthetic_facts(image: GeneratedImage) -> None:
    request = image.request
    standing.show(image)
    st.markdown(prompts.describe(request))
    sampler = forms.SAMPLER_NAMES[request.sampler]
    st.caption(f"Seed {request.seed}, {request.steps} steps of {sampler}, guidance {request.guidance:g}")
    for check in image.quality.checks:
        if not check.passed:
            st.caption(
                f"Check not passed: {check.name} is {check.value:.3g}, usual is {check.low:.3g} to {check.high:.3g}."
            )


def _actions(image: GeneratedImage) -> None:
    with st.container(horizontal=True, gap="small"):
        same = st.button("Make again", help="The same request and seed: the same image")
        more = st.button("More like this", help=f"The same request with {MORE_SEEDS} new seeds")
        downloads.buttons(image)
        shelf_push.button(image)
    if same or more:
        forms.again(image.request, MORE_SEEDS if more else 0)
        st.rerun()


def _provenance(image: GeneratedImage) -> None:
    made, protocol = image.provenance, resources.store().validation.release(image.id).protocol
    with st.expander("Provenance"):
        st.table(
            {
                "Image": image.id,
                "Made": f"{made.created_at:%Y-%m-%d %H:%M:%S} UTC by {made.requested_by} in {made.seconds:.1f} s",
                "Model": f"{made.model_id}, revision {made.model_revision}",
                "Weights": made.weights_hash,
                "Request": made.request_digest,
                "Protocol": protocol or "none: made for education",
                "Device": f"{made.device}, {made.dtype}",
                "Versions": ", ".join(f"{name} {version}" for name, version in sorted(made.versions.items())),
            }
        )
