"""In a real browser: a study of an Orthanc comes into the library, a drawn image goes there, a collection is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from synth.store import Search, Store
from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.phantoms import axial_slice, dicom_bytes
from tests.servers.pacs.orthanc import Orthanc, needed
from tests.validated import judge

pytestmark = [pytest.mark.browser, pytest.mark.server]

SLICES = 4
STUDIES = ("1.2.840.99.7", "1.2.840.99.8")
ROW_PX, BOX_PX = 31, 16


@pytest.fixture
def orthanc(tmp_path: Path) -> Iterator[Orthanc]:
    needed()
    server = Orthanc(tmp_path / "orthanc")
    server.start()
    for study, name in zip(STUDIES, ("Canary^Ada", "Canary^Bert"), strict=True):
        for number in range(SLICES):
            server.put(
                dicom_bytes(
                    axial_slice(64, number),
                    PatientName=name,
                    PatientID="CANARY-7",
                    StudyInstanceUID=study,
                    SeriesInstanceUID=f"{study}.1",
                    SeriesNumber=1,
                    StudyDate=f"2026010{study[-1]}",
                )
            )
    yield server
    server.stop()


@pytest.fixture
def served(tmp_path: Path, phantoms: Path, orthanc: Orthanc) -> Iterator[Server]:
    (tmp_path / "pacs.toml").write_text(
        f'[[node]]\nname = "teaching"\nkind = "dicomweb"\nurl = "{orthanc.url}/dicom-web"\nallow_push = true\n'
    )
    server = Server(tmp_path, {"SYNTH_LIBRARY": str(phantoms)})
    server.start()
    yield server
    server.kill()


def pick(page: Page, table: int, row: int) -> None:
    """Press the box at the left of a row of a table, which is a drawing."""
    box = page.get_by_test_id("stDataFrame").nth(table).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + BOX_PX, box["y"] + ROW_PX * (row + 1.5))


def test_a_study_comes_in_without_a_name_and_a_drawn_film_goes_out(
    tab: Tab, served: Server, orthanc: Orthanc, tmp_path: Path
) -> None:
    page = tab(f"{served.url}/library?tab=pacs")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("teaching answered in")).to_be_visible()
    page.get_by_role("textbox", name="Patient name").fill("CANARY*")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 studies")).to_be_visible()
    pick(page, 0, 1)
    page.get_by_role("button", name="Retrieve the whole study").click()
    expect(page.get_by_text(f"{SLICES} of {SLICES} files were transferred, 0 were there before.")).to_be_visible()
    assert "CANARY" not in page.url
    page.get_by_role("button", name="See its import").click()
    expect(page.get_by_text(f"{SLICES} files added, 0 there already, 0 refused")).to_be_visible()
    store = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
    _, held = store.holdings.search(Search(origin="PACS teaching"), 10)
    assert len(held) == SLICES and "anary" not in repr(held).lower()
    assert "canary" not in served.log().lower() and "canary" not in str(store.events(100)).lower()
    pushed(page, served)
    store.close()
    assert orthanc.instances() == 2 * SLICES + 1
    marked = [orthanc.get(f"/instances/{name}/simplified-tags") for name in orthanc.get("/instances")]
    assert sum(tags.get("PatientName", "").startswith("SYNTHETIC^") for tags in marked) == 1


def pushed(page: Page, served: Server) -> None:
    """From the film on the Generate page, once a radiologist has validated it, to the tab and away."""
    page.goto(served.url)
    image = screen.drawn(page)
    store = Store(f"sqlite:///{served.home / 'synth.db'}", f"file://{served.home / 'blobs'}")
    judge(store, image)
    store.close()
    page.reload()
    page.get_by_role("button", name="Send to PACS").click()
    expect(page.get_by_text("1 image chosen.")).to_be_visible()
    page.get_by_role("textbox", name="Reason").fill("teaching file for the course")
    page.get_by_role("button", name="Send to teaching").click()
    expect(page.get_by_text("1 of 1 files were transferred, 0 were there before.")).to_be_visible()


def test_the_open_collections_are_searched_and_their_size_is_told_before_anything_travels(
    tab: Tab, server: Server
) -> None:
    page = tab(f"{server.url}/library?tab=collections")
    words = page.get_by_role("textbox", name="Words")
    words.fill("covid chest")
    words.press("Enter")
    expect(page.get_by_text("collections, ")).to_be_visible()
    pick(page, 0, 0)
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    pick(page, 1, 0)
    expect(page.get_by_role("button", name="Download 1 series, ")).to_be_visible()
    expect(page.get_by_text("are free here")).to_be_visible()
