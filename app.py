"""SynthRead: synthetic radiographs from a clinical prompt, and practice in reading them: `streamlit run app.py`."""

from pathlib import Path

import streamlit as st

from synth.ui import resources, views

PAGES = Path(__file__).parent / "pages"

st.set_page_config(page_title="SynthRead", page_icon="🩻", layout="wide", initial_sidebar_state="auto")
st.html(PAGES.parent / "assets" / "reading_room.css")
page = st.navigation(
    {
        "Make": [
            st.Page(PAGES / "generate.py", title="Generate", default=True),
            st.Page(PAGES / "edit.py", title="Edit"),
            st.Page(PAGES / "restore.py", title="Restore"),
            st.Page(PAGES / "translate.py", title="Translate"),
        ],
        "Read": [
            st.Page(PAGES / "quiz.py", title="Reading room"),
            st.Page(PAGES / "progress.py", title="Progress"),
            st.Page(PAGES / "library.py", title="Real images"),
        ],
        "Teach and study": [
            st.Page(PAGES / "cases.py", title="Cases"),
            st.Page(PAGES / "studies.py", title="Studies"),
        ],
        "Trust": [st.Page(PAGES / "verify.py", title="Verify")],
    }
)
with st.sidebar:
    st.markdown("**SynthRead**")
    st.caption(f"{views.INTENDED_USE}.")
    with views.show_error():
        views.model_status()
        resources.begin_work()  # from the first visit on
with views.show_error():
    page.run()
