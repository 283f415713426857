"""One real image, opened: large at the reading station with its boxes and mask, its facts, its labels to edit."""

from __future__ import annotations

import numpy as np
import streamlit as st

from synth import imaging
from synth.dicom.headers import safe_header
from synth.errors import StoreError
from synth.store.holding_records import Holding
from synth.types import RealImage
from synth.ui import (
    hounsfield,
    neighbours,
    resources,
    session,
    shelf_bin,
    shelf_edit,
    shelf_outlines,
    shelf_place,
    viewer,
    views,
)

READING_PX = (512, 1024)  # at least and at most, on the longer side
FILM_PX = 720  # height on the screen
SAVED = "shelf_saved"  # what was saved by the run before


def show(image_id: str) -> None:
    """The opened image beside its facts and its labels."""
    st.button("All images", key="shelf_back", icon=":material/arrow_back:", type="tertiary", on_click=_close)
    resources.library().image(image_id)  # takes note of one that has just come in
    try:
        holding = resources.store().holdings.holding(image_id)
    except StoreError as error:
        st.error(str(error))
        return
    left, right = st.columns([16, 9], gap="medium")
    with left, views.show_error():
        _film(holding)
    with right, views.show_error():
        _facts(holding)


def _close() -> None:
    shelf_place.go(image=None)


def _film(holding: Holding) -> None:
    """The image under windows: in HU where its file has them, else in grey levels."""
    image, library = holding.image, resources.library()
    shape = shape_of(holding)
    size_px = int(np.clip(max(shape), *READING_PX))
    values, spacing = library.hounsfield(image.id, size_px), library.spacing_mm(image.id, size_px)
    lines = shelf_outlines.overlays(image, shape, size_px)
    if values is None:
        grey = imaging.mark(library.pixels(image.id, size_px), "REAL")
        pane = viewer.Pane(grey, spacing, overlays=lines, title="REAL")
    else:
        marked = hounsfield.pane(values, "REAL").shown.astype(np.int16)
        window = _own_window()
        pane = viewer.Pane(marked, spacing, "HU", window, lines, title="REAL", presets=hounsfield.PRESETS)
    viewer.show([pane], key="shelf-reader", label=f"Real image: {neighbours.sentence_of(image)}", height_px=FILM_PX)


@st.cache_data(max_entries=256, show_spinner=False)
def _shape(image_id: str) -> tuple[int, int]:
    height, width = resources.library().whole(image_id).shape
    return height, width


def shape_of(holding: Holding) -> tuple[int, int]:
    """(H, W) of an image at its own size. Raises DicomError where its file cannot be read."""
    return (holding.rows, holding.columns) if holding.rows and holding.columns else _shape(holding.image.id)


def _own_window() -> tuple[float, float]:
    """Width and centre as typed; the presets, keys and mouse of the reader take over from there."""
    with st.container(horizontal=True, gap="small"):
        center = st.number_input("Centre, HU", -1000, 1500, hounsfield.LUNG[2], 10, key="window_center", width=140)
        width = st.number_input("Width, HU", 1, 3000, hounsfield.LUNG[1], 10, key="window_width", width=140)
    return float(width), float(center)


def _facts(holding: Holding) -> None:
    image = holding.image
    st.markdown(f"**{views.escaped(neighbours.sentence_of(image))}**")
    if saved := st.session_state.pop(SAVED, ""):
        st.success(saved, icon=":material/check:")
    if image.removed:
        st.warning("This image is in the bin: it is shown nowhere else.")
    st.table(facts(holding))
    word = "Put back" if image.removed else "Move to bin"
    with st.container(horizontal=True, gap="small"):
        st.button(word, key="shelf_move_one", on_click=_move, args=(image.id, not image.removed))
        if not image.removed:
            st.button(
                "Look-alikes",
                key="shelf_like",
                icon=":material/image_search:",
                on_click=shelf_place.go,
                kwargs={"image": None, "page": None, "like": image.id},
                help="The images of the library that look like this one, nearest first",
            )
    with st.expander("Edit labels", icon=":material/edit:"), views.show_error():
        st.fragment(shelf_edit.editor)(holding, shape_of(holding))
    _header(image)


def _move(image_id: str, into_bin: bool) -> None:
    shelf_bin.move((image_id,), into_bin)
    if into_bin:
        _close()


def facts(holding: Holding) -> dict[str, str]:
    """What is known of an image beside its labels."""
    image = holding.image
    height, width = shape_of(holding)
    spacing = resources.library().spacing_mm(image.id, max(height, width))
    rows = {
        "Findings": ", ".join(map(shelf_place.words, image.findings)) or "no label",
        "Body part": image.body_part.lower(),
        "Boxes": "; ".join(f"{shelf_place.words(box.code)} {box.width:.0%} x {box.height:.0%}" for box in image.boxes),
        "Mask": "drawn" if image.mask else "",
        "Teaching note": views.escaped(image.note),
        "Origin": views.escaped(image.origin),
        "Licence": views.escaped(image.licence) or "unknown",
        "Attribution": views.escaped(image.attribution),
        "Size": f"{width} x {height} px",
        "Spacing": f"{spacing[0]:.3g} x {spacing[1]:.3g} mm" if spacing else "not said",
        "Look at": ", ".join(shelf_place.FLAGS.get(flag, flag) for flag in holding.flags),
        "Series": _series(holding),
        "Patient": views.escaped(holding.patient),
        "File": "kept here, de-identified" if image.kept else f"library folder, {views.escaped(image.path)}",
        "Added": f"{holding.added_at.astimezone(session.zone()):%Y-%m-%d %H:%M}" if holding.added_at else "",
    }
    return {name: text for name, text in rows.items() if text}


def _series(holding: Holding) -> str:
    numbers = (("series", holding.series_number), ("image", holding.instance_number))
    return ", ".join(f"{word} {number}" for word, number in numbers if number is not None)


def _header(image: RealImage) -> None:
    """The header of a kept DICOM file, as it is after de-identification."""
    if not image.kept.endswith(".dcm"):
        return
    with st.expander("Header", icon=":material/data_object:"), views.show_error():
        st.caption("As it is kept, after de-identification.")
        lines = safe_header(resources.store().holdings.file(image.kept))
        table = {
            name: [views.escaped(getattr(line, name)) for line in lines] for name in ("tag", "keyword", "vr", "value")
        }
        with st.container(height=360):
            st.table(table)
