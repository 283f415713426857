"""Downloads that a stop, a failure or a restart left unfinished: to go on with, to import as they are, to discard."""

from __future__ import annotations

import streamlit as st

from synth.intake.downloads import Unfinished
from synth.ui import resources, session, shelf_place, views


def size_words(size: float) -> str:
    """As "4.2 MB" or "1.3 GB"."""
    for unit, of in (("TB", 1e12), ("GB", 1e9)):
        if size >= of:
            return f"{size / of:,.1f} {unit}"
    return f"{size / 1e6:,.1f} MB" if size < 1e8 else f"{size / 1e6:,.0f} MB"


def unfinished() -> None:
    """One line for each unfinished download."""
    for one in resources.downloads().unfinished():
        with st.container(border=True, gap="xsmall"), views.show_error():
            _line(one)


def _line(one: Unfinished) -> None:
    begun = f"{one.begun_at.astimezone(session.zone()):%Y-%m-%d %H:%M}"
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        with st.container(gap="xxsmall", width="content"):
            st.markdown(f"Unfinished: {views.escaped(one.title)}")
            st.caption(
                f"{one.files:,} of {one.of_files:,} files, {size_words(one.size_bytes)} of {size_words(one.of_bytes)} "
                f"are here; begun {begun} by {views.escaped(one.user)}"
            )
        st.space("stretch")
        resumed = st.button("Resume", key=f"idc-resume-{one.name}", icon=":material/play_arrow:")
        taken = one.files > 0 and st.button(
            "Import what is here", key=f"idc-import-{one.name}", help="The rest is given up."
        )
        dropped = st.button(
            "Discard", key=f"idc-discard-{one.name}", icon=":material/delete:", help="Deletes its files."
        )
    if resumed:
        resources.downloads().resume(one.name, session.user())
        st.rerun()
    if taken:
        shelf_place.go(**{"tab": "import", "import": resources.downloads().import_arrived(one.name, session.user())})
        st.rerun()
    if dropped:
        resources.downloads().discard(one.name, session.user())
        st.rerun()
