"""The server's own defences, asked as an attacker asks: raw requests at the gate, the forms and the headers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from argon2 import PasswordHasher
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config

from synth.governance import passwords
from synth.governance.accounts import Account
from synth.governance.roles import Role, User
from synth.ui import house, server
from synth.ui.server import account, address
from synth.ui.server.forms import Forms, safe_next
from tests.phantoms import film, png

STREAM = "ws://localhost/_stcore/stream"
PHRASE = "a long harmless phrase"
BOSS = User("boss")
HTML = {"accept": "text/html,application/xhtml+xml"}
STREAMLIT = ("/", "/admin", "/media/0123.png", "/_stcore/upload_file/s/f", "/_stcore/host-config", "/_stcore/metrics",
             "/static/js/index.js", "/component/x/index.html", "/_stcore/agent/openapi.json")  # fmt: skip


@pytest.fixture(autouse=True)
def fresh_house(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setenv("SYNTH_HOME", str(tmp_path))
    passwords._nobodys.cache_clear()
    clear()
    yield
    clear()


def clear() -> None:
    st.cache_resource.clear()
    account._forms.cache_clear()


async def shown(_request: Any) -> PlainTextResponse:
    return PlainTextResponse("inside")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.close()


def serve(monkeypatch: pytest.MonkeyPatch, auth: str, base: str = "http://localhost", **client: Any) -> TestClient:
    """The gate, the headers and the account pages around an app that answers everything."""
    monkeypatch.setenv("SYNTH_AUTH", auth)
    clear()
    parts = server.parts()
    inside = [WebSocketRoute("/_stcore/stream", stream), Route("/{path:path}", shown, methods=["GET", "POST", "PUT"])]
    app = Starlette(routes=[*parts["routes"], *inside], middleware=parts["middleware"])
    return TestClient(local(app), base_url=base, follow_redirects=False, **client)


def local(app: Any, host: str = "127.0.0.1") -> Any:
    """As uvicorn serves it on an address of this computer."""

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await app(scope | {"server": (host, 8501)}, receive, send)

    return served


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    """A server with the accounts ada (a trainee) and eve."""
    found = serve(monkeypatch, "accounts")
    for name in ("ada", "eve"):
        house.register().add_with(Account(name, roles=frozenset({Role.TRAINEE})), PHRASE, BOSS)
    return found


def form_of(client: TestClient, path: str = account.SIGN_IN) -> str:
    found = re.search(r'name="form" value="([0-9a-f]{64})"', client.get(path).text)
    assert found
    return found[1]


def send(client: TestClient, path: str = account.SIGN_IN, origin: str | None = "http://localhost", **sent: str) -> Any:
    return client.post(path, data=sent, headers={} if origin is None else {"origin": origin})


def sign_in(client: TestClient, name: str = "ada", password: str = PHRASE) -> Any:
    return send(client, form=form_of(client), name=name, password=password)


# Strangers


@pytest.mark.parametrize("path", STREAMLIT)
def test_a_stranger_is_led_to_the_sign_in_page_or_refused(client: TestClient, path: str) -> None:
    led = client.get(path, headers=HTML)
    assert (led.status_code, led.headers["location"]) == (303, f"/account/sign-in?next={path.replace('/', '%2F')}")
    for refused in (client.get(path), client.put(path, content=b"x"), client.post(path, headers=HTML)):
        assert (refused.status_code, refused.text) == (401, "Sign in first.")


def test_a_stranger_gets_no_websocket(client: TestClient) -> None:
    for cookies in ({}, {"synth": "forged"}, {"synth": "0" * 64}):
        client.cookies.update(cookies)
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect(STREAM):
            pass
        assert closed.value.code == 1008


def test_health_and_verification_are_open_and_nothing_that_looks_like_them(client: TestClient) -> None:
    assert client.get("/_stcore/health").text == "inside"
    checked = client.post("/api/verify", content=png(film(256)))
    assert (checked.status_code, checked.json()["synthetic_by_us"]) == (200, False)
    figures = client.get("/metrics")  # which asks for its own token
    assert (figures.status_code, figures.text) == (401, "A bearer token is needed.\n")
    for path in (
        "/_stcore/health/",
        "/api/verify/../../admin",
        "/api/verify/x",
        "/metrics/",
        "//metrics",
        "/%2e%2e/metrics",
    ):
        assert client.get(path).status_code == 401


@pytest.mark.parametrize("cookie", ["", "x", "0" * 64, "../../etc", "a" * 5000, "\"'", "%00"])
def test_a_forged_cookie_is_a_stranger(client: TestClient, cookie: str) -> None:
    client.cookies.set("synth", cookie)
    assert client.get("/").status_code == 401


# Signing in


def test_the_right_password_leads_on_under_a_cookie_no_script_can_read(client: TestClient) -> None:
    client.get(account.SIGN_IN)
    led = client.post(
        f"{account.SIGN_IN}?next=%2Fquiz%3Fset%3Dabc",
        data={"form": form_of(client), "name": "ada", "password": PHRASE},
        headers={"origin": "http://localhost"},
    )
    assert (led.status_code, led.headers["location"]) == (303, "/quiz?set=abc")
    cookie = next(line for line in led.headers.get_list("set-cookie") if line.startswith("synth="))
    assert re.fullmatch(r"synth=[0-9a-f]{64}; HttpOnly; Max-Age=43200; Path=/; SameSite=lax", cookie)
    assert client.get("/").text == "inside"
    with client.websocket_connect(STREAM):
        pass


def test_a_session_that_was_planted_before_is_not_the_one_after(client: TestClient) -> None:
    planted = house.register().sign_in("eve", PHRASE, "", "192.0.2.1")
    client.cookies.set("synth", planted, domain="localhost.local", path="/")
    sign_in(client)
    tokens = [cookie.value for cookie in client.cookies.jar if cookie.name == "synth"]
    assert house.register().stay(planted) is None
    assert [house.register().stay(token).account.name for token in tokens if token != planted] == ["ada"]


def test_a_wrong_password_says_no_more_than_that(client: TestClient) -> None:
    pages = [
        sign_in(client, *given) for given in (("ada", "wrong"), ("nobody", PHRASE), ("<script>alert(1)</script>", "x"))
    ]
    told = [re.search(r'role="alert">([^<]*)<', page.text)[1] for page in pages]
    assert (
        told
        == ["Name, password or code is wrong, or there were too many tries; after 5 wrong ones wait 15 minutes."] * 3
    )
    assert [page.status_code for page in pages] == [403] * 3
    assert all("<script" not in page.text and "synth=" not in str(page.headers) for page in pages)


def test_brute_force_stops_at_five(client: TestClient) -> None:
    for i in range(40):
        assert sign_in(client, "ada", f"guess {i}").status_code == 403
    assert sign_in(client).status_code == 403
    refused = [event for event in house.store().events() if event.action == "account.sign_in_refused"]
    assert len(refused) == 5


def test_a_form_without_its_token_or_from_elsewhere_signs_nobody_in(client: TestClient) -> None:
    good = {"name": "ada", "password": PHRASE}
    for origin in ("http://evil.example", "null", "http://localhost.evil.example", "http://localhost:81", None, ""):
        assert send(client, origin=origin, form=form_of(client), **good).status_code == 403
    form_of(client)
    for form in ({}, {"form": ""}, {"form": "0" * 64}, {"form": "é"}):
        assert send(client, **good, **form).status_code == 403
    token = form_of(client)
    client.cookies.clear()
    assert send(client, form=token, **good).status_code == 403, "the cookie of the form belongs to another browser"
    assert client.get("/").status_code == 401


def test_a_form_counts_once(client: TestClient) -> None:
    token = form_of(client)
    jar = dict(client.cookies)
    assert send(client, form=token, name="ada", password=PHRASE).status_code == 303
    client.cookies.clear()
    client.cookies.update(jar)
    again = send(client, form=token, name="ada", password=PHRASE)
    assert (again.status_code, "too old or was sent before" in again.text) == (403, True)


def test_a_form_counts_for_an_hour() -> None:
    now = [1000.0]
    forms = Forms(b"k" * 32, lambda: now[0], lambda count: "ab" * count)
    cookie, token = forms.new()
    now[0] += 3600
    assert not forms.take(cookie, token)
    now[0] -= 1
    assert forms.take(cookie, token)
    assert not forms.take(cookie, token)
    assert not Forms(b"l" * 32, lambda: now[0], lambda count: "ab" * count).take(cookie, token)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"x" * 20_000, "application/x-www-form-urlencoded"),
        (b"a=1&" * 50, "application/x-www-form-urlencoded"),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
        (b"{}", "application/json"),
        (b"--x\r\n", "multipart/form-data; boundary=x"),
        (b"", ""),
    ],
)
def test_what_is_no_form_of_ours_is_refused_with_a_sentence(client: TestClient, content: bytes, kind: str) -> None:
    form_of(client)
    page = client.post(account.SIGN_IN, content=content, headers={"origin": "http://localhost", "content-type": kind})
    assert page.status_code == 403
    assert 'role="alert">' in page.text


@pytest.mark.parametrize(
    ("wanted", "leads"),
    [
        ("/quiz?a=1&b=2", "/quiz?a=1&b=2"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
        ("/\t/evil.example", "/"),
        ("quiz", "/"),
        ("/account/sign-out", "/"),
        ("http:/x", "/"),
        ("//[", "/"),
    ],
)
def test_signing_in_leads_to_a_page_of_ours_only(wanted: str, leads: str) -> None:
    assert safe_next(wanted) == leads


def test_a_one_time_password_opens_nothing_but_the_change(client: TestClient) -> None:
    once = house.register().reset("ada", BOSS)
    assert sign_in(client, "ada", once).status_code == 303
    assert client.get("/", headers=HTML).headers["location"] == "/account/password"
    assert client.get("/media/x.png").text == "Change the password first."
    with pytest.raises(WebSocketDisconnect), client.websocket_connect(STREAM):
        pass
    new = {"old": once, "new": "another harmless phrase", "again": "another harmless phrase"}
    differ = send(client, account.PASSWORD, form=form_of(client, account.PASSWORD), **(new | {"again": "x"}))
    assert "The two new passwords differ." in differ.text
    done = send(client, account.PASSWORD, form=form_of(client, account.PASSWORD), **new)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert client.get("/").text == "inside"


def test_signing_out_needs_a_form_of_ours_and_ends_the_session(client: TestClient) -> None:
    sign_in(client)
    send(client, account.SIGN_OUT, form="0" * 64)
    send(client, account.SIGN_OUT, origin="http://evil.example", form=form_of(client, account.PASSWORD))
    assert client.get("/").text == "inside"
    token = next(cookie.value for cookie in client.cookies.jar if cookie.name == "synth")
    assert send(client, account.SIGN_OUT, form=form_of(client, account.PASSWORD)).status_code == 303
    assert client.get("/").status_code == 401
    client.cookies.set("synth", token)
    assert client.get("/").status_code == 401, "the stale cookie opens nothing"


def test_behind_tls_the_cookie_is_the_hosts_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "governance.toml").write_text("https = true\nsession_hours = 1\n")
    client = serve(monkeypatch, "accounts", "https://localhost")
    house.register().add_with(Account("ada", roles=frozenset({Role.TRAINEE})), PHRASE, BOSS)
    led = send(client, origin="https://localhost", form=form_of(client), name="ada", password=PHRASE)
    cookie = next(line for line in led.headers.get_list("set-cookie") if line.startswith("__Host-synth="))
    assert cookie.endswith("; HttpOnly; Max-Age=3600; Path=/; SameSite=lax; Secure")
    assert led.headers["strict-transport-security"] == "max-age=31536000"


# Headers


def test_every_answer_carries_the_security_headers(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/_stcore/health"), client.get(account.SIGN_IN), client.get("/media/x")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "camera=()" in answer.headers["permissions-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" not in answer.headers
        assert "unsafe-eval" not in answer.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in client.get("/component/x").headers["content-security-policy"]
    assert (
        client.get(account.SIGN_IN)
        .headers["content-security-policy"]
        .startswith("default-src 'none'; style-src 'sha256-")
    )


# Local mode


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "LOCALHOST"])
def test_this_computer_is_served_without_a_sign_in(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    assert serve(monkeypatch, "local").get("/", headers={"host": host}).text == "inside"


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:8501", "192.0.2.7", "", "[::1", "127.0.0.1.x.io"]
)
def test_a_name_that_only_points_here_is_refused(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    client = serve(monkeypatch, "local")
    answer = client.get("/", headers={"host": host})
    assert (answer.status_code, answer.text[:37]) == (421, "SynthRead serves this computer only, ")
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(STREAM, headers={"host": host}),
    ):
        pass


def test_a_request_that_came_in_from_outside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_AUTH", "local")
    app = Starlette(routes=[Route("/", shown)], middleware=server.parts()["middleware"])
    assert TestClient(local(app, "192.0.2.7"), base_url="http://localhost").get("/").status_code == 421


@pytest.mark.parametrize("listens", ["0.0.0.0", "::", "192.0.2.7", "example.org", None])
def test_without_sign_in_the_server_does_not_start_beyond_localhost(
    monkeypatch: pytest.MonkeyPatch, listens: str | None
) -> None:
    monkeypatch.setattr(config, "get_option", lambda name: listens if name == "server.address" else None)
    with pytest.raises(
        SystemExit, match=r"^SYNTH_AUTH is local, where nobody signs in, so the server listens on localhost"
    ):
        server.parts()
    monkeypatch.setenv("SYNTH_AUTH", "accounts")
    clear()
    assert server.parts()["routes"]


def test_a_wrong_setting_stops_the_start_with_its_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_AUTH", "open")
    with pytest.raises(SystemExit, match=r"^SYNTH_AUTH is 'open'; it must be local, accounts or oidc\.$"):
        server.parts()


# Proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address_of"),
    [
        ("192.0.2.7", "", (), "192.0.2.7"),
        ("192.0.2.7", "198.51.100.9", (), "192.0.2.7"),
        ("198.51.100.9", "198.51.100.9", (), "127.0.0.1"),  # uvicorn put the header's in place of 127.0.0.1
        ("198.51.100.9", "203.0.113.1, 198.51.100.9", (), "127.0.0.1"),
        ("198.51.100.9", "203.0.113.1, 198.51.100.9", ("127.0.0.1",), "198.51.100.9"),
        ("10.0.0.1", "203.0.113.1, 198.51.100.9", ("10.0.0.1",), "198.51.100.9"),
        ("10.0.0.1", "203.0.113.1, 198.51.100.9:4711, 10.0.0.2", ("10.0.0.1", "10.0.0.2"), "198.51.100.9"),
        ("10.0.0.1", "[2001:db8::1]:80", ("10.0.0.1",), "2001:db8::1"),
        ("10.0.0.1", "", ("10.0.0.1",), "10.0.0.1"),
        ("192.0.2.7", "10.0.0.1", ("10.0.0.1",), "192.0.2.7"),
    ],
)
def test_a_forwarded_address_counts_from_our_own_proxies_only(
    peer: str, forwarded: str, proxies: tuple[str, ...], address_of: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "http", "client": (peer, 4711), "headers": headers}
    assert address.client(scope, proxies) == address_of


def test_another_forwarded_address_for_each_try_does_not_help(client: TestClient) -> None:
    for i in range(30):
        token = form_of(client)
        headers = {"origin": "http://localhost", "x-forwarded-for": f"203.0.113.{i}", "forwarded": f"for=203.0.113.{i}"}
        client.post(account.SIGN_IN, data={"form": token, "name": f"n{i}", "password": "x"}, headers=headers)
    assert sign_in(client).status_code == 403, "the address is locked out"


def test_a_cookie_of_oidc_is_asked_for_where_pictures_lie(monkeypatch: pytest.MonkeyPatch) -> None:
    client = serve(monkeypatch, "oidc")
    assert client.get("/").text == "inside"
    for path in ("/media/x.png", "/_stcore/upload_file/s/f", "/_stcore/metrics"):
        assert client.get(path).status_code == 401
        client.cookies.set("_streamlit_user", "forged")
        assert client.get(path).status_code == 401


def test_the_scope_of_a_connection_is_what_the_gate_reads() -> None:
    assert HTTPConnection({"type": "http", "headers": [(b"cookie", b"a=1; synth=2")]}).cookies["synth"] == "2"
