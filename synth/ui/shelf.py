"""Browsing the library of real images: filters, a grid of marked thumbnails, and one opened, CT under any window."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging
from synth.types import RealImage
from synth.ui import hounsfield, neighbours, resources, viewer, views

PAGE = 24
THUMBNAIL_PX = 256
READING_PX = 512  # of an opened image
TILE_PX = 182  # six a row beside the side bar at 1440 px


def browse() -> None:
    """The filters and one page of the library; one sentence where it is empty."""
    library = resources.library()
    if library.problem:
        st.info(library.problem)
    if not library.images:
        return
    _opened(st.query_params.get("image"))
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        modality = _choice("Modality", (image.modality for image in library.images))
        view = _choice("View", (image.view for image in library.images if image.view))
        finding = _choice("Finding", (code for image in library.images for code in image.findings))
    found = [
        image
        for image in library.images
        if modality in (None, image.modality)
        and view in (None, image.view)
        and (finding or "") in ("", *image.findings)
    ]
    pages = max(1, -(-len(found) // PAGE))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"{len(found)} of {len(library.images)} images, read only")
        page = st.pagination(pages, key="shelf_page") if pages > 1 else 1
    _grid(found[(page - 1) * PAGE : page * PAGE])


def _opened(image_id: str | None) -> None:
    """The image that the address names, with windows: in HU where its file has them, else in grey levels."""
    image = next((image for image in resources.library().images if image.id == image_id), None)
    if image is None:
        if image_id:
            st.error(f"The library has no image {image_id[:40]!r}.")
        return
    with views.show_error(), st.container(gap="small"):
        library = resources.library()
        values, spacing = library.hounsfield(image.id, READING_PX), library.spacing_mm(image.id, READING_PX)
        if values is None:
            grey = imaging.mark(library.pixels(image.id, READING_PX), "REAL")
            pane = viewer.Pane(grey, spacing, title="REAL")
        else:
            marked = hounsfield.pane(values, "REAL").shown.astype(np.int16)
            pane = viewer.Pane(marked, spacing, "HU", _own_window(), title="REAL", presets=hounsfield.PRESETS)
        sentence = neighbours.sentence_of(image)
        viewer.show([pane], key="shelf-reader", label=f"Real image: {sentence}")
        st.caption(f"{sentence}. {image.origin}. {image.licence}")


def _own_window() -> tuple[float, float]:
    """Width and centre as typed; the presets, keys and mouse of the reader take over from there."""
    with st.container(horizontal=True, gap="small"):
        center = st.number_input("Centre, HU", -1000, 1500, hounsfield.LUNG[2], 10, key="window_center", width=140)
        width = st.number_input("Width, HU", 1, 3000, hounsfield.LUNG[1], 10, key="window_width", width=140)
    return float(width), float(center)


def _grid(images: list[RealImage]) -> None:
    with st.container(horizontal=True, gap="small"):
        for image in images:
            with st.container(width=TILE_PX, gap="xxsmall"), views.show_error():
                sentence = neighbours.sentence_of(image)
                st.image(thumbnail(image.id), width="stretch", alt=f"Real image: {sentence}")
                st.caption(f"{sentence}. {image.origin}", help=image.licence or None)
                if st.button("Open", key=f"shelf-open-{image.id}", type="tertiary"):
                    st.query_params["image"] = image.id
                    st.rerun()


def _choice(label: str, values: Iterable[str]) -> str | None:
    return st.selectbox(
        label,
        sorted(set(values)),
        index=None,
        placeholder="all",
        format_func=lambda value: value.replace("_", " "),
        width=220,
    )


@st.cache_data(max_entries=512, show_spinner=False)
def thumbnail(image_id: str) -> npt.NDArray[np.uint8]:
    """A small picture of a real image with its mark burnt in. Raises DicomError where it cannot be read."""
    pixels = resources.library().pixels(image_id, THUMBNAIL_PX)
    return imaging.to_uint8(imaging.mark(pixels, "REAL"))
