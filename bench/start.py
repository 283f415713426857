"""The app from its command line to the first finished image in the store, with a real browser looking at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synth.store import Store

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_S = 180.0


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds since the command line, and what the server took."""

    served_s: float  # the server answers
    image_s: float  # the first image is in the store
    peak_mb: float  # resident memory of the server


def first_image(model_id: str) -> Start:
    """Start the app on an empty home, open it in Chromium and wait. Raises TimeoutError after three minutes."""
    from playwright.sync_api import sync_playwright

    port = _free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        began = time.perf_counter()
        server = _serve(port, home, model_id)
        try:
            _wait(lambda: _answers(port), server)
            served = time.perf_counter() - began
            page.goto(f"http://localhost:{port}")
            _wait(lambda: _images(Path(home)) > 0, server)
            return Start(served, time.perf_counter() - began, _peak_mb(server.pid))
        finally:
            server.terminate()
            server.wait(timeout=30)
            browser.close()


def table(start: Start) -> str:
    """The figures as Markdown."""
    return (
        "## The app, from its command line\n\n"
        "| server answers, s | first image stored, s | peak memory of the server, MB |\n|--:|--:|--:|\n"
        f"| {start.served_s:.1f} | {start.image_s:.1f} | {start.peak_mb:.0f} |\n"
    )


def _serve(port: int, home: str, model_id: str) -> subprocess.Popen[bytes]:
    own = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "SYNTH_BLOBS")}
    return subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"],
        cwd=ROOT,
        env={**own, "SYNTH_HOME": home, "SYNTH_MODEL": model_id},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _wait(done: Callable[[], bool], server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with status {server.returncode}")
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {PATIENCE_S:.0f} s")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _images(home: Path) -> int:
    if not (home / "synth.db").is_file():
        return 0
    store = Store(f"sqlite:///{home / 'synth.db'}", f"file://{home / 'blobs'}")
    try:
        return store.count_images()
    finally:
        store.close()


def _peak_mb(pid: int) -> float:
    """VmHWM of a Linux process, in MB of 1e6 bytes."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    kib = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return kib * 1024 / 1e6


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return int(probe.getsockname()[1])
