"""The figures of a study's PDF as vector drawings: curves in the unit square, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reportlab.graphics.shapes import Circle, Drawing, Line, PolyLine, Rect, String
from reportlab.lib.colors import Color, HexColor

from synth.reading import anchors
from synth.reading.analysis import ConditionResult, ReaderResult
from synth.reading.answers import Task

SIDE_PT = 200.0  # of the unit square
LEFT_PT, BOTTOM_PT, TOP_PT = 34.0, 30.0, 18.0
INK, PALE, GRID = HexColor("#1d2329"), HexColor("#9aa4ad"), HexColor("#e2e6ea")
POOLED, READER, ANCHOR = HexColor("#0f6a86"), HexColor("#7fa6b5"), HexColor("#a5631a")
FONT, FONT_PT = "Helvetica", 7

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Curve:
    """A line in the unit square with what is written at its end."""

    points: Points
    colour: Color
    width: float = 0.7
    dashes: tuple[float, ...] | None = None
    label: str = ""
    at: float = 0.5  # share of the points at which the label stands


def roc(result: ConditionResult, task: Task) -> Drawing | None:
    """The curve of each reader, thin, and of all together, thick; published figures where the task has some."""
    curves = [Curve([(0.0, 0.0), (1.0, 1.0)], PALE, 0.5)]
    if task is Task.REAL_OR_SYNTHETIC:
        curves += [_anchor(number, anchor) for number, anchor in enumerate(anchors.ANCHORS)]
    readers = [_line(one, READER, 0.6) for one in result.readers if one.roc]
    if not readers and not result.pooled.roc:
        return None
    curves += [*readers, _line(result.pooled, POOLED, 1.8)]
    return plane(f"{result.name}: ROC", ("False positive rate", "True positive rate"), curves)


def lroc(result: ConditionResult) -> Drawing | None:
    """Found at the right place against falsely called, of each reader and of all."""
    rows = [one for one in (*result.readers, result.pooled) if one.lroc]
    if not rows:
        return None
    curves = [
        Curve(
            [(p.false_positive_fraction, p.localised_fraction) for p in one.lroc],
            POOLED if one is result.pooled else READER,
            1.8 if one is result.pooled else 0.6,
        )
        for one in rows
    ]
    return plane(f"{result.name}: LROC", ("False positive rate", "Localised"), curves)


def calibration(result: ConditionResult) -> Drawing | None:
    """How often each step of the scale was positive, with Wilson intervals, against what it stands for."""
    found = result.pooled.calibration
    if found is None:
        return None
    curves = [Curve([(0.0, 0.0), (1.0, 1.0)], PALE, 0.5)]
    used = [(one.probability, one.frequency) for one in found.bins if one.frequency is not None]
    curves += [Curve([(x, y.interval.low), (x, y.interval.high)], POOLED) for x, y in used]
    drawing = plane(f"{result.name}: calibration", ("Said", "Was positive"), curves)
    for x, y in used:
        drawing.add(Circle(*_at(x, y.value), 2.2, fillColor=POOLED, strokeColor=None))
    return drawing


def plane(title: str, axes: tuple[str, str], curves: Sequence[Curve]) -> Drawing:
    """The unit square with its scales, a title, and curves."""
    drawing = Drawing(LEFT_PT + SIDE_PT + 8, BOTTOM_PT + SIDE_PT + TOP_PT)
    for step in range(5):
        share = step / 4
        drawing.add(Line(*_at(share, 0), *_at(share, 1), strokeColor=GRID, strokeWidth=0.5))
        drawing.add(Line(*_at(0, share), *_at(1, share), strokeColor=GRID, strokeWidth=0.5))
        x, y = _at(share, share)
        drawing.add(_text(x, BOTTOM_PT - 10, f"{share:g}", "middle"))
        drawing.add(_text(LEFT_PT - 4, y - 2.5, f"{share:g}", "end"))
    drawing.add(Rect(LEFT_PT, BOTTOM_PT, SIDE_PT, SIDE_PT, fillColor=None, strokeColor=PALE, strokeWidth=0.5))
    drawing.add(_text(LEFT_PT + SIDE_PT / 2, 8, axes[0], "middle"))
    drawing.add(_text(LEFT_PT, BOTTOM_PT + SIDE_PT + 5, f"{title} ({axes[1].lower()} upwards)", "start", INK))
    for curve in curves:
        flat = [value for point in curve.points for value in _at(*point)]
        dashes = list(curve.dashes) if curve.dashes else None
        drawing.add(PolyLine(flat, strokeColor=curve.colour, strokeWidth=curve.width, strokeDashArray=dashes))
    for curve in curves:
        if curve.label:
            x, y = _at(*curve.points[round(curve.at * (len(curve.points) - 1))])
            drawing.add(_text(x + 3, y - 7, curve.label, "start", curve.colour))
    return drawing


def _line(one: ReaderResult, colour: Color, width: float) -> Curve:
    return Curve([(point.fpr, point.tpr) for point in one.roc] or [(0.0, 0.0), (0.0, 0.0)], colour, width)


def _anchor(number: int, anchor: anchors.Anchor) -> Curve:
    fpr, tpr = anchors.curve(anchor)
    points = list(zip(fpr.tolist(), tpr.tolist(), strict=True))
    short = f"AUC {anchor.value:.2f}" if anchor.kind == "AUC" else f"{anchor.value:.0%} right"
    if anchor.kind == "AUC":
        return Curve(points, ANCHOR, 0.7, (2, 2), short, 0.6)
    (x0, y0), (x1, y1) = points
    middle = (x0 + (x1 - x0) * 0.12 * number, y0 + (y1 - y0) * 0.12 * number)
    return Curve([points[0], middle, points[1]], ANCHOR, 0.7, (1, 2), short)


def _at(x: float, y: float) -> tuple[float, float]:
    return LEFT_PT + x * SIDE_PT, BOTTOM_PT + y * SIDE_PT


def _text(x: float, y: float, text: str, anchor: str, colour: Color = PALE) -> String:
    return String(x, y, text, fontName=FONT, fontSize=FONT_PT, textAnchor=anchor, fillColor=colour)
