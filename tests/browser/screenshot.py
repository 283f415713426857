"""Writes docs/screenshot.png: `python -m tests.browser.screenshot`. The film marked REAL is a drawn phantom."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser import screen
from tests.browser.conftest import FLAGS, PATIENCE_MS, ROOT, Server
from tests.phantoms import make_library


def main() -> None:
    model = "synthread-256" if (ROOT / "assets/models/synthread-256/card.md").exists() else "tiny"
    target = ROOT / "docs" / "screenshot.png"
    target.parent.mkdir(exist_ok=True)
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        library = make_library(Path(folder) / "library")
        server = Server(Path(folder), {"SYNTH_MODEL": model, "SYNTH_LIBRARY": str(library), "OMP_NUM_THREADS": "2"})
        server.start()
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            page = browser.new_page(viewport={"width": 1440, "height": 1140})
            page.set_default_timeout(PATIENCE_MS)
            page.goto(server.url)
            screen.drawn(page)
            screen.press(page, "More like this")
            screen.drawn(page)
            page.wait_for_timeout(2000)  # the last thumbnails
            page.screenshot(path=target)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
