"""Sign-in by OpenID Connect, with a provider of the test's own: discovery, code, token, keys, and expiry."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import Page, expect

from synth.store import Store
from synth.store.trail import Sought
from tests.browser.conftest import Server, Tab, _free_port, answer_to

pytestmark = pytest.mark.browser


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Provider(ThreadingHTTPServer):
    """Says that whoever comes is ada; `life_s` is how long a token lasts, `claims` what else it says."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.life_s, self.nonces = 3600, dict[str, str]()
        self.claims: dict[str, Any] = {"email": "Ada@example.org", "email_verified": True, "roles": ["teachers"]}

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"

    def token(self, code: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "sub": "1", "aud": "synthread", "iat": now, "exp": now + self.life_s}
        parts = ({"alg": "RS256", "kid": "1"}, claims | self.claims | {"nonce": self.nonces[code]})
        signed = ".".join(encoded(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{encoded(self.key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"

    def keys(self) -> dict[str, Any]:
        public = self.key.public_key().public_numbers()
        return {
            "keys": [{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256"} | {"n": number(public.n), "e": "AQAB"}]
        }

    def metadata(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
        found: dict[str, Any] = {name: f"{self.url}/{path}" for name, path in places.items()}
        found |= {"issuer": self.url, "response_types_supported": ["code"], "subject_types_supported": ["public"]}
        return found | {"id_token_signing_alg_values_supported": ["RS256"]}


class Answers(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        asked = urlparse(self.path)
        if asked.path == "/authorize":
            query = {name: values[0] for name, values in parse_qs(asked.query).items()}
            code = f"code{len(self.server.nonces)}"
            self.server.nonces[code] = query["nonce"]
            self.send_response(302)
            back = urlencode({"code": code, "state": query["state"]})
            self.send_header("Location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.say(self.server.keys() if asked.path == "/jwks" else self.server.metadata())

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        token = self.server.token(sent["code"][0])
        self.say({"access_token": "a", "token_type": "Bearer", "expires_in": 3600, "id_token": token})

    def say(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def guarded(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("oidc")
    running = Server(home, {"SYNTH_AUTH": "oidc", "HOME": str(home)}, _free_port())
    (home / "governance.toml").write_text('role_names = ["teachers = educator"]\n')
    (home / ".streamlit").mkdir()
    (home / ".streamlit" / "secrets.toml").write_text(
        f"""
[auth]
redirect_uri = "{running.url}/oauth2callback"
cookie_secret = "a secret of thirty-two characters!"
client_id = "synthread"
client_secret = "the secret of the client"
server_metadata_url = "{provider.url}/.well-known/openid-configuration"
"""
    )
    running.start()
    yield running
    running.kill()


def sign_in(server: Server, tab: Tab) -> Page:
    page = tab(server.url)
    page.get_by_role("button", name="Sign in").click()
    return page


def test_whoever_the_provider_names_gets_the_roles_that_its_claim_gives(
    guarded: Server, provider: Provider, tab: Tab
) -> None:
    page = sign_in(guarded, tab)
    expect(page.get_by_text("Signed in as ada@example.org: educator.")).to_be_visible()
    page.goto(f"{guarded.url}/admin")
    store = Store(f"sqlite:///{guarded.home / 'synth.db'}", f"file://{guarded.home / 'blobs'}")
    rows = store.trail.page(Sought(action="account.sign_in"), 9)
    store.close()
    assert {(row.who, row.detail) for row in rows} == {("ada@example.org", '{"by":"oidc"}')}
    expect(page.get_by_text("The administration has nothing for ada@example.org, who is educator.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_have_count(0)


def test_a_stranger_gets_a_button_and_no_picture(guarded: Server, tab: Tab) -> None:
    page = tab(f"{guarded.url}/progress")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(page.get_by_test_id("stTextInput")).to_have_count(0)
    for path in ("/media/0.png", "/_stcore/metrics"):
        assert answer_to(guarded.url + path)[0] == 401


def test_a_token_past_its_time_is_signed_out(guarded: Server, provider: Provider, tab: Tab) -> None:
    provider.life_s = 20
    page = sign_in(guarded, tab)
    page.wait_for_url(f"{guarded.url}/**")
    until = time.time() + 25
    page.wait_for_timeout(max(0.0, until - time.time()) * 1000)
    page.reload()
    expect(page.get_by_text("Your session has ended; sign in to go on.")).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_have_count(0)
    provider.life_s = 3600


def test_an_address_that_is_not_verified_lets_nobody_in(guarded: Server, provider: Provider, tab: Tab) -> None:
    provider.claims["email_verified"] = False
    page = sign_in(guarded, tab)
    expect(page.get_by_text("The sign-in service has not verified your e-mail address")).to_be_visible()
    expect(page.get_by_text("Signed in as")).to_have_count(0)
    provider.claims["email_verified"] = True
