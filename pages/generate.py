"""Generate: a clinical prompt becomes synthetic images beside real ones."""

import streamlit as st

from synth.ui import forms, gallery, room, views

st.subheader(views.INTENDED_USE, anchor=False)
arrived = False
with views.show_error():
    room.arrive()
    arrived = True
forms.prompt_box()
request, reading = st.columns([3, 9], gap="medium")
with request:
    forms.request_panel()
on_screen = None
with reading, views.show_error():
    on_screen = room.show() if arrived else None
gallery.history(on_screen)
