"""The cases of a set as a strip, and one of them as a film with the outline of its lesion."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging
from synth.reading.cases import CaseSet, Entry, Standing
from synth.ui import gallery, resources, shelf_images, standing, viewer, views

FILM_PX = 660
STRIP_PX = 690
TILE_PX = 78  # two a row in the strip
READING_PX = 512  # of a real image
OUTLINE_COLOUR = "#ff5a5a"
UNDRAWN = (Standing.WAITING, Standing.FAILED)
ICONS = {
    Standing.WAITING: ":material/hourglass_empty:",
    Standing.PROPOSED: ":material/visibility:",
    Standing.APPROVED: ":material/check_circle:",
    Standing.REFUSED: ":material/block:",
    Standing.FAILED: ":material/error:",
    Standing.WITHDRAWN: ":material/gpp_bad:",
}
WORDS = {
    Standing.WAITING: ("being drawn", "blue"),
    Standing.PROPOSED: ("to review", "orange"),
    Standing.APPROVED: ("approved", "green"),
    Standing.REFUSED: ("left out", "gray"),
    Standing.FAILED: ("could not be drawn", "red"),
    Standing.WITHDRAWN: ("withdrawn", "red"),
}


def standings(case_set: CaseSet) -> tuple[tuple[str, Standing], ...]:
    """What the strip compares to see that something was drawn or decided."""
    return tuple((entry.id, entry.standing) for entry in case_set.entries)


def strip(set_id: str, chosen: str, seen: tuple[tuple[str, Standing], ...]) -> None:
    """The cases in order, two a row; runs the page when one of them stands elsewhere than when it was `seen`."""
    with views.show_error():
        case_set = resources.store().casebook.case_set(set_id)
        if standings(case_set) != seen:
            st.rerun()
        waiting = sum(entry.standing is Standing.WAITING for entry in case_set.entries)
        if waiting:
            total = len(case_set.entries)
            st.progress((total - waiting) / total, text=f"{total - waiting} of {total} drawn")
        with st.container(height=STRIP_PX, border=False, key="case-strip"), st.container(horizontal=True, gap="xsmall"):
            for number, entry in enumerate(case_set.entries, start=1):
                _tile(entry, number, entry.id == chosen)


def _tile(entry: Entry, number: int, here: bool) -> None:
    with st.container(width=TILE_PX, gap="xxsmall", key=f"tile-here-{entry.id}" if here else f"tile-{entry.id}"):
        _small(entry)
        pressed = st.button(
            str(number),
            key=f"case-{entry.id}",
            icon=ICONS[entry.standing],
            type="tertiary",
            width="stretch",
            help=WORDS[entry.standing][0],
        )
    if pressed:
        st.query_params["case"] = entry.id
        st.rerun()


def _small(entry: Entry) -> None:
    """A thumbnail under its mark; while it is being drawn its preview, and an unlit square before that."""
    with views.show_error():
        if entry.real:
            st.image(shelf_images.thumbnail(entry.real, ""), width="stretch", alt="Real case")
        elif entry.recipe and entry.standing not in UNDRAWN:
            st.image(gallery.thumbnail(entry.job, entry.recipe.request.mark), width="stretch", alt="Synthetic case")
        elif (preview := _preview(entry)) is not None:
            st.image(preview, width="stretch", alt="Preview of the case being drawn")
        else:
            st.html('<div class="unlit"></div>')


def _preview(entry: Entry) -> npt.NDArray[np.uint8] | None:
    """The marked preview of what is being drawn for a waiting case, None where nothing is."""
    name = entry.job or entry.base_job
    if entry.standing is not Standing.WAITING or not name:
        return None
    job = resources.engine().job(name)
    if job.preview is None:
        return None
    return imaging.to_uint8(imaging.mark(imaging.resize(job.preview, views.PREVIEW_PX), job.request.mark))


def film(entry: Entry) -> None:
    """The image with its mark burnt in and the outline of its lesion, which O shows and hides."""
    if entry.real:
        pixels = resources.library().pixels(entry.real, READING_PX)
        pane = viewer.Pane(imaging.mark(pixels, "REAL"), title="REAL")
    elif entry.standing not in UNDRAWN:
        image = resources.store().image(entry.job)
        lines = _outline(entry, image.pixels.shape)
        overlays = (viewer.Overlay(lines, OUTLINE_COLOUR, "lesion"),) if lines else ()
        marked = imaging.to_uint8(imaging.mark(image.pixels, standing.mark(image)))
        pane = viewer.Pane(marked, overlays=overlays, title=image.request.mark)
    else:
        st.html('<div class="unlit"></div>')
        return
    viewer.show([pane], key="case-film", label="The case under review", height_px=FILM_PX)


def _outline(entry: Entry, shape: tuple[int, ...]) -> list[npt.NDArray[np.float64]]:
    """The closed outline of the recipe in px of the image (H, W); none where nothing was drawn into it."""
    corners = entry.recipe.outline if entry.recipe else ()
    if not corners:
        return []
    return [np.array([*corners, corners[0]]) * (shape[1], shape[0])]
