"""Real images: the library that synthetic ones are shown beside, to search, label, bin and fill."""

import streamlit as st

from synth.ui import shelf, views

st.subheader("Real images", anchor=False)
with views.show_error():
    shelf.panel()
