"""Two films side by side as one Plotly figure: linked zoom and pan, window/level and invert in the browser.

Everything that changes the look is a `restyle` or `update` of the figure itself (`updatemenus`, `sliders`): a rerun of
the page would lose the zoom (Streamlit issue 8882).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

Film = npt.NDArray[Any]  # (H, W) integers: grey levels, or HU
GREY = [[0.0, "#000000"], [1.0, "#ffffff"]]
PAPER, TEXT, LINE = "#0c0e11", "#aeb6bd", "#2a3037"
LEFT_COLOUR, RIGHT_COLOUR = "#5aa9c4", "#d3a64f"
COLOURS = (LEFT_COLOUR, RIGHT_COLOUR, "#8a8f98", "#9ac46b")
# Window and level in grey levels of an 8-bit film: (name, width, level).
PRESETS = (("Full", 256, 128), ("Contrast", 150, 128), ("Lung", 140, 80), ("Mediastinum", 130, 175), ("Bone", 100, 205))
LEVELS = (*range(0, 256, 8), 255)  # where the sliders for black and white can stand
CONFIG = {
    "scrollZoom": True,
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "toImage"],
    "responsive": True,
}


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """Polylines (N, 2) over a film: (x, y) in px from the corner of its first pixel."""

    lines: list[npt.NDArray[np.float64]]
    colour: str
    title: str
    dash: str = "solid"


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """One film of the figure: `shown` (H, W) with its mark burnt in, `measured` the same without the mark.

    `fixed` is the (black, white) of a film that has one window only; the windows then act on the other one.
    """

    shown: Film
    measured: Film
    title: str
    fixed: tuple[int, int] | None = None
    outlines: tuple[Outline, ...] = ()  # a button shows and hides them


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit of the values and its windows: presets (name, width, level), slider stops, the first black and white."""

    unit: str
    presets: tuple[tuple[str, int, int], ...]
    levels: tuple[int, ...]
    black: int
    white: int
    ticks: tuple[int, ...]

    def window(self, width: int, level: int) -> tuple[int, int]:
        """(black, white), inside the range of the sliders."""
        return max(self.levels[0], level - width // 2), min(self.levels[-1], level + width // 2)

    def nearest(self, value: int) -> int:
        """Index of the slider stop next to a value."""
        return min(range(len(self.levels)), key=lambda i: abs(self.levels[i] - value))


PLAIN = Scale("grey", (("Full", 256, 128), ("Contrast", 150, 128)), LEVELS, 0, 255, (0, 64, 128, 192, 255))
GREYS = Scale("grey", PRESETS, LEVELS, 0, 255, (0, 64, 128, 192, 255))


def figure(
    left: Pane, right: Pane | None, height_px: int = 600, third: Pane | None = None, scale: Scale = GREYS
) -> go.Figure:
    """Both films with linked axes above a histogram of both; one film alone when `right` is None; see `row`."""
    return row([left] if right is None else [left, right], height_px, third, scale)


def row(panes: Sequence[Pane], height_px: int = 600, last: Pane | None = None, scale: Scale = GREYS) -> go.Figure:
    """One to four films of one size with linked axes above a histogram of all.

    `last` is a map in grey levels beside them with the same zoom, which window and inversion leave alone.
    """
    films, columns = len(panes), len(panes) + (last is not None)
    specs = [[{} for _ in range(columns)], [{"colspan": columns}, *[None] * (columns - 1)]]
    fig = make_subplots(
        rows=2, cols=columns, specs=specs, row_heights=[0.86, 0.14], horizontal_spacing=0.01, vertical_spacing=0.02
    )
    for column, pane in enumerate(panes, start=1):
        _add_film(fig, pane, column, scale)
    for column, (pane, colour) in enumerate(zip(panes, COLOURS, strict=False), start=1):
        _add_label(fig, pane, colour, column)
        _add_histogram(fig, pane, colour, scale)
    free = [trace for trace, pane in enumerate(panes) if pane.fixed is None] or list(range(films))
    if last is not None:
        _add_film(fig, last, columns, PLAIN)
        _add_label(fig, last, TEXT, columns)
    lines = [_add_outline(fig, line, column) for column, pane in enumerate(panes, 1) for line in pane.outlines]
    fig.update_layout(
        height=height_px,
        margin={"l": 0, "r": 0, "t": 34, "b": 58},
        paper_bgcolor=PAPER,
        plot_bgcolor="#000000",
        font={"color": TEXT, "size": 11},
        dragmode="pan",
        hovermode="closest",
        showlegend=False,
        updatemenus=[*_menus(films, free, scale), *_outline_button(lines)],
        sliders=_sliders(free, scale),
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": "#6d7780", "activecolor": LEFT_COLOUR},
    )
    return fig


def _add_film(fig: go.Figure, pane: Pane, column: int, scale: Scale) -> None:
    height, width = pane.shown.shape
    black, white = pane.fixed or (scale.black, scale.white)
    fig.add_trace(
        go.Heatmap(
            z=pane.shown,
            zmin=black,
            zmax=white,
            colorscale=GREY,
            showscale=False,
            zsmooth="fast",
            name=pane.title,
            hovertemplate="x %{x} y %{y}: %{z}<extra></extra>",
        ),
        row=1,
        col=column,
    )
    plain = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "constrain": "domain"}
    # The first film's axes lead and keep its pixels square; the second's follow, so zooming one zooms both.
    lead_x, lead_y = ({}, {"scaleanchor": "x"}) if column == 1 else ({"matches": "x"}, {"matches": "y"})
    fig.update_xaxes(range=[-0.5, width - 0.5], row=1, col=column, **plain, **lead_x)
    fig.update_yaxes(range=[height - 0.5, -0.5], constraintoward="top", row=1, col=column, **plain, **lead_y)


def _add_outline(fig: go.Figure, outline: Outline, column: int) -> int:
    """One line over a film; returns the number of its trace."""
    points = [point for line in outline.lines for point in (*(line - 0.5).tolist(), (None, None))]
    x, y = zip(*points, strict=True) if points else ((), ())
    look = {"color": outline.colour, "width": 1.5, "dash": outline.dash}
    trace = go.Scatter(x=x, y=y, mode="lines", line=look, name=outline.title, hoverinfo="name")
    fig.add_trace(trace, row=1, col=column)
    return len(fig.data) - 1


def _outline_button(traces: list[int]) -> list[dict[str, object]]:
    if not traces:
        return []
    button = {"label": "Outline", "method": "restyle", "args": [{"visible": False}, traces]}
    return [
        {
            "type": "buttons",
            "bgcolor": "#171b20",
            "bordercolor": LINE,
            "font": {"size": 11, "color": TEXT},
            "x": 0.6,  # between the windows and the mode bar
            "xanchor": "center",
            "y": 1.0,
            "yanchor": "bottom",
            "pad": {"t": 0, "b": 6, "l": 0, "r": 0},
            "buttons": [button | {"args2": [{"visible": True}, traces]}],
            "active": -1,
        }
    ]


def _add_label(fig: go.Figure, pane: Pane, colour: str, column: int) -> None:
    """The pane's word in its corner: unlike the mark in the pixels it stays in sight when one zooms in."""
    number = "" if column == 1 else str(column)
    fig.add_annotation(
        text=f"<b>{pane.title}</b>",
        xref=f"x{number} domain",
        yref=f"y{number} domain",
        x=0.01,
        y=0.99,
        showarrow=False,
        font={"size": 12, "color": colour},
        bgcolor="rgba(0,0,0,0.55)",
        borderpad=3,
    )


def _add_histogram(fig: go.Figure, pane: Pane, colour: str, scale: Scale) -> None:
    low, high = scale.levels[0], scale.levels[-1] + 1
    counts, edges = np.histogram(pane.measured, bins=64, range=(low, high))
    share = 100.0 * counts / pane.measured.size
    fig.add_trace(
        go.Scatter(
            x=(edges[:-1] + edges[1:]) / 2,
            y=share,
            mode="lines",
            line={"color": colour, "width": 1.5, "shape": "hvh"},
            name=pane.title,
            hovertemplate=f"{scale.unit} %{{x:.0f}}: %{{y:.1f}} % of the pixels<extra>{pane.title}</extra>",
        ),
        row=2,
        col=1,
    )
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "linecolor": LINE, "tickfont": {"size": 9}}
    fig.update_xaxes(range=[low, high], tickvals=scale.ticks, row=2, col=1, **axis)
    # One full background bin would flatten the rest: the scale ends a little above the 95th percentile of the bins.
    top = max(float(np.quantile(share, 0.95)) * 1.4, 2.0, fig.layout.meta or 0.0)
    fig.update_layout(meta=top)
    fig.update_yaxes(range=[0, top], showticklabels=False, row=2, col=1, **axis)


def _menus(films: int, free: list[int], scale: Scale) -> list[dict[str, object]]:
    traces = list(range(films))
    look = {
        "type": "buttons",
        "direction": "left",
        "showactive": True,
        "bgcolor": "#171b20",
        "bordercolor": LINE,
        "font": {"size": 11, "color": TEXT},
    }
    above = {"y": 1.0, "yanchor": "bottom", "pad": {"t": 0, "b": 6, "l": 0, "r": 0}}
    between = {"y": 0.0, "yanchor": "top", "pad": {"t": 26, "b": 0, "l": 0, "r": 0}}  # between the two sliders
    invert = {
        "label": "Invert",
        "method": "restyle",
        "args": [{"reversescale": True}, traces],
        "args2": [{"reversescale": False}, traces],
    }
    windows = [_window_button(name, *scale.window(width, level), free, scale) for name, width, level in scale.presets]
    return [
        {**look, **above, "x": 0.0, "xanchor": "left", "buttons": windows, "active": 0},
        {**look, **between, "x": 0.5, "xanchor": "center", "buttons": [invert], "active": -1},
    ]


def _window_button(name: str, black: int, white: int, free: list[int], scale: Scale) -> dict[str, object]:
    sliders = {"sliders[0].active": scale.nearest(black), "sliders[1].active": scale.nearest(white)}
    return {
        "label": name,
        "method": "update",
        "args": [{"zmin": black, "zmax": white}, sliders, free],
    }


def _sliders(free: list[int], scale: Scale) -> list[dict[str, object]]:
    look = {
        "len": 0.41,
        "y": 0.0,
        "yanchor": "top",
        "pad": {"t": 20, "b": 0, "l": 6, "r": 6},
        "ticklen": 0,
        "minorticklen": 0,
        "font": {"size": 1, "color": PAPER},  # no labels under the 33 stops: the current value says enough
        "bgcolor": LINE,
        "bordercolor": LINE,
        "activebgcolor": LEFT_COLOUR,
    }

    def stops(key: str) -> list[dict[str, object]]:
        return [{"label": str(v), "method": "restyle", "args": [{key: v}, free]} for v in scale.levels]

    def value(prefix: str) -> dict[str, object]:
        return {"prefix": prefix, "font": {"size": 11, "color": TEXT}, "xanchor": "left"}

    return [
        {
            **look,
            "x": 0.0,
            "steps": stops("zmin"),
            "active": scale.nearest(scale.black),
            "currentvalue": value(f"Black at {scale.unit} "),
        },
        {
            **look,
            "x": 0.59,
            "steps": stops("zmax"),
            "active": scale.nearest(scale.white),
            "currentvalue": value(f"White at {scale.unit} "),
        },
    ]
