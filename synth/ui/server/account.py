"""The pages before the pages: sign in, change the password, sign out. Plain forms, no script."""

from __future__ import annotations

import asyncio
import html
import re
import secrets
import time
from functools import cache
from pathlib import Path
from string import Template
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from synth import keys
from synth.errors import PolicyError, RequestError, StoreError, SynthError
from synth.ui import house
from synth.ui.server.address import client
from synth.ui.server.forms import LIFE_S, Forms, fields, safe_next, same_origin
from synth.ui.server.headers import source

SIGN_IN, PASSWORD, SIGN_OUT = "/account/sign-in", "/account/password", "/account/sign-out"
PAGE = Template((Path(__file__).parents[1] / "frontend" / "account.html").read_text(encoding="utf-8"))
STYLE = "".join(re.findall(r"<style>(.*?)</style>", PAGE.template, re.DOTALL))
POLICY = f"default-src 'none'; style-src {source(STYLE)}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
STALE = "This form is too old or was sent before; please try again."
FORM = "synth_form"
_hashing = asyncio.Semaphore(2)  # each argon2 hash takes 64 MiB: many at once would be an attack on our memory


def cookie_name() -> str:
    """The name of the cookie; with TLS one that no neighbouring host can set (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-synth" if house.rules().https else "synth"


async def sign_in(request: Request) -> Response:
    """Show the form, or let somebody in under a new token and lead on to where they wanted to go."""
    if request.method == "GET":
        return _sign_in_page(request.query_params.get("next", ""))
    try:
        sent = await _sent(request)
        here = request.cookies.get(cookie_name(), "")
        address = client(request.scope, house.rules().proxies)
        given = (sent.get("name", ""), sent.get("password", ""), sent.get("code", ""), address)
        async with _hashing:
            token = await run_in_threadpool(house.register().sign_in, *given)
        await run_in_threadpool(house.register().sign_out, here)  # of this browser's earlier stay
    except SynthError as error:
        return _sign_in_page(request.query_params.get("next", ""), error)
    return _entered(token, safe_next(request.query_params.get("next", "")))


async def password(request: Request) -> Response:
    """Show the form to whoever is signed in, or take the new password."""
    token = request.cookies.get(cookie_name(), "")
    stay = await run_in_threadpool(house.register().stay, token)
    if stay is None:  # it ended since the gate
        return RedirectResponse(SIGN_IN, 303)
    if request.method == "GET":
        return _password_page(stay.account.name, stay.account.must_change)
    try:
        sent = await _sent(request)
        if sent.get("new", "") != sent.get("again", ""):
            raise RequestError("The two new passwords differ.")
        address = client(request.scope, house.rules().proxies)
        given = (stay.account.name, sent.get("old", ""), sent.get("new", ""), address)
        async with _hashing:
            token = await run_in_threadpool(house.register().change_password, *given)
    except SynthError as error:
        return _password_page(stay.account.name, stay.account.must_change, error)
    return _entered(token, "/")


async def sign_out(request: Request) -> Response:
    """End the stay of this browser."""
    try:
        await _sent(request)
        await run_in_threadpool(house.register().sign_out, request.cookies.get(cookie_name(), ""))
    except SynthError as error:
        return _sign_in_page("", error)
    response = RedirectResponse(SIGN_IN, 303)
    response.delete_cookie(cookie_name(), "/", secure=house.rules().https, httponly=True, samesite="lax")
    return response


@cache
def _forms() -> Forms:
    return Forms(keys.secret(house.settings().home, keys.ACCOUNTS), time.time, secrets.token_hex)


async def _sent(request: Request) -> dict[str, str]:
    """The fields of a form of ours. Raises PolicyError on one from elsewhere, too old or sent before, RequestError."""
    if not same_origin(request):
        raise PolicyError("This form was sent from another site; open this page and try again.")
    sent = await fields(request)
    if not _forms().take(request.cookies.get(FORM, ""), sent.get("form", "")):
        raise PolicyError(STALE)
    return sent


def _entered(token: str, where: str) -> Response:
    """Lead on, with the cookie. Lax, not Strict: a link in a mail to a case set must find its reader signed in; what
    other sites can send with it are only page views, as forms and websockets from elsewhere go without."""
    https, hours = house.rules().https, house.rules().session_hours
    response = RedirectResponse(where, 303, {"Cache-Control": "no-store"})
    response.set_cookie(cookie_name(), token, hours * 3600, path="/", secure=https, httponly=True, samesite="lax")
    response.delete_cookie(FORM, "/account")
    return response


def _sign_in_page(wanted: str, error: SynthError | None = None) -> Response:
    cookie, token = _forms().new()
    after = quote(safe_next(wanted), safe="")
    once = 'autocomplete="one-time-code" inputmode="numeric"'
    form = _form(
        f"{SIGN_IN}?next={after}",
        "Sign in",
        token,
        _field("name", "Name", "text", 'autocomplete="username" autocapitalize="none" autofocus required'),
        _field("password", "Password", "password", 'autocomplete="current-password" required'),
        _field("code", "Code of your authenticator app", "text", once, "Only if you have set one up."),
    )
    return _page("Sign in", "SynthRead: education and research, never diagnosis.", error, form, cookie)


def _password_page(name: str, must: bool, error: SynthError | None = None) -> Response:
    cookie, token = _forms().new()
    least = f"At least {house.rules().password_length} characters, without your name."
    change = _form(
        PASSWORD,
        "Change password",
        token,
        _field("old", "Present password", "password", 'autocomplete="current-password" required autofocus'),
        _field("new", "New password", "password", 'autocomplete="new-password" required', least),
        _field("again", "New password, once more", "password", 'autocomplete="new-password" required'),
    )
    leave = _form(SIGN_OUT, "Sign out", token, quiet=True)
    lead = f"Signed in as {html.escape(name)}. "
    lead += "Choose a password of your own first." if must else 'This signs you out elsewhere. <a href="/">Back</a>'
    return _page("Change password", lead, error, change + leave, cookie)


def _form(action: str, label: str, token: str, *parts: str, quiet: bool = False) -> str:
    hidden = f'<input type="hidden" name="form" value="{token}">'
    button = f"<button{' class=quiet' if quiet else ''}>{label}</button>"
    return f'<form method="post" action="{html.escape(action)}">{hidden}{"".join(parts)}{button}</form>'


def _field(name: str, label: str, kind: str, more: str, hint: str = "") -> str:
    told = f'<span class="hint" id="{name}-hint">{hint}</span>' if hint else ""
    by = f' aria-describedby="{name}-hint"' if hint else ""
    box = f'<input id="{name}" name="{name}" type="{kind}" {more}{by}>'
    return f'<div class="field"><label for="{name}">{label}</label>{box}{told}</div>'


def _page(title: str, lead: str, error: SynthError | None, forms: str, cookie: str) -> Response:
    problem = f'<p role="alert">{html.escape(str(error))}</p>' if error else ""
    status = 200 if error is None else 503 if isinstance(error, StoreError) else 403
    text = PAGE.substitute(title=title, lead=lead, problem=problem, forms=forms)
    headers = {"Cache-Control": "no-store", "Content-Security-Policy": POLICY}
    response = HTMLResponse(text, status, headers)
    https = house.rules().https
    response.set_cookie(FORM, cookie, LIFE_S, path="/account", secure=https, httponly=True, samesite="strict")
    return response
