"""The history: everything that was made and kept, newest first; each image opens with its request."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from synth import imaging, prompts
from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest
from synth.ui import resources, session, views

PAGE = 16
THUMBNAIL_PX = 256  # stored size of a thumbnail
TILE_PX = 134  # eight a row beside the side bar at 1440 px


def strip(images: Sequence[GeneratedImage], chosen: str) -> None:
    """The images of one request; pressing one brings it onto the screen."""
    with st.container(horizontal=True, gap="xsmall"):
        for number, image in enumerate(images, start=1):
            with _tile(image.id, image.request):
                if st.button(f"Image {number}", key=f"strip-{image.id}", width="stretch", disabled=image.id == chosen):
                    session.show(session.shown().jobs, image.id)
                    st.rerun()


@st.fragment
def history(chosen: str | None) -> None:
    """A page of the history with "Open" and, beside the image on screen, "Compare"."""
    with views.show_error():
        store = resources.store()
        total = store.count_images(session.user())
        if not total:
            st.caption("Nothing was made yet. Every image that is drawn is kept here.")
            return
        pages = -(-total // PAGE)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**History** :gray[{total} {'image' if total == 1 else 'images'}, kept on this computer]")
            page = st.pagination(pages, key="history_page") if pages > 1 else 1
        entries = store.history(PAGE, (page - 1) * PAGE, session.user())
        with st.container(horizontal=True, gap="xsmall"):
            for entry in entries:
                with _tile(entry.id, entry.request):
                    _entry_buttons(entry.id, chosen, prompts.describe(entry.request))


def _tile(image_id: str, request: GenerationRequest) -> DeltaGenerator:
    """A thumbnail of fixed width, so that a phone shows two a row; what follows stands under it."""
    tile = st.container(width=TILE_PX, gap="xxsmall")
    tile.image(thumbnail(image_id, request.mark), width="stretch", alt=prompts.describe(request))
    return tile


def _entry_buttons(image_id: str, chosen: str | None, sentence: str) -> None:
    with st.container(horizontal=True, gap="xxsmall", wrap=False):
        opened = st.button("Open", key=f"open-{image_id}", help=sentence, type="tertiary")
        compared = st.button(
            "Compare",
            key=f"compare-{image_id}",
            help="Beside the image on screen",
            type="tertiary",
            disabled=chosen in (None, image_id),
        )
    if opened:
        session.reopen(image_id)
    if compared:
        session.show(session.shown().jobs, chosen, beside=image_id)
    if opened or compared:
        st.rerun()


def thumbnail(image_id: str, mark: str) -> npt.NDArray[np.uint8]:
    """A small picture of a kept image with its mark burnt in."""
    store = resources.store()
    store.asked_by(image_id)  # what is cached is for those only who may see it
    return _thumbnail(image_id, mark, store)


@st.cache_data(max_entries=512, show_spinner=False)
def _thumbnail(image_id: str, mark: str, _store: Store) -> npt.NDArray[np.uint8]:
    pixels = _store.thumbnail(image_id, THUMBNAIL_PX)
    return imaging.to_uint8(imaging.mark(pixels, mark))
