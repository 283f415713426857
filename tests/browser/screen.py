"""What a user does on the Generate page, in the words of the tests."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Error, Page, TimeoutError, expect

PATIENCE_MS = 60_000
FILMS = "[data-testid=stPlotlyChart] .heatmaplayer"


def prompt_box(page: Page):
    return page.get_by_label("Clinical prompt")


def until(page: Page, script: str, arg: object = None, timeout: float = PATIENCE_MS) -> None:
    """Wait until a script finds something true. Asked from here: the page's own policy lets nobody evaluate there."""
    deadline = time.monotonic() + timeout / 1000
    while True:
        with suppress(Error):  # the page was just being replaced
            if page.evaluate(script, arg):
                return
        if time.monotonic() > deadline:
            raise TimeoutError(f"{script} did not come true")
        page.wait_for_timeout(100)


def drawn(page: Page) -> str:
    """Wait until the image that the address names is on the screen with its downloads; returns its id."""
    until(page, "/[?&](image|request)=/.test(location.search)")
    query = parse_qs(urlparse(page.url).query)
    image = query["image"][0] if "image" in query else query["request"][0].split(",")[0]
    expect(page.locator(f".st-key-films-{image} .heatmaplayer").first).to_be_visible()
    expect(page.get_by_role("button", name="DICOM")).to_be_visible()
    return image


def generate(page: Page, prompt: str) -> None:
    """Type a prompt, press Generate, wait for the new image."""
    prompt_box(page).fill(prompt)
    expect(page.get_by_text("Findings", exact=True)).to_be_visible()
    press(page, "Generate")
    drawn(page)


def press(page: Page, button: str) -> None:
    """Press a button that submits, and wait until the address names the new request.

    Once more where nothing came of it: on a busy computer the page may replace the button under the mouse.
    """
    expect(page.get_by_role("button", name=button)).to_be_enabled()  # what the press before did to the address is done
    before = page.evaluate("location.href")
    for patience_ms in (20_000, PATIENCE_MS):
        page.get_by_role("button", name=button).click()
        with suppress(TimeoutError):
            until(page, "before => location.href !== before", arg=before, timeout=patience_ms)
            return
    raise AssertionError(f"pressing {button!r} changed nothing")


def download(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=button, exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def sentence(page: Page) -> str:
    """The one error on the screen."""
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_have_count(1)
    assert page.get_by_test_id("stException").count() == 0
    assert "Traceback" not in page.content()
    return alert.inner_text().strip()
