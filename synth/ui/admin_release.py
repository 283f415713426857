"""Administration, Release: what each state allows, validated images to be released, and withdrawal by id."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from synth import prompts
from synth.governance.release import ALLOWS, State, Use
from synth.governance.roles import Permission, require
from synth.ui import gallery, resources, review_case, session, views

TILE_PX = 150


def panel() -> None:
    """The rules as the code has them, then what a governance officer decides."""
    with st.expander("What each state allows"):
        st.dataframe(
            [{"State": str(state)} | {str(use): use in ALLOWS[state] for use in Use} for state in State],
            hide_index=True,
            alt="What each release state allows",
        )
        two = resources.rules().two_readers
        st.caption(
            f"Validated by {'two agreeing radiologists or an adjudicator' if two else 'one radiologist'}; "
            "what they find an image fit for narrows this further. Released by the governance officer."
        )
    person = session.person()
    require(person, Permission.WITHDRAW)
    _validated()
    named = st.text_input("Image", key="release-image", placeholder="id of an image to look at or withdraw").strip()
    if named:
        with views.show_error():
            review_case.show(named)


def _validated() -> None:
    """Validated images, the oldest first; the chosen ones are released together."""
    images = resources.store().validation.in_state(State.VALIDATED)
    may = session.person().may(Permission.RELEASE)
    st.markdown(f"**Validated** :gray[{len(images)} {'waits' if len(images) == 1 else 'wait'} to be released]")
    releases = resources.store().validation.releases(image.id for image in images)
    chosen = []
    with st.container(horizontal=True, gap="small"):
        for image in images:
            with st.container(width=TILE_PX, gap="xxsmall"):
                words = prompts.describe(image.request)
                st.image(gallery.thumbnail(image.id, image.request.mark), width="stretch", alt=words)
                if st.checkbox("Choose", key=f"release-{image.id}", help=f"{words} Id {image.id}", disabled=not may):
                    chosen.append(image.id)
                st.caption("fit for " + ", ".join(sorted(releases[image.id].fit or ())))
    if st.button(f"Release {len(chosen)}", key="release-chosen", type="primary", disabled=not chosen):
        resources.store().validation.set_released(chosen, session.person(), datetime.now(UTC))
        st.rerun()
