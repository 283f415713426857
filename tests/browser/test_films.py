"""The two films: linked zoom, window/level and invert in the browser, comparing and making again."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser import screen
from tests.browser.conftest import Server, Tab

pytestmark = pytest.mark.browser
LAYOUT = """() => {
  const plot = document.querySelector('.js-plotly-plot'), layout = plot._fullLayout;
  return {x: layout.xaxis.range, x2: layout.xaxis2.range,
          films: plot._fullData.filter(t => t.type === 'heatmap').map(t => [t.zmin, t.zmax, t.reversescale])};
}"""


def _press(page: Page, name: str) -> dict[str, Any]:
    page.locator(".updatemenu-button", has_text=name).click()
    page.wait_for_timeout(300)
    return dict(page.evaluate(LAYOUT))


def test_zoom_is_linked_and_survives_window_level_and_invert(server: Server, tab: Tab) -> None:
    page = tab(server.url)
    screen.drawn(page)
    whole = page.evaluate(LAYOUT)
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 3)
    page.mouse.wheel(0, -500)
    page.wait_for_timeout(800)
    zoomed = page.evaluate(LAYOUT)
    assert zoomed["x"] == zoomed["x2"] != whole["x"]
    lung = _press(page, "Lung")
    assert lung["films"] == [[10, 150, False], [10, 150, False]]
    inverted = _press(page, "Invert")
    assert inverted["films"] == [[10, 150, True], [10, 150, True]]
    assert _press(page, "Invert")["films"] == lung["films"]
    screen.prompt_box(page).fill("PA chest X-ray, normal")
    page.wait_for_timeout(1500)
    assert page.evaluate(LAYOUT) == {**lung, "x": zoomed["x"], "x2": zoomed["x2"]}


def test_any_two_images_can_be_compared(server: Server, tab: Tab) -> None:
    page = tab(server.url)
    other = screen.drawn(page)
    screen.generate(page, "PA chest X-ray, left pleural effusion")
    page.locator(f".st-key-compare-{other}").get_by_role("button").click()
    screen.until(page, "location.search.includes('beside=')")
    expect(page.locator(".annotation-text", has_text="SYNTHETIC")).to_have_count(2)
    page.get_by_role("button", name="Back to real images").click()
    expect(page.locator(".annotation-text", has_text="REAL")).to_have_count(1)


def test_more_like_this_makes_four_with_new_seeds(server: Server, tab: Tab) -> None:
    page = tab(server.url)
    screen.drawn(page)
    screen.press(page, "More like this")
    screen.drawn(page)
    expect(page.get_by_role("button", name=re.compile(r"^Image \d$"))).to_have_count(4)


def test_the_page_is_usable_on_a_phone(server: Server, tab: Tab) -> None:
    page = tab(server.url, width=390, height=844)
    screen.drawn(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_role("button", name="Generate")).to_be_visible()
