"""The detector over HTTP, called as a server calls it: yes or no, and one sentence for everything else."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from synth.governance.rules import Rules
from synth.intake.pool import Pool
from synth.provenance.watermark import embed
from synth.ui.server.verify import ADDRESSES_MAX, PATH, Endpoint, Pace
from synth.verify import Proofs
from synth.verify.files import MAX_BYTES
from synth.verify.strangers import examined
from tests.phantoms import film, png

KEY = b"a key for tests only"
OURS = png(embed(film(256), 7, KEY))

T = TypeVar("T")
Answer = tuple[int, dict[str, str], dict[str, Any]]


def awaited(call: Coroutine[Any, Any, T]) -> T:
    """Its result, from a thread: the browser tests leave a loop running in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, call).result()


class Here:
    """Examines in this process, which is faster than to start one."""

    one = staticmethod(examined)

    def close(self) -> None:
        """Nothing was opened."""


class Caller:
    """Sends requests to the endpoint as an ASGI server does, with a clock that stands still."""

    def __init__(self, **rules: Any) -> None:
        self.now = 0.0
        self.endpoint = Endpoint(lambda: Proofs((KEY,), b""), Rules(**rules), lambda: self.now)
        self.endpoint._process = Here()
        self.app = Starlette(routes=[Route(PATH, self.endpoint.verify, methods=["POST"])])

    async def call(
        self, body: bytes, host: str = "192.0.2.1", method: str = "POST", chunks: int = 1, **headers: str
    ) -> Answer:
        size = -(-len(body) // chunks) or 1
        parts = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        fields = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": PATH, "headers": fields, "client": (host, 5000)}
        await self.app(scope | {"query_string": b"", "root_path": "", "http_version": "1.1"}, receive, send)
        told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        data = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], told, json.loads(data) if data.startswith(b"{") else {}

    def __call__(self, body: bytes, *args: Any, **more: Any) -> Answer:
        return awaited(self.call(body, *args, **more))


def forever(_task: Any) -> None:
    time.sleep(600)


def crash(_task: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture
def caller() -> Iterator[Callable[..., Caller]]:
    made: list[Caller] = []

    def make(**rules: Any) -> Caller:
        made.append(Caller(**rules))
        return made[-1]

    yield make
    for one in made:
        one.endpoint.close()


def test_a_file_of_ours_is_a_yes_with_a_score_and_nothing_about_anybody(caller: Callable[..., Caller]) -> None:
    status, _, told = caller()(OURS, chunks=7)
    assert (status, sorted(told)) == (200, ["layers", "score", "synthetic_by_us"])
    assert (told["synthetic_by_us"], told["layers"]) == (True, ["Invisible mark"])
    assert told["score"] > 15


def test_a_form_is_read_as_well(caller: Callable[..., Caller]) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n' + OURS + b"\r\n--x--\r\n"
    assert caller()(body, content_type="multipart/form-data; boundary=x")[2]["synthetic_by_us"] is True


def test_a_film_of_nobody_is_a_no(caller: Callable[..., Caller]) -> None:
    status, _, told = caller()(png(film(256, 3)))
    assert (status, told["synthetic_by_us"], told["layers"]) == (200, False, [])
    assert told["score"] < 15


@pytest.mark.parametrize(
    ("body", "headers", "status", "sentence"),
    [
        (b"", {}, 400, "The file is empty."),
        (b"<html>", {}, 400, "The file is no PNG, JPEG, WebP, TIFF, DICOM or PDF; one of these can be examined."),
        (b"--x--\r\n", {"content_type": "multipart/form-data; boundary=x"}, 400, "The form holds no file."),
        (b"x", {"content_type": "multipart/form-data"}, 400, "Missing boundary in multipart."),
        (bytes(MAX_BYTES + 2**16 + 1), {}, 413, "The file is larger than 64 MiB."),
        (bytes(MAX_BYTES + 1), {}, 413, "The file is larger than 64 MiB."),
    ],
)
def test_what_cannot_be_examined_is_one_sentence(
    caller: Callable[..., Caller], body: bytes, headers: dict[str, str], status: int, sentence: str
) -> None:
    found = caller()(body, chunks=3, **headers)
    assert (found[0], found[2]) == (status, {"error": sentence})


def test_only_post_is_served(caller: Callable[..., Caller]) -> None:
    assert caller()(b"", method="GET")[0] == 405


def test_an_address_is_slowed_down_and_served_again_a_minute_later(caller: Callable[..., Caller]) -> None:
    call = caller(verify_per_minute=2)
    first = call(b"x")[0]
    call.now = 10.0
    assert [first, call(b"x")[0], call(b"x")[0]] == [400, 400, 429]
    status, headers, told = call(b"x")
    assert (status, headers["retry-after"]) == (429, "50")
    assert told == {"error": "Too many files from this address; try again later."}
    assert call(b"x", host="192.0.2.2")[0] == 400
    call.now = 60.0
    assert [call(b"x")[0], call(b"x")[0]] == [400, 429]


def test_who_has_a_network_of_his_own_is_one_caller(caller: Callable[..., Caller]) -> None:
    call = caller(verify_per_minute=1)
    assert [call(b"x", host=host)[0] for host in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")] == [400, 429, 400]


def test_the_word_of_a_proxy_counts_only_where_it_is_ours(caller: Callable[..., Caller]) -> None:
    call = caller(verify_per_minute=1, proxies=("10.0.0.1",))
    behind = [call(b"x", host="10.0.0.1", x_forwarded_for=f"6.6.6.6, 192.0.2.{n}")[0] for n in (1, 2, 1)]
    assert behind == [400, 400, 429]
    direct = [call(b"x", host="192.0.2.9", x_forwarded_for=f"192.0.2.{n}")[0] for n in (3, 4)]
    assert direct == [400, 429]


def test_a_fifth_file_at_once_is_asked_to_wait(caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch) -> None:
    call, go = caller(), threading.Event()
    told = call.endpoint._examined

    def slow(data: bytes) -> Any:
        go.wait(30)
        return told(data)

    monkeypatch.setattr(call.endpoint, "_examined", slow)

    async def five() -> list[int]:
        first = [asyncio.create_task(call.call(b"x")) for _ in range(4)]
        await asyncio.sleep(0.2)
        status, headers, _ = await call.call(b"x")
        assert headers["retry-after"] == "10"
        go.set()
        return [*(answer[0] for answer in await asyncio.gather(*first)), status]

    assert awaited(five()) == [400, 400, 400, 400, 429]
    assert call(b"x")[0] == 400


@pytest.mark.parametrize(("harm", "reason"), [(forever, "it took more than 9 s"), (crash, "its decoder crashed on it")])
def test_a_file_that_holds_or_brings_down_its_process_is_refused_and_the_next_is_examined(
    caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch, harm: Callable[..., Any], reason: str
) -> None:
    call = caller()
    monkeypatch.setattr(call.endpoint, "_process", Pool(harm, 1, 9.0))
    status, _, told = call(b"x")
    assert (status, told) == (400, {"error": f"The file cannot be examined: {reason}."})
    monkeypatch.setattr(call.endpoint._process, "_work", examined)
    monkeypatch.setattr(call.endpoint._process, "_seconds", 60.0)
    assert call(OURS)[2]["synthetic_by_us"] is True


def test_the_memory_of_addresses_is_bounded() -> None:
    pace = Pace(1, lambda: 0.0)
    for number in range(ADDRESSES_MAX + 5):
        assert pace.wait(str(number)) == 0.0
    assert pace.wait("0") == 0.0 and pace.wait(str(ADDRESSES_MAX + 4)) == 60.0
    assert len(pace._calls) == ADDRESSES_MAX
