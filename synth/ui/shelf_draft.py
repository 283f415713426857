"""An edit of a real image that was begun: what is not saved yet stays with the tab until it is saved or discarded."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from synth.library import editing
from synth.types import Box, RealImage
from synth.ui import resources, shelf_place

DRAFTS = "shelf_drafts"


@dataclass(slots=True)
class Draft:
    """The image as it was opened, and boxes and mask as they are by now."""

    opened: RealImage
    boxes: tuple[Box, ...]
    mask: str
    round: int = 0  # widgets of another round begin anew

    def key(self, field: str) -> str:
        """The key of a widget of this round."""
        return f"edit-{field}-{self.opened.id}-{self.round}"

    def add_boxes(self, boxes: tuple[Box, ...]) -> None:
        """More boxes."""
        self.boxes = (*self.boxes, *boxes)

    def take_away(self, number: int) -> None:
        """One box less, by its place."""
        self.boxes = (*self.boxes[:number], *self.boxes[number + 1 :])

    def mask_out(self, name: str) -> None:
        """Another mask, by its name in the store; none for an empty one."""
        self.mask = name


def begun(image: RealImage) -> Draft:
    """The draft of an image, begun now where there is none."""
    drafts: dict[str, Draft] = st.session_state.setdefault(DRAFTS, {})
    return drafts.setdefault(image.id, Draft(image, image.boxes, image.mask))


def begin_anew(image_id: str) -> None:
    """Begin again from what the library holds. Raises StoreError when it holds it no more."""
    image = resources.store().holdings.holding(image_id).image
    st.session_state[DRAFTS][image_id] = Draft(image, image.boxes, image.mask, begun(image).round + 1)


def finding(modality: str, key: str) -> str | None:
    """A widget for the finding of a box."""
    codes = sorted(editing.codes_of(modality.upper()), key=shelf_place.words)
    return st.selectbox("Finding of the box", codes, format_func=shelf_place.words, key=key)
