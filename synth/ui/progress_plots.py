"""The figures of progress: days on which was read, the learning curve, and what was taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

import plotly.graph_objects as go

from synth.reading.choice import NORMAL
from synth.reading.learning import Week
from synth.reading.progress import NOT_THERE, UNNAMED, Confusion
from synth.ui.compare import LEFT_COLOUR, LINE, PAPER, RIGHT_COLOUR, TEXT

UNLIT = "#14181d"
CONFIG = {"displayModeBar": False, "responsive": True}
MANY = 10  # answers of one day from which on its square is as bright as can be
ROWS_MAX = 12  # findings of the confusion table, the most frequent
CELL_PX, CURVE_PX = 16, 300
COLOURS = (LEFT_COLOUR, RIGHT_COLOUR)
HITS = [[0.0, UNLIT], [1.0, "#2f6f85"]]
ERRORS = [[0.0, UNLIT], [1.0, "#9c6a1d"]]
LAST = (UNNAMED, NOT_THERE)  # stand after all findings


def strip(days: Sequence[tuple[date, int]]) -> go.Figure:
    """A square a day, a column a week, from the Monday of the first day on; the more answers, the brighter."""
    first = days[0][0]
    weeks = -(-len(days) // 7)
    counts: list[list[int | None]] = [[None] * weeks for _ in range(7)]
    words = [[""] * weeks for _ in range(7)]
    for day, count in days:
        week, row = divmod((day - first).days, 7)
        counts[row][week] = min(count, MANY)
        words[row][week] = f"{day:%a} {day.day} {day:%b}: {count} answer{'' if count == 1 else 's'}"
    fig = go.Figure(
        go.Heatmap(
            z=counts,
            text=words,
            hovertemplate="%{text}<extra></extra>",
            zmin=0,
            zmax=MANY,
            colorscale=[[0.0, UNLIT], [0.001, "#1d3a45"], [1.0, LEFT_COLOUR]],
            showscale=False,
            xgap=3,
            ygap=3,
        )
    )
    mondays = [first + timedelta(days=7 * week) for week in range(weeks)]
    months = [week for week, day in enumerate(mondays) if week == 0 or day.month != mondays[week - 1].month]
    _plain(fig, 7 * (CELL_PX + 3) + 24, {"l": 34, "r": 0, "t": 22, "b": 2})
    fig.update_xaxes(tickvals=months, ticktext=[f"{mondays[week]:%b}" for week in months], side="top", ticks="")
    fig.update_xaxes(constrain="domain", constraintoward="left")
    fig.update_yaxes(tickvals=[0, 2, 4], ticktext=["Mon", "Wed", "Fri"], autorange="reversed", ticks="")
    fig.update_yaxes(scaleanchor="x")
    return fig


def curve(series: Mapping[str, Sequence[Week]]) -> go.Figure:
    """Share right week by week, with its 95 % interval as a band; one line a name."""
    fig = go.Figure()
    for (name, weeks), colour in zip(series.items(), COLOURS, strict=False):
        _add_line(fig, name, weeks, colour)
    _plain(fig, CURVE_PX, {"l": 44, "r": 8, "t": 30, "b": 36})
    shown = sorted({week.monday for weeks in series.values() for week in weeks})
    half = timedelta(days=4)
    every = shown[:: max(1, -(-len(shown) // 8))]
    fig.update_xaxes(tickvals=every, ticktext=[f"{day.day} {day:%b}" for day in every], title="week from")
    fig.update_xaxes(range=[shown[0] - half, shown[-1] + half])
    fig.update_yaxes(range=[0, 102], ticksuffix=" %", gridcolor=LINE, showgrid=True)
    fig.update_layout(legend={"orientation": "h", "x": 0, "y": 1.14}, hovermode="x unified")
    return fig


def _add_line(fig: go.Figure, name: str, weeks: Sequence[Week], colour: str) -> None:
    """A line over its band; a single week has a bar, as a band would have no width."""
    mondays = [week.monday for week in weeks]
    share, low, high = (
        [100 * value for value in values]
        for values in zip(*((w.right.value, w.right.interval.low, w.right.interval.high) for w in weeks), strict=True)
    )
    quiet = {"mode": "lines", "line": {"width": 0, "color": colour}, "showlegend": False, "hoverinfo": "skip"}
    fig.add_trace(go.Scatter(x=mondays, y=high, legendgroup=name, **quiet))
    fig.add_trace(go.Scatter(x=mondays, y=low, legendgroup=name, fill="tonexty", fillcolor=_faint(colour), **quiet))
    alone = {"array": [high[0] - share[0]], "arrayminus": [share[0] - low[0]], "thickness": 1}
    fig.add_trace(
        go.Scatter(
            x=mondays,
            y=share,
            error_y=alone if len(weeks) == 1 else None,
            customdata=[(w.right.successes, w.right.total, a, b) for w, a, b in zip(weeks, low, high, strict=True)],
            hovertemplate="%{customdata[0]} of %{customdata[1]} right, "
            "95 % interval %{customdata[2]:.0f} to %{customdata[3]:.0f} %",
            mode="lines+markers",
            line={"color": colour, "width": 2},
            name=name,
            legendgroup=name,
        )
    )


def confusion(pairs: Sequence[Confusion], name: Callable[[str], str]) -> go.Figure:
    """A row for what is so, a column for what was named; hits are blue, errors amber, each with its number."""
    parts = ("true", "named")
    rows, columns = (_shown([(getattr(pair, part), pair.count) for pair in pairs], name) for part in parts)
    counts = {(pair.true, pair.named): pair.count for pair in pairs}
    fig = go.Figure()
    for scale, hits in ((HITS, True), (ERRORS, False)):
        cells = [[counts.get((row, column)) if (row == column) is hits else None for column in columns] for row in rows]
        most = max((count for line in cells for count in line if count), default=1)
        fig.add_trace(
            go.Heatmap(
                z=cells,
                x=[name(column) for column in columns],
                y=[name(row) for row in rows],
                texttemplate="%{z}",
                zmin=0,
                zmax=most,
                colorscale=scale,
                showscale=False,
                xgap=1,
                ygap=1,
                hoverongaps=False,
                hovertemplate="%{y}, named %{x}: %{z}<extra></extra>",
            )
        )
    _plain(fig, max(CURVE_PX, 110 + 26 * len(rows)), {"l": 8, "r": 8, "t": 8, "b": 8})
    fig.update_xaxes(automargin=True, tickangle=-40)
    fig.update_yaxes(automargin=True, autorange="reversed")
    return fig


def _shown(counts: Iterable[tuple[str, int]], name: Callable[[str], str]) -> list[str]:
    """The most frequent codes in the order of their names, normal first and what is no finding last."""
    total: Counter[str] = Counter()
    for code, count in counts:
        total[code] += count
    return sorted(
        (code for code, _ in total.most_common(ROWS_MAX)), key=lambda code: (code in LAST, code != NORMAL, name(code))
    )


def _plain(fig: go.Figure, height_px: int, margin: dict[str, int]) -> None:
    """The look of the reading room."""
    fig.update_layout(
        height=height_px, margin=margin, paper_bgcolor=PAPER, plot_bgcolor=PAPER, font={"color": TEXT, "size": 12}
    )
    fig.update_xaxes(showgrid=False, zeroline=False, fixedrange=True)
    fig.update_yaxes(showgrid=False, zeroline=False, fixedrange=True)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"
