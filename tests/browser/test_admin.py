"""The admin page in a browser, and the figures at their address on a real server."""

from __future__ import annotations

import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab

pytestmark = pytest.mark.browser


def test_what_was_drawn_is_counted_on_the_page_and_at_the_endpoint(server: Server, tab: Tab, tmp_path: Path) -> None:
    page = tab(server.url)
    screen.drawn(page)
    page.get_by_role("link", name="Admin").click()
    expect(page.get_by_text("Images a day")).to_be_visible()
    expect(page.locator("[data-testid=stMetricValue]").first).to_have_text(re.compile(r"^[1-9]\d*$"))
    page.get_by_role("tab", name="Documents").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="PDF").nth(1).click()
    saved.value.save_as(tmp_path / "sheet.pdf")
    assert saved.value.suggested_filename == "data-sheet.pdf"
    assert (tmp_path / "sheet.pdf").read_bytes().startswith(b"%PDF")
    text = urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=30).read().decode()
    assert re.search(r'^synthread_images_total\{modality="DX",model="tiny"\} [1-9]', text, re.MULTILINE)
    assert "synthread_model_ready 1.0" in text and "local" not in text
