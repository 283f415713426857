"""The way of an image into the library, in a real browser: a ZIP, its grid, one opened, labelled, binned, put back."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.browser.test_edit import drag
from tests.phantoms import cat, dicom_bytes, film, png

pytestmark = pytest.mark.browser

# The arrows of the filters are called Open too, and a button with a hint is there twice.
OPEN = "[class*=st-key-shelf-open] [data-testid=stBaseButton-tertiary]:visible"


def archive(folder: Path) -> Path:
    """Four films, one of them twice, beside a file that is none."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as packed:
        for number in range(4):
            packed.writestr(f"ward/film-{number}.dcm", dicom_bytes(film(256, 700 + number), PatientName="Doe^Jane"))
        packed.writestr("ward/again.dcm", dicom_bytes(film(256, 700)))
        packed.writestr("ward/=cat.png", png(cat()))
        packed.writestr("ward/notes.dcm", b"nothing that could be read")
    path = folder / "ward.zip"
    path.write_bytes(data.getvalue())
    return path


def import_zip(page: Page, path: Path) -> None:
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_text("ward.zip")).to_be_visible()
    page.get_by_label("Where the images come from").fill("Teaching ward")
    page.get_by_label("Where the images come from").press("Enter")
    page.get_by_role("combobox", name="Licence").fill("CC BY 4.0")
    page.get_by_role("combobox", name="Licence").press("Enter")
    page.get_by_role("button", name="Import", exact=True).click()


def test_a_zip_becomes_images_that_are_labelled_binned_and_put_back(server: Server, tab: Tab, tmp_path: Path) -> None:
    page = tab(f"{server.url}/library?tab=import")
    import_zip(page, archive(tmp_path))
    expect(page.get_by_text("done", exact=True)).to_be_visible()
    expect(page.get_by_text("1 there already").first).to_be_visible()
    assert "import=" in page.url
    page.reload()  # the report is in the address
    expect(page.get_by_role("button", name="Report as CSV")).to_be_visible()
    report = screen.download(page, "Report as CSV", tmp_path).read_text("utf-8-sig")
    assert "ward/notes.dcm,refused" in report and "Jane" not in report

    page.get_by_role("button", name="See its images").click()
    expect(page.get_by_alt_text("Real image")).to_have_count(5)
    page.locator(OPEN).last.click()  # the newest is the cat, which has no modality
    expect(page.locator(".viewer canvas").first).to_be_visible()
    expect(page.get_by_text("Teaching ward").first).to_be_visible()

    page.get_by_text("Edit labels").click()
    page.get_by_label("Teaching note").fill("The costophrenic angles are free")
    page.get_by_label("Teaching note").press("Control+Enter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: teaching note.")).to_be_visible()

    page.get_by_role("button", name="Move to bin").click()
    expect(page.get_by_text("1 image moved to the bin.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 image moved to the bin.")).to_have_count(0)
    page.get_by_label("Search").fill("costophrenic")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_alt_text("Real image")).to_have_count(1)
    assert "q=costophrenic" in page.url
    assert page.get_by_test_id("stAlert").count() == 0 and page.get_by_test_id("stException").count() == 0


def test_a_rectangle_on_the_canvas_becomes_a_box(server: Server, tab: Tab) -> None:
    page = tab(f"{server.url}/library?modality=DX")
    page.locator(OPEN).first.click()
    page.get_by_text("Edit labels").click()
    page.get_by_text("Draw boxes or a mask").click()
    expect(page.get_by_role("button", name="Add to the boxes")).to_be_disabled()
    drag(page, (0.25, 0.25), (0.5, 0.5))
    expect(page.get_by_role("button", name="Add to the boxes")).to_be_enabled()
    page.get_by_role("button", name="Add to the boxes").click()
    expect(page.get_by_text("Box 1:")).to_be_visible()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved: boxes.")).to_be_visible()
