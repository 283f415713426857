"""The kinds of damage that are restored, as data; free of torch, for pages and tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of damage. `sigma`: noise level of the latent at which the prior starts; `weight`: share of its change.

    Both were chosen on a few val pictures. Without a `weight` the observed picture decides, place by place.
    """

    title: str
    sigma: float
    weight: float | None = None
    factor: int = 1  # enlargement of the result
    holes: bool = False  # part of the picture is lost, the rest stays as it is
    light: bool = False  # brightness itself is what was damaged


KINDS = {
    "low_light": Kind("Low light or low contrast", 1.0, light=True),
    "gaussian": Kind("Gaussian noise", 0.15),
    "poisson": Kind("Poisson noise", 0.15),
    "blur": Kind("Blur", 0.15),
    "enlarge_2": Kind("Enlarge 2x", 0.15, 0.5, factor=2),
    "enlarge_4": Kind("Enlarge 4x", 0.15, 0.5, factor=4),
    "stripes": Kind("Lost stripes", 0.5, 0.5, holes=True),
    "blocks": Kind("Lost blocks", 1.0, 1.0, holes=True),
}
