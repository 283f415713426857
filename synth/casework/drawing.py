"""A recipe as requests: its own picture, then the lesion in it; and whether what came of them can be a case."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synth import masks
from synth.close_up import closer
from synth.errors import RequestError
from synth.imaging import to_uint8
from synth.reading.cases import Recipe
from synth.reading.shapes import filled
from synth.store import Store
from synth.terms import EDIT_GUIDANCE
from synth.types import MARGIN_PX, SEED_MAX, Edit, GeneratedImage, GenerationRequest, Pixels

SEEN = 6.0  # grey levels of 255: the least mean change in an outline that an eye can find


def lesion_area(recipe: Recipe, pixels: Pixels) -> masks.Area:
    """The outline of a recipe as an area (H, W) of `pixels`."""
    height, width = pixels.shape
    return filled([(x * width, y * height) for x, y in recipe.outline], width, height)


def lesion_request(recipe: Recipe, base: GeneratedImage, store: Store) -> GenerationRequest:
    """The edit that draws the recipe's finding into `base`, as the Edit page asks for it; its pictures are kept.

    Raises RequestError where the outline leaves nothing to draw in this picture, StoreError.
    """
    assert recipe.finding is not None
    pixels = to_uint8(base.pixels)
    area = lesion_area(recipe, pixels)
    masks.check(area, None, MARGIN_PX, pixels)
    names = store.add_picture(pixels), store.add_picture(np.uint8(255) * area)
    edit = Edit("add", base=names[0], origin=f"synthetic:{base.id}", lesion=names[1])
    request = replace(
        recipe.request,
        findings=(recipe.finding,),
        absent=(),
        note="",
        seed=recipe.seed,
        guidance=EDIT_GUIDANCE,
        edit=edit,
    )
    return closer((request,), (area,))[0]


def flaw(image: GeneratedImage) -> str:
    """Why an image cannot be a case, in one sentence; empty where its checks passed."""
    failed = [check.name for check in image.quality.checks if not check.passed]
    return f"The image did not pass its checks: {', '.join(failed)}." if failed else ""


def unseen(recipe: Recipe, base: GeneratedImage, image: GeneratedImage) -> str:
    """Why the lesion of an image cannot be found by a reader, in one sentence; empty where it stands out."""
    before, after = to_uint8(base.pixels).astype(int), to_uint8(image.pixels).astype(int)
    change = float(np.abs(after - before)[lesion_area(recipe, image.pixels)].mean())
    if change >= SEEN:
        return ""
    return f"The lesion can hardly be seen: it changed the image by {change:.1f} grey levels; {SEEN:.0f} are needed."


def misplaced(recipe: Recipe, base: GeneratedImage) -> str:
    """Why the outline does not fit this picture, in one sentence; empty where it does."""
    pixels = to_uint8(base.pixels)
    try:
        masks.check(lesion_area(recipe, pixels), None, MARGIN_PX, pixels)
    except RequestError as error:
        return str(error)
    return ""


def anew(recipe: Recipe, keep_base: bool) -> Recipe:
    """The recipe with the next seeds; with `keep_base` the lesion's alone, so that its picture stays."""
    request = recipe.request if keep_base else replace(recipe.request, seed=_next(recipe.request.seed))
    return replace(recipe, request=request, seed=_next(recipe.seed) if recipe.outline else 0)


def _next(seed: int) -> int:
    return (seed + 1) % (SEED_MAX + 1)
