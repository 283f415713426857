"""Drawing on a real image: rectangles become its boxes, strokes its mask."""

from __future__ import annotations

import numpy as np
import streamlit as st

from synth import imaging, strokes
from synth.types import RealImage
from synth.ui import canvas, resources, shelf_draft, shelf_outlines, views
from synth.ui.shelf_draft import Draft

SIDE_PX = 384  # of the canvas: it stands beside the film
TOOLS = {"rect": "Box", "freedraw": "Brush", "polygon": "Polygon"}
BOX_RGB, MASK_RGB = (229, 184, 75), (255, 90, 90)


def board(draft: Draft, wanted: RealImage, shape: tuple[int, int]) -> None:
    """The canvas, folded away until it is asked for, and what takes its strokes over into the draft."""
    key = draft.key
    if draft.mask:
        st.button("Take the mask away", key=key("unmask"), type="tertiary", on_click=draft.mask_out, args=("",))
    if not st.toggle("Draw boxes or a mask", key=key("draw")):
        return
    tool = st.segmented_control(
        "With", tuple(TOOLS), default="rect", required=True, format_func=TOOLS.__getitem__, key=key("tool")
    )
    code = shelf_draft.finding(wanted.modality, key("code")) if tool == "rect" else None
    width = st.slider("Brush", 2, 60, 14, key=key("brush")) if tool == "freedraw" else 2
    sheet = f"{key('sheet')}-{len(draft.boxes)}-{draft.mask[:8]}-{tool}"  # a new one once its strokes are taken over
    drawing = canvas.sheet(_film(draft, shape), tool or "rect", width, SIDE_PX, sheet)
    if tool == "rect":
        found = [shelf_outlines.of_canvas(one, code or "", shape, SIDE_PX) for one in strokes.boxes(drawing, SIDE_PX)]
        boxes = tuple(box for box in found if box)
        st.button("Add to the boxes", key=key("take"), on_click=draft.add_boxes, args=(boxes,), disabled=not boxes)
        return
    area, _ = strokes.areas(strokes.without_boxes(drawing), SIDE_PX, SIDE_PX)
    drawn = shelf_outlines.of_square(area, shape)
    st.button("Add to the mask", key=key("take"), on_click=_add, args=(draft, drawn), disabled=not drawn.any())


def _add(draft: Draft, drawn: shelf_outlines.Area) -> None:
    with views.show_error():
        draft.mask_out(_mask(draft, drawn))


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
