"""The Validation page: the queue of a radiologist, one film after the other, and what the readers agree on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import streamlit as st

from synth import imaging, prompts
from synth.errors import SynthError
from synth.findings import VOCABULARY
from synth.governance.release import State
from synth.governance.reviews import REALISM, Verdict
from synth.governance.roles import LOCAL_USER
from synth.store import StoredImage
from synth.store.validation import QUEUE_MAX, Sought
from synth.types import GeneratedImage
from synth.ui import resources, review_agreement, review_case, review_form, session, viewer, views

FILM_PX = 660
ENTER = "Enter"
SCORES = tuple(str(score) for score in range(REALISM[0], REALISM[1] + 1))
STATES = (State.CHECKED, State.DRAFT, State.VALIDATED, State.RELEASED)
OVERLAY = "#62c8ea"


def panel() -> None:
    """The case that the address names, else the queue."""
    if st.query_params.get("case"):
        if st.button("Back to the queue", icon=":material/arrow_back:", type="tertiary", key="review-back"):
            st.query_params.clear()
            st.rerun()
        review_case.show(st.query_params["case"])
        return
    sought, blind = _filters()
    later: tuple[str, ...] = st.session_state.get("review-later", ())
    waiting = resources.store().validation.queue(session.person(), sought)
    waiting = sorted(waiting, key=lambda entry: later.index(entry.id) if entry.id in later else -1)
    if waiting:
        _one(waiting, sought, blind)
    else:
        st.caption("No image waits for you here. What was judged, and what you asked for yourself, is left out.")
    review_case.last()
    with st.expander("Agreement of the readers"), views.show_error():
        review_agreement.show()


def _filters() -> tuple[Sought, bool]:
    """What the queue holds, and whether its readers are blind to the request."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        disputed = st.segmented_control(
            "Queue", (False, True), default=False, required=True, key="review-queue",
            format_func=lambda value: "To adjudicate" if value else "To read",
        )  # fmt: skip
        state = st.selectbox("State", STATES, key="review-state", width=130, disabled=bool(disputed))
        finding = _pick("Finding", sorted(VOCABULARY, key=lambda code: VOCABULARY[code].name), "review-finding")
        maker = _pick("Asked for by", resources.store().validation.makers(), "review-maker")
        model = st.text_input("Model", key="review-model", placeholder="any", width=150)
        blind = st.toggle("Blind to the request", True, key="review-blind", disabled=bool(disputed))
    chosen = State.CHECKED if disputed else state or State.CHECKED
    sought = Sought(chosen, bool(disputed), finding or "", model.strip(), maker or "")
    return sought, bool(blind) and not disputed and not finding  # whoever filters by a finding knows it


def _pick(label: str, options: Sequence[str], key: str) -> str | None:
    names = {code: VOCABULARY[code].name if code in VOCABULARY else code for code in options}
    return st.selectbox(label, options, None, key=key, format_func=names.__getitem__, placeholder="any", width=180)


def _one(waiting: Sequence[StoredImage], sought: Sought, blind: bool) -> None:
    """The first image of the queue; keys count before anything is drawn."""
    entry = waiting[0]
    image = resources.store().image(entry.id)
    st.session_state.setdefault(f"review-since-{entry.id}", time.monotonic())
    film, form = st.columns([13, 9], gap="medium")
    with film:
        ahead = [_pane(resources.store().image(after.id)) for after in waiting[1:2]]
        shown = replace(_pane(image), overlays=_overlays(image))
        kind = review_form.mark_kind(image)
        reply = viewer.show(
            [shown], key="review", label="The image to be judged", mark=kind, keys=(*SCORES, ENTER),
            prefetch=ahead, height_px=FILM_PX,
        )  # fmt: skip
        for key in reply.keys:
            if key in SCORES:
                review_form.rate(image, int(key))
    with form, views.show_error():
        _about(image, len(waiting), blind, sought.disputed)
        review_form.keep_mark(image, reply.mark)
        review_form.show(image, blind)
        with st.container(horizontal=True, gap="small"):
            signed = st.button("Sign and go on (Enter)", type="primary", key="review-sign")
            if st.button("Later", key="review-skip", help="To the end of the queue"):
                st.session_state["review-later"] = (*_without(entry.id), entry.id)
                st.rerun()
        if signed or ENTER in reply.keys:
            _sign(image, blind, sought.disputed)
        review_case.withdraw(image.id)


def _without(image_id: str) -> tuple[str, ...]:
    return tuple(name for name in st.session_state.get("review-later", ()) if name != image_id)


def _about(image: GeneratedImage, count: int, blind: bool, disputed: bool) -> None:
    """How many wait; the request unless it is hidden; to an adjudicator what both readers said."""
    more = " or more" if count == QUEUE_MAX else ""
    st.markdown(f"**{count}{more} {'waits' if count == 1 else 'wait'}** :gray[{image.request.modality}]")
    if image.provenance.requested_by == session.user() and session.person() == LOCAL_USER:
        st.caption("You asked for this image yourself. On this computer there is nobody else who could judge it.")
    if not blind:
        st.markdown(f"Asked for: {views.escaped(prompts.describe(image.request))}")
    if disputed:
        review_case.opinions(image)


def _sign(image: GeneratedImage, blind: bool, disputed: bool) -> None:
    """Keep the judgement and go on to the next image at once."""
    spent = time.monotonic() - st.session_state[f"review-since-{image.id}"]
    try:
        said = review_form.said(image, blind)
        said = replace(said, at=datetime.now(UTC), seconds=round(spent, 1), adjudicates=disputed)
        two = resources.rules().two_readers
        reached = resources.store().validation.judge(said, session.person(), two)
    except SynthError as error:
        st.error(str(error))
        return
    st.session_state["review-last"] = (image.id, reached.verdict)
    if reached.verdict is Verdict.FAILED:
        st.toast("Kept; the image is not validated. Withdraw it where nobody should use it.")
    st.rerun()


def _pane(image: GeneratedImage) -> viewer.Pane:
    return viewer.Pane(imaging.mark(image.pixels, image.request.mark), title=image.request.mark)


def _overlays(image: GeneratedImage) -> tuple[viewer.Overlay, ...]:
    """The places that were marked, in px."""
    height, width = image.pixels.shape
    found = []
    for code, place in review_form.places(image).items():
        points = np.array(place) * (width, height)
        if len(points) == 1:
            arm = width / 50
            (x, y) = points[0]
            lines = [np.array([(x - arm, y), (x + arm, y)]), np.array([(x, y - arm), (x, y + arm)])]
        else:
            (x0, y0), (x1, y1) = points
            lines = [np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)])]
        found.append(viewer.Overlay(lines, OVERLAY, VOCABULARY[code].name))
    return tuple(found)
