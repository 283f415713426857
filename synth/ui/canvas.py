"""The canvas: a lesion and what must be kept, drawn over a base image and read back as two areas of its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from synth import imaging, masks

SIDE_PX = 512  # of the canvas on the screen
TOOLS = {"freedraw": "Brush", "polygon": "Polygon", "circle": "Circle"}
# Pure colours: above an opacity of one half the last stroke wins wherever strokes cross.
INKS = {"Lesion": (255, 0, 0), "Keep": (0, 255, 0), "Erase": (0, 0, 255)}
OPACITY = (0.55, 0.95)


def draw(pixels: npt.NDArray[np.uint8], mark: str, key: str) -> tuple[masks.Area, masks.Area]:
    """Tools above the canvas over `pixels` (S, S); returns the lesion and the keep mask, (S, S) each."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        ink = st.segmented_control("Draw", tuple(INKS), default="Lesion", required=True, key="ink")
        tool = st.segmented_control(
            "With", tuple(TOOLS), default="freedraw", required=True, format_func=TOOLS.__getitem__, key="tool"
        )
        width = st.slider("Brush", 4, 80, 24, key="brush", width=130, help="Width in pixels of the screen")
        opacity = st.slider("Opacity", *OPACITY, OPACITY[0], key="opacity", width=130)
    colour = "rgba({}, {}, {}, {})".format(*INKS[ink or "Lesion"], opacity)
    background = imaging.png_bytes(imaging.mark(imaging.resize(pixels, SIDE_PX), mark), {})
    drawing = _drawing(
        fill_color=colour,
        stroke_color=colour,
        stroke_width=width if tool == "freedraw" else 1,
        background_image=background,
        drawing_mode=tool or "freedraw",
        width=SIDE_PX,
        height=SIDE_PX,
        return_image_data=True,
        key=key,
    )
    lesion, keep = areas(drawing, pixels.shape[0])
    st.caption(
        f"Drawn: lesion {lesion.mean():.1%}, keep {keep.mean():.1%} of the picture. "
        "Undo, redo and reset stand in the canvas's own bar; a polygon closes on its first corner."
    )
    return lesion, keep


def _drawing(**settings: Any) -> npt.NDArray[np.uint8] | None:
    """What is on the canvas now, (H, W, 4), None before the first stroke."""
    # Its import registers a component, which only a running server takes.
    from streamlit_drawable_canvas import st_canvas

    drawing: npt.NDArray[np.uint8] | None = st_canvas(**settings).image_data
    return drawing


def areas(rgba: npt.NDArray[np.uint8] | None, size_px: int) -> tuple[masks.Area, masks.Area]:
    """Lesion and keep mask (size_px, size_px) of a drawing (H, W, 4), H and W multiples of size_px; None is empty.

    A pixel belongs to the ink that covers most of it.
    """
    if rgba is None:
        empty = np.zeros((size_px, size_px), bool)
        return empty, empty.copy()
    height, width, _ = rgba.shape
    blocks = rgba.astype(np.float32).reshape(size_px, height // size_px, size_px, width // size_px, 4)
    opacity = blocks[..., 3:] / 255
    ink = (blocks[..., :3] / 255 * opacity).mean((1, 3))  # (S, S, 3): how much of each ink
    covered = opacity.mean((1, 3))[..., 0] > OPACITY[0] / 2
    top = ink.argmax(-1)
    return covered & (top == 0), covered & (top == 1)
