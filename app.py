"""SynthRead: a clinical prompt to a synthetic chest film beside real ones. `streamlit run app.py` starts it."""

from pathlib import Path

import streamlit as st

from synth.ui import resources, views

HERE = Path(__file__).parent

st.set_page_config(page_title="SynthRead", page_icon="🩻", layout="wide", initial_sidebar_state="auto")
st.html(HERE / "assets" / "reading_room.css")
page = st.navigation(
    [
        st.Page(HERE / "pages" / "generate.py", title="Generate", default=True),
        st.Page(HERE / "pages" / "quiz.py", title="Reading room"),
        st.Page(HERE / "pages" / "edit.py", title="Edit"),
        st.Page(HERE / "pages" / "restore.py", title="Restore"),
        st.Page(HERE / "pages" / "translate.py", title="Translate"),
        st.Page(HERE / "pages" / "library.py", title="Real images"),
        st.Page(HERE / "pages" / "cases.py", title="Cases"),
        st.Page(HERE / "pages" / "studies.py", title="Studies"),
        st.Page(HERE / "pages" / "progress.py", title="Progress"),
    ]
)
with st.sidebar:
    st.markdown("**SynthRead**")
    st.caption(f"{views.INTENDED_USE}.")
    with views.show_error():
        views.model_status()
        resources.maker()  # from the first visit on, cases are drawn in the background
with views.show_error():
    page.run()
