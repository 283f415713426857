"""Strokes of the canvas, in Fabric's JSON, become areas of the picture: exact, in order, moved and stretched alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from synth import strokes

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def stroke(kind: str, ink: tuple[int, int, int], size: tuple[float, float], **fields: Any) -> dict[str, Any]:
    colour = "rgba({}, {}, {}, 0.4)".format(*ink)
    looks = {"type": kind, "stroke": colour, "fill": colour, "strokeWidth": 1, "originX": "center", "originY": "center"}
    return {**looks, "width": size[0], "height": size[1], "scaleX": 1, "scaleY": 1, "angle": 0, **fields}


def polygon(ink: tuple[int, int, int], *points: tuple[float, float], **fields: Any) -> dict[str, Any]:
    (left, top), (right, bottom) = np.min(points, 0), np.max(points, 0)
    corners = [{"x": x, "y": y} for x, y in points]
    place = {"left": (left + right) / 2, "top": (top + bottom) / 2, "points": corners}
    return stroke("Polygon", ink, (right - left, bottom - top), **{**place, **fields})


def box(ink: tuple[int, int, int], top: int, bottom: int, left: int, right: int, /, **fields: Any) -> dict[str, Any]:
    return polygon(ink, (left, top), (right, top), (right, bottom), (left, bottom), **fields)


def brush(ink: tuple[int, int, int], width: int, path: list[list[Any]], **fields: Any) -> dict[str, Any]:
    points = np.array([point[-2:] for point in path], float)
    low, high = points.min(0), points.max(0)
    place = {"left": (low + high)[0] / 2, "top": (low + high)[1] / 2, "path": path, "fill": None, "strokeWidth": width}
    return stroke("Path", ink, tuple(high - low), **{**place, **fields})


def areas(*drawn: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return strokes.areas({"version": "7.4.0", "objects": list(drawn)}, 512, 256)


def disc(x: float, y: float, half_x: float, half_y: float) -> np.ndarray:
    at = np.arange(256) + 0.5
    return np.asarray(((at[None] - x) / half_x) ** 2 + ((at[:, None] - y) / half_y) ** 2 <= 1.0)


def test_strokes_become_areas_and_the_last_ink_wins() -> None:
    lesion, keep = areas(box(RED, 100, 200, 100, 200), box(GREEN, 150, 250, 100, 200))
    assert (lesion.sum(), keep.sum()) == (25 * 50, 50 * 50)
    assert lesion[50:75, 50:100].all() and keep[75:125, 50:100].all()
    lesion, keep = areas(*[box(RED, 100, 200, 100, 200)] * 3, box(BLUE, 100, 150, 100, 200))
    assert (lesion.sum(), keep.sum()) == (25 * 50, 0)
    assert lesion[75:100, 50:100].all()


@pytest.mark.parametrize("drawing", [None, {}, {"objects": []}, {"objects": [stroke("IText", RED, (9, 9))]}])
def test_nothing_drawn_is_two_empty_areas(drawing: dict[str, Any] | None) -> None:
    assert [area.sum() for area in strokes.areas(drawing, 512, 256)] == [0, 0]


def test_ink_of_another_colour_is_no_mask() -> None:
    assert areas(box((12, 34, 56), 100, 200, 100, 200))[0].sum() == 0


def test_a_circle_lies_where_it_was_drawn() -> None:
    circle = stroke("Circle", RED, (100, 100), radius=50, left=149.5, top=200, originX="left")
    assert (areas(circle)[0] ^ disc(100, 100, 25, 25)).sum() <= 12


def test_a_box_is_the_frame_of_an_ellipse() -> None:
    frame = {"left": 99.5, "top": 199.5, "originX": "left", "originY": "top", "strokeUniform": True}
    ellipse = stroke("Rect", RED, (200, 80), **frame)
    assert (areas(ellipse)[0] ^ disc(100, 120, 50, 20)).sum() <= 16


def test_a_brush_stroke_is_round_at_its_ends_and_follows_its_curve() -> None:
    dot = brush(RED, 40, [["M", 256, 256], ["L", 256.001, 256]])
    assert (areas(dot)[0] ^ disc(128, 128, 10, 10)).sum() <= 8
    straight = areas(brush(RED, 20, [["M", 100, 300], ["Q", 200, 300, 300, 300], ["L", 400, 300]]))[0]
    assert straight[145:155, 50:200].all() and not straight[:144].any() and not straight[:, :44].any()
    bent = areas(brush(RED, 20, [["M", 100, 300], ["Q", 200, 100, 300, 300]], top=250))[0]
    assert bent[100, 100] and not bent[150, 100]  # half way a quadratic curve is half way to its control point


def test_a_stroke_that_was_moved_turned_and_stretched_counts_where_it_lies_now() -> None:
    square = box(RED, 200, 240, 200, 240, left=300, top=100, scaleX=3, scaleY=0.5)
    lesion = areas(square)[0]
    assert lesion[45:55, 120:180].all() and lesion.sum() == 10 * 60
    turned = areas(box(RED, 200, 240, 150, 290, angle=90))[0]
    assert turned[75:145, 100:120].all() and turned.sum() == 70 * 20
    slanted = areas(box(RED, 200, 240, 200, 240, skewX=45))[0]
    assert abs(int(slanted.sum()) - 400) <= 20 and slanted[119, 128 - 12] == slanted[101, 100 + 1]
    wide = areas(stroke("Circle", RED, (80, 80), radius=40, left=256, top=256, scaleX=2, strokeWidth=0))[0]
    assert (wide ^ disc(128, 128, 40, 20)).sum() <= 16


def test_a_mask_is_that_of_the_canvas_at_any_size() -> None:
    drawing = {"objects": [box(RED, 128, 256, 128, 384)]}
    for size in (64, 128, 256, 512):
        lesion, _ = strokes.areas(drawing, 512, size)
        assert lesion.sum() == size * size // 8
        assert math.isclose(lesion[:, size // 4 : 3 * size // 4].sum(), size * size // 8)


def test_rectangles_are_boxes_in_shares_of_the_canvas_cut_to_it() -> None:
    inside = stroke("Rect", RED, (50, 20), left=35, top=50, strokeWidth=0)
    stretched = stroke("Rect", RED, (10, 10), left=50, top=50, strokeWidth=0, scaleX=2, scaleY=4)
    over = stroke("Rect", RED, (40, 40), left=100, top=0, strokeWidth=0)
    outside = stroke("Rect", RED, (10, 10), left=150, top=50, strokeWidth=0)
    drawn = {"objects": [inside, stretched, over, outside, box(RED, 0, 9, 0, 9)]}
    found = strokes.boxes(drawn, 100)
    assert [tuple(round(share, 6) for share in one) for one in found] == [
        (0.1, 0.4, 0.5, 0.2),
        (0.4, 0.3, 0.2, 0.4),
        (0.8, 0.0, 0.2, 0.2),
    ]
    assert [one["type"] for one in strokes.without_boxes(drawn)["objects"]] == ["Polygon"]
    assert strokes.boxes(None, 100) == ()
