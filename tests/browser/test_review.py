"""A radiologist's queue in a real browser: by keys, blind, with a place, one film after the other, and a withdrawal."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page, TimeoutError, expect

from synth.governance.release import State
from synth.store import Store
from tests.browser import screen
from tests.browser.conftest import Server, Tab

pytestmark = pytest.mark.browser

FILM = ".st-key-review canvas"


def drawn(page: Page, server: Server) -> list[str]:
    """Two films of the page Generate."""
    page.goto(server.url)
    first = screen.drawn(page)
    screen.generate(page, "PA chest X-ray, 40-year-old man, normal")
    return [first, screen.drawn(page)]


def test_films_are_judged_blind_by_keys_one_after_the_other_and_one_is_withdrawn(tab: Tab, tmp_path: Path) -> None:
    server = Server(tmp_path)
    server.start()
    store = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
    try:
        page = tab(server.url)
        first, second = drawn(page, server)
        page.goto(f"{server.url}/review")
        expect(page.get_by_text("2 wait")).to_be_visible()
        expect(page.get_by_text("Asked for:")).to_have_count(0)
        place(page, "pneumonia")
        page.get_by_role("button", name="practice", exact=True).click()
        page.get_by_role("button", name="exam", exact=True).click()
        page.get_by_role("heading", name="Validation").click()  # else Enter would press the button again
        page.keyboard.press("4")
        expect(page.get_by_role("radio", name="4", exact=True)).to_be_checked()
        page.keyboard.press("Enter")
        expect(page.get_by_text("1 waits")).to_be_visible()
        expect(page.get_by_text("Asked for:")).to_be_visible()  # of the film before
        (said,) = store.validation.reviews(first)
        assert (said.realism, said.blind, sorted(said.fit)) == (4, True, ["exam", "practice"])
        (judged,) = said.judged
        assert judged.present == "yes" and len(judged.place) == 2
        page.get_by_role("button", name="Withdraw", exact=True).click()
        page.get_by_label("Reason of the withdrawal").fill("The heart is drawn twice")
        page.get_by_role("button", name="Withdraw this image").click()
        expect(page.get_by_text("No image waits for you here.")).to_be_visible()
        assert store.validation.release(second).state is State.WITHDRAWN
        page.goto(f"{server.url}/?image={second}")
        expect(page.get_by_text("WITHDRAWN.")).to_be_visible()
        expect(page.get_by_role("button", name="DICOM")).to_be_disabled()
    finally:
        store.close()
        server.kill()


def choose(page: Page, box: str, finding: str) -> None:
    """Choose an option; a list that a rerun of the page has closed is opened again."""
    option = page.get_by_role("option", name=finding, exact=True)
    for _ in range(9):
        page.get_by_role("combobox", name=box).click()
        page.get_by_role("combobox", name=box).press_sequentially(finding)
        with suppress(TimeoutError):
            option.click(timeout=4000)
            return
    raise AssertionError(f"{finding!r} cannot be chosen in {box!r}.")


def place(page: Page, finding: str) -> None:
    """Say that a finding is seen, and draw a box around it."""
    choose(page, "Seen", finding)
    page.keyboard.press("Escape")
    choose(page, "Mark the place of", finding)
    expect(page.get_by_role("button", name="Mark", exact=True, pressed=True)).to_be_visible()  # else it would window
    film = page.locator(FILM).first
    box = film.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.40, box["y"] + box["height"] * 0.50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.45, box["y"] + box["height"] * 0.60, steps=5)
    page.mouse.up()
    expect(page.get_by_role("button", name="Outlines")).to_be_visible()  # the place is kept and shown
