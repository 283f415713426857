"""A lesion drawn with the mouse on an image, in a real browser, from the canvas to the DICOM file."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.phantoms import cat, dicom_bytes, film, png

pytestmark = pytest.mark.browser


def drag(page: Page, *points: tuple[float, float]) -> None:
    """A stroke over the canvas through points given as shares of its width and height."""
    canvases = page.locator("canvas.upper-canvas")
    canvas = canvases.last
    expect(canvas).to_be_visible()
    page.wait_for_timeout(1500)  # a rerun may still replace the canvas under the hand
    expect(canvases).to_have_count(1)  # that of the picture before leaves a moment after the new one has come
    canvas.evaluate("element => element.scrollIntoView({block: 'nearest'})")
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
    expect(page.locator(screen.FILMS).locator(".hm")).to_have_count(3)  # before, after, difference
    expect(page.get_by_text("Codec error, not in the edit")).to_be_visible()
    outlines = page.locator(".js-plotly-plot .scatterlayer .trace")
    shown = outlines.count()
    page.locator(".updatemenu-button", has_text="Outline").click()
    expect(outlines).to_have_count(shown - 4)  # lesion and edit mask on both films
    file = pydicom.dcmread(screen.download(page, "DICOM", tmp_path))
    assert file.SyntheticData == "YES"
    assert "drawn into another image" in file.ImageComments
    seg = highdicom.seg.segread(screen.download(page, "SEG", tmp_path))
    mask = seg.get_pixels_by_source_instance([file.SOPInstanceUID], ignore_spatial_locations=True)[0, ..., 0] > 0
    rows, columns = np.nonzero(mask)
    assert seg.SyntheticData == "YES"
    with Image.open(screen.download(page, "Mask", tmp_path)) as picture:
        assert np.array_equal(np.asarray(picture), 255 * mask)
    state = pydicom.dcmread(screen.download(page, "GSPS", tmp_path))
    assert state.ReferencedSeriesSequence[0].ReferencedImageSequence[0].ReferencedSOPInstanceUID == file.SOPInstanceUID
    png = screen.download(page, "PNG", tmp_path).read_bytes()
    assert png.startswith(b"\x89PNG") and b"SYNTHETIC" in png
    assert abs(rows.min() - 256 * 0.35 + 6) <= 3 and abs(columns.max() - 256 * 0.35 - 6) <= 3  # a brush of 12 px


def share(page: Page) -> float:
    """Per cent of the picture that the page says is drawn as lesion."""
    said = page.get_by_text(re.compile(r"Drawn: lesion")).inner_text()
    return float(re.findall(r"lesion ([\d.]+)%", said)[0])


def test_strokes_are_undone_and_an_ellipse_fills_its_frame(server: Server, tab: Tab) -> None:
    page = edit_page(server, tab)
    draw_lesion(page)
    brushed = share(page)
    page.get_by_role("radio", name="Ellipse").click()
    page.wait_for_timeout(1000)
    drag(page, (0.60, 0.30), (0.80, 0.70))
    expect(page.get_by_text(re.compile(r"Drawn: lesion [6-9]"))).to_be_visible()
    assert abs(share(page) - brushed - 100 * 0.2 * 0.4 * np.pi / 4) < 0.4
    canvas = page.locator(".dc-root")
    canvas.hover(position={"x": 20, "y": 20})
    canvas.locator(".dc-icon-button").nth(1).click()
    expect(page.get_by_text(f"Drawn: lesion {brushed:.1f}%")).to_be_visible()
    canvas.locator(".dc-icon-button").nth(2).click()
    expect(page.get_by_text(re.compile(r"Drawn: lesion [6-9]"))).to_be_visible()


def test_edits_are_undone_and_done_again_after_a_reload(server: Server, tab: Tab) -> None:
    page = edit_page(server, tab)
    draw_lesion(page)
    screen.press(page, "Draw it")
    screen.press(page, "Go on with this image")
    expect(page.get_by_text("Drawn: lesion 0.0%")).to_be_visible()  # the canvas is that of the new image
    draw_lesion(page)
    screen.press(page, "Draw it")
    expect(page.get_by_role("button", name="Edit 2")).to_be_disabled()
    screen.press(page, "Undo edit")
    expect(page.get_by_role("button", name="Edit 1")).to_be_disabled()
    page.reload()
    expect(page.get_by_role("button", name="Edit 1")).to_be_disabled()
    screen.press(page, "Undo edit")
    expect(page.get_by_role("button", name="Base", exact=True)).to_be_disabled()
    screen.press(page, "Edit 2")
    expect(page.get_by_role("button", name="Redo edit")).to_be_disabled()
    expect(page.locator(screen.FILMS).locator(".hm")).to_have_count(3)


def test_a_course_arrives_as_a_strip_and_plays(server: Server, tab: Tab) -> None:
    page = edit_page(server, tab)
    draw_lesion(page)
    page.get_by_label("Course").click()
    page.get_by_role("option", name="Follow-up").click()
    expect(page.get_by_role("group", name="Size at the end")).to_be_visible()
    screen.press(page, "Draw it")
    expect(page.get_by_text("Imagination: not a prediction")).to_be_visible()
    for stage in ("day 0", "day 3", "day 7"):
        expect(page.get_by_role("radio", name=stage)).to_be_visible()
    page.locator(".updatemenu-button", has_text="Play").click()
    film = page.locator(".js-plotly-plot").first
    expect(film.locator(".slider-label", has_text="day 7")).to_be_visible()
    screen.until(page, "document.querySelector('.js-plotly-plot')._fullLayout.sliders[0].active === 3")
    page.get_by_role("radio", name="day 3").click()
    expect(page.locator(".annotation-text", has_text="AFTER")).to_have_count(2)  # the film and the map


def test_drawing_nothing_is_one_sentence_and_loses_nothing(server: Server, tab: Tab) -> None:
    page = edit_page(server, tab)
    expect(page.get_by_text("Drawn: lesion 0.0%")).to_be_visible()
    expect(page.locator("canvas.upper-canvas")).to_be_visible()  # its arrival runs the page once more
    page.wait_for_timeout(1000)
    page.get_by_role("button", name="Draw it").click()
    assert screen.sentence(page) == "No lesion is drawn; draw its area on the picture first."
    expect(page.locator("canvas.upper-canvas")).to_be_visible()


def test_a_cat_is_refused_and_a_dark_film_of_16_bit_is_taken_the_right_way_up(server: Server, tab: Tab) -> None:
    page = tab(f"{server.url}/edit")
    page.get_by_role("tab", name="Upload").click()
    upload(page, "cat.png", png(cat()))
    assert screen.sentence(page) == "cat.png is a colour picture (100% of it); a grey radiograph or slice is needed."
    negative = 65535 - film(300).astype(np.uint16) * 257
    upload(page, "film.dcm", dicom_bytes(negative, PhotometricInterpretation="MONOCHROME1"))
    screen.until(page, "location.search.includes('base=upload')")
    expect(page.get_by_text("Fitted: 300 x 300 px to 256 x 256 px.")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    draw_lesion(page)
    screen.press(page, "Draw it")
    expect(page.locator(".annotation-text", has_text="AFTER: ALTERED")).to_have_count(1)


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "image/png", "buffer": data})


def test_an_address_of_no_image_is_one_sentence(server: Server, tab: Tab) -> None:
    page = tab(f"{server.url}/edit?base=nonsense")
    expect(page.get_by_test_id("stAlert")).to_be_visible()
    assert screen.sentence(page) == "The base image 'nonsense' is not known; choose one below."


def test_the_address_of_the_page_is_enough_for_a_server_that_has_just_started(tab: Tab, tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    try:
        page = tab(f"{server.url}/edit?base=nonsense")
        expect(page.get_by_test_id("stAlert")).to_be_visible()
        expect(page.get_by_test_id("stSidebar").get_by_text("SynthRead")).to_be_visible()
        assert "base=nonsense" in page.url
    finally:
        server.kill()
