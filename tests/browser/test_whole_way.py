"""From a prompt to a DICOM file, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path

import pydicom
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.conftest import ROOT, Server, Tab

pytestmark = pytest.mark.browser
PROMPT = "AP chest X-ray, 41-year-old woman, severe right upper lobe pneumonia, no effusion"


def test_a_first_visit_opens_with_the_intended_use_three_examples_and_a_drawn_one(server: Server, tab: Tab) -> None:
    page = tab(server.url)
    expect(page.get_by_role("heading", name="Education and research, never diagnosis")).to_be_visible()
    for example in ("Right lower lobe pneumonia", "Left pleural effusion", "CT: ground-glass opacities"):
        expect(page.get_by_role("button", name=example, exact=True)).to_be_visible()
    screen.drawn(page)
    assert screen.prompt_box(page).input_value() == "PA chest X-ray, 65-year-old man, right lower lobe pneumonia"


def test_a_prompt_becomes_chips_an_image_beside_a_real_one_and_a_dicom_file(
    server: Server, tab: Tab, tmp_path: Path
) -> None:
    page = tab(server.url)
    screen.drawn(page)
    screen.generate(page, PROMPT)
    expect(page.get_by_text("no pleural effusion").first).to_be_visible()
    expect(page.locator(screen.FILMS).locator(".hm")).to_have_count(2)
    for label in ("SYNTHETIC", "REAL"):
        expect(page.locator(".annotation-text", has_text=label)).to_have_count(1)
    file = pydicom.dcmread(screen.download(page, "DICOM", tmp_path))
    assert file.SyntheticData == "YES"
    assert file.SOPClassUID == pydicom.uid.SecondaryCaptureImageStorage
    assert file.pixel_array.shape == (256, 256)
    png = screen.download(page, "PNG", tmp_path).read_bytes()
    assert png.startswith(b"\x89PNG") and b"SYNTHETIC" in png
    assert PROMPT.encode() not in png


def test_a_corrected_chip_is_what_is_drawn(server: Server, tab: Tab) -> None:
    page = tab(server.url)
    screen.drawn(page)
    screen.prompt_box(page).fill("PA chest X-ray, right pleural effusion")
    expect(page.get_by_label("Side of pleural effusion")).to_be_visible()
    page.get_by_role("radio", name="woman").click()
    screen.press(page, "Generate")
    screen.drawn(page)
    expect(page.get_by_test_id("stMarkdownContainer").filter(has_text="woman").first).to_be_visible()


def test_a_reload_of_the_address_shows_the_same_image(server: Server, tab: Tab, tmp_path: Path) -> None:
    page = tab(server.url)
    screen.drawn(page)
    screen.generate(page, PROMPT)
    first = screen.download(page, "PNG", tmp_path)
    pixels = Image.open(io.BytesIO(first.read_bytes())).tobytes()
    other = tab(page.url)
    screen.drawn(other)
    again = screen.download(other, "PNG", tmp_path)
    assert (again.name, Image.open(again).tobytes()) == (first.name, pixels)  # the signature is another every time
    assert screen.prompt_box(other).input_value() == PROMPT


def test_two_browsers_get_their_own_image_from_one_loaded_model(server: Server, tab: Tab, tmp_path: Path) -> None:
    first, second = tab(server.url), tab(server.url)
    for page in (first, second):
        screen.drawn(page)
    screen.prompt_box(first).fill("PA chest X-ray, 30-year-old man, normal")
    screen.prompt_box(second).fill("PA chest X-ray, 80-year-old woman, left pneumonia")
    expect(first.get_by_label("Age", exact=True)).to_have_value("30")
    expect(second.get_by_label("Age", exact=True)).to_have_value("80")
    for page in (first, second):
        screen.press(page, "Generate")
    for page, own in ((first, "30-year-old man"), (second, "80-year-old woman")):
        image = screen.drawn(page)
        expect(page.get_by_text(own).first).to_be_visible()
        assert screen.download(page, "PNG", tmp_path).name == f"synthetic-{image}.png"
    for page in (first, second):
        page.get_by_test_id("stSidebar").get_by_test_id("stTooltipHoverTarget").hover()
        expect(page.get_by_text("The weights were loaded once for all browsers.")).to_be_visible()


def test_the_history_survives_a_killed_server_and_reopens_with_its_request(
    tab: Tab, tmp_path: Path, phantoms: Path
) -> None:
    server = Server(tmp_path, {"SYNTH_LIBRARY": str(phantoms)})
    server.start()
    try:
        page = tab(server.url)
        screen.drawn(page)
        screen.generate(page, PROMPT)
        image = screen.drawn(page)
        server.kill()
        server.start()
        page = tab(server.url)
        screen.drawn(page)
        expect(page.get_by_text("3 images, kept on this computer")).to_be_visible()
        page.locator(f".st-key-open-{image}").get_by_role("button").click()
        screen.until(page, "location.search.includes('image=')")
        assert screen.drawn(page) == image
        expect(screen.prompt_box(page)).to_have_value(PROMPT)
        expect(page.get_by_role("radio", name="woman")).to_be_checked()
    finally:
        server.kill()


def test_the_model_that_is_shipped_draws_an_image(tab: Tab, tmp_path: Path) -> None:
    shipped = (ROOT / "assets" / "models" / "synthread-256" / "card.md").exists()
    server = Server(tmp_path, {"SYNTH_MODEL": "synthread-256" if shipped else "tiny", "OMP_NUM_THREADS": "2"})
    server.start()
    try:
        page = tab(server.url)
        expect(page.locator(screen.FILMS).first).to_be_visible(timeout=120_000)
        assert pydicom.dcmread(screen.download(page, "DICOM", tmp_path)).pixel_array.std() > 10
    finally:
        server.kill()
