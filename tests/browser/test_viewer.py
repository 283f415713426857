"""The reader in a real browser: windows, slices, measures, marks and answer keys on values that are known."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from tests.browser import screen
from tests.browser.conftest import ROOT, Server, Tab

pytestmark = pytest.mark.browser

SCRIPT = """
import json
import numpy as np
import streamlit as st
from synth.ui import viewer

st.set_page_config(layout="wide")
scene = st.query_params["scene"]
ramp = np.tile(np.arange(256, dtype=np.uint16) * 256, (256, 1))
y, x = np.mgrid[:128, :128]
levels = (-900, -400, 40, 400, 900)
stack = np.stack([np.where((x - 64) ** 2 + (y - 64) ** 2 < 2500, level, -1000) for level in levels]).astype(np.int16)
square = viewer.Overlay([np.array([[32, 32], [96, 32], [96, 96], [32, 96], [32, 32.0]])], "#00ff00", "square")

def note(reply, **more):
    log = st.session_state.setdefault("log", [])
    log += reply.keys
    mark = None if reply.mark is None else [reply.mark.kind, reply.mark.pane, reply.mark.slice_index, reply.mark.points]
    st.code(json.dumps({"mark": mark, "keys": log, **more}))

whole = (65536, 32768)
if scene == "ramp":
    with st.sidebar:
        st.text_input("Notes")
        level = st.number_input("Level", value=32768)
    pane = viewer.Pane(ramp, window=(65536, level))
    note(viewer.show([pane], key="r", label="An X-ray", keys=("1", "n", "Enter")))
elif scene == "stack":
    pane = viewer.Pane(stack, (0.7, 0.7), "HU", overlays=(square,))
    note(viewer.show([pane], key="r", label="A stack"))
elif scene in ("point", "box", "outline"):
    note(viewer.show([viewer.Pane(ramp, window=whole)], key="r", label="An X-ray", mark=scene))
elif scene == "closed":
    if st.session_state.get("open", True):
        first = viewer.show([viewer.Pane(ramp, window=whole)], key="r", label="An X-ray", mark="point", keys=("Enter",))
        if first.keys:
            st.session_state.open = False
            note(first)
            st.rerun()
    else:
        first = viewer.show([viewer.Pane(ramp, window=whole, overlays=(square,))], key="r", label="An X-ray")
    note(first, open=st.session_state.get("open", True))
elif scene == "moved":
    where = st.container()
    above = st.toggle("Above")
    with where if above else st.container(border=True):
        note(viewer.show([viewer.Pane(ramp, window=whole)], key="r", label="An X-ray", mark="box"))
elif scene == "two":
    panes = [viewer.Pane(stack, unit="HU", title="REAL"), viewer.Pane(ramp[:128, :128])]
    note(viewer.show(panes, key="r", label="Two"))
elif scene == "narrow":
    note(viewer.show([viewer.Pane(ramp, (0.5, 0.25), window=whole)], key="r", label="Columns half as wide"))
elif scene == "next":
    at = st.session_state.setdefault("at", 0)
    cases = [viewer.Pane(np.full((1024, 1024), 1 + i, np.uint16), window=(16, 8)) for i in range(10)]
    reply = viewer.show([cases[at]], key="r", label="A case", mark="point", keys=("n",), prefetch=[cases[at + 1]])
    note(reply, at=at)
    if "n" in reply.keys:
        st.session_state.at += 1
        st.rerun()
"""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("scenes")
    (home / "scenes.py").write_text(SCRIPT, encoding="utf-8")
    running = Server(home, {"PYTHONPATH": str(ROOT)}, script=str(home / "scenes.py"))
    running.start()
    yield running
    running.kill()


Scene = Callable[..., Page]


@pytest.fixture
def scene(scenes: Server, tab: Tab) -> Scene:
    """Opens one scene and waits until its first image is drawn."""

    def open_scene(name: str, panes: int = 1) -> Page:
        page = tab(f"{scenes.url}/?scene={name}")
        canvas(page, panes - 1).wait_for()
        screen.until(
            page,
            "n => [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')].flatMap("
            "e => [...e.shadowRoot.querySelectorAll('.wait')]).filter(e => e.hidden).length === n",
            arg=panes,
        )
        page.wait_for_timeout(300)
        return page

    return open_scene


def canvas(page: Page, index: int = 0) -> Locator:
    return page.locator(".viewer canvas").nth(index)


def corner(page: Page, place: str, index: int = 0) -> str:
    page.wait_for_timeout(120)
    return page.locator(f".viewer .{place}").nth(index).inner_text()


def window(page: Page, index: int = 0) -> tuple[float, float]:
    _, width, _, level, *_ = corner(page, "se", index).split()
    return float(width), float(level)


def grey(page: Page, x: float, y: float, side: int, index: int = 0) -> tuple[int, ...]:
    """RGBA of the canvas at a place in CSS px from its centre, given in pixels of an image that is fitted."""
    page.wait_for_timeout(120)
    script = """(canvas, [x, y, side]) => {
      const scale = Math.min(canvas.width, canvas.height) / side;
      const at = [canvas.width / 2 + (x - side / 2) * scale, canvas.height / 2 + (y - side / 2) * scale];
      return [...canvas.getContext('2d').getImageData(Math.round(at[0]), Math.round(at[1]), 1, 1).data];
    }"""
    return tuple(canvas(page, index).evaluate(script, [x, y, side]))


def on_screen(page: Page, x: float, y: float, side: int, index: int = 0) -> tuple[float, float]:
    box = canvas(page, index).bounding_box()
    assert box is not None
    scale = min(box["width"], box["height"]) / side
    return box["x"] + box["width"] / 2 + (x - side / 2) * scale, box["y"] + box["height"] / 2 + (y - side / 2) * scale


def drag(page: Page, *path: tuple[float, float], button: str = "left") -> None:
    page.mouse.move(*path[0])
    page.mouse.down(button=button)
    for place in path[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up(button=button)
    page.wait_for_timeout(150)


def answer(page: Page, until: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
    """What the page was told, once it is as expected (or after some seconds, so that the test can say what it is)."""
    found: dict[str, Any] = {}
    for _ in range(50):
        found = json.loads(page.locator("[data-testid=stCode] code").inner_text())
        if until(found):
            break
        page.wait_for_timeout(100)
    return found


def shown(value: float, width: float, level: float) -> int:
    """DICOM PS3.3 C.11.2.1.2, 8 bit."""
    return round(255 * min(1.0, max(0.0, (value - (level - 0.5)) / (width - 1) + 0.5)))


def near(found: tuple[int, ...], expected: int, by: int = 3) -> bool:
    return found[3] == 255 and all(abs(part - expected) <= by for part in found[:3])


# The words drawn over the image since the last call.
SAID = """canvas => {
  const words = canvas.__words ??= [], context = canvas.getContext('2d');
  if (!canvas.__fill) { canvas.__fill = context.fillText;
    context.fillText = function (text, ...rest) { words.push(text); return canvas.__fill.call(this, text, ...rest); }; }
  return words.splice(0);
}"""


def test_sixteen_bits_are_windowed_by_dragging_and_by_presets(scene: Scene) -> None:
    page = scene("ramp")
    assert window(page) == (65536, 32768)
    for x in (20.5, 128.5, 200.5):
        assert near(grey(page, x, 128, 256), shown(256 * int(x), 65536, 32768))
    start = on_screen(page, 128, 128, 256)
    drag(page, start, (start[0] - 200, start[1] - 60))
    width, level = window(page)
    assert (width, level) == pytest.approx((65536 - 200 * 65536 / 300, 32768 - 60 * 65536 / 300), abs=2)
    for x in (20.5, 60.5, 90.5, 200.5):
        assert near(grey(page, x, 128, 256), shown(256 * int(x), width, level), by=5)
    page.keyboard.press("i")
    assert near(grey(page, 20.5, 128, 256), 255 - shown(256 * 20, width, level), by=5)
    page.keyboard.press("2")
    assert window(page) == pytest.approx((150 * 255, 128 * 255), abs=200)
    page.keyboard.press(" ")
    assert window(page) == (65536, 32768)
    assert near(grey(page, 20.5, 128, 256), shown(256 * 20, 65536, 32768))


def test_a_window_that_the_page_names_is_taken_and_the_rest_stays(scene: Scene) -> None:
    page = scene("ramp")
    canvas(page).focus()
    page.keyboard.press("+")
    page.keyboard.press("h")
    zoomed = corner(page, "se").split()[-1]
    page.get_by_label("Level").fill("20000")
    page.get_by_label("Level").press("Enter")
    screen.until(page, "() => document.querySelector('[data-testid=stBidiComponentIsolated]')")
    page.wait_for_timeout(1000)
    assert window(page) == (65536, 20000)
    assert corner(page, "se").split()[-1] == zoomed


def test_the_pixels_travel_once(scene: Scene) -> None:
    page = scene("ramp")
    received: list[int] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.on("Network.webSocketFrameReceived", lambda frame: received.append(len(frame["response"]["payloadData"])))
    page.get_by_label("Notes").fill("a")
    page.get_by_label("Notes").press("Enter")
    page.wait_for_timeout(1500)
    assert 0 < sum(received) < 256 * 256 * 2 // 2  # base64 letters of all messages


def test_keys_turn_flip_and_fit(scene: Scene) -> None:
    page = scene("ramp")
    canvas(page).focus()
    bright = shown(256 * 200, 65536, 32768)
    page.keyboard.press("h")
    assert near(grey(page, 55.5, 128, 256), bright)
    page.keyboard.press("h")
    page.keyboard.press("r")  # the bright right side comes down
    script = (
        """canvas => [...canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height * 0.65, 1, 1).data]"""
    )
    below = canvas(page).evaluate(script)
    page.wait_for_timeout(150)
    below = canvas(page).evaluate(script)
    page.keyboard.press("v")
    page.wait_for_timeout(150)
    assert canvas(page).evaluate(script)[0] < 127 < below[0]
    page.keyboard.press("v")
    page.keyboard.press("l")
    fitted = corner(page, "se")
    page.keyboard.press("+")
    assert corner(page, "se") != fitted
    page.keyboard.press("=")
    assert corner(page, "se") == fitted


def test_the_wheel_and_keys_go_through_a_stack(scene: Scene) -> None:
    page = scene("stack")
    assert (corner(page, "ne"), window(page)) == ("Slice 3/5", (400, 40))
    page.mouse.move(*on_screen(page, 64, 64, 128))
    for expected in ("Slice 4/5", "Slice 5/5", "Slice 5/5"):
        page.mouse.wheel(0, 120)
        assert corner(page, "ne") == expected
    canvas(page).focus()
    for key, expected in (("Home", "1"), ("ArrowDown", "2"), ("ArrowDown", "3"), ("ArrowUp", "2"), ("End", "5")):
        page.keyboard.press(key)
        assert corner(page, "ne") == f"Slice {expected}/5"
    page.keyboard.press("2")  # lung
    assert window(page) == (1500, -600)
    page.keyboard.press("Home")
    assert near(grey(page, 64, 64, 128), shown(-900, 1500, -600))
    assert "-900 HU" in corner(page, "sw")
    page.keyboard.press("c")
    page.wait_for_timeout(400)
    page.keyboard.press("c")
    assert corner(page, "ne") != "Slice 1/5"
    assert page.get_by_role("dialog").count() == 0  # Streamlit has a meaning of its own for this key


def test_lengths_and_regions_are_measured_in_mm(scene: Scene) -> None:
    page = scene("stack")
    canvas(page).focus()
    canvas(page).evaluate(SAID)
    page.keyboard.press("d")
    drag(page, on_screen(page, 14, 64, 128), on_screen(page, 114, 64, 128))
    assert abs(float(canvas(page).evaluate(SAID)[-1].split()[0]) - 70.0) < 0.5
    page.keyboard.press("Backspace")
    page.wait_for_timeout(150)
    canvas(page).evaluate(SAID)
    page.keyboard.press("b")
    drag(page, on_screen(page, 54, 54, 128), on_screen(page, 74, 74, 128))
    mean, sd, area = canvas(page).evaluate(SAID)[-3:]
    assert (mean, sd) == ("mean 40.0 HU", "SD 0.00")
    assert abs(float(area.split()[1]) - 20 * 20 * 0.49) < 6 and area.endswith("mm²")
    page.keyboard.press("Control+z")
    page.wait_for_timeout(150)
    canvas(page).evaluate(SAID)
    page.keyboard.press("i")
    page.wait_for_timeout(150)
    assert [word for word in canvas(page).evaluate(SAID) if word != "square"] == []
    page.keyboard.press("Control+y")
    page.wait_for_timeout(150)
    assert "mean 40.0 HU" in canvas(page).evaluate(SAID)


def test_pixels_that_are_not_square_are_drawn_and_measured_as_they_are(scene: Scene) -> None:
    page = scene("narrow")  # 64 mm wide, 128 mm high: the height fills the pane
    assert near(grey(page, 64 + 50, 128, 256), shown(256 * 100, 65536, 32768))
    assert grey(page, 50, 128, 256)[3] == 0
    canvas(page).focus()
    said = [0.0, 0.0]
    for i, end in enumerate(((178, 128), (128, 178))):
        canvas(page).evaluate(SAID)
        page.keyboard.press("d")
        drag(page, on_screen(page, 128, 128, 256), on_screen(page, *end, 256))
        said[i] = float(canvas(page).evaluate(SAID)[-1].split()[0])
    assert said == pytest.approx([25, 25], abs=0.4)  # 50 half rows of 0.5 mm either way


def test_outlines_are_shown_and_hidden(scene: Scene) -> None:
    page = scene("stack")
    canvas(page).focus()
    red, green, blue, _ = grey(page, 64, 32, 128)
    assert green > 120 and red < 60 and blue < 60
    page.keyboard.press("o")
    red, green, blue, _ = grey(page, 64, 32, 128)
    assert red == green == blue


def test_a_point_is_marked_by_a_click_and_windowing_still_drags(scene: Scene) -> None:
    page = scene("point")
    page.mouse.click(*on_screen(page, 100, 40, 256))
    kind, pane, slice_index, points = answer(page, lambda found: found["mark"] is not None)["mark"]
    assert (kind, pane, slice_index) == ("point", 0, 0)
    assert points[0] == pytest.approx([100, 40], abs=0.6)
    start = on_screen(page, 128, 128, 256)
    drag(page, start, (start[0] + 60, start[1]))
    assert window(page)[0] > 65536
    assert answer(page)["mark"][3] == points
    box = canvas(page).bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 4, box["y"] + 4)  # beside the image
    page.wait_for_timeout(500)
    assert answer(page)["mark"][3] == points
    page.keyboard.press("Backspace")
    assert answer(page, lambda found: found["mark"] is None)["mark"] is None


def test_a_box_and_an_outline_stay_inside_the_image(scene: Scene) -> None:
    page = scene("box")
    drag(page, on_screen(page, 200, 200, 256), on_screen(page, 400, 300, 256))
    kind, _, _, points = answer(page, lambda found: found["mark"] is not None)["mark"]
    assert kind == "box"
    assert points[1] == [256, 256] and points[0] == pytest.approx([200, 200], abs=0.6)
    page = scene("outline")
    drag(page, *[on_screen(page, x, y, 256) for x, y in ((-40, 100), (-60, 100), (-60, 160))])
    page.wait_for_timeout(500)
    assert answer(page)["mark"] is None
    corners = ((60, 60), (160, 60), (-90, 160), (60, 62))
    drag(page, *[on_screen(page, x, y, 256) for x, y in corners])
    kind, _, _, points = answer(page, lambda found: found["mark"] is not None)["mark"]
    assert kind == "outline" and len(points) >= 3
    assert min(x for x, _ in points) == 0 and all(0 <= x <= 256 and 0 <= y <= 256 for x, y in points)


def test_a_closed_answer_stays_on_the_image(scene: Scene) -> None:
    page = scene("closed")
    page.mouse.click(*on_screen(page, 200.5, 128, 256))
    assert answer(page, lambda found: found["mark"] is not None)["mark"]
    page.keyboard.press("Enter")
    assert answer(page, lambda found: not found["open"])["keys"] == ["Enter"]
    page.get_by_role("button", name="Outlines").wait_for()
    page.keyboard.press("Backspace")
    page.keyboard.press("Control+z")
    box = canvas(page).bounding_box()
    assert box is not None
    scale = box["height"] / 256
    assert grey(page, 200.5 + 10 / scale, 128, 256)[0] < 150  # an arm of the mark, not the film


def test_a_viewer_that_moves_on_the_page_keeps_its_mark(scene: Scene) -> None:
    page = scene("moved")
    drag(page, on_screen(page, 50, 50, 256), on_screen(page, 90, 90, 256))
    marked = answer(page, lambda found: found["mark"] is not None)["mark"]
    page.get_by_text("Above").click()
    page.wait_for_timeout(2500)
    assert answer(page, lambda found: found["mark"] is not None)["mark"] == marked
    red, _, blue, _ = grey(page, 50, 70, 256)
    assert blue > red + 60  # the box is still drawn


def test_answer_keys_count_once_and_go_before_presets(scene: Scene) -> None:
    page = scene("ramp")
    page.keyboard.press("n")  # nothing has the focus
    assert answer(page, lambda found: found["keys"] == ["n"])["keys"] == ["n"]
    canvas(page).focus()
    page.keyboard.down("1")
    for _ in range(5):
        page.keyboard.down("1")  # repeats of a held key
    page.keyboard.up("1")
    page.wait_for_timeout(150)
    page.keyboard.press("Enter")
    page.wait_for_timeout(1500)
    assert answer(page)["keys"] == ["n", "1", "Enter"]
    assert window(page) == (65536, 32768)
    page.get_by_label("Notes").fill("n")
    page.get_by_label("Notes").press("1")
    page.wait_for_timeout(700)
    assert answer(page)["keys"] == ["n", "1", "Enter"]


def test_two_panes_move_together_until_unlinked(scene: Scene) -> None:
    page = scene("two", panes=2)
    assert corner(page, "nw") == "REAL"
    canvas(page, 0).focus()
    before = [corner(page, "se", i) for i in range(2)]
    page.keyboard.press("+")
    assert all(corner(page, "se", i) != before[i] for i in range(2))
    page.keyboard.press("2")
    assert (window(page, 0), window(page, 1)[0] == 1500) == ((1500, -600), False)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("k")
    linked = corner(page, "se", 0)
    page.keyboard.press("+")
    assert corner(page, "se", 0) == linked
    labels = [canvas(page, i).get_attribute("aria-label") for i in range(2)]
    assert labels == ["Two, pane 1 of 2", "Two, pane 2 of 2"]


def test_the_next_case_is_there_at_once_and_starts_anew(scene: Scene) -> None:
    page = scene("next")
    page.mouse.click(*on_screen(page, 100, 100, 1024))
    assert answer(page, lambda found: found["mark"] is not None)["mark"]
    canvas(page).focus()
    for case in (1, 2, 3):
        page.wait_for_timeout(1200)  # reading; the next one travels
        began = time.monotonic()
        page.keyboard.press("n")
        expected = shown(1 + case, 16, 8)
        while not near(tuple(canvas(page).evaluate(CENTRE)), expected, by=1):
            assert time.monotonic() - began < 5
        assert time.monotonic() - began < 1.5  # 0.1 to 0.3 s on a computer that does nothing else
        assert answer(page, lambda found, case=case: found["at"] == case) == {
            "mark": None,
            "keys": ["n"] * case,
            "at": case,
        }


CENTRE = """canvas => [...canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data]"""


def fingers(page: Page) -> Callable[..., None]:
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    return touch


def test_one_finger_windows_and_two_fingers_zoom(scene: Scene) -> None:
    page = scene("ramp")
    x, y = on_screen(page, 128, 128, 256)
    touch = fingers(page)
    touch("touchStart", (x, y))
    for step in (20, 40, 60):
        touch("touchMove", (x + step, y))
    touch("touchEnd")
    width, level = window(page)
    assert width == pytest.approx(65536 * 1.2, abs=2) and level == 32768
    zoom = float(corner(page, "se").split()[-1].rstrip("x"))
    touch("touchStart", (x - 50, y))
    touch("touchStart", (x - 50, y), (x + 50, y))
    for step in (60, 80, 100):
        touch("touchMove", (x - step, y), (x + step, y))
    touch("touchEnd")
    assert float(corner(page, "se").split()[-1].rstrip("x")) == pytest.approx(2 * zoom, rel=0.05)
    assert window(page) == (width, level)


def test_the_middle_button_pans_and_the_right_one_zooms(scene: Scene) -> None:
    page = scene("ramp")
    start = on_screen(page, 128, 128, 256)
    drag(page, start, (start[0] + 256, start[1]), button="middle")
    assert near(grey(page, 128, 128, 256), shown(256 * 18, 65536, 32768), by=30)
    assert window(page) == (65536, 32768)
    before = float(corner(page, "se").split()[-1].rstrip("x"))
    drag(page, start, (start[0], start[1] - 80), button="right")
    assert float(corner(page, "se").split()[-1].rstrip("x")) > 1.4 * before
    page.mouse.wheel(0, 300)
    assert float(corner(page, "se").split()[-1].rstrip("x")) < 1.4 * before


def test_the_magnifier_shows_more_of_less(scene: Scene) -> None:
    page = scene("ramp")
    canvas(page).focus()
    page.keyboard.press("m")
    x, y = on_screen(page, 128, 128, 256)
    page.mouse.move(x, y)
    scale = (canvas(page).bounding_box() or {})["height"] / 256
    offset = 75 / scale  # px of the image from the pointer, inside the lens of 90 CSS px
    assert near(grey(page, 128 + offset, 128, 256), shown(256 * (128 + offset / 2.5), 65536, 32768), by=4)
    page.keyboard.press("Escape")
    assert near(grey(page, 128 + offset, 128, 256), shown(256 * (128 + offset), 65536, 32768), by=4)


def test_help_and_full_screen_are_a_key_away(scene: Scene) -> None:
    page = scene("stack")
    canvas(page).focus()
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys of the viewer").wait_for()
    page.keyboard.press("Escape")
    assert not page.get_by_role("dialog", name="Keys of the viewer").is_visible()
    page.keyboard.press("f")
    page.wait_for_timeout(500)
    box = canvas(page).bounding_box()
    assert box is not None and box["width"] > 1380
    focus = canvas(page).evaluate("canvas => getComputedStyle(canvas).outlineStyle")
    assert focus == "solid"
