"""Figures of what readers achieved, dark and calm, each with the words that stand for it where it cannot be seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from synth.reading import anchors
from synth.reading.agreement import Calibration
from synth.reading.analysis import ConditionResult
from synth.reading.answers import Task
from synth.reading.confusion import Confusion, name
from synth.reading.learning import Week
from synth.reading.performance import ReadingTimes
from synth.reading.shapes import Point
from synth.ui.compare import LEFT_COLOUR, LINE, PAPER, RIGHT_COLOUR, TEXT

CONFIG = {"displayModeBar": False, "responsive": True}
READER, WHITE = "#6d8794", "#e6eaed"
SQUARE_PX, LOW_PX = 400, 300
NAMED = 6  # readers whose curves the legend names; the mouse names the others
CELLS = 24  # of the heat map, a side
BLUR = 1.5  # cells, standard deviation: about the 3 % of the side that still count as a hit
SHADES = [[0.0, "#14181d"], [1.0, LEFT_COLOUR]]
HEAT = [[0.0, "rgba(0,0,0,0)"], [0.05, "#1c3640"], [0.6, LEFT_COLOUR], [1.0, "#f2d9a6"]]
# A thorax as anybody would sketch it, in shares of the side; it shows the way, no patient.
OUTLINE = (
    "M 0.12 0.98 C 0.06 0.6 0.1 0.3 0.3 0.14 C 0.4 0.08 0.42 0.08 0.44 0.02",
    "M 0.88 0.98 C 0.94 0.6 0.9 0.3 0.7 0.14 C 0.6 0.08 0.58 0.08 0.56 0.02",
    "M 0.44 0.2 C 0.3 0.16 0.18 0.4 0.17 0.76 C 0.26 0.7 0.36 0.7 0.43 0.74 Z",
    "M 0.56 0.2 C 0.7 0.16 0.82 0.4 0.83 0.76 C 0.76 0.7 0.7 0.7 0.66 0.73 C 0.67 0.62 0.62 0.52 0.56 0.5 Z",
)


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A figure and its alternative text."""

    figure: go.Figure
    alt: str


def show(plot: Plot, key: str) -> None:
    """Put a figure on the page; without a tool bar, as there is nothing to zoom into."""
    st.plotly_chart(plot.figure, theme=None, config=CONFIG, key=key, alt=plot.alt)


def roc(result: ConditionResult, task: Task) -> Plot | None:
    """ROC curve of each reader, thin, and of all, thick; published figures for real or synthetic. None without one."""
    rows = [(one, one.roc) for one in (*result.readers, result.pooled) if one.roc]
    if not rows:
        return None
    figure = _square(f"{result.name}: ROC", "false positive rate", "true positive rate")
    for anchor in anchors.ANCHORS if task is Task.REAL_OR_SYNTHETIC else ():
        x, y = anchors.curve(anchor)
        dash = "dot" if anchor.kind == "accuracy" else "dash"
        line = {"color": RIGHT_COLOUR, "width": 1, "dash": dash}
        figure.add_scatter(x=x, y=y, mode="lines", line=line, name=anchor.label, hovertext=anchor.source)
        if anchor.kind == "accuracy":
            _say(figure, float(x[-1]), 1.0, f"{anchor.value:.0%}")
    for one, points in rows:
        pooled = one is result.pooled
        rates: dict[str, Any] = {"x": [point.fpr for point in points], "y": [point.tpr for point in points]}
        area = f", AUC {one.auc.value:.2f}" if one.auc else ""
        line = {"color": LEFT_COLOUR if pooled else READER, "width": 3 if pooled else 1.2}
        rates |= {"mode": "lines+markers" if pooled else "lines", "showlegend": pooled or len(rows) <= NAMED + 1}
        figure.add_scatter(line=line, name=one.reader + area, **rates)
    told = ", ".join(f"{one.reader} {one.auc.value:.2f}" for one, _ in rows if one.auc)
    return Plot(figure, f"ROC curves, {result.name.lower()}. Area under the curve: {told}.")


def lroc(result: ConditionResult) -> Plot | None:
    """Localisation ROC of each reader and of all; None where no place was asked."""
    rows = [(one, one.lroc) for one in (*result.readers, result.pooled) if one.lroc]
    if not rows:
        return None
    figure = _square(f"{result.name}: LROC", "false positive rate", "lesions found in place")
    for one, points in rows:
        x, y = [point.false_positive_fraction for point in points], [point.localised_fraction for point in points]
        pooled = one is result.pooled
        line = {"color": LEFT_COLOUR if pooled else READER, "width": 3 if pooled else 1.2}
        told = pooled or len(rows) <= NAMED + 1
        figure.add_scatter(x=x, y=y, mode="lines", line=line, name=one.reader, showlegend=told)
    hits = ", ".join(f"{one.reader} {one.hits.value:.0%}" for one, _ in rows if one.hits)
    return Plot(figure, f"Localisation ROC curves, {result.name.lower()}. Lesions hit: {hits}.")


def calibration(found: Calibration, title: str) -> Plot:
    """How often each step of the scale was positive, with Wilson intervals, against what it stands for."""
    figure = _square(title, "probability that the answer stands for", "share that was positive")
    used = [(one, one.frequency) for one in found.bins if one.frequency is not None]
    figure.add_scatter(
        x=[one.probability for one, _ in used],
        y=[share.value for _, share in used],
        error_y={
            "array": [share.interval.high - share.value for _, share in used],
            "arrayminus": [share.value - share.interval.low for _, share in used],
            "color": READER,
            "thickness": 1,
        },
        text=[f"{share.successes} of {share.total}" for _, share in used],
        mode="markers+lines",
        line={"color": LEFT_COLOUR},
        name="readers",
        showlegend=False,
    )
    told = ", ".join(f"{one.score}: {share.value:.0%}" for one, share in used)
    return Plot(figure, f"{title}: share of positive cases by the step of the scale, {told}.")


def confusion(found: Confusion, title: str) -> Plot | None:
    """What was there, downwards, and what was named, across, as shares of the readings; None without names."""
    if not found.codes:
        return None
    words = [name(code) for code in found.codes]
    figure = go.Figure(
        go.Heatmap(
            z=found.shares[::-1],
            x=words,
            y=words[::-1],
            text=[[str(count) if count else "" for count in row] for row in found.counts[::-1]],
            texttemplate="%{text}",
            colorscale=SHADES,
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=1,
            ygap=1,
            hovertemplate="%{y}, named %{x}: %{text} (%{z:.0%})<extra></extra>",
        )
    )
    figure.update_xaxes(title="named", side="bottom", tickangle=-35 if len(words) > 3 else 0)
    figure.update_yaxes(title={"text": "true", "standoff": 14})
    right = sum(int(found.counts[k, k]) for k in range(len(words)))
    alt = f"{title}: {right} of {sum(found.readings)} true findings were named, by finding and by what was named."
    return Plot(_calm(figure, title, max(SQUARE_PX, 120 + 34 * len(words))), alt)


def learning_curve(weeks: Sequence[Week], title: str = "Share right by week") -> Plot | None:
    """Share of right answers in each ISO week with its Wilson interval as a band; None without answers."""
    if not weeks:
        return None
    days = [week.monday for week in weeks]
    low, high = [week.right.interval.low for week in weeks], [week.right.interval.high for week in weeks]
    figure = go.Figure()
    figure.add_scatter(x=days, y=high, mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False)
    band = {"fill": "tonexty", "fillcolor": "rgba(90,169,196,0.18)", "hoverinfo": "skip", "showlegend": False}
    figure.add_scatter(x=days, y=low, mode="lines", line={"width": 0}, **band)
    figure.add_scatter(
        x=days,
        y=[week.right.value for week in weeks],
        mode="lines+markers",
        line={"color": LEFT_COLOUR, "width": 2},
        text=[f"{week.right.successes} of {week.right.total}" for week in weeks],
        hovertemplate="week of %{x|%d %b %Y}: %{y:.0%}, %{text}<extra></extra>",
        showlegend=False,
    )
    figure.update_yaxes(range=[0, 1.02], tickformat=".0%")
    figure.update_xaxes(tickvals=days if len(days) < 9 else None, tickformat="%d %b")
    told = [f"{week.right.value:.0%} in the week of {week.monday}" for week in (weeks[0], weeks[-1])]
    alt = f"{title}: {', '.join(dict.fromkeys(told))}."
    return Plot(_calm(figure, title, LOW_PX), alt)


def clicks(places: Sequence[Point], title: str = "Where readers clicked") -> Plot | None:
    """Heat map of marks, (x, y) as shares of the sides, over the sketch of a thorax; None without marks."""
    if not places:
        return None
    across, down = np.array(places).T
    counts, _, _ = np.histogram2d(down, across, bins=CELLS, range=((0, 1), (0, 1)))
    centres = (np.arange(CELLS) + 0.5) / CELLS
    spread = np.exp(-((centres[:, None] - centres) ** 2) / 2 / (BLUR / CELLS) ** 2)
    figure = go.Figure(
        go.Heatmap(z=spread @ counts @ spread, x=centres, y=centres, colorscale=HEAT, showscale=False, hoverinfo="skip")
    )
    mark = {"color": WHITE, "size": 3, "opacity": 0.55}
    figure.add_scatter(x=across, y=down, mode="markers", marker=mark, hoverinfo="skip", showlegend=False)
    for path in OUTLINE:
        figure.add_shape(type="path", path=_path(path), line={"color": "#56616b", "width": 1})
    bare: dict[str, Any] = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}
    figure.update_xaxes(range=[0, 1], constrain="domain", **bare)
    figure.update_yaxes(range=[1, 0], scaleanchor="x", constrain="domain", **bare)
    left = float(np.mean(across < 0.5))
    alt = f"{title}: {len(places)} marks, {left:.0%} of them in the left half of the picture."
    return Plot(_calm(figure, title, SQUARE_PX), alt)


def times(rows: Sequence[tuple[str, ReadingTimes]], title: str = "Seconds a case") -> Plot | None:
    """Median and quartiles of the reading time of each reader; None without any."""
    if not rows:
        return None
    figure = go.Figure()
    figure.add_scatter(
        x=[row.median for _, row in rows],
        y=[reader for reader, _ in rows],
        error_x={
            "array": [row.upper_quartile - row.median for _, row in rows],
            "arrayminus": [row.median - row.lower_quartile for _, row in rows],
            "color": READER,
            "thickness": 2,
        },
        mode="markers",
        marker={"color": LEFT_COLOUR, "size": 9},
        hovertemplate="%{y}: median %{x:.1f} s<extra></extra>",
        showlegend=False,
    )
    figure.update_xaxes(title="s, median and quartiles", rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    told = ", ".join(f"{reader} {row.median:.1f} s" for reader, row in rows)
    return Plot(_calm(figure, title, max(200, 110 + 26 * len(rows))), f"{title}, medians: {told}.")


def _path(path: str) -> str:
    """A path without spaces between a letter and its number, as Plotly reads it."""
    return " ".join(path.split())


def _say(figure: go.Figure, x: float, y: float, text: str) -> None:
    """A word over a point of the plot."""
    font = {"color": RIGHT_COLOUR, "size": 10}
    figure.add_annotation(x=x, y=y, text=text, showarrow=False, yanchor="bottom", font=font)


def _square(title: str, across: str, up: str) -> go.Figure:
    """The unit square with its diagonal."""
    figure = go.Figure()
    figure.add_shape(type="line", x0=0, y0=0, x1=1, y1=1, line={"color": LINE, "width": 1})
    figure.update_xaxes(title=across, range=[-0.01, 1.01], constrain="domain", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_yaxes(title=up, range=[-0.01, 1.01], scaleanchor="x", constrain="domain", tickvals=[0, 0.5, 1])
    return _calm(figure, title, SQUARE_PX)


def _calm(figure: go.Figure, title: str, height_px: float) -> go.Figure:
    figure.update_layout(
        title={"text": title, "font": {"size": 13}, "x": 0, "xanchor": "left", "y": 0.98},
        height=math.ceil(height_px),
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
        paper_bgcolor=PAPER,
        plot_bgcolor=PAPER,
        font={"color": TEXT, "size": 11},
        # below the diagonal, where hardly a curve runs
        legend={"font": {"size": 10}, "bgcolor": "rgba(12,14,17,0.6)", "x": 0.99, "y": 0.02}
        | {"xanchor": "right", "yanchor": "bottom"},
        dragmode=False,
    )
    axis = {"gridcolor": "#1c2127", "zeroline": False, "linecolor": LINE, "automargin": True}
    return figure.update_xaxes(**axis).update_yaxes(**axis)
