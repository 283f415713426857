"""What became of an edit: before, after and their difference with the drawn outline, the figures, and the files."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks
from synth.errors import RequestError
from synth.types import Base, Edit, GeneratedImage
from synth.ui import compare, course, downloads, resources, standing, trail, views

LESION_COLOUR, EDIT_COLOUR = "#ff5a5a", "#d3a64f"
HEIGHT_PX = 520
FULL_SCALES = (8, 16, 32, 64, 128, 255)  # grey levels at which a difference map is white


def show(here: trail.Place) -> None:
    """Progress while jobs live, then the edit, or the course as a strip with the stage that is chosen."""
    if not here.jobs:
        return
    if len(here.jobs) > 1:
        chosen = course.show([resources.engine().job(job_id) for job_id in here.jobs])
    else:
        chosen = views.image_of(here.jobs[0])
    if chosen:
        _edited(resources.store().image(chosen), here)


def _edited(image: GeneratedImage, here: trail.Place) -> None:
    """Base, edited image and their difference, with what changed where."""
    edit, base = image.request.edit, resources.store().base(image.request)
    if edit is None or base is None:
        raise RequestError("This request is no edit; open it on the Generate page.")
    edited = imaging.to_uint8(image.pixels)
    outlines = _outlines(base, edit)
    left = pane(base.pixels, edit.base_mark, "BEFORE", outlines)
    right = pane(edited, standing.mark(image), "AFTER", outlines)
    third = difference(edited, base.pixels, f"{image.request.mark} DIFFERENCE", "AFTER - BEFORE")
    st.plotly_chart(
        compare.figure(left, right, HEIGHT_PX, third), theme=None, config=compare.CONFIG, key=f"edit-{image.id}"
    )
    facts, codec = st.columns([9, 3], gap="medium")
    with facts, views.show_error():
        standing.show(image)
        for sentence in change(base, edited, edit, image.request.mark):
            st.markdown(sentence)
        with st.container(horizontal=True, gap="small"):
            downloads.buttons(image)
            if base.lesion is not None:
                downloads.mask_buttons(image, base.lesion)
            if st.button("Go on with this image", key="go_on"):
                trail.go(trail.Place(f"synthetic:{image.id}", (), here.tip))
                st.rerun()
    with codec, views.show_error():
        _codec(image, base)


def pane(
    pixels: npt.NDArray[np.uint8], word: str, title: str, outlines: tuple[compare.Outline, ...] = ()
) -> compare.Pane:
    """A film with its mark burnt in, named "BEFORE: REAL"."""
    return compare.Pane(imaging.to_uint8(imaging.mark(pixels, word)), pixels, f"{title}: {word}", outlines=outlines)


def _outlines(base: Base, edit: Edit) -> tuple[compare.Outline, ...]:
    """The drawn lesion and, dotted, where pixels could change."""
    if base.lesion is None:
        return ()
    area = masks.edit_area(base.lesion, base.keep, edit.margin_px)
    return (
        compare.Outline(masks.outline(area), EDIT_COLOUR, "edit mask", "dot"),
        compare.Outline(masks.outline(base.lesion), LESION_COLOUR, "lesion"),
    )


def difference(first: npt.NDArray[np.uint8], second: npt.NDArray[np.uint8], word: str, title: str) -> compare.Pane:
    """A map of first - second in grey, marked, whose title says what black and white are."""
    largest = int(np.abs(first.astype(int) - second).max(initial=0))
    full = next(scale for scale in FULL_SCALES if scale >= largest)
    pixels = imaging.difference(first, second, full)
    shown = imaging.to_uint8(imaging.mark(pixels, word))
    return compare.Pane(shown, pixels, f"{title}: black -{full}, grey 0, white +{full}")


def change(base: Base, after: npt.NDArray[np.uint8], edit: Edit, mark: str) -> list[str]:
    """Two sentences: what changed where, of the picture before any mark; and what the mark covers."""
    levels = np.abs(after.astype(int) - base.pixels)
    if base.lesion is None or edit.mode == "variation":
        inside = f"Mean change {levels.mean():.1f} grey levels"
        outside, name = base.keep, "inside the keep mask"
    else:
        mean = (after.astype(int) - base.pixels)[base.lesion].mean()
        inside = f"Inside the lesion {mean:+.1f} grey levels on average"
        outside, name = ~masks.edit_area(base.lesion, base.keep, edit.margin_px), "outside the edit mask"
    kept = "" if outside is None else f"; {name} at most {levels[outside].max(initial=0)}"
    covered = int((imaging.mark(after, mark) != after).sum())
    return [f"{inside}{kept}.", f":small[:gray[Compared before the mark; {mark} then changes {covered:,} pixels.]]"]


def _codec(image: GeneratedImage, base: Base) -> None:
    """The codec's own error on the base, apart: it is in no pixel of the edit."""
    check = next((check for check in image.quality.checks if check.picture), None)
    if check is None or check.picture is None:
        return
    decoded = imaging.to_uint8(resources.store().picture(check.picture))
    shown = difference(decoded, base.pixels, "CODEC ERROR", "CODEC")
    st.image(shown.shown, width=150, alt="Codec error on the base image")
    st.caption(
        f"Codec error, not in the edit: mean {check.value:.1f}, largest {_largest(decoded, base):d} grey levels."
    )


def _largest(decoded: npt.NDArray[np.uint8], base: Base) -> int:
    return int(np.abs(decoded.astype(int) - base.pixels).max(initial=0))
