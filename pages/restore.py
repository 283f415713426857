"""Restore: noise, blur, darkness, loss or too few pixels taken back as far as the picture itself allows."""

import streamlit as st

from synth.ui import restorer, views

st.subheader(views.INTENDED_USE, anchor=False)
with views.show_error():
    restorer.panel()
