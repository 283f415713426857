"""The address of a page: read, and written so that it holds against runs that began before it was.

A browser sends its address with every rerun. One that it sent before it heard of a new address brings the old one
back, and what was just asked for would vanish from the screen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import urlparse

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

LATE_S = 20.0  # a busy server may take this long to reach a rerun


def write(wanted: Mapping[str, str]) -> None:
    """Write the address, without empty values; the next run shows it."""
    before, after = st.query_params.to_dict(), {key: value for key, value in wanted.items() if value}
    st.session_state["address_written"] = (_page(), before, after, time.monotonic())
    st.query_params.from_dict(after)


def read() -> dict[str, str]:
    """What the address asks for, the one just written where this run brings the one before it."""
    asked = st.query_params.to_dict()
    page, before, after, at = st.session_state.get("address_written", ("", None, None, 0.0))
    if page == _page() and asked == before != after and time.monotonic() - at < LATE_S and not _went_back():
        return dict(after)  # the browser's own address is right already
    return asked


def _page() -> str:
    return urlparse(st.context.url or "").path


def _went_back() -> bool:
    """True where this run shows what the browser's own back and forward buttons asked for."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
