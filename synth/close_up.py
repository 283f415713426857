"""Small lesions are drawn in a close-up: a cell of the latent is 8 px, coarser than a nodule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synth import masks
from synth.findings import NODULES
from synth.terms import FILM_CLOSE_UP_GUIDANCE, NODULE_GUIDANCE
from synth.types import GenerationRequest, Modality

SHARE = 5 / 8  # of the side of a close-up that the area takes at most: the rest says what is around
# CT slices were learnt up to four times magnified; films were not, and are drawn well at twice.
TIMES = {Modality.CT: (4, 2), Modality.DX: (2,)}


def square(area: masks.Area, modality: Modality) -> tuple[int, int, int] | None:
    """The square (top, left, side in px) in which an area (H, W) is drawn magnified; None where that is large."""
    places = np.argwhere(area)
    if not len(places):
        return None
    low, high = places.min(0), places.max(0) + 1
    for times in TIMES.get(modality, ()):
        side = min(area.shape) // times
        if (high - low).max() <= SHARE * side:
            top, left = np.clip((low + high - side) // 2, 0, np.array(area.shape) - side).tolist()
            return top, left, side
    return None


def closer(requests: Sequence[GenerationRequest], lesions: Sequence[masks.Area]) -> tuple[GenerationRequest, ...]:
    """Requests that add a finding each, all in the one close-up that holds every edit mask, if these are small."""
    edits = [request.edit for request in requests if request.edit and request.edit.mode == "add"]
    if not lesions or not edits:
        return tuple(requests)
    place = square(masks.grown(np.logical_or.reduce(lesions), edits[0].margin_px), requests[0].modality)
    near = (replace(r, edit=replace(e, close_up=place)) for r, e in zip(requests, edits, strict=True))
    return tuple(replace(r, guidance=_guidance(r)) for r in near)


def shows_magnified(request: GenerationRequest) -> bool:
    """True for what the captions of magnified pictures are of: nodules and masses in a close-up of a CT slice."""
    shown = any(finding.code in NODULES for finding in request.findings)
    return shown and _is_near(request) and request.modality is Modality.CT


def _guidance(request: GenerationRequest) -> float:
    if shows_magnified(request):
        return NODULE_GUIDANCE
    on_film = _is_near(request) and request.modality is Modality.DX
    return FILM_CLOSE_UP_GUIDANCE if on_film else request.guidance


def _is_near(request: GenerationRequest) -> bool:
    return request.edit is not None and request.edit.close_up is not None
