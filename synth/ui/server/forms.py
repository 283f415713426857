"""The forms of the account pages: each can be sent once, by the browser that got it, within an hour."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request

from synth.errors import RequestError

LIFE_S = 3600
SPENT = 8192  # forms that are remembered as sent
BYTES = 16 * 1024  # of a sent form
FIELDS = 8


class Forms:
    """Tokens of forms: a random value in a cookie, and its HMAC in the form (double submit, signed)."""

    def __init__(self, key: bytes, clock: Callable[[], float], random: Callable[[int], str]) -> None:
        """`clock` gives seconds, `random` so many bytes as hex."""
        self._key, self._clock, self._random = hmac.digest(key, b"forms", "sha256"), clock, random
        self._spent: OrderedDict[str, float] = OrderedDict()
        self._taking = threading.Lock()

    def new(self) -> tuple[str, str]:
        """The value of the cookie and the token of the form."""
        cookie = f"{int(self._clock())}.{self._random(16)}"
        return cookie, self._token(cookie)

    def take(self, cookie: str, token: str) -> bool:
        """Whether the form is ours, belongs to this browser, is young enough and was not sent before."""
        began = cookie.partition(".")[0]
        if not hmac.compare_digest(self._token(cookie).encode(), token.encode()) or not began.isascii():
            return False
        now = self._clock()
        with self._taking:
            while self._spent and (len(self._spent) > SPENT or next(iter(self._spent.values())) < now - LIFE_S):
                self._spent.popitem(last=False)
            if cookie in self._spent or not began.isdigit() or not 0 <= now - int(began) < LIFE_S:
                return False
            self._spent[cookie] = now
        return True

    def _token(self, cookie: str) -> str:
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()


async def fields(request: Request) -> dict[str, str]:
    """The fields of a sent form, the first of each name. Raises RequestError on anything else or too much."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise RequestError("This is not a form; use the page.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BYTES:
            raise RequestError(f"The form has more than {BYTES // 1024} kB; that cannot be right.")
    try:
        return {name: values[0] for name, values in parse_qs(body.decode(), True, True, max_num_fields=FIELDS).items()}
    except ValueError as error:
        raise RequestError("The form cannot be read; use the page.") from error


def same_origin(request: Request) -> bool:
    """Whether the form was sent by a page of ours: browsers name the origin with every POST."""
    host = request.headers.get("host", "")
    return bool(host) and request.headers.get("origin", "") in (f"http://{host}", f"https://{host}")


def safe_next(text: str) -> str:
    """Where to go after signing in: a path of ours, else the first page."""
    ours = text.isprintable() and text.startswith("/") and "\\" not in text
    return text if ours and not text.startswith(("//", "/account/")) else "/"
