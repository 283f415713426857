"""Does the model do what it is told? Findings swapped, masks drawn, sides: the same seed with one thing changed."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synth.diffusion.model import Model
from synth.evaluation.drawing import draw
from synth.types import Finding, GenerationRequest, Modality, Side, View


@dataclass(frozen=True, slots=True)
class ControlFigures:
    """Mean absolute changes in grey levels of 255, and the share of pictures with the heart on the left."""

    finding_swap: dict[str, float]  # finding against normal, same seed, inside the lungs of the atlas
    side_share: float  # effusion asked for on one side: share of pairs that are brighter on that side
    heart_left: float


def measure(model: Model, lungs: npt.NDArray[np.float32], seeds: range, codes: tuple[str, ...]) -> ControlFigures:
    """Draw every code and normal with `seeds`. lungs: (2, 256, 256), the atlas' right and left lung."""
    base = [GenerationRequest(Modality.DX, View.PA, None, 55, seed=seed, model_id=model.card.id) for seed in seeds]
    normal = draw(model, base).astype(np.float64)
    inside = lungs.max(0) > 0.5
    swap = {}
    for code in codes:
        ill = draw(model, [replace(request, findings=(Finding(code),)) for request in base]).astype(np.float64)
        swap[code] = float(np.abs(ill - normal)[:, inside].mean())
    return ControlFigures(swap, _side_share(model, base, lungs), heart_left(normal))


def _side_share(model: Model, base: list[GenerationRequest], lungs: npt.NDArray[np.float32]) -> float:
    """Right against left effusion, same seed: the difference must have the sign of the side."""
    pictures = {
        side: draw(model, [replace(r, findings=(Finding("pleural_effusion", side),)) for r in base]).astype(np.float64)
        for side in (Side.RIGHT, Side.LEFT)
    }
    change = pictures[Side.RIGHT] - pictures[Side.LEFT]
    right, left = (change[:, lung > 0.5].mean(1) for lung in lungs)
    return float((right > left).mean())


def heart_left(pictures: npt.NDArray[np.float64]) -> float:
    """Share of films whose lower middle is denser to the patient's left (image right) of the spine."""
    size = pictures.shape[-1]
    band = slice(int(0.45 * size), int(0.70 * size))
    left_of_spine = pictures[:, band, int(0.54 * size) : int(0.70 * size)].mean((1, 2))
    right_of_spine = pictures[:, band, int(0.30 * size) : int(0.46 * size)].mean((1, 2))
    return float((left_of_spine > right_of_spine).mean())
