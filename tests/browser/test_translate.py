"""A brain slice uploaded, translated and downloaded; a real CT under another window, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.library.test_slices import GREY, HU
from tests.phantoms import dicom_bytes, png

pytestmark = pytest.mark.browser


def test_a_ct_becomes_mri_beside_its_source(server: Server, tab: Tab, tmp_path: Path) -> None:
    (tmp_path / "ct.dcm").write_bytes(dicom_bytes(HU))
    page = tab(server.url)
    screen.drawn(page)
    page.goto(f"{server.url}/translate")
    page.locator("input[type=file]").set_input_files(tmp_path / "ct.dcm")
    expect(page.get_by_text("Shown in the brain window 100/40 HU.")).to_be_visible()
    screen.press(page, "Translate")
    expect(page.locator(screen.FILMS).locator(".hm")).to_have_count(2)
    expect(page.locator(".annotation-text", has_text="ALTERED: MRI")).to_be_visible()
    expect(page.get_by_text("it does not generalise")).to_be_visible()
    file = pydicom.dcmread(screen.download(page, "DICOM", tmp_path))
    assert (file.SyntheticData, file.BodyPartExamined, file.Modality) == ("YES", "BRAIN", "OT")
    assert "RescaleSlope" not in file


def test_a_png_that_says_nothing_is_asked_for(server: Server, tab: Tab, tmp_path: Path) -> None:
    (tmp_path / "slice.png").write_bytes(png(GREY))
    page = tab(server.url)
    screen.drawn(page)
    page.goto(f"{server.url}/translate")
    page.locator("input[type=file]").set_input_files(tmp_path / "slice.png")
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert screen.sentence(page) == "slice.png does not say what it is; choose CT, MRI or PET."
    page.get_by_role("radio", name="PET").click()
    expect(page.get_by_role("button", name="Translate")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)


def test_a_real_ct_is_seen_under_the_mediastinal_window(server: Server, tab: Tab) -> None:
    page = tab(server.url)
    screen.drawn(page)
    page.goto(f"{server.url}/library?modality=CT")
    page.locator("[class*=st-key-shelf-open] button:visible").first.click()
    expect(page.get_by_label("Centre, HU")).to_be_visible()
    expect(page.locator(".viewer .se")).to_contain_text("W 1500  L -600")
    page.locator(".viewer").get_by_role("button", name="Mediastinum").click()
    expect(page.locator(".viewer .se")).to_contain_text("W 400  L 40")
    page.get_by_label("Centre, HU").fill("60")
    page.get_by_label("Centre, HU").press("Enter")
    expect(page.locator(".viewer .se")).to_contain_text("W 1500  L 60")
