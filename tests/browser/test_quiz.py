"""The reading room by keyboard alone: practice, an exam that survives its server, and a study of three readers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from synth.reading.answers import Task
from synth.reading.studies import Protocol, Seat, Study
from synth.store import Store
from tests.browser import screen
from tests.browser.conftest import Server, Tab
from tests.casework.furnished import furnish

pytestmark = pytest.mark.browser

CONSENT = "You will read images, some of them synthetic."


def opened(home: Path) -> Store:
    return Store(f"sqlite:///{home / 'synth.db'}", f"file://{home / 'blobs'}")


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, phantoms: Path) -> Iterator[Server]:
    """A server whose starter set is drawn already."""
    home = tmp_path_factory.mktemp("room")
    store = opened(home)
    furnish(store)
    store.close()
    running = Server(home, {"SYNTH_LIBRARY": str(phantoms)})
    running.start()
    yield running
    running.kill()


def case(page: Page, number: int) -> None:
    """Wait until a case stands there to be answered."""
    shown = page.locator(f"canvas[aria-label$='case {number}'], canvas[aria-label*='case {number},']").first
    expect(shown).to_be_visible()
    expect(page.get_by_text(f"case {number} of")).to_be_visible()


def begin(page: Page, *presses: str) -> None:
    """Begin as the lobby stands, by its shortcut."""
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    for key in presses:
        page.keyboard.press(key)
    page.keyboard.press("Control+b")
    screen.until(page, "/session=/.test(location.search)")
    case(page, 1)


def choose(page: Page, *tasks: str) -> None:
    """Tasks of the lobby, by Tab and Space on their buttons."""
    for task in ("Findings", *tasks):
        button = page.get_by_role("toolbar", name="Tasks").get_by_role("button", name=task, exact=True)
        button.focus()
        page.keyboard.press("Space")
        pressed = task != "Findings"
        expect(button).to_have_attribute("aria-pressed", "true" if pressed else "false")


def answers(server: Server, page: Page) -> dict[int, object]:
    """What the store holds of the session that the page shows."""
    store = opened(server.home)
    try:
        found = re.search(r"session=(\w+)", page.url)
        assert found
        return dict(store.sittings.session(found[1]).answers)
    finally:
        store.close()


def test_a_practice_block_by_keys_alone_with_the_next_case_in_half_a_second(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/quiz")
    begin(page)
    waits = []
    for number in range(1, 11):
        case(page, number)
        page.keyboard.press("n")
        expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.get_by_text(re.compile(r"^(Correct|Partly right|Not correct)"))).to_be_visible()
        expect(page.get_by_role("button", name=re.compile(r"\(Enter\)"))).to_be_enabled()
        page.wait_for_timeout(400)  # as long as anybody looks at the truth: the next case is on its way
        before = time.monotonic()
        page.keyboard.press("Enter")
        if number < 10:
            expect(page.get_by_text(f"case {number + 1} of")).to_be_visible()
            case(page, number + 1)
            waits.append(time.monotonic() - before)
    expect(page.get_by_text("Practice: done")).to_be_visible()
    assert len(answers(room, page)) == 10
    assert sorted(waits)[len(waits) // 2] < 0.5
    page.get_by_role("button", name=re.compile(" 3$")).click()
    expect(page.get_by_text("case 3 of 10")).to_be_visible()
    expect(page.get_by_text(re.compile(r"^You answered"))).to_be_visible()


def test_a_lesion_is_marked_by_keys_and_its_outline_shown_at_the_reveal(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/quiz")
    choose(page, "Where")
    begin(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing is marked; mark the lesion, or say that there is none.")).to_be_visible()
    page.keyboard.press("x")
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^You answered: Marked by a box"))).to_be_visible()
    (place,) = (answered.answer for answered in answers(room, page).values())
    assert place.points == ((104.0, 108.0), (144.0, 140.0))  # 16 px around the middle, 4 left, 4 up, 4 wider


def test_before_the_answer_neither_page_nor_network_says_what_an_image_is(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/quiz")
    frames: list[bytes] = []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(_bytes(data))))
    page.reload()
    choose(page, "Real or synthetic")
    begin(page)
    page.wait_for_timeout(1000)
    store = opened(room.home)
    found = re.search(r"session=(\w+)", page.url)
    assert found
    dealt = store.sittings.session(found[1]).dealt[0]
    store.close()
    secrets = [dealt.case, *dealt.sources, *(source.partition(":")[2] for source in dealt.sources)]
    seen = page.content() + " ".join(asked) + b" ".join(frames).decode("latin-1")
    assert [secret for secret in secrets if secret in seen] == []
    told = re.sub(
        r"[Rr]eal or synthetic|[Rr]eal images|contains synthetic images|(surely|probably|perhaps) \w+",
        "",
        page.inner_text("main"),
    )
    assert re.findall(r"(?i)synthetic|\breal\b", told) == []
    page.keyboard.press("6")
    expect(page.get_by_role("button", name="✓ 6 surely synthetic")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^This image is (real|synthetic)"))).to_be_visible()


def test_an_exam_goes_on_where_the_server_was_killed(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/quiz")
    page.get_by_role("radio", name="Exam").focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Minutes")).to_be_visible()
    expect(page.get_by_label("Cases")).to_have_count(1)  # that of Practice is gone
    page.get_by_label("Cases").fill("4")
    page.keyboard.press("Tab")
    begin(page)
    for number in (1, 2):
        case(page, number)
        page.keyboard.press("n")
        expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
        page.keyboard.press("Enter")
        case(page, number + 1)
    assert len(answers(room, page)) == 2
    room.kill()
    room.start()
    page.reload()
    case(page, 3)
    other = page.context.new_page()  # a second tab on the same exam
    other.goto(page.url)
    case(other, 3)
    for tab_of_two in (page, other):
        tab_of_two.keyboard.press("n")
        expect(tab_of_two.get_by_role("button", name="✓ N Normal")).to_be_visible()
    page.keyboard.press("Enter")
    case(page, 4)
    other.keyboard.press("Enter")
    case(other, 4)
    assert len(answers(room, page)) == 3
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Exam: done")).to_be_visible()
    expect(page.get_by_text(re.compile(r"95 % interval"))).to_be_visible()
    assert len(answers(room, page)) == 4
    for _ in range(3):
        page.go_back()
    page.wait_for_timeout(1000)
    other.reload()
    expect(other.get_by_text("Exam: done")).to_be_visible()
    assert len(answers(room, other)) == 4


def test_three_readers_sit_a_study_and_are_told_nothing(room: Server, tab: Tab) -> None:
    store = opened(room.home)
    small = furnish(store, normals=1, series=False, set_id="small")
    codes = ("AAAA2222", "BBBB3333", "CCCC4444")
    seats = tuple(Seat(number, code) for number, code in enumerate(codes, start=1))
    protocol = Protocol((small.id,), (Task.REAL_OR_SYNTHETIC, Task.FINDINGS), 3, CONSENT)
    store.casebook.add_study(Study("study1", "Turing test", "ada", datetime.now(UTC), protocol, seats))
    for number, code in enumerate(codes, start=1):
        page = tab(f"{room.url}/quiz?seat={code}")
        expect(page.get_by_text(CONSENT)).to_be_visible()
        page.get_by_role("textbox", name="A name or pseudonym").fill(f"Reader {'ABC'[number - 1]}")
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Begin")).to_be_visible()
        page.keyboard.press("Enter")
        screen.until(page, "/session=/.test(location.search)")
        _read_study(page, number)
    sessions = store.sittings.sessions(study="study1")
    store.close()
    assert sorted(session.reader for session in sessions) == ["Reader 1", "Reader 2", "Reader 3"]
    assert {len(session.answers) for session in sessions} == {10}
    assert all(session.ended_at is not None for session in sessions)
    assert all(answered.seconds > 0 for session in sessions for answered in session.answers.values())


def _read_study(page: Page, reader: int) -> None:
    """Five cases real or synthetic, then the same for their findings with a confidence."""
    for number in range(1, 11):
        case(page, number)
        if number <= 5:
            page.keyboard.press(str(1 + (number + reader) % 6))
            expect(page.get_by_role("button", name=re.compile("^✓"))).to_be_visible()
            page.keyboard.press("Enter")
        else:
            page.keyboard.press("n")
            expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
            page.keyboard.press("Enter")
            expect(page.get_by_text(re.compile("^How sure are you"))).to_be_visible()
            page.keyboard.press("4")
        assert page.get_by_text(re.compile(r"^(Correct|Not correct)")).count() == 0
    expect(page.get_by_text("All 10 answers are kept", exact=False)).to_be_visible()


def _bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else data


def test_an_image_that_is_deleted_meanwhile_is_skipped_and_nothing_else_lost(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/quiz")
    begin(page)
    found = re.search(r"session=(\w+)", page.url)
    assert found
    store = opened(room.home)
    name = store.sittings.session(found[1]).dealt[0].item.pictures[0]
    store.close()
    (blob,) = (path for path in (room.home / "blobs").rglob("*") if name in path.name or name in json.dumps(str(path)))
    blob.unlink()
    page.reload()
    expect(page.get_by_text(re.compile("The image of case 1 can not be shown any more"))).to_be_visible()
    expect(page.get_by_role("button", name="Go on without this case")).to_be_visible()
    page.keyboard.press("Enter")
    case(page, 2)
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^(Correct|Partly right|Not correct)"))).to_be_visible()
    assert list(answers(room, page)) == [1]


def test_the_classifier_is_heard_after_the_answer_and_before_the_truth(room: Server, tab: Tab) -> None:
    page = tab(f"{room.url}/quiz")
    expect(page.get_by_role("button", name="Begin")).to_be_visible()
    page.get_by_role("switch", name="Ask the classifier first").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("switch", name="Ask the classifier first")).to_be_checked()
    begin(page)
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="✓ N Normal")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^Classifier: nodule \d+%"))).to_be_visible()
    expect(page.get_by_text("You answered: Normal.")).to_be_visible()
    assert page.get_by_text(re.compile(r"^(Correct|Partly right|Not correct)")).count() == 0
    page.reload()  # still before the truth
    case(page, 1)
    expect(page.get_by_role("button", name="Keep or change")).to_be_visible()
    page.keyboard.press("1")
    expect(page.get_by_role("button", name=re.compile("^✓ 1 "))).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile(r"^(Correct|Partly right|Not correct)"))).to_be_visible()
    expect(page.get_by_text(re.compile(r"^After the classifier's opinion"))).to_be_visible()
    (answered,) = answers(room, page).values()
    assert answered.answer.normal and not answered.revised.normal
    assert set(json.loads(answered.opinion)) == {"pleural_effusion", "lung_opacity", "covid_19", "nodule"}
