"""An educator's way in a real browser: from an empty database to an open set, its files, and a trainee's result."""

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


def test_from_an_empty_database_to_an_open_set_its_files_and_a_result(tab: Tab, tmp_path: Path, phantoms: Path) -> None:
    server = Server(tmp_path, {"SYNTH_LIBRARY": str(phantoms)})
    server.start()
    try:
        page = tab(f"{server.url}/cases")
        expect(page.get_by_test_id("stSidebar").get_by_text("ready")).to_be_visible()
        made(page)
        history = page.get_by_label("History")
        history.press_sequentially("Cough, an x-ray", delay=100)  # A, N and X are keys; and the cases are being drawn
        decided(page, "4 to review")
        expect(history).to_have_value("Cough, an x-ray")
        reviewed(page)
        page.get_by_role("radio", name="Share").click()
        page.get_by_text("Open for trainees").click()
        expect(page.get_by_text(re.compile("open, code"))).to_be_visible()
        code = page.get_by_text(re.compile("open, code")).inner_text()[-8:]
        expect(page.get_by_text(f"{server.url}/quiz?set={code}", exact=True)).to_be_visible()
        archive = zipfile.ZipFile(screen.download(page, "DICOM ZIP", tmp_path))
        manifest = json.loads(archive.read("manifest.json"))
        assert (manifest["code"], len(manifest["cases"])) == (code, 3)
        read(tab(f"{server.url}/quiz?set={code}"), "Ada")
        page.reload()  # the address holds the place
        expect(page.get_by_role("switch", name="Open for trainees")).to_be_checked()
        page.get_by_role("radio", name="Results").click()
        expect(page.get_by_text("1 sitting", exact=True)).to_be_visible()
        rows = screen.download(page, "CSV", tmp_path).read_text("utf-8-sig").splitlines()
        assert re.fullmatch(r"Ada,[^,]*,yes,(\d+),\1,\d+,.*", rows[1])
        store = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
        kept = store.casebook.set_of_code(code)
        store.close()
        assert (kept.title, [entry.standing for entry in kept.entries].count("approved")) == ("First year", 3)
        assert kept.entries[0].history == "Cough, an x-ray"
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
    screen.until(page, "/[?&]set=/.test(location.search)")


def reviewed(page: Page) -> None:
    """The first case is approved by its button, one left out by its key, and the rest approved together."""
    page.get_by_label("Teaching point").focus()
    page.locator(".st-key-approve button").click()
    decided(page, "1 approved, 3 to review")
    page.keyboard.press("x")
    decided(page, "1 approved, 2 to review, 1 left out")
    page.locator(".st-key-approve-all button").click()
    decided(page, "3 approved, 1 left out")


def read(page: Page, name: str) -> None:
    """A trainee types a name and calls every case normal."""
    page.get_by_label("Your name or pseudonym").fill(name)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Begin").click()
    screen.until(page, "/session=/.test(location.search)")
    done, number = page.get_by_text("Practice: done"), 1
    expect(page.locator("canvas[aria-label*='case 1']").first).to_be_visible()
    while not done.is_visible():
        page.keyboard.press("n")
        expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_text(re.compile(r"^(Correct|Partly right|Not correct)"))).to_be_visible()
        expect(page.get_by_role("button", name=re.compile(r"\(Enter\)"))).to_be_enabled()
        page.keyboard.press("Enter")
        number += 1
        image = page.locator(f"canvas[aria-label$='case {number}'], canvas[aria-label*='case {number},']").first
        expect(image.or_(done)).to_be_visible()
