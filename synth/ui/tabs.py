"""Tabs whose place stands in the address as `tab`; only the open one runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import streamlit as st

from synth.ui import views

Tabs = Mapping[str, tuple[str, Callable[[], None]]]  # name in the address -> title and what draws it


def show(tabs: Tabs, key: str) -> None:
    """The tab that the address names, the first without one. `key` is that of the widget."""
    titles = {name: title for name, (title, _) in tabs.items()}
    first = next(iter(titles))
    st.session_state[key] = titles.get(st.query_params.get("tab", first), titles[first])
    places = st.tabs(list(titles.values()), key=key, on_change=partial(_noted, titles, key))
    for place, (title, draw) in zip(places, tabs.values(), strict=True):
        if title == st.session_state[key]:
            with place, views.show_error():
                draw()


def _noted(titles: Mapping[str, str], key: str) -> None:
    names = {title: name for name, title in titles.items()}
    name, first = names.get(st.session_state.get(key, "")), next(iter(titles))
    if name is None or name == first:
        st.query_params.pop("tab", None)
    else:
        st.query_params["tab"] = name
