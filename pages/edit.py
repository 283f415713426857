"""Edit: draw a lesion on an image and get it there, with nothing else changed."""

import streamlit as st

from synth.ui import editor, views

st.subheader(views.INTENDED_USE, anchor=False)
with views.show_error():
    editor.panel()
