"""Studies: reader studies made, invited to, watched, locked and analysed."""

import streamlit as st

from synth.ui import study_desk, views

st.subheader("Reader studies", anchor=False)
with views.show_error():
    study_desk.panel()
