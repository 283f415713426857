"""What a user can get wrong has one sentence on the screen, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import screen
from tests.browser.conftest import Server, watched_tabs

pytestmark = pytest.mark.browser
NORMAL = "PA chest X-ray, 50-year-old man, normal"


@pytest.fixture(scope="module")
def page(server: Server, browser: Browser) -> Iterator[Page]:
    """One tab in which everything is done wrong, one thing after the other."""
    with watched_tabs(browser) as tab:
        opened = tab(server.url)
        screen.drawn(opened)
        opened.get_by_text("More", exact=True).click()
        yield opened


@pytest.mark.parametrize(
    ("prompt", "says"),
    [
        ("", "prompt"),
        ("pneumonia " * 1000, "10000 characters"),
        ("🩻🫁🙂", "prompt"),
        ("صورة أشعة للصدر", "prompt"),
        ("Chest X-ray of John Smith, MRN 12345678, pneumonia", "12345678"),
    ],
    ids=["empty", "10,000 characters", "emoji", "right to left", "identifier"],
)
def test_a_prompt_that_cannot_be_drawn_gets_one_sentence(page: Page, prompt: str, says: str) -> None:
    address = page.url
    screen.prompt_box(page).fill("chest X-ray")
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    screen.prompt_box(page).fill(prompt)
    page.get_by_role("button", name="Generate").click()
    assert says in screen.sentence(page)
    assert (page.url, screen.prompt_box(page).input_value()) == (address, prompt)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("Seed", "-1", "Seed is -1; it must lie between 0 and 4294967295."),
        ("Steps", "0", "Steps is 0; it must lie between 1 and 200."),
        ("Images", "99", "Images is 99; it must lie between 1 and 8."),
        ("Guidance", "99", "Guidance is 99.0; it must lie between 0.0 and 15.0."),
        ("Age", "400", "Age is 400; it must lie between 0 and 120 years."),
        ("Age", "old", "Age is 'old'; it must be a whole number."),
    ],
)
def test_a_number_out_of_range_stays_as_typed_and_is_answered(page: Page, field: str, value: str, says: str) -> None:
    screen.prompt_box(page).fill(NORMAL)
    expect(page.get_by_label("Age", exact=True)).to_have_value("50")
    number = page.get_by_label(field, exact=True)
    before = number.input_value()
    number.fill(value)
    number.press("Tab")
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_test_id("stAlert")).to_contain_text(says)
    assert screen.sentence(page) == says
    assert number.input_value().startswith(value)
    assert screen.prompt_box(page).input_value() == NORMAL
    number.fill(before)
    number.press("Tab")
