"""The Real images page: its tabs, each a module of its own. The address says which is open."""

from __future__ import annotations

import streamlit as st

from synth.ui import shelf_collections, shelf_images, shelf_import, shelf_pacs, shelf_place, views

# name in the address -> title and what draws it; only the open one runs
TABS = {
    "images": ("Images", shelf_images.show),
    "import": ("Import", shelf_import.show),
    "pacs": ("PACS", shelf_pacs.show),
    "collections": ("Open collections", shelf_collections.show),
}
KEY = "shelf_tab"


def panel() -> None:
    """The tab that the address names, the images without one."""
    titles = {name: title for name, (title, _) in TABS.items()}
    asked = st.query_params.get("tab", "images")
    st.session_state[KEY] = titles.get(asked, titles["images"])
    tabs = st.tabs(list(titles.values()), key=KEY, on_change=_noted)
    for tab, (title, show) in zip(tabs, TABS.values(), strict=True):
        if title == st.session_state[KEY]:
            with tab, views.show_error():
                show()


def _noted() -> None:
    names = {title: name for name, (title, _) in TABS.items()}
    name = names.get(st.session_state.get(KEY, ""), "images")
    shelf_place.go(tab=None if name == "images" else name)
