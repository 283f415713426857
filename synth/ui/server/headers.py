"""The security headers of every response."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FRAMED = "/component/"  # Streamlit shows components such as the drawing canvas in frames of our own page
YEAR_S = 31_536_000

COMMON = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SecurityHeaders:
    """Middleware: what a browser may do with our pages, told with every response that does not say it itself."""

    def __init__(self, app: ASGIApp, https: bool) -> None:
        """`https`: browsers reach us by TLS, and shall never do otherwise."""
        self._app = app
        self._headers = COMMON | ({"Strict-Transport-Security": f"max-age={YEAR_S}"} if https else {})
        self._policy, self._framed = policy("'none'"), policy("'self'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to the response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        content = self._framed if scope["path"].startswith(FRAMED) else self._policy

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (self._headers | {"Content-Security-Policy": content}).items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def policy(ancestors: str) -> str:
    """The Content-Security-Policy of the pages: nothing from elsewhere, no script in the text of a page."""
    scripts = " ".join(("'self'", *own_scripts()))
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts} blob:",  # Streamlit makes the modules of components blobs
            "style-src 'self' 'unsafe-inline'",  # Streamlit's own styles are made by its scripts
            "img-src 'self' data: blob:",
            "media-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {ancestors}",
        )
    )


def own_scripts() -> list[str]:
    """The hashes of the scripts in the text of Streamlit's page."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    return [source(text) for text in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)]


def source(text: str) -> str:
    """The source expression of one script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
