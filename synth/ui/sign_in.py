"""Who is signed in, as a page sees it: by the cookie of an account, or by the token of `st.login`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

import streamlit as st

from synth.errors import PolicyError
from synth.governance import claims
from synth.governance.accounts import Account
from synth.governance.roles import User
from synth.ui import house
from synth.ui.server.account import SIGN_IN, cookie_name

ENDED = "Your session has ended; sign in to go on."


def token() -> str:
    """The token of the account's cookie, empty without one."""
    return st.context.cookies.get(cookie_name(), "")


def of_cookie() -> User | None:
    """Whoever's account is signed in and has a password of their own."""
    stay = house.register().stay(token())
    return None if stay is None or stay.account.must_change else stay.account.user()


def of_token() -> User | None:
    """Whoever the sign-in service names, until the token expires."""
    told = _told()
    if not told.get("is_logged_in") or claims.expired(told, datetime.now(UTC)):
        return None
    try:
        return claims.user_of(told, _account(claims.name_of(told, house.rules())), house.rules())
    except PolicyError as error:
        st.error(str(error))
        st.stop()


def sign_out() -> None:
    """End the stay of this browser."""
    if house.settings().auth == "accounts":
        house.register().sign_out(token())
    else:
        st.logout()


def ask() -> NoReturn:
    """Say that nobody is signed in and how to; nothing else runs."""
    if house.settings().auth == "accounts":
        st.error(ENDED)
        st.html(f'<a href="{SIGN_IN}" target="_self">Sign in</a>')
    else:
        if _told().get("is_logged_in"):
            st.error(ENDED)
        if st.button("Sign in", type="primary"):
            st.login()
    st.stop()


def _told() -> dict[str, Any]:
    return dict(st.user.to_dict())


@st.cache_data(ttl=3, show_spinner=False)
def _account(name: str) -> Account | None:
    return house.register().account(name)
