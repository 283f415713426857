"""The Python side of the reader: what is sent to the browser, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.extra import numpy as arrays
from streamlit.testing.v1 import AppTest

from synth.errors import RequestError
from synth.ui import viewer

FILM = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000
CASE = viewer.Pane(FILM)


def sent(app: AppTest) -> tuple[dict[str, Any], list[bytes]]:
    """What the viewer was told, and the images beside it."""
    found = [element.proto for element in app.get("bidi_component")]
    (told,) = [json.loads(proto.json) for proto in found if proto.json]
    return told, [proto.bytes for proto in found if proto.bytes]


def page(build: Callable[[], None]) -> AppTest:
    app = AppTest.from_function(build).run()
    assert not app.exception
    return app


@given(
    arrays.arrays(
        some.sampled_from([np.uint8, np.uint16, np.int16, ">u2", ">i2"]),
        arrays.array_shapes(min_dims=2, max_dims=3, max_side=5),
    )
)
def test_values_travel_as_they_are(pixels: npt.NDArray[Any]) -> None:
    told = viewer._described(viewer.Pane(pixels, presets=()), "film")
    kind = {"u8": "u1", "u16": "<u2", "i16": "<i2"}[told["kind"]]
    values = np.frombuffer(viewer._bytes(viewer.Pane(pixels)), kind).reshape(told["shape"])
    assert np.array_equal(values.reshape(pixels.shape), pixels)


def test_the_browser_is_told_the_look_and_nothing_of_the_case() -> None:
    def build() -> None:
        import numpy as np

        from synth.ui import viewer

        line = np.array([[1.0, 2.0], [3.123456, 4.0]])
        overlay = viewer.Overlay([line], "#fff", "outline", dashed=True, slice_index=1)
        stack = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
        pane = viewer.Pane(stack, (0.5, 0.25), "HU", (1500, -600), (overlay,), "REAL")
        viewer.show([pane], key="here", label="CT slice", keys=("1", "Enter"), prefetch=[viewer.Pane(stack + 1)])

    told, films = sent(page(build))
    assert set(told) == {"key", "case", "label", "height", "mark", "keys", "panes", "run"}
    (pane,) = told.pop("panes")
    assert len(told.pop("case")) == 16
    assert told == {"key": "here", "label": "CT slice", "height": 640, "mark": None, "keys": ["1", "Enter"], "run": 1}
    assert [tuple(preset) for preset in pane.pop("presets")] == list(viewer.CT_PRESETS)
    assert pane == {
        "film": films[0][:32].decode(),
        "kind": "i16",
        "shape": [2, 3, 4],
        "first": 1,
        "spacing": [0.5, 0.25],
        "unit": "HU",
        "window": [1500, -600],
        "title": "REAL",
        "overlays": [
            {"lines": [[[1, 2], [3.12, 4]]], "colour": "#fff", "name": "outline", "dashed": True, "slice": 1},
        ],
    }
    assert [len(film) for film in films] == [32 + 48, 32 + 48]
    assert films[0][32:] == np.arange(24, dtype="<i2").tobytes()


def test_the_same_image_twice_is_sent_once() -> None:
    def build() -> None:
        import numpy as np

        from synth.ui import viewer

        film = np.full((8, 8), 7, np.uint8)
        viewer.show([viewer.Pane(film), viewer.Pane(film.copy())], key="a", label="Two", prefetch=[viewer.Pane(film)])

    told, films = sent(page(build))
    assert (len(told["panes"]), len(films)) == (2, 1)


def test_grey_levels_have_windows_of_their_own_range() -> None:
    eight = viewer._described(viewer.Pane(np.zeros((4, 4), np.uint8)), "")
    assert eight["presets"][0] == ["Full", 256, 128] and eight["window"] == [256, 128]
    twelve = viewer._described(viewer.Pane(np.array([[0, 4095]], np.uint16)), "")
    assert twelve["presets"][0] == ["Full", 4096, 2048] and twelve["window"] == [4096, 2048]


@pytest.mark.parametrize(
    ("pixels", "changes", "named"),
    [
        (np.zeros(4, np.uint8), {}, "(4,)"),
        (np.zeros((0, 4), np.uint8), {}, "(0, 4)"),
        (np.zeros((1, 9000), np.uint8), {}, "8192"),
        (np.zeros((3000, 1, 1), np.uint8), {}, "2048"),
        (np.zeros((4, 4), np.float32), {}, "float32"),
        (np.zeros((4, 4), np.int32), {}, "int32"),
        (FILM, {"spacing_mm": (0.0, 1.0)}, "spacing"),
        (FILM, {"spacing_mm": (float("nan"), 1.0)}, "spacing"),
        (FILM, {"window": (0, 10)}, "0/10"),
        (FILM, {"presets": (("bad", 10, float("inf")),)}, "inf"),
    ],
)
def test_what_is_no_image_is_refused(pixels: npt.NDArray[Any], changes: dict[str, Any], named: str) -> None:
    with pytest.raises(RequestError, match=named.replace("(", r"\(").replace(")", r"\)")):
        viewer.Pane(pixels, **changes)


@pytest.mark.parametrize(
    ("panes", "changes"),
    [
        ([], {}),
        ([CASE] * 5, {}),
        ([CASE], {"keys": ["Tab"]}),
        ([CASE], {"keys": [""]}),
        ([CASE], {"keys": ["1"] * 33}),
        ([CASE], {"mark": "circle"}),
        ([CASE], {"prefetch": [viewer.Pane(np.zeros((25, 2048, 2048), np.uint8))]}),
    ],
)
def test_too_much_is_refused(panes: list[viewer.Pane], changes: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        viewer.show(panes, key="k", label="An image", **changes)


def marked(kind: Any, points: Any, **changes: Any) -> viewer.Mark | None:
    value = {"case": "now", "kind": kind, "pane": 0, "slice": 0, "points": points} | changes
    return viewer._mark(value, [CASE], "now", kind)


def test_marks_come_back_inside_the_image() -> None:
    assert marked("point", [[1.5, 2]]) == viewer.Mark("point", ((1.5, 2.0),))
    assert marked("box", [[-5, 1], [9, 9]]) == viewer.Mark("box", ((0.0, 1.0), (4.0, 3.0)))
    assert marked("outline", [[0, 0], [4, 0], [4, 4]]) == viewer.Mark("outline", ((0.0, 0.0), (4.0, 0.0), (4.0, 3.0)))


def test_a_mark_on_images_that_are_gone_is_none() -> None:
    assert marked("point", [[1, 1]], case="before") is None
    assert viewer._mark(None, [CASE], "now", "point") is None
    assert viewer._mark({"case": "now"}, [CASE], "now", None) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"points": []},
        {"points": [[1, 1], [2, 2]]},
        {"points": [[float("nan"), 1]]},
        {"points": [[10**400, 1]]},
        {"points": "ab"},
        {"points": None},
        {"pane": 1},
        {"pane": -1},
        {"slice": 1},
        {"slice": -1},
        {"slice": None},
        {"kind": "box"},
    ],
)
def test_what_is_no_mark_is_said(changes: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="mark it again"):
        viewer._mark(
            {"case": "now", "kind": "point", "pane": 0, "slice": 0, "points": [[1, 1]]} | changes,
            [CASE],
            "now",
            "point",
        )


def test_each_press_counts_once_and_only_on_its_own_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    presses = [{"key": "1", "number": 10}, {"key": "x", "number": 11}, {"key": "Enter", "number": 12}]

    def take(case: str = "now", more: Any = ()) -> tuple[str, ...]:
        return viewer._presses({"case": case, "presses": [*presses, *more]}, "k", "now", ("1", "Enter"))

    assert take("before") == ()
    assert take() == ("1", "Enter")
    assert take() == ()
    assert take(more=[{"key": "1", "number": 13}, "1", {"key": "1"}]) == ("1",)
    assert viewer._presses(None, "k", "now", ("1",)) == ()
