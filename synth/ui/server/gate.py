"""Who gets in: in local mode this computer alone, with accounts whoever is signed in. Nothing goes past it."""

from __future__ import annotations

from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from synth.errors import StoreError
from synth.governance.accounts import Stay
from synth.ui import house
from synth.ui.server import account, oidc
from synth.ui.server.address import arrived_here

# What strangers may ask for with accounts; what is not a page of ours checks for itself who asks.
OPEN = frozenset({account.SIGN_IN, "/_stcore/health", "/api/verify", "/metrics"})
OF_THE_SIGNED_IN = ("/media/", "/_stcore/upload_file/", "/_stcore/metrics")  # with OIDC, where a page signs in
OF_THE_CHANGING = frozenset({account.PASSWORD, account.SIGN_OUT})
NOT_HERE = "SynthRead serves this computer only, as http://localhost; see docs/access.md to serve others."
VIOLATION = 1008  # RFC 6455, section 7.4.1


class Gate:
    """Middleware: pass a request, send it to the sign-in page, or refuse it. A websocket is passed or refused."""

    def __init__(self, app: ASGIApp, auth: str) -> None:
        """`auth` is local, accounts or oidc."""
        self._app = app
        self._verdict = {"local": _local, "accounts": _accounts, "oidc": _oidc}[auth]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let in or not."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refusal = await self._verdict(HTTPConnection(scope))
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": VIOLATION})
        else:
            await refusal(scope, receive, send)


async def _local(asked: HTTPConnection) -> Response | None:
    return None if arrived_here(asked.scope) else PlainTextResponse(NOT_HERE, 421)


async def _oidc(asked: HTTPConnection) -> Response | None:
    if not asked.url.path.startswith(OF_THE_SIGNED_IN) or oidc.is_signed_in(asked):
        return None
    return PlainTextResponse("Sign in first.", 401)


async def _accounts(asked: HTTPConnection) -> Response | None:
    if asked.scope["path"] in OPEN:
        return None
    try:
        stay = await run_in_threadpool(_stay, asked.cookies.get(account.cookie_name(), ""))
    except StoreError as error:
        return PlainTextResponse(str(error), 503)
    if stay is None:
        return _to(asked, f"{account.SIGN_IN}?next={quote(_place(asked), safe='')}", "Sign in first.")
    if stay.account.must_change and asked.scope["path"] not in OF_THE_CHANGING:
        return _to(asked, account.PASSWORD, "Change the password first.")
    return None


def _stay(token: str) -> Stay | None:
    return house.register().stay(token) if token else None


def _place(asked: HTTPConnection) -> str:
    return asked.url.path + (f"?{asked.url.query}" if asked.url.query else "")


def _to(asked: HTTPConnection, where: str, sentence: str) -> Response:
    """A page goes to `where`; whatever else was asked for is refused."""
    if asked.scope.get("method") == "GET" and "text/html" in asked.headers.get("accept", ""):
        return RedirectResponse(where, 303, {"Cache-Control": "no-store"})
    return PlainTextResponse(sentence, 401)
