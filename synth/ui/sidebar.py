"""The sidebar below the pages: what this is for, who is signed in, the model, an alarm, and the notices."""

from __future__ import annotations

import streamlit as st

from synth.ui import account, admin_documents, admin_monitor, resources, views


def show() -> None:
    """Also begins, on the first visit, what goes on without anybody asking."""
    st.markdown("**SynthRead**")
    st.caption(f"{views.INTENDED_USE}.")
    with views.show_error():
        account.panel()
    with views.show_error():
        views.model_status()
        resources.begin_work()
    with views.show_error():
        admin_monitor.sidebar()
        admin_documents.for_everybody()
