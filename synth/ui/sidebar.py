"""The sidebar below the pages: what this is for, who is signed in, and the model."""

from __future__ import annotations

import streamlit as st

from synth.ui import account, resources, views


def show() -> None:
    """Also begins, on the first visit, what goes on without anybody asking."""
    st.markdown("**SynthRead**")
    st.caption(f"{views.INTENDED_USE}.")
    with views.show_error():
        account.panel()
    with views.show_error():
        views.model_status()
        resources.begin_work()
