"""SynthRead: synthetic radiographs from a clinical prompt, and practice in reading them: `streamlit run app.py`.

Streamlit reads this file twice: once to find the server `app`, then, in that server, for every visitor.
"""

from pathlib import Path

import streamlit as st
from streamlit.starlette import App

from synth.ui import server, session, sidebar, views

PAGES = Path(__file__).parent / "pages"

if not st.runtime.exists():
    app = App(__file__, **server.parts())
else:
    st.set_page_config(page_title="SynthRead", page_icon="🩻", layout="wide", initial_sidebar_state="auto")
    st.html(PAGES.parent / "assets" / "reading_room.css")
    sections = {
        "Make": {"generate": "Generate", "edit": "Edit", "restore": "Restore", "translate": "Translate"},
        "Read": {"quiz": "Reading room", "progress": "Progress", "library": "Real images"},
        "Teach and study": {"cases": "Cases", "studies": "Studies"},
        "Trust": {"verify": "Verify", "review": "Validation", "admin": "Administration"},
    }
    pages = {
        section: [st.Page(PAGES / f"{file}.py", title=title, default=file == "generate") for file, title in of.items()]
        for section, of in sections.items()
    }
    page = st.navigation(pages)
    with views.show_error():
        session.arrive()
    with st.sidebar:
        sidebar.show()
    with views.show_error():
        page.run()
