"""The Studies page in a browser: a running study is watched, locked, and its report kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import expect

from synth.config import Settings
from synth.store import Store
from tests.browser.conftest import Server, Tab
from tests.browser.screen import download
from tests.reading import simulated

pytestmark = pytest.mark.browser


@pytest.fixture
def store(server: Server, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store of the running server."""
    monkeypatch.setenv("SYNTH_HOME", str(server.home))
    settings = Settings.from_env()
    return Store(settings.database_url, settings.blob_url)


def test_a_study_is_watched_while_readers_read_then_locked_and_kept(
    server: Server, tab: Tab, store: Store, tmp_path: Path
) -> None:
    study = simulated.study()
    simulated.fill(store, study)
    late = replace(study, id="study-2", seats=tuple(replace(s, code=f"{s.code[:-1]}2") for s in study.seats))
    store.casebook.add_study(late)
    page = tab(f"{server.url}/studies?study={late.id}")
    expect(page.get_by_role("cell", name="not begun")).to_have_count(6)
    page.get_by_text("Invitations to copy").click()
    sitting = simulated.sitting(late, 0, 0)
    store.sittings.begin(replace(sitting, id="late", ended_at=None))
    for place in range(3):
        store.sittings.answer("late", sitting.answers[place])
    expect(page.get_by_role("cell", name="3 of 60")).to_be_visible()  # polled, without a hand on the page
    expect(page.get_by_text(f"{server.url}/quiz?seat={late.seats[0].code}")).to_be_visible()  # and still open
    page.goto(f"{server.url}/studies?study={study.id}")
    page.get_by_role("button", name="Lock", exact=True).click()
    page.get_by_role("button", name="Lock for good").click()
    expect(page.get_by_text("Phase 2 against phase 1: Obuchowski-Rockette")).to_be_visible()
    expect(page.locator("[data-testid=stPlotlyChart] .main-svg").first).to_be_visible()
    assert download(page, "Report, PDF", tmp_path).read_bytes().startswith(b"%PDF")
    assert download(page, "iMRMC, findings", tmp_path).read_text().startswith("readerID,caseID,modalityID,score")
    assert page.get_by_test_id("stException").count() == 0
    assert store.casebook.study(study.id).locked_at is not None
