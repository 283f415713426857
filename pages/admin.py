"""Admin: how the app is used and how well it works, its models, and the documents about it."""

import streamlit as st

from synth.ui import admin_documents, admin_models, admin_monitor, views

st.subheader("Admin", anchor=False)
monitoring, models, documents = st.tabs(["Monitoring", "Models", "Documents"])
with monitoring, views.show_error():
    admin_monitor.panel()
with models, views.show_error():
    admin_models.panel()
with documents, views.show_error():
    admin_documents.panel()
