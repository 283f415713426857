"""Verify: drop a file and see whether it is synthetic, whether it was made here, and what says so."""

import streamlit as st

from synth.ui import verifier, views

st.subheader("Verify", anchor=False)
with views.show_error():
    verifier.panel()
