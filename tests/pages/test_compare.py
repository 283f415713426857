"""The figure of the two films."""

from __future__ import annotations

import numpy as np

from synth.ui.compare import LEVELS, PRESETS, Outline, Pane, figure

RAMP = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
LEFT, RIGHT = Pane(RAMP, RAMP, "SYNTHETIC"), Pane(RAMP[::-1], RAMP[::-1], "REAL")


def test_both_films_share_their_axes_and_are_drawn_square() -> None:
    layout = figure(LEFT, RIGHT).layout
    assert (layout.xaxis2.matches, layout.yaxis2.matches) == ("x", "y")
    assert layout.yaxis.scaleanchor == "x"
    assert tuple(layout.yaxis.range) == (255.5, -0.5)


def test_every_window_sets_both_films_and_moves_the_sliders() -> None:
    buttons = figure(LEFT, RIGHT).layout.updatemenus[0].buttons
    assert [button.label for button in buttons] == [name for name, _, _ in PRESETS]
    lung = buttons[2]
    values, sliders, traces = lung.args
    assert (values, list(traces)) == ({"zmin": 10, "zmax": 150}, [0, 1])
    assert (LEVELS[sliders["sliders[0].active"]], LEVELS[sliders["sliders[1].active"]]) == (8, 152)


def test_the_words_and_the_histograms_of_both_films_are_in_the_figure() -> None:
    fig = figure(LEFT, RIGHT)
    assert [note.text for note in fig.layout.annotations] == ["<b>SYNTHETIC</b>", "<b>REAL</b>"]
    assert [trace.name for trace in fig.data if trace.type == "scatter"] == ["SYNTHETIC", "REAL"]
    assert np.allclose([sum(trace.y) for trace in fig.data if trace.type == "scatter"], 100.0)


def test_one_film_alone_is_a_figure_of_its_own() -> None:
    fig = figure(LEFT, None)
    assert [trace.type for trace in fig.data] == ["heatmap", "scatter"]


SQUARE = np.array([[3.0, 4.0], [15.0, 4.0], [15.0, 12.0], [3.0, 12.0], [3.0, 4.0]])


def test_outlines_lie_over_both_films_on_the_edges_of_the_pixels_and_one_button_hides_them() -> None:
    outlines = (Outline([SQUARE, SQUARE + 20], "#ff0000", "lesion"), Outline([], "#00ff00", "edit mask", "dot"))
    fig = figure(Pane(RAMP, RAMP, "A", outlines=outlines), Pane(RAMP, RAMP, "B", outlines=outlines))
    lines = [(number, trace) for number, trace in enumerate(fig.data) if trace.name in ("lesion", "edit mask")]
    assert [(trace.name, trace.xaxis) for _, trace in lines] == [
        ("lesion", "x"),
        ("edit mask", "x"),
        ("lesion", "x2"),
        ("edit mask", "x2"),
    ]
    assert lines[0][1].x[:6] == (2.5, 14.5, 14.5, 2.5, 2.5, None)
    button = fig.layout.updatemenus[-1].buttons[0]
    assert (button.label, button.args[0]) == ("Outline", {"visible": False})
    assert list(button.args[1]) == [number for number, _ in lines]


def test_a_map_beside_the_films_has_their_zoom_and_not_their_window() -> None:
    fig = figure(LEFT, RIGHT, third=Pane(RAMP, RAMP, "MAP"))
    assert (fig.layout.xaxis3.matches, fig.layout.yaxis3.matches) == ("x", "y")
    assert [trace.name for trace in fig.data if trace.type == "heatmap"] == ["SYNTHETIC", "REAL", "MAP"]
    assert list(fig.layout.updatemenus[0].buttons[0].args[2]) == [0, 1]
    assert [note.text for note in fig.layout.annotations][-1] == "<b>MAP</b>"
