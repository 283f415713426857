"""One image that was judged: what was asked for beside what was said, its history, and its withdrawal."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from synth import imaging, prompts
from synth.errors import SynthError
from synth.findings import VOCABULARY
from synth.governance.release import State
from synth.governance.reviews import Presence, Review
from synth.governance.roles import Permission
from synth.types import GeneratedImage
from synth.ui import resources, session, standing, viewer, views


def show(image_id: str) -> None:
    """Film, request, opinions, history and withdrawal. A radiologist sees it once he has judged the image."""
    person, store = session.person(), resources.store()
    judged = {review.reader for review in store.validation.reviews(image_id)}
    if not person.may(Permission.RELEASE) and person.name not in judged:
        st.caption("You have not judged this image; it is in your queue until then.")
        return
    image = store.image(image_id)
    film, words = st.columns([11, 9], gap="medium")
    with film:
        pane = viewer.Pane(imaging.mark(image.pixels, standing.mark(image)), title=image.request.mark)
        viewer.show([pane], key="review-case", label="The image", height_px=560)
    with words, views.show_error():
        standing.show(image)
        st.markdown(f"Asked for: {views.escaped(prompts.describe(image.request))}")
        opinions(image)
        _history(image_id)
        withdraw(image_id)


def last() -> None:
    """What was asked for beside what was just said, once it is kept."""
    image_id, verdict = st.session_state.get("review-last", (None, ""))
    if image_id is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium"), views.show_error():
        image = resources.store().image(image_id)
        said = next(r for r in resources.store().validation.reviews(image_id) if r.reader == session.user())
        st.badge(f"before: {verdict}")
        st.markdown(f"Asked for: {views.escaped(prompts.describe(image.request))}", width="content")
        st.markdown(f"You said: {sentence(said)}", width="content")
        if st.button("Open its case", key="review-open-last", type="tertiary"):
            st.query_params["case"] = image_id
            st.rerun()


def opinions(image: GeneratedImage) -> None:
    """What each reader said, without their names."""
    for number, review in enumerate(resources.store().validation.reviews(image.id), start=1):
        name = "Adjudication" if review.adjudicates else f"Reader {number}"
        st.markdown(f"**{name}**: {sentence(review)}")
        if review.comment:
            st.caption(views.escaped(review.comment))


def sentence(review: Review) -> str:
    """A review in words, as "realism 4, nodule yes, fit for practice and exam"."""
    parts = [f"realism {review.realism}"]
    parts += [f"{VOCABULARY[one.code].name} {one.present}" for one in review.judged]
    parts += [f"also {VOCABULARY[code].name}" for code in review.others]
    if not review.judged and not review.others:
        parts.append("normal")
    parts += sorted(review.artefacts)
    missed = any(one.present is not Presence.YES for one in review.judged)
    fit = " and ".join(sorted(review.fit)) or "nothing"
    return f"{', '.join(parts)}; fit for {fit}{', not as it was asked for' if missed or review.others else ''}"


def withdraw(image_id: str) -> None:
    """The button, behind a reason, for those who may."""
    if not session.person().may(Permission.WITHDRAW):
        return
    if resources.store().validation.release(image_id).state is State.WITHDRAWN:
        return
    with st.popover("Withdraw"):
        st.caption(
            "For good, from every case set and open session, with all that was made of it. Files that have left are "
            "not called back."
        )
        reason = st.text_area("Reason of the withdrawal", key=f"withdraw-reason-{image_id}", height=68)
        if st.button("Withdraw this image", key=f"withdraw-{image_id}"):
            try:
                done = resources.store().validation.withdraw(image_id, session.person(), reason, datetime.now(UTC))
            except SynthError as error:
                st.error(str(error))
                return
            more = f" and {len(done.images) - 1} made of it" if len(done.images) > 1 else ""
            reached = f"{done.entries} cases of sets, {done.skipped} in open sessions; {done.read} were read"
            st.toast(f"Withdrawn{more}: {reached}.")
            st.rerun()


def _history(image_id: str) -> None:
    st.dataframe(
        [
            {
                "When": f"{event.at:%Y-%m-%d %H:%M} UTC",
                "Who": event.who,
                "What": f"{event.detail['from']} to {event.detail['to']}" if event.action == "state" else event.action,
                "Reason": event.reason,
            }
            for event in resources.store().validation.history(image_id)
        ],
        hide_index=True,
        alt="History of the image",
    )
