"""The canvas: a lesion and what must be kept, drawn over a base image and read back as two areas of its pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks, strokes

SIDE_PX = 512  # of the canvas on the screen
TOOLS = {"freedraw": "Brush", "polygon": "Polygon", "circle": "Circle", "rect": "Ellipse"}
BORDERS = ((255, 90, 90), (90, 255, 90))  # of lesion and keep mask, as they count
HOW = (
    "Undo, redo and reset stand in the canvas's own bar. A polygon closes on its first corner; after undoing one, "
    "press the bar's first button. What counts is inside the thin outline."
)


def draw(pixels: npt.NDArray[np.uint8], mark: str, key: str) -> tuple[masks.Area, masks.Area]:
    """Tools above the canvas over `pixels` (S, S); returns the lesion and the keep mask, (S, S) each."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        ink = st.segmented_control("Draw", tuple(strokes.INKS), default="Lesion", required=True, key="ink")
        tool = st.segmented_control(
            "With", tuple(TOOLS), default="freedraw", required=True, format_func=TOOLS.__getitem__, key="tool"
        )
        width = st.slider("Brush", 4, 80, 24, key="brush", width=76, help="Width in pixels of the screen")
        opacity = st.slider("Opacity", 0.1, 0.9, 0.4, key="opacity", width=76)
    colour = "rgba({}, {}, {}, {})"
    inked = colour.format(*strokes.INKS[ink or "Lesion"], opacity)
    before = _before(key)
    lesion, keep = strokes.areas(before, SIDE_PX, pixels.shape[0])
    # Above the canvas, since its own bar stands to the right; written before it, or the canvas would jump.
    st.caption(f"Drawn: lesion {lesion.mean():.1%}, keep {keep.mean():.1%} of the picture.", help=HOW)
    film = imaging.to_uint8(imaging.mark(imaging.resize(pixels, SIDE_PX), mark))
    drawing = _drawing(
        fill_color=colour.format(0, 0, 0, 0) if tool == "rect" else inked,  # a box is only the frame of its ellipse
        stroke_color=inked,
        stroke_width=width if tool == "freedraw" else 1,
        background_image=imaging.png_bytes(imaging.overlaid(film, list(zip((lesion, keep), BORDERS, strict=True))), {}),
        drawing_mode=tool or "freedraw",
        width=SIDE_PX,
        height=SIDE_PX,
        key=key,
    )
    if drawing != before:
        lesion, keep = strokes.areas(drawing, SIDE_PX, pixels.shape[0])
    return lesion, keep


def sheet(film: bytes, tool: str, width: int, side_px: int, key: str) -> Mapping[str, Any] | None:
    """A square canvas over a PNG without further tools; what is drawn on it now, as Fabric's JSON. Boxes are hollow."""
    inked = "rgba({}, {}, {}, 0.45)".format(*strokes.INKS["Lesion"])
    return _drawing(
        fill_color="rgba(0, 0, 0, 0)" if tool == "rect" else inked,
        stroke_color=inked,
        stroke_width=width,
        background_image=film,
        drawing_mode=tool,
        width=side_px,
        height=side_px,
        key=key,
    )


def _before(key: str) -> Mapping[str, Any] | None:
    """The strokes as they are at the start of this run, so that their outline can lie under them."""
    state = st.session_state.get(key) or {}
    return (state.get("drawing") or {}).get("raw")


def _drawing(**settings: Any) -> Mapping[str, Any] | None:
    """What is on the canvas now, as Fabric's JSON."""
    # Its import registers a component, which only a running server takes.
    from streamlit_drawable_canvas import st_canvas

    drawing: Mapping[str, Any] | None = st_canvas(**settings).json_data
    return drawing
