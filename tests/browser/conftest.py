"""A real server and a real Chromium. Every page that a test opens is watched: no request may leave this computer."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.phantoms import make_library

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 60_000  # torch is imported on the first visit, and the tests may share their computer
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Server:
    """The app as `streamlit run` starts it, in its own home."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    script: str = "app.py"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        self.port = self.port or _free_port()
        command = [sys.executable, "-m", "streamlit", "run", self.script, "--server.port", str(self.port)]
        own = {"SYNTH_HOME": str(self.home), "SYNTH_MODEL": "tiny", "SYNTH_STARTER": "0", "OMP_NUM_THREADS": "1"}
        env = os.environ | own | self.env
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1).close()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.2)
        self.kill()
        pytest.fail(f"The server did not start: {self.log()}")

    def kill(self) -> None:
        """As `kill -9` does it: nothing is tidied up."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def log(self) -> str:
        return (self.home / "server.log").read_text(errors="replace")


def answer_to(request: str | urllib.request.Request) -> tuple[int, str, str]:
    """(Status, headers, text) of the answer, also of a refusal."""
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, str(answer.headers), answer.read().decode(errors="replace")
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, str(refused.headers), refused.read().decode(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; Playwright gives it a new, empty profile."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        missing = "No Chromium here: apt-get install chromium."
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of drawn phantoms, standing for real films."""
    return make_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, phantoms: Path) -> Iterator[Server]:
    """One server for all tests that do not kill it."""
    running = Server(tmp_path_factory.mktemp("home"), {"SYNTH_LIBRARY": str(phantoms)})
    running.start()
    yield running
    running.kill()


Tab = Callable[..., Page]


@contextmanager
def watched_tabs(browser: Browser) -> Iterator[Tab]:
    """Opens pages, each in a profile of its own; fails when one has asked another host for anything."""
    contexts: list[BrowserContext] = []
    asked: set[str] = set()

    def open_tab(url: str, width: int = 1440, height: int = 900) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: asked.add(request.url))
        page.on("websocket", lambda socket: asked.add(socket.url))
        page.goto(url)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    hosts = {urlparse(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"localhost"}


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """Tabs of one test."""
    with watched_tabs(browser) as open_tab:
        yield open_tab
