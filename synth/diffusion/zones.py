"""The zone atlas: where "right lower zone" lies on an image, as a soft mask for the lesion channel.

Image left is the patient's right. Zones are thirds of the height of the mean lung; one axial slice has sides only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from synth.types import Modality, Side, Zone

Image = npt.NDArray[np.float32]
THIRD = {Zone.UPPER: 0, Zone.MIDDLE: 1, Zone.LOWER: 2}
SOFT = 0.05  # half width of the border between two zones, share of the lung's height


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """Mean lung masks, each (H, H) float32 in [0, 1]: of frontal films, and of axial slices through the lungs."""

    right: Image
    left: Image
    ct_right: Image
    ct_left: Image

    def __post_init__(self) -> None:
        """Raise ValueError unless the masks are square, of one size and shares in [0, 1]."""
        size = self.right.shape
        for name, mask in self.to_arrays().items():
            if mask.ndim != 2 or mask.shape[0] != mask.shape[1] or mask.shape != size:
                raise ValueError(f"atlas {name} is {mask.shape}; all four masks must be square and of one size")
            if mask.min() < 0.0 or mask.max() > 1.0 or mask.max() < 0.5:
                raise ValueError(f"atlas {name} spans {mask.min():.2f}-{mask.max():.2f}; it must be shares of films")

    def to_arrays(self) -> dict[str, Image]:
        """Name to array, for a safetensors file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.ArrayLike]) -> Atlas:
        """The atlas back from `to_arrays`. Raises ValueError naming what is missing or of a wrong shape."""
        missing = [field.name for field in fields(cls) if field.name not in arrays]
        if missing:
            raise ValueError(f"the atlas lacks {', '.join(missing)}")
        return cls(**{field.name: np.asarray(arrays[field.name], np.float32) for field in fields(cls)})

    def lung(self, side: Side, modality: str = Modality.DX) -> Image:
        """Mean mask (H, H) of one lung, or of both."""
        right, left = (self.ct_right, self.ct_left) if modality == Modality.CT else (self.right, self.left)
        if side is Side.BOTH:
            return np.maximum(right, left)
        return right if side is Side.RIGHT else left


def zone_mask(
    atlas: Atlas,
    side: Side | None,
    zone: Zone | None,
    modality: str = Modality.DX,
    size_px: int | None = None,
) -> Image:
    """Soft mask (size_px, size_px) float32 in [0, 1] of one zone; an open side means both, an open zone all three.

    A zone on a CT slice gives the whole lung: the level of a single slice is not known. Size: the atlas' own.
    """
    lungs = (Side.RIGHT, Side.LEFT) if side in (None, Side.BOTH) else (Side(side),)
    mask = np.zeros_like(atlas.right)
    for one in lungs:
        lung = atlas.lung(one, modality)
        part = lung if zone is None or modality == Modality.CT else lung * _third(lung, Zone(zone))[:, None]
        mask = np.maximum(mask, part)
    return mask if size_px is None or size_px == mask.shape[0] else _resized(mask, size_px)


def locate(atlas: Atlas, mask: Image, modality: str = Modality.DX) -> tuple[Side | None, Zone | None]:
    """Side and zone that hold most of a lesion mask (H, H); BOTH where each side holds a quarter of it or more.

    (None, None) for an empty mask or one outside the lungs; no zone on CT or where a zone holds less than half.
    """
    inside = mask * atlas.lung(Side.BOTH, modality)
    if inside.sum() <= 0.05 * mask.sum() or mask.sum() == 0:
        return None, None
    right, left = (float((mask * atlas.lung(side, modality)).sum()) for side in (Side.RIGHT, Side.LEFT))
    share = right / (right + left)
    side = Side.BOTH if 0.25 <= share <= 0.75 else (Side.RIGHT if share > 0.75 else Side.LEFT)
    if modality == Modality.CT:
        return side, None
    weights = {zone: float((mask * zone_mask(atlas, side, zone)).sum()) for zone in Zone}
    best = max(weights, key=weights.__getitem__)
    return side, best if weights[best] >= 0.5 * sum(weights.values()) else None


def _third(lung: Image, zone: Zone) -> Image:
    """Weight by row (H,) of one third of the height of a mean lung: 1 inside, soft borders to its neighbours."""
    rows = np.flatnonzero((lung >= 0.5).any(axis=1))
    position = (np.arange(lung.shape[0]) + 0.5 - rows[0]) / (rows[-1] - rows[0] + 1)  # 0 apex, 1 base
    first, last = THIRD[zone] / 3.0, (THIRD[zone] + 1) / 3.0
    rise = np.ones_like(position) if zone is Zone.UPPER else np.clip(0.5 + (position - first) / (2 * SOFT), 0.0, 1.0)
    fall = np.ones_like(position) if zone is Zone.LOWER else np.clip(0.5 + (last - position) / (2 * SOFT), 0.0, 1.0)
    return np.asarray(rise * fall, dtype=np.float32)


def _resized(mask: Image, size_px: int) -> Image:
    """Linear interpolation between pixel centres when it grows, area mean when it shrinks by a whole factor."""
    old = mask.shape[0]
    if old % size_px == 0:
        factor = old // size_px
        cells = mask.reshape(size_px, factor, size_px, factor)
        return np.asarray(cells.mean(axis=(1, 3)), dtype=np.float32)
    at = (np.arange(size_px) + 0.5) * old / size_px - 0.5
    rows = np.stack([np.interp(at, np.arange(old), column) for column in mask.T], axis=1)
    return np.stack([np.interp(at, np.arange(old), row) for row in rows], axis=0).astype(np.float32)
