"""Progress in the browser: the days of the reader's own zone, what is due, and a case opened again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from synth.reading.sessions import Dealt
from synth.store import Store
from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.sittings import dealt, keep, named, sitting

pytestmark = pytest.mark.browser


def pictured(store: Store, name: str, *codes: str) -> Dealt:
    """A case whose picture is in the store."""
    case = dealt(name, *codes)
    grey = np.random.default_rng(len(name)).integers(0, 256, (64, 64), dtype=np.uint8)
    return replace(case, item=replace(case.item, pictures=(store.add_picture(grey),)))


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, phantoms: Path) -> Iterator[Server]:
    """A server on which Bee missed an edema last week, and has read a nodule and fourteen normals."""
    home = tmp_path_factory.mktemp("progress")
    store = Store(f"sqlite:///{home / 'synth.db'}", f"file://{home / 'blobs'}")
    then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=7)
    edema, nodule = pictured(store, "edema", "edema"), pictured(store, "a nodule", "nodule")
    keep(store, sitting("s1", edema, nodule, reader="Bee"), named(), named("nodule"), at=then, ended=True)
    clear = [pictured(store, f"clear {number}") for number in range(14)]
    keep(store, sitting("s2", *clear, reader="Bee"), *[named()] * 14, at=then + timedelta(days=1), ended=True)
    store.close()
    running = Server(home, {"SYNTH_LIBRARY": str(phantoms)})
    running.start()
    yield running
    running.kill()


def board(page: Page) -> None:
    expect(page.get_by_text("Every case again")).to_be_visible()
    expect(page.get_by_text("16 of 16 answers")).to_be_visible()


def test_a_case_of_the_history_opens_with_its_truth(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/progress?reader=Bee")
    board(page)
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    links = page.get_by_test_id("stPageLink").get_by_role("link")
    expect(links).to_have_count(4)
    links.last.click()
    screen.until(page, "/session=s1/.test(location.search) && /case=1/.test(location.search)")
    expect(page.get_by_text("Not correct")).to_be_visible()
    expect(page.get_by_text("Pulmonary edema.", exact=True)).to_be_visible()
    expect(page.get_by_text("You answered: Normal.")).to_be_visible()


def test_what_is_due_leads_to_a_block_of_it_under_the_same_name(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/progress?reader=Bee")
    board(page)
    expect(page.get_by_text(re.compile("pulmonary edema")).first).to_be_visible()
    page.get_by_role("button", name="Repeat what is due").click()
    screen.until(page, "location.pathname.endsWith('/quiz') && /mode=spaced/.test(location.search)")
    expect(page.get_by_text("Findings that are about to be forgotten come back.")).to_be_visible()
    expect(page.get_by_label("Your name or pseudonym")).to_have_value("Bee")


def test_a_name_typed_on_the_board_is_that_of_the_reading_room_and_back(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/progress")
    expect(page.get_by_text("Nothing read yet")).to_be_visible()
    page.get_by_label("Your name or pseudonym").fill("Bee")
    page.keyboard.press("Enter")
    board(page)
    page.get_by_role("link", name="Reading room").click()
    expect(page.get_by_label("Your name or pseudonym")).to_have_value("Bee")
    page.get_by_role("link", name="Progress", exact=True).click()
    board(page)
    page.get_by_label("Your name or pseudonym").fill("")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing read yet")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Nothing read yet")).to_be_visible()
