"""Translate: a brain slice of one modality drawn as another, beside what that is worth."""

import streamlit as st

from synth.ui import translator, views

st.subheader(views.INTENDED_USE, anchor=False)
with views.show_error():
    translator.panel()
