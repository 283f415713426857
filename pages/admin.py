"""Administration: release and protocols."""

import streamlit as st

from synth.ui import admin_protocols, admin_release, views

TABS = {"Release": admin_release.panel, "Protocols": admin_protocols.panel}

st.subheader("Administration", anchor=False)
for place, panel in zip(st.tabs(list(TABS)), TABS.values(), strict=True):
    with place, views.show_error():
        panel()
