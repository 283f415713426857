"""An educator's way in a real browser: from an empty database to an open set with its code, and its files."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from synth.store import Store
from tests.browser import screen
from tests.browser.conftest import Server, Tab

pytestmark = pytest.mark.browser


def decided(page: Page, words: str) -> None:
    """Wait until the line above the cases says how far the set is."""
    expect(page.get_by_text(words, exact=True)).to_be_visible()


def test_from_an_empty_database_to_an_open_set_with_its_code(tab: Tab, tmp_path: Path, phantoms: Path) -> None:
    server = Server(tmp_path, {"SYNTH_LIBRARY": str(phantoms)})
    server.start()
    try:
        page = tab(f"{server.url}/cases")
        expect(page.get_by_test_id("stSidebar").get_by_text("ready")).to_be_visible()
        made(page)
        decided(page, "4 to review")
        reviewed(page)
        page.get_by_role("radio", name="Share").click()
        page.get_by_text("Open for trainees").click()
        expect(page.get_by_text(re.compile("open, code"))).to_be_visible()
        code = page.get_by_text(re.compile("open, code")).inner_text()[-8:]
        expect(page.get_by_text(f"{server.url}/quiz?set={code}", exact=True)).to_be_visible()
        archive = zipfile.ZipFile(screen.download(page, "DICOM ZIP", tmp_path))
        manifest = json.loads(archive.read("manifest.json"))
        assert (manifest["code"], len(manifest["cases"])) == (code, 3)
        page.reload()  # the address holds the place
        expect(page.get_by_role("switch", name="Open for trainees")).to_be_checked()
        store = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
        kept = store.casebook.set_of_code(code)
        store.close()
        assert (kept.title, [entry.standing for entry in kept.entries].count("approved")) == ("First year", 3)
        assert kept.entries[0].history == "Cough for three days"
    finally:
        server.kill()


def made(page: Page) -> None:
    """Fill the form and have four cases drawn."""
    page.get_by_label("Title").fill("First year")
    findings = page.get_by_role("combobox", name="Findings")
    findings.click()
    page.get_by_role("option", name="nodule", exact=True).click()
    page.keyboard.press("Escape")
    page.get_by_label("Cases", exact=True).fill("4")
    page.get_by_role("button", name="Make it").click()
    page.wait_for_function("/[?&]set=/.test(location.search)")


def reviewed(page: Page) -> None:
    """The first case gets a history; one is left out by its key, and the rest are approved."""
    page.get_by_label("History").fill("Cough for three days")
    page.get_by_label("Teaching point").focus()
    page.locator(".st-key-approve button").click()
    decided(page, "1 approved, 3 to review")
    page.keyboard.press("x")
    decided(page, "1 approved, 2 to review, 1 left out")
    page.locator(".st-key-approve-all button").click()
    decided(page, "3 approved, 1 left out")
