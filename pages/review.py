"""Validation: radiologists judge synthetic images before others use them."""

import streamlit as st

from synth.ui import review, views

st.subheader("Validation", anchor=False)
with views.show_error():
    review.panel()
