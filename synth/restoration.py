"""A damaged picture of any size to a restored one: its damage, tile by tile through the prior, and what to check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from synth import baselines, masks
from synth.diffusion import estimate, restore, tiles
from synth.diffusion.degrade import Damage
from synth.diffusion.kinds import KINDS
from synth.diffusion.model import Condition, Model
from synth.errors import RequestError
from synth.types import Base, QualityCheck, Restoration, Step

Grey = npt.NDArray[np.float32]  # (H, W) in [0, 1]

FINDING_PRESENT = 0.5  # probability
FINDING_CHANGE_MAX = 0.3
FINDING_SIZE_PX = 256
MEAN_SHIFT = "mean shift"
FINDING_CHANGE = "finding change"
FINDING_FLIPS = "findings that appear or vanish"


@dataclass(frozen=True, slots=True, eq=False)
class Restored:
    """The restored picture (f H, f W) in [0, 1], what was known of its damage, and the checks that belong to it."""

    pixels: Grey
    damage: Damage
    checks: tuple[QualityCheck, ...]


def restored(
    model: Model, base: Base, asked: Restoration, modality: str, steps: int, on_step: Callable[[Step], None]
) -> Restored:
    """The picture of `base` restored in `steps` steps a tile; `on_step` counts them over all tiles and may cancel.

    Raises RequestError where the picture is too small, too large or blank, or where nothing is lost to fill.
    """
    y = grey(base.pixels)
    check_size(y.shape[0], y.shape[1], asked.kind)
    damage = damage_of(y, asked, base.lesion)
    if KINDS[asked.kind].light:
        pixels, damage = _relit(model, y, damage, modality, steps, on_step)
    else:
        pixels = _by_tiles(model, y, damage, modality, steps, on_step)
    observed = _tensor(y)
    after = restore.bounded(_tensor(pixels), observed, damage)
    shift = 255 * restore.mean_shift(after, observed, damage)
    bound = 255 * restore.MEAN_SHIFT_MAX
    before = restore.lit(observed, damage) if damage.haze is not None else observed
    checks = (
        QualityCheck(MEAN_SHIFT, shift, -bound, bound),
        *finding_checks(model, before, after, modality),
    )
    return Restored(after[0, 0].numpy(), damage, checks)


def grey(pixels: npt.NDArray[np.uint8]) -> Grey:
    """8-bit pixels as greys in [0, 1]."""
    return pixels.astype(np.float32) / np.float32(255)


def check_size(height: int, width: int, kind: str) -> None:
    """Raises RequestError where a picture of this size cannot be restored: below 64 px a side, or of too many tiles."""
    if min(height, width) < tiles.SIDE_MIN_PX:
        raise RequestError(
            f"The picture is {width} x {height} px; at least {tiles.SIDE_MIN_PX} px a side are restored."
        )
    count = tiles.count(height, width, kind)
    if count > tiles.COUNT_MAX:
        raise RequestError(
            f"The picture is {width} x {height} px, {count} tiles of {tiles.TILE_PX} px; at most {tiles.COUNT_MAX} are "
            "restored, so choose a smaller working size."
        )


def damage_of(y: Grey, asked: Restoration, drawn: npt.NDArray[np.bool_] | None = None) -> Damage:
    """What is known of the damage of the whole picture: what was stated, and the rest estimated from the picture."""
    kind, observed = KINDS[asked.kind], _tensor(y)
    if kind.holes:
        hole = masks.lost(y, asked.kind) if drawn is None else drawn
        if not hole.any():
            raise RequestError("No lost area was found; draw it, or choose another kind of damage.")
        if hole.mean() > masks.LOST_MAX:
            raise RequestError(
                f"{hole.mean():.0%} of the picture are lost; what is left is too little beyond {masks.LOST_MAX:.0%}."
            )
        return Damage(asked.kind, 0.0, hole=_tensor(hole.astype(np.float32)))
    if asked.noise is not None:
        noise = asked.noise / 255
    else:
        noise = estimate.noise_level(observed, counting=asked.kind == "poisson")
    damage = Damage(asked.kind, noise, blur_px=asked.blur_px)
    if kind.light:
        if float(y.max() - y.min()) < 4 / 255:
            raise RequestError("The picture is blank; there is no contrast to restore.")
        light, haze = estimate.first_light(observed, asked.group)
        damage = replace(damage, light=light, haze=haze)
    return damage


def baseline(y: Grey, damage: Damage) -> Grey:
    """What the classical method of the kind makes of the picture, told of the damage what the restoration is told."""
    if KINDS[damage.kind].light:
        return baselines.clahe(y)
    if damage.kind == "blur":
        return baselines.wiener_filter(y, damage.blur_px)
    if (factor := KINDS[damage.kind].factor) > 1:
        return baselines.bicubic(y, factor)
    if damage.hole is not None:
        return baselines.biharmonic(y, damage.hole[0, 0].numpy() > 0)
    strength = damage.noise * (float(np.sqrt(y.mean())) if damage.kind == "poisson" else 1.0)
    return baselines.non_local_means(y, strength)


def finding_checks(model: Model, before: Tensor, after: Tensor, modality: str) -> tuple[QualityCheck, ...]:
    """How far the probability of any finding at any place changed, and how many crossed 0.5; () without a detector."""
    pair = [F.interpolate(x, size=(FINDING_SIZE_PX,) * 2, mode="bilinear", antialias=True) for x in (before, after)]
    found = model.lesions(torch.cat(pair).clamp(0.0, 1.0), modality)
    if found is None:
        return ()
    old, new = found
    flips = (old > FINDING_PRESENT) != (new > FINDING_PRESENT)
    return (
        QualityCheck(FINDING_CHANGE, float((new - old).abs().max()), 0.0, FINDING_CHANGE_MAX),
        QualityCheck(FINDING_FLIPS, float(flips.sum()), 0.0, 0.0),
    )


def _relit(
    model: Model, y: Grey, damage: Damage, modality: str, steps: int, on_step: Callable[[Step], None]
) -> tuple[Grey, Damage]:
    """Low light: one estimate for the whole picture, at the size of one tile, holds for every pixel of it."""
    small = F.interpolate(_tensor(y), size=(tiles.TILE_PX,) * 2, mode="bilinear", antialias=True)
    prior = restore.Prior(model, _any_picture(model, modality), steps)

    def on_move(index: int, z0: Tensor) -> None:
        on_step(Step(index, steps, 0.0, _preview(model, z0)))

    found = restore.relit(prior, small.to(model.device), damage, on_move)
    found = replace(found, haze=found.haze.cpu() if found.haze is not None else None)
    return restore.lit(_tensor(y), found)[0, 0].numpy(), found


def _by_tiles(
    model: Model, y: Grey, damage: Damage, modality: str, steps: int, on_step: Callable[[Step], None]
) -> Grey:
    factor = KINDS[damage.kind].factor
    side, overlap = tiles.TILE_PX // factor, tiles.OVERLAP_PX // factor
    whole = tiles.padded(y, side)
    holes = None if damage.hole is None else tiles.padded(damage.hole[0, 0].numpy(), side)
    filled = None if holes is None else baselines.biharmonic(whole, holes > 0)
    spots = tiles.places(whole.shape[0], whole.shape[1], side, overlap)
    prior = restore.Prior(model, _any_picture(model, modality if len(spots) == 1 else ""), steps)
    out = tiles.Mosaic(whole.shape[0] * factor, whole.shape[1] * factor)
    for done, place in enumerate(spots):

        def on_move(index: int, z0: Tensor, done: int = done) -> None:
            on_step(Step(done * steps + index, len(spots) * steps, 0.0, _preview(model, z0)))

        tile, hole, start = (_cut(part, place, side, model) for part in (whole, holes, filled))
        assert tile is not None
        known = replace(damage, hole=hole)
        first = restore.first_estimate(model, tile, known, start)
        x = restore.restore_tile(prior, tile, first, known, on_move)
        out.lay((place[0] * factor, place[1] * factor), x[0, 0].cpu().numpy())
    picture = out.picture()[: y.shape[0] * factor, : y.shape[1] * factor]
    return picture if damage.hole is None else np.where(damage.hole[0, 0].numpy() > 0, picture, y)


def _cut(whole: Grey | None, place: tuple[int, int], side: int, model: Model) -> Tensor | None:
    if whole is None:
        return None
    top, left = place
    return _tensor(whole[top : top + side, left : left + side]).to(model.device)


def _any_picture(model: Model, modality: str) -> Condition:
    """The condition of any picture of a modality: its kind of prior, and no words."""
    caption = {"DX": "chest x ray", "CT": "chest ct"}.get(modality, "brain mr")
    cond, empty = (model.encode_text([text], tiles.TILE_PX) for text in (caption, ""))
    return cond.unasked(empty)


def _preview(model: Model, z0: Tensor) -> npt.NDArray[np.uint8]:
    return np.asarray(255 * model.preview(z0)[:, 0].clamp(0, 1).cpu().numpy()).round().astype(np.uint8)


def _tensor(grey: Grey) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(grey, np.float32))[None, None]
