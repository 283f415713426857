"""Signed in by OIDC: what Streamlit's own cookie says outside of a page."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from starlette.requests import HTTPConnection
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME
from streamlit.web.server.starlette.starlette_websocket import _get_signed_cookie_with_chunks

from synth.governance.claims import expired


def is_signed_in(asked: HTTPConnection) -> bool:
    """Whether the signed cookie of `st.login` came along and its token has not expired."""
    try:
        kept = _get_signed_cookie_with_chunks(dict(asked.cookies), USER_COOKIE_NAME)
        claims = json.loads(kept) if kept else {}
    except ValueError:
        return False
    return bool(claims.get("is_logged_in")) and not expired(claims, datetime.now(UTC))
