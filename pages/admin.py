"""Administration: how the app is used, what happened here, its models, and the documents about it."""

import streamlit as st

from synth.ui import administration, views

st.subheader("Administration", anchor=False)
with views.show_error():
    administration.show()
