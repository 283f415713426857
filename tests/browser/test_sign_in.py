"""Accounts on a real server in a real browser, and what an attacker tries there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import ROOT, Server, Tab, answer_to

pytestmark = pytest.mark.browser
PHRASE = "a long harmless phrase"
PROMPT = "AP chest X-ray, 41-year-old woman, severe right upper lobe pneumonia"


def people(home: Path, *words: str) -> str:
    """`python -m synth.people` in the home of a server."""
    env = os.environ | {"SYNTH_HOME": str(home), "SYNTH_PASSWORD": PHRASE}
    command = [sys.executable, "-m", "synth.people", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, phantoms: Path) -> Iterator[Server]:
    """A server with accounts: one administrator, trainees for each test that changes one."""
    home = tmp_path_factory.mktemp("guarded")
    (home / "governance.toml").write_text("images_per_hour = 40\n")
    people(home, "add", "boss", "--role", "administrator")
    for name in ("ada", "tom", "una", "lena", "zoe"):
        people(home, "add", name, "--role", "trainee")
    running = Server(home, {"SYNTH_AUTH": "accounts", "SYNTH_LIBRARY": str(phantoms)})
    running.start()
    yield running
    running.kill()


def sign_in(page: Page, name: str, password: str = PHRASE, code: str = "") -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Code of your authenticator app").fill(code)
    page.get_by_role("button", name="Sign in").click()


def inside(page: Page, name: str) -> None:
    expect(page.get_by_text(f"Signed in as {name}")).to_be_visible()


def signed_in(server: Server, tab: Tab, name: str, path: str = "/") -> Page:
    page = tab(server.url + path)
    sign_in(page, name)
    inside(page, name)
    return page


def cookie_of(page: Page) -> str:
    return next(one["value"] for one in page.context.cookies() if one["name"] == "synth")


def status(server: Server, path: str, cookie: str = "", method: str = "GET") -> int:
    request = urllib.request.Request(server.url + path, method=method, headers={"Cookie": f"synth={cookie}"})
    return answer_to(request)[0]


def websocket_opens(server: Server, cookie: str) -> bool:
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "c2l4dGVlbiBieXRlcyEhIQ==", "Origin": server.url, "Cookie": f"synth={cookie}",
    }  # fmt: skip
    with closing(HTTPConnection("localhost", server.port, timeout=30)) as connection:
        connection.request("GET", "/_stcore/stream", headers=headers)
        with connection.getresponse() as answer:
            assert answer.status in (101, 403)
            return answer.status == 101


def test_one_signs_in_to_the_page_one_wanted_and_signs_out(guarded: Server, tab: Tab) -> None:
    page = tab(f"{guarded.url}/progress?x=1")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, "ada", "a wrong password")
    expect(page.get_by_role("alert")).to_have_text(
        "Name, password or code is wrong, or there were too many tries; after 5 wrong ones wait 15 minutes."
    )
    sign_in(page, "Ada")
    inside(page, "ada")
    assert urlparse(page.url).path == "/progress"
    cookie = next(one for one in page.context.cookies() if one["name"] == "synth")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert page.evaluate("document.cookie").find("synth=") == -1
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Your session has ended; sign in to go on.")).to_be_visible()
    assert (status(guarded, "/", cookie["value"]), websocket_opens(guarded, cookie["value"])) == (401, False)
    page.get_by_role("link", name="Sign in").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_strangers_and_forged_cookies_get_neither_pictures_nor_uploads_nor_a_websocket(
    guarded: Server, tab: Tab
) -> None:
    page = signed_in(guarded, tab, "zoe")
    with page.expect_response(lambda answer: "/media/" in answer.url) as answered:
        screen.generate(page, PROMPT)
        page.get_by_role("button", name="DICOM", exact=True).first.wait_for()
    picture = urlparse(answered.value.url).path
    for cookie in ("", "0" * 64, "forged"):
        assert status(guarded, picture, cookie) == 401
        assert status(guarded, "/_stcore/upload_file/session/file", cookie, "PUT") == 401
        assert status(guarded, "/_stcore/host-config", cookie) == 401
        assert not websocket_opens(guarded, cookie)
    assert status(guarded, "/_stcore/health") == 200
    assert websocket_opens(guarded, cookie_of(page))


def test_five_wrong_passwords_lock_the_name(guarded: Server, tab: Tab) -> None:
    page = tab(guarded.url)
    for i in range(5):
        sign_in(page, "lena", f"wrong {i}")
        expect(page.get_by_role("alert")).to_contain_text("is wrong")
    sign_in(page, "lena")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    people(guarded.home, "unlock", "lena")
    sign_in(page, "lena")
    inside(page, "lena")


def test_an_administrator_makes_an_account_whose_owner_chooses_the_password(guarded: Server, tab: Tab) -> None:
    boss = signed_in(guarded, tab, "boss", "/admin?tab=people")
    boss.get_by_label("Name to sign in with").fill("Nora")
    boss.get_by_role("button", name="Add account").click()
    once = boss.get_by_test_id("stCode").inner_text().strip()
    assert re.fullmatch(r"([a-z2-9]{5}-){3}[a-z2-9]{5}", once)
    page = tab(guarded.url)
    sign_in(page, "nora", once)
    expect(page.get_by_role("heading", name="Change password")).to_be_visible()
    page.goto(f"{guarded.url}/progress")
    expect(page.get_by_role("heading", name="Change password")).to_be_visible()
    assert not websocket_opens(guarded, cookie_of(page))
    page.get_by_label("Present password").fill(once)
    for field in ("New password", "New password, once more"):
        page.get_by_label(field, exact=True).fill("another harmless phrase")
    page.get_by_role("button", name="Change password").click()
    inside(page, "nora")
    # Roles change: the open page ends with its next run.
    boss.get_by_label("Account", exact=True).click()
    boss.get_by_role("option", name="nora").click()
    boss.get_by_role("button", name="End sessions").click()
    expect(boss.get_by_text("nora is signed out everywhere.")).to_be_visible()
    page.get_by_role("link", name="Progress").click()
    expect(page.get_by_text("Your session has ended; sign in to go on.")).to_be_visible()


def test_a_second_factor_is_set_up_and_its_codes_count_once(guarded: Server, tab: Tab) -> None:
    page = signed_in(guarded, tab, "una")
    page.get_by_role("button", name="Second factor").click()
    address = page.get_by_test_id("stCode").nth(1).inner_text().replace("\n", "")
    totp = pyotp.TOTP(parse_qs(urlparse(address).query)["secret"][0])
    first = totp.now()
    page.get_by_label("Six digits that the app shows").fill(first)
    page.get_by_label("Your password").fill(PHRASE)
    page.get_by_role("button", name="Keep the second factor").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign in").click()
    for code in ("", first):  # none, and the one that was used
        sign_in(page, "una", PHRASE, code)
        expect(page.get_by_role("alert")).to_contain_text("is wrong")
    sign_in(page, "una", PHRASE, totp.at(datetime.now(UTC), counter_offset=1))  # the next one is good from now on
    inside(page, "una")


def test_two_people_see_their_own_images_and_not_those_of_the_other(guarded: Server, tab: Tab) -> None:
    ada, tom = signed_in(guarded, tab, "ada"), signed_in(guarded, tab, "tom")
    screen.generate(ada, PROMPT)
    query = parse_qs(urlparse(ada.url).query)
    job = query["request"][0].split(",")[0]
    for address in (f"/?image={job}", f"/?request={job}"):
        tom.goto(guarded.url + address)
        inside(tom, "tom")
        expect(tom.get_by_test_id("stAlert").filter(has_text=re.compile("There is no (image|job)"))).to_be_visible()
    tom.goto(f"{guarded.url}/admin")
    expect(tom.get_by_text("The administration has nothing for tom, who is trainee.")).to_be_visible()
    expect(tom.get_by_text("New account")).to_have_count(0)
    assert screen.drawn(ada)


def test_a_form_without_its_token_or_from_another_site_signs_nobody_in(guarded: Server, tab: Tab) -> None:
    page = tab(guarded.url)
    form = page.locator("input[name=form]").get_attribute("value")
    cookie = next(one["value"] for one in page.context.cookies() if one["name"] == "synth_form")
    for token, origin in (("0" * 64, guarded.url), (form, "http://evil.example")):
        body = f"name=ada&password={PHRASE}&form={token}".replace(" ", "+").encode()
        headers = {"Origin": origin, "Cookie": f"synth_form={cookie}"}
        request = urllib.request.Request(f"{guarded.url}/account/sign-in", body, headers, method="POST")
        status, headers, _ = answer_to(request)
        assert (status, "synth=" in headers) == (403, False)


def test_no_page_breaks_the_policy_of_scripts(guarded: Server, tab: Tab) -> None:
    page = signed_in(guarded, tab, "zoe")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", "/edit", "/restore", "/translate", "/quiz", "/progress", "/library", "/cases", "/studies"):
        page.goto(guarded.url + path)
        inside(page, "zoe")
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert [text for text in said if "Content Security Policy" in text] == []


def test_nothing_secret_is_in_the_log(guarded: Server) -> None:
    log = guarded.log()
    assert PHRASE not in log and "otpauth" not in log and not re.search(r"\b[0-9a-f]{64}\b", log)


def test_the_server_does_not_listen_to_others_where_nobody_signs_in(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.address",
        "0.0.0.0",
        "--server.port",
        "8917",
    ]
    env = os.environ | {"SYNTH_HOME": str(tmp_path), "SYNTH_MODEL": "tiny"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert done.returncode != 0
    assert done.stderr.strip().splitlines()[-1] == (
        "SYNTH_AUTH is local, where nobody signs in, so the server listens on localhost only, not on 0.0.0.0; "
        "set SYNTH_AUTH to accounts or oidc first."
    )


def test_a_page_elsewhere_that_points_its_name_here_gets_nothing(server: Server) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/", headers={"Host": f"evil.example:{server.port}"}
    )
    status, _, text = answer_to(request)
    assert (status, text[:36]) == (421, "SynthRead serves this computer only,")
