"""Cases: an educator makes a set, looks at every image, and sees how it was read."""

import streamlit as st

from synth.ui import case_sets, views

st.subheader(views.INTENDED_USE, anchor=False)
with views.show_error():
    case_sets.panel()
