"""Strokes on the canvas, as Fabric.js 7 writes them into JSON, made into areas of the picture under it.

A box is the frame of an ellipse: the canvas has no ellipse of its own, and the page draws what is meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Area = npt.NDArray[np.bool_]  # (H, W), True inside
Points = npt.NDArray[np.float64]  # (N, 2): x to the right, y down, px of the canvas

INKS = {"Lesion": (255, 0, 0), "Keep": (0, 255, 0), "Erase": (0, 0, 255)}
_CODES: dict[tuple[int, ...], int] = {(255, 0, 0): 1, (0, 255, 0): 2, (0, 0, 255): 0}
FINE = 4  # parts of a canvas pixel: Pillow fills the border of a shape too, which is to weigh little
_ORIGIN = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}
_ROUND = np.linspace(0.0, 2.0 * math.pi, 97)[:-1]
_CURVE = np.linspace(0.0, 1.0, 5)[1:, None]  # points on each piece of a brush stroke


def areas(drawing: Mapping[str, Any] | None, canvas_px: int, size_px: int) -> tuple[Area, Area]:
    """Lesion and keep mask, (size_px, size_px) each, of a drawing on a square canvas; `canvas_px` a multiple of it.

    Later strokes lie over earlier ones. A pixel belongs to the ink that covers at least half of it, a tie to the
    lesion. What is no stroke of a known ink is passed over.
    """
    sheet = Image.new("L", (FINE * canvas_px, FINE * canvas_px), 0)
    pen = ImageDraw.Draw(sheet)
    for stroke in (drawing or {}).get("objects", ()):
        code = _CODES.get(_ink(stroke))
        if code is not None:
            _put(pen, stroke, code)
    per = FINE * canvas_px // size_px
    blocks = np.asarray(sheet).reshape(size_px, per, size_px, per)
    lesion, keep = ((blocks == code).mean((1, 3)) >= 0.5 for code in (1, 2))
    return lesion, keep & ~lesion


def boxes(drawing: Mapping[str, Any] | None, canvas_px: int) -> tuple[tuple[float, float, float, float], ...]:
    """Left, top, width and height of each rectangle, as shares of the canvas, cut to it. Empty ones are left out."""
    found = []
    for stroke in (drawing or {}).get("objects", ()):
        if stroke.get("type") != "Rect":
            continue
        matrix, centre = _placed(stroke)
        half = np.array([stroke["width"], stroke["height"]], float) / 2
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half @ matrix.T + centre
        low, high = (np.clip(edge / canvas_px, 0.0, 1.0) for edge in (corners.min(0), corners.max(0)))
        if np.all(high > low):
            found.append((float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1])))
    return tuple(found)


def without_boxes(drawing: Mapping[str, Any] | None) -> dict[str, Any]:
    """The strokes that are no rectangles."""
    return {"objects": [one for one in (drawing or {}).get("objects", ()) if one.get("type") != "Rect"]}


def _ink(stroke: Mapping[str, Any]) -> tuple[int, ...]:
    """(red, green, blue) of a stroke's "rgba(255, 0, 0, 0.55)"; empty where it has another form."""
    return tuple(int(number) for number in re.findall(r"\d+", str(stroke.get("stroke")))[:3])


def _put(pen: ImageDraw.ImageDraw, stroke: Mapping[str, Any], code: int) -> None:
    shape = _shape(stroke)
    if shape is None or len(shape) == 0:
        return
    matrix, centre = _placed(stroke)
    at = FINE * ((shape - (shape.min(0) + shape.max(0)) / 2) @ matrix.T + centre) - 0.5  # Pillow's pixel centres
    corners = [(float(x), float(y)) for x, y in at]
    if stroke.get("type") != "Path" or stroke.get("fill"):
        if len(corners) > 2:
            pen.polygon(corners, fill=code)
        return
    width = FINE * float(stroke["strokeWidth"]) * math.sqrt(abs(np.linalg.det(matrix)))
    if len(corners) > 1:
        pen.line(corners, fill=code, width=max(1, round(width)))
    for x, y in corners:  # round ends and joints
        pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=code)


def _shape(stroke: Mapping[str, Any]) -> Points | None:
    """The outline of a shape or the course of a brush stroke, in its own px; None for a kind that is not drawn here."""
    kind = stroke.get("type")
    if kind == "Path":
        return _course(stroke["path"])
    if kind == "Polygon":
        return np.array([(point["x"], point["y"]) for point in stroke["points"]], float)
    if kind == "Circle":
        half = np.full(2, float(stroke["radius"]))
    elif kind == "Rect":
        half = np.array([stroke["width"], stroke["height"]], float) / 2
    else:
        return None
    return np.stack([half[0] * np.cos(_ROUND), half[1] * np.sin(_ROUND)], 1)


def _course(path: Sequence[Sequence[Any]]) -> Points:
    """An SVG path of M, L and Q (SVG 1.1, 8.3) as points; Q is a quadratic Bezier curve."""
    points: list[Points] = []
    for piece in path:
        ends = np.array(piece[1:], float).reshape(-1, 2)
        if piece[0] == "Q" and points:
            start, (bend, end) = points[-1][-1], ends
            points.append((1 - _CURVE) ** 2 * start + 2 * _CURVE * (1 - _CURVE) * bend + _CURVE**2 * end)
        elif len(ends):
            points.append(ends[-1:])
    return np.concatenate(points) if points else np.zeros((0, 2))


def _placed(stroke: Mapping[str, Any]) -> tuple[Points, Points]:
    """Scale, skew and turn (2, 2) about the centre of a stroke, and that centre (2,) on the canvas."""
    angle, tilt_x, tilt_y = (math.radians(float(stroke.get(name, 0.0))) for name in ("angle", "skewX", "skewY"))
    scale = [
        float(stroke.get(f"scale{axis}", 1.0)) * (-1.0 if stroke.get(f"flip{axis}") else 1.0) for axis in ("X", "Y")
    ]
    shape = (
        np.diag(scale)
        @ np.array([[1.0, math.tan(tilt_x)], [0.0, 1.0]])
        @ np.array([[1.0, 0.0], [math.tan(tilt_y), 1.0]])
    )
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    size, line = np.array([stroke["width"], stroke["height"]], float), float(stroke.get("strokeWidth") or 0.0)
    uniform = bool(stroke.get("strokeUniform"))
    extent = np.abs(shape) @ (size + (0.0 if uniform else line)) + (line if uniform else 0.0)
    share = np.array([_ORIGIN.get(str(stroke.get(f"origin{axis}")), 0.5) for axis in ("X", "Y")])
    corner = np.array([stroke["left"], stroke["top"]], float)
    return turn @ shape, corner + turn @ ((0.5 - share) * extent)
