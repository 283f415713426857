"""How an image stands, wherever one is shown: its state, and WITHDRAWN with the reason where it was."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from synth.governance.release import Release, State, Use
from synth.types import GeneratedImage
from synth.ui import resources, session, views

WIDE_PX = 128  # narrower, there is no room for a second word; `show` says it
COLOURS = {
    State.DRAFT: "gray",
    State.CHECKED: "blue",
    State.VALIDATED: "green",
    State.RELEASED: "violet",
    State.WITHDRAWN: "red",
}


def show(image: GeneratedImage) -> None:
    """The state as a badge; a withdrawn image as an error with its reason."""
    release = resources.store().validation.release(image.id)
    if release.state is State.WITHDRAWN:
        st.error(f"WITHDRAWN. {views.escaped(release.words)}")
        return
    badge(release)


def badge(release: Release) -> None:
    """The state as a badge, which says what it allows."""
    allowed = ", ".join(use for use in Use if release.allows(use)) or "nothing"
    st.badge(release.state, color=COLOURS[release.state], help=f"May be used for: {allowed}.")  # type: ignore[arg-type]


def mark(image: GeneratedImage) -> str:
    """What is burnt into the image where it is shown."""
    withdrawn = resources.store().validation.release(image.id).state is State.WITHDRAWN
    return f"{image.request.mark} WITHDRAWN" if withdrawn and image.pixels.shape[1] >= WIDE_PX else image.request.mark


def barred(image: GeneratedImage) -> str:
    """Why this user may not take a file of the image, in one sentence; empty where he may."""
    release, use = resources.store().validation.release(image.id), _file_use(image)
    if release.allows(use):
        return ""
    return release.words if release.state is State.WITHDRAWN else f"{release.words} It gives no {use}."


def permitted(image: GeneratedImage, make: Callable[[], bytes], kind: str = "") -> Callable[[], bytes]:
    """`make`, for a download button: it raises PolicyError where the image may not leave when the button is pressed.

    A `kind` of file becomes a row of the audit trail; without one `make` writes its own. The services are taken here:
    the button calls it in a thread that knows of no session.
    """
    validation, use = resources.store().validation, _file_use(image)
    departures, who = resources.departures(), session.user()

    def made() -> bytes:
        validation.release(image.id).require(use)
        data = make()
        if kind:
            departures.note(image, who, {"format": kind})
        return data

    return made


def _file_use(image: GeneratedImage) -> Use:
    return Use.OWN_FILE if image.provenance.requested_by == session.user() else Use.EXPORT
