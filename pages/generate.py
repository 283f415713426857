"""Generate: a clinical prompt becomes synthetic images beside real ones."""

import streamlit as st

from synth.ui import forms, gallery, room, session, views

st.subheader(views.INTENDED_USE, anchor=False)
with views.show_error():
    room.arrive()
forms.prompt_box()
request, reading = st.columns([3, 10], gap="medium")
with request:
    forms.request_panel()
with reading, views.show_error():
    room.show()
gallery.history(session.shown().image)
