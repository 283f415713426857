"""The images of the library that look like one of them, nearest first, under the filters of the address."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from synth.store.holding_records import Holding, Search
from synth.ui import neighbours, resources, shelf_place, views

MOST = 200  # look-alikes that are offered


def page(image_id: str, wanted: Search, size: int, number: int) -> tuple[int, tuple[Holding, ...], Mapping[str, float]]:
    """How many there are, one page of them, and the distance of each by its id. Raises SynthError."""
    with st.spinner("Comparing"):
        alike = resources.looks().like_real(image_id, MOST, wanted)
    store, library = resources.store().holdings, resources.library()
    first = max(0, min(number - 1, (len(alike.found) - 1) // size)) * size
    near = alike.found[first : first + size]
    image = library.image(image_id)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        what = views.escaped(neighbours.sentence_of(image)) if image else "an image"
        st.markdown(f"Nearest to **{what}**, of {alike.seen:,} images compared", width="content")
        st.button("Show it", key="shelf_like_open", type="tertiary", on_click=_open, args=(image_id,))
        st.button("All images", key="shelf_like_off", type="tertiary", on_click=shelf_place.go, kwargs={"like": None})
    if alike.may_be_copy:
        st.caption("The first is as near as hardly any two images of different patients: it may show the same picture.")
    if alike.missing:
        st.caption(f"{alike.missing:,} images were not looked at yet; this goes on while the device is idle.")
    found = store.holdings([one.id for one in near])
    return len(alike.found), found, {one.id: one.distance for one in near}


def _open(image_id: str) -> None:
    shelf_place.go(image=image_id)
