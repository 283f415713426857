"""The free detector over HTTP: POST a file to /api/verify and get yes or no with a score, without signing in.

A file is examined in a process of its own, which a hostile one may hold or bring down without the server.
EU AI Act, article 50, and its Code of Practice of June 2026 ask for one. It tells nothing of who made an image.
"""

from __future__ import annotations

import asyncio
import ipaddress
import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message

from synth.governance.rules import Rules
from synth.intake.pool import Crashed, Pool
from synth.ui.server.address import client
from synth.verify import Proofs
from synth.verify.files import MAX_BYTES
from synth.verify.strangers import NAME, Found, examined

PATH = "/api/verify"
WINDOW_S = 60.0
ADDRESSES_MAX = 10_000  # that are remembered, the latest
WAITING_MAX = 4  # files in memory at once, the one that is examined among them
BUSY_S = 10  # after which one may try again
FORM_BYTES = 2**16  # what a form adds to its file
EXAMINE_S = 30.0  # the longest that one file may take


class Pace:
    """At most `limit` calls of one name within a sliding minute, for a bounded number of names."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._clock = limit, clock
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, name: str) -> float:
        """Count a call and return 0, or the seconds after which the next is allowed."""
        now = self._clock()
        calls = self._calls.setdefault(name, deque())
        self._calls.move_to_end(name)
        while len(self._calls) > ADDRESSES_MAX:
            self._calls.popitem(last=False)
        while calls and calls[0] <= now - WINDOW_S:
            calls.popleft()
        if len(calls) >= self._limit:
            return calls[0] + WINDOW_S - now
        calls.append(now)
        return 0.0


class Endpoint:
    """One of these serves all; `verify` is the handler of a route. Its one thread leaves the app its cores."""

    def __init__(self, proofs: Callable[[], Proofs], rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._proofs, self._proxies = proofs, frozenset(rules.proxies)
        self._pace = Pace(rules.verify_per_minute, clock)
        self._thread = ThreadPoolExecutor(1, "verify")
        self._process: Pool[tuple[bytes, Proofs], Found] = Pool(examined, 1, EXAMINE_S)
        self._waiting = 0

    async def verify(self, request: Request) -> JSONResponse:
        """The body, or the first file of a form, examined: 200, or 400, 413 and 429 with one sentence."""
        wait = self._pace.wait(network(client(request.scope, self._proxies)))
        if wait > 0:
            return _refused(429, "Too many files from this address; try again later.", math.ceil(wait))
        if self._waiting >= WAITING_MAX:
            return _refused(429, "Others are being served; try again soon.", BUSY_S)
        self._waiting += 1
        try:
            data = await _file(request)
            if data is None:
                return _refused(413, f"The file is larger than {MAX_BYTES // 2**20} MiB.")
            found = await asyncio.get_running_loop().run_in_executor(self._thread, self._examined, data)
        except HTTPException as error:  # of a form that is none
            return _refused(400, str(error.detail))
        finally:
            self._waiting -= 1
        return _refused(400, found) if isinstance(found, str) else JSONResponse(found)

    def close(self) -> None:
        """End its thread and its process once the file in hand is examined."""
        self._thread.shutdown(cancel_futures=True)
        self._process.close()

    def _examined(self, data: bytes) -> Found:
        found = self._process.one((data, self._proofs()))
        return f"{NAME} cannot be examined: {found.reason}." if isinstance(found, Crashed) else found


def network(host: str) -> str:
    """What is counted as one caller: an address, of IPv6 the network of 64 bits that one customer has."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


async def _file(request: Request) -> bytes | None:
    """The bytes of the file; None for more than are examined, of which no more than that are read."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES + FORM_BYTES:
            return None
        parts.append(part)
    body = b"".join(parts)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return body if len(body) <= MAX_BYTES else None

    async def again() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async with Request(request.scope, again).form(max_files=1, max_fields=8) as form:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if not files:
            raise HTTPException(400, "The form holds no file.")
        return await files[0].read()


def _refused(status: int, sentence: str, retry_s: int = 0) -> JSONResponse:
    headers = {"Retry-After": str(retry_s)} if retry_s else None
    return JSONResponse({"error": sentence}, status, headers)
