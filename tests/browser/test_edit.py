"""A lesion drawn with the mouse on an image, in a real browser, from the canvas to the DICOM file."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab

pytestmark = pytest.mark.browser


def drag(page: Page, *points: tuple[float, float]) -> None:
    """A stroke over the canvas through points given as shares of its width and height."""
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas).to_be_visible()
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def draw_lesion(page: Page) -> None:
    """A few strokes in a lung; once more where the canvas was not ready to take them."""
    for _ in range(5):
        drag(page, (0.25, 0.35), (0.35, 0.35), (0.35, 0.45), (0.25, 0.45), (0.30, 0.40))
        with suppress(AssertionError):
            expect(page.get_by_text(re.compile(r"Drawn: lesion [1-9]"))).to_be_visible(timeout=4000)
            return
    pytest.fail("the canvas took no stroke")


def edit_page(server: Server, tab: Tab) -> Page:
    """The Edit page with a freshly made image as its base."""
    page = tab(server.url)
    image = screen.drawn(page)
    page.goto(f"{server.url}/edit?base=synthetic:{image}")
    expect(page.get_by_role("button", name="Draw it")).to_be_visible()
    return page


def test_a_drawn_lesion_appears_and_nothing_outside_changes(server: Server, tab: Tab, tmp_path: Path) -> None:
    page = edit_page(server, tab)
    draw_lesion(page)
    screen.press(page, "Draw it")
    said = page.get_by_text(re.compile(r"Inside the lesion [+-]\d+\.\d grey levels on average"))
    expect(said).to_be_visible()
    assert said.inner_text().endswith("outside the edit mask at most 0.")
    expect(page.locator(screen.FILMS).locator(".hm")).to_have_count(2)
    file = pydicom.dcmread(screen.download(page, "DICOM", tmp_path))
    assert file.SyntheticData == "YES"
    assert "drawn into another image" in file.ImageComments
    seg = highdicom.seg.segread(screen.download(page, "SEG", tmp_path))
    mask = seg.get_pixels_by_source_instance([file.SOPInstanceUID], ignore_spatial_locations=True)[0, ..., 0] > 0
    rows, columns = np.nonzero(mask)
    assert seg.SyntheticData == "YES"
    assert abs(rows.min() - 256 * 0.35 + 6) <= 3 and abs(columns.max() - 256 * 0.35 - 6) <= 3  # a brush of 12 px


def test_drawing_nothing_is_one_sentence_and_loses_nothing(server: Server, tab: Tab) -> None:
    page = edit_page(server, tab)
    expect(page.get_by_text("Drawn: lesion 0.0%")).to_be_visible()
    expect(page.locator("canvas.upper-canvas")).to_be_visible()  # its arrival runs the page once more
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Draw it").click()
    assert screen.sentence(page) == "No lesion is drawn; draw its area on the picture first."
    expect(page.locator("canvas.upper-canvas")).to_be_visible()


def test_an_address_of_no_image_is_one_sentence(server: Server, tab: Tab) -> None:
    page = tab(f"{server.url}/edit?base=nonsense")
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert screen.sentence(page) == "The base image 'nonsense' is not known; choose one below."
