"""Drawing on a real image: rectangles become its boxes, strokes its mask."""

from __future__ import annotations

import numpy as np
import streamlit as st

from synth import imaging, strokes
from synth.types import RealImage
from synth.ui import canvas, resources, shelf_draft, shelf_outlines
from synth.ui.shelf_draft import Draft

SIDE_PX = 384  # of the canvas: it stands beside the film
TOOLS = {"rect": "Box", "freedraw": "Brush", "polygon": "Polygon"}
BOX_RGB, MASK_RGB = (229, 184, 75), (255, 90, 90)


def board(draft: Draft, wanted: RealImage, shape: tuple[int, int]) -> None:
    """The canvas, folded away until it is asked for, and what takes its strokes over into the draft."""
    key = f"{draft.opened.id}-{draft.round}"
    if not st.toggle("Draw boxes or a mask", key=f"draw-{key}"):
        if draft.mask and st.button("Take the mask away", key=f"unmask-{key}", type="tertiary"):
            draft.mask = ""
            st.rerun(scope="fragment")
        return
    tool = st.segmented_control(
        "With", tuple(TOOLS), default="rect", required=True, format_func=TOOLS.__getitem__, key=f"tool-{key}"
    )
    code = shelf_draft.finding(wanted.modality, f"code-{key}") if tool == "rect" else None
    width = st.slider("Brush", 2, 60, 14, key=f"brush-{key}") if tool == "freedraw" else 2
    sheet = f"sheet-{key}-{len(draft.boxes)}-{draft.mask[:8]}-{tool}"  # a new one once its strokes are taken over
    drawing = canvas.sheet(_film(draft, shape), tool or "rect", width, SIDE_PX, sheet)
    word = "Add to the boxes" if tool == "rect" else "Add to the mask"
    if st.button(word, key=f"take-{key}"):
        drawn = strokes.boxes(drawing, SIDE_PX) if tool == "rect" else ()
        found = [shelf_outlines.of_canvas(one, code or "", shape, SIDE_PX) for one in drawn]
        boxes = tuple(box for box in found if box)
        area, _ = strokes.areas(strokes.without_boxes(drawing), SIDE_PX, SIDE_PX)
        if tool == "rect" and boxes:
            draft.boxes = (*draft.boxes, *boxes)
        elif tool != "rect" and area.any():
            draft.mask = _mask(draft, shelf_outlines.of_square(area, shape))
        else:
            st.caption("Nothing is drawn on the picture yet.")
            return
        st.rerun(scope="fragment")


def _film(draft: Draft, shape: tuple[int, int]) -> bytes:
    """PNG of the image under its boxes and mask as they are by now."""
    pixels = resources.library().pixels(draft.opened.id, SIDE_PX)
    marked = imaging.to_uint8(imaging.mark(pixels, "REAL"))
    areas = []
    for box in draft.boxes:
        boxed = np.zeros((SIDE_PX, SIDE_PX), bool)
        (x0, y0), (x1, y1) = np.rint(shelf_outlines.corners(box, shape, SIDE_PX)[[0, 2]]).astype(int).tolist()
        boxed[y0 : y1 + 1, x0 : x1 + 1] = True
        areas.append((boxed, BOX_RGB))
    if draft.mask:
        areas.append((shelf_outlines.in_square(shelf_outlines.mask_of(draft.mask), shape, SIDE_PX), MASK_RGB))
    return imaging.png_bytes(imaging.overlaid(marked, areas), {})


def _mask(draft: Draft, drawn: shelf_outlines.Area) -> str:
    """Keep the mask with what was drawn added, at the picture's own size."""
    before = shelf_outlines.mask_of(draft.mask) if draft.mask else np.zeros_like(drawn)
    return resources.store().holdings.add_mask(drawn | before if before.shape == drawn.shape else drawn)
