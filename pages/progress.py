"""Progress: what the trainee has learnt, what comes next, and every case again."""

import streamlit as st

from synth.ui import progress_board, views

st.subheader("Progress", anchor=False)
with views.show_error():
    progress_board.show()
