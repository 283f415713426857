"""A noisy picture uploaded, restored and taken away as files, in a real browser."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.phantoms import film

pytestmark = pytest.mark.browser


def upload(server: Server, tab: Tab, picture: np.ndarray) -> Page:
    """The Restore page with a picture given to it as PNG."""
    page = tab(server.url)
    screen.drawn(page)
    page.goto(f"{server.url}/restore")
    page.get_by_role("tab", name="Upload").click()
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    page.locator("input[type=file]").set_input_files(
        [{"name": "noisy.png", "mimeType": "image/png", "buffer": file.getvalue()}]
    )
    expect(page.get_by_role("button", name="Restore", exact=True)).to_be_visible()
    return page


def test_a_noisy_upload_is_restored_beside_its_baseline(server: Server, tab: Tab, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 20, (300, 360))
    page = upload(server, tab, np.clip(film(360)[:300] + noise, 0, 255).astype(np.uint8))
    expect(page.get_by_text(re.compile(r"4 tiles, about \d+ s\."))).to_be_visible()
    screen.press(page, "Restore")
    expect(page.get_by_text(re.compile(r"Mean shift [+-]\d+\.\d\d grey levels; the bound is 2\.0"))).to_be_visible()
    expect(page.locator(screen.FILMS).locator(".hm")).to_have_count(4)
    file = pydicom.dcmread(screen.download(page, "DICOM", tmp_path))
    assert (file.Rows, file.Columns, file.SyntheticData) == (300, 360, "YES")
    assert file.DerivationDescription.startswith("Restored from another image")
    with Image.open(screen.download(page, "PNG by non-local means", tmp_path)) as plain:
        assert plain.size == (360, 300)


def test_a_picture_that_is_too_small_is_one_sentence(server: Server, tab: Tab) -> None:
    page = upload(server, tab, film(40))
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert screen.sentence(page) == "The picture is 40 x 40 px; at least 64 px a side are restored."
