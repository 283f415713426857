"""From a prompt to its files, to Verify, to the audit entry, to the same image again, in a real browser."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.phantoms import film, png

pytestmark = pytest.mark.browser
LAYERS = ("Visible mark", "Header and text", "Signed manifest (C2PA)", "Invisible mark")


def drop(page: Page, server: Server, *files: Path) -> None:
    page.goto(f"{server.url}/verify")
    page.locator("input[type=file]").set_input_files(list(files))


def phone_like(data: bytes, folder: Path) -> Path:
    """A screenshot that a messenger made smaller and saved again."""
    picture = Image.open(io.BytesIO(data)).convert("RGB").resize((420, 420))
    picture.save(folder / "phone.jpg", quality=60)
    return folder / "phone.jpg"


def report(data: bytes, folder: Path) -> Path:
    canvas = Canvas(str(folder / "report.pdf"))
    canvas.drawString(100, 780, "A case report")
    canvas.drawImage(ImageReader(io.BytesIO(data)), 80, 300, 300, 300)
    canvas.save()
    return folder / "report.pdf"


def test_a_drawn_film_is_followed_from_its_files_to_the_same_image_again(
    server: Server, tab: Tab, tmp_path: Path
) -> None:
    page = tab(server.url)
    image = screen.drawn(page)
    first, dicom, beside = (screen.download(page, label, tmp_path) for label in ("PNG", "DICOM", "C2PA"))
    jpeg = screen.download(page, "JPEG", tmp_path)
    pixels = np.asarray(Image.open(first))
    real, text = tmp_path / "real.png", tmp_path / "text.png"
    real.write_bytes(png(film(300, 3)))
    text.write_bytes(b"just a text")
    files = (first, jpeg, dicom, beside, phone_like(first.read_bytes(), tmp_path), real)
    drop(page, server, *files, report(jpeg.read_bytes(), tmp_path), text)
    expect(page.get_by_text("Synthetic, made here")).to_have_count(5)
    expect(page.get_by_text("That proves nothing: marks can be removed")).to_have_count(1)
    expect(page.get_by_text("text.png is no PNG, JPEG, WebP, TIFF, DICOM or PDF")).to_be_visible()
    for layer in LAYERS:
        expect(page.get_by_role("cell", name=layer, exact=True)).to_have_count(6)
    if folder := os.environ.get("SYNTH_TEST_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "verify.png", full_page=True)
    drop(page, server, first)
    expect(page.get_by_text(f"Audit trail of image {image}")).to_be_visible()
    expect(page.get_by_role("cell", name="export", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Open in the audit trail").click()
    page.get_by_role("button", name=re.compile(r"^\d+$")).first.click()
    page.get_by_role("button", name="Re-create this image").click()
    expect(page.get_by_text("Identical: all 65,536 pixels are the same.")).to_be_visible()
    drop(page, server, first)
    page.locator(f"[class*=st-key-verified-][class*='{image}'] button").click()  # its copy has one too: the same mark
    assert screen.drawn(page) == image
    screen.press(page, "Make again")
    assert screen.drawn(page) != image
    again = screen.download(page, "PNG", tmp_path)
    assert again.name != first.name
    assert np.array_equal(np.asarray(Image.open(again)), pixels)
