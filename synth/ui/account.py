"""The account in the sidebar: who is signed in, the way out, the password, the second factor."""

from __future__ import annotations

import streamlit as st

from synth.export.qr import qr_svg
from synth.governance import second
from synth.ui import resources, session, sign_in, views
from synth.ui.server.account import PASSWORD

SECRET = "second-factor"  # in the session state, while it is being set up


def panel() -> None:
    """Nothing where nobody signs in."""
    auth = resources.settings().auth
    if auth == "local":
        return
    person = session.person()
    st.caption(f"Signed in as **{views.escaped(person.name)}**: {', '.join(sorted(person.roles))}.")
    if auth == "accounts":
        st.html(f'<a href="{PASSWORD}" target="_self">Change password</a>')
        if st.button("Second factor", type="tertiary"):
            _second_factor(person.name)
    if st.button("Sign out", on_click=sign_in.sign_out):
        st.rerun()


@st.dialog("Second factor")
def _second_factor(name: str) -> None:
    """A secret for the authenticator app, kept once a code and the password prove both."""
    with views.show_error():
        if SECRET not in st.session_state:
            st.session_state[SECRET] = resources.register().begin_second_factor(name)
        secret = st.session_state[SECRET]
        address = second.address(name, secret)
        st.markdown("Scan this with an authenticator app, or type the secret into it.")
        st.image(qr_svg(address), width=220)
        st.code(secret, language=None)
        st.code(address, language=None, wrap_lines=True)
        with st.form("second-factor-form", border=False):
            code = st.text_input("Six digits that the app shows", autocomplete="one-time-code")
            password = st.text_input("Your password", type="password", autocomplete="current-password")
            if st.form_submit_button("Keep the second factor", type="primary"):
                resources.register().keep_second_factor(name, secret, code, password)
                del st.session_state[SECRET]
                st.rerun()
