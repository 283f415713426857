"""The audit trail in a real browser: verified, exported, and an image drawn once more from its row."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server

pytestmark = pytest.mark.browser


def test_a_trail_is_verified_exported_and_an_image_drawn_once_more(
    server: Server, tab: Callable[..., Page], tmp_path: Path
) -> None:
    page = tab(server.url)
    expect(page.get_by_text("History", exact=False).first).to_be_visible()  # the first example is drawn
    page.goto(f"{server.url}/admin?tab=audit&action=done")
    page.get_by_role("button", name="Verify the trail").click()
    expect(page.get_by_text("Valid: all")).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("button", name="Export as CSV").click()
    download.value.save_as(tmp_path / "trail.csv")
    with (tmp_path / "trail.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = [*csv.DictReader(file)]
    assert {row["action"] for row in rows} == {"done"}

    page.goto(f"{server.url}/admin?tab=audit&row={rows[-1]['seq']}")
    page.get_by_role("button", name="Re-create this image").click()
    expect(page.get_by_text("Identical: all 65,536 pixels are the same.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Identical: all 65,536 pixels are the same.")).to_be_visible()
    page.get_by_role("button", name="All rows").click()
    expect(page.get_by_role("button", name="Verify the trail")).to_be_visible()
