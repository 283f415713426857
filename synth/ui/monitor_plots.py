"""The charts of monitoring: images a day, bars of counts, and the control chart of drift."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import plotly.graph_objects as go

from synth.governance.drift import BATCH, Chart
from synth.ui.compare import COLOURS, LEFT_COLOUR, LINE, PAPER, RIGHT_COLOUR, TEXT

CONFIG = {"displayModeBar": False, "responsive": True}
DAYS_PX, DRIFT_PX, BAR_PX = 240, 280, 26
ALARM = "#d0694f"


def days(series: Mapping[str, Mapping[date, int]]) -> go.Figure:
    """Images a day, stacked: one colour a model and modality."""
    fig = go.Figure()
    for (name, counts), colour in zip(series.items(), COLOURS * (1 + len(series) // len(COLOURS)), strict=False):
        fig.add_trace(
            go.Bar(
                x=list(counts),
                y=list(counts.values()),
                name=name,
                marker_color=colour,
                hovertemplate="%{x|%-d %b}: %{y}<extra>%{fullData.name}</extra>",
            )
        )
    fig.update_layout(barmode="stack", legend={"orientation": "h", "x": 0, "y": 1.16}, showlegend=True)
    _plain(fig, DAYS_PX, {"l": 40, "r": 8, "t": 30, "b": 24})
    fig.update_yaxes(gridcolor=LINE, showgrid=True, rangemode="tozero")
    return fig


def bars(counts: Sequence[tuple[str, int]]) -> go.Figure:
    """One bar a name with its number, most frequent on top."""
    fig = go.Figure(
        go.Bar(
            x=[count for _, count in counts],
            y=[name for name, _ in counts],
            orientation="h",
            text=[count for _, count in counts],
            textposition="outside",
            cliponaxis=False,
            marker_color=LEFT_COLOUR,
            hoverinfo="skip",
        )
    )
    _plain(fig, 24 + BAR_PX * max(2, len(counts)), {"l": 8, "r": 36, "t": 4, "b": 4})
    fig.update_yaxes(automargin=True, autorange="reversed", ticks="")
    fig.update_xaxes(visible=False, rangemode="tozero")
    return fig


def drift(chart: Chart) -> go.Figure:
    """Batch means as dots and their EWMA as a line, each with its limits; what lies outside is red."""
    numbers = list(range(-len(chart.points) + 1, 1))
    fig = go.Figure()
    for value, reach, colour, dash in (("ewma", "ewma_reach", RIGHT_COLOUR, "solid"), ("value", "reach", TEXT, "dot")):
        for side in (1, -1):
            ends = [chart.centre + side * getattr(point, reach) for point in chart.points]
            fig.add_trace(_line(numbers, ends, colour, dash, 0.8))
        named = {"value": f"mean of {BATCH} images", "ewma": "EWMA"}[value]
        values = [getattr(point, value) for point in chart.points]
        out = [abs(getattr(point, value) - chart.centre) > getattr(point, reach) for point in chart.points]
        style: dict[str, Any] = {"mode": "markers"} if value == "value" else {"mode": "lines+markers"}
        marks = {"color": [ALARM if one else colour for one in out], "size": 7 if value == "value" else 4}
        fig.add_trace(
            go.Scatter(
                x=numbers,
                y=values,
                name=named,
                marker=marks,
                line={"color": colour, "width": 1.6},
                hovertemplate="%{y:.4f}<extra>" + named + "</extra>",
                **style,
            )
        )
    fig.add_trace(_line(numbers, [chart.centre] * len(numbers), LINE, "solid", 1.2))
    _plain(fig, DRIFT_PX, {"l": 52, "r": 8, "t": 30, "b": 36})
    fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.14})
    fig.update_xaxes(title=f"batches of {BATCH} images, the newest is 0", dtick=max(1, len(numbers) // 10))
    fig.update_yaxes(title="distance to the reference", tickformat=".3f")
    return fig


def _line(x: Sequence[int], y: Sequence[float], colour: str, dash: str, width: float) -> go.Scatter:
    line = {"color": colour, "width": width, "dash": dash}
    return go.Scatter(x=x, y=y, mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _plain(fig: go.Figure, height_px: int, margin: dict[str, int]) -> None:
    """The look of the reading room."""
    fig.update_layout(
        height=height_px, margin=margin, paper_bgcolor=PAPER, plot_bgcolor=PAPER, font={"color": TEXT, "size": 12}
    )
    fig.update_xaxes(showgrid=False, zeroline=False, fixedrange=True)
    fig.update_yaxes(showgrid=False, zeroline=False, fixedrange=True)
