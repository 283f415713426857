"""Administration: how the app is used, what happened here, its models, and the documents about it."""

import streamlit as st

from synth.ui import admin_audit, admin_documents, admin_models, admin_monitor, views

TABS = {
    "Monitoring": admin_monitor.panel,
    "Audit trail": admin_audit.panel,
    "Models": admin_models.panel,
    "Documents": admin_documents.panel,
}

st.subheader("Administration", anchor=False)
for place, panel in zip(st.tabs(list(TABS)), TABS.values(), strict=True):
    with place, views.show_error():
        panel()
