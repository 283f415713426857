"""Administration: what happened here, by whom, and whether the record of it is whole."""

import streamlit as st

from synth.ui import admin_audit, views

st.subheader("Administration", anchor=False)
with views.show_error():
    (audit,) = st.tabs(["Audit trail"])
    with audit:
        admin_audit.panel()
