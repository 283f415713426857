"""Translation: a brain slice of one modality drawn as another; which ways there are and how one is asked for.

Known is the whole source, everything is to be drawn, and the caption names the target: the task `pair` of the training.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from synth import masks
from synth.errors import RequestError
from synth.terms import TRANSLATIONS as TRANSLATIONS
from synth.types import Edit, GenerationRequest, Modality, Pixels

NAMES = {Modality.CT: "CT", Modality.MR: "MRI", Modality.PET: "PET"}
SOURCES = tuple(NAMES)
STEPS, GUIDANCE, SAMPLER = 20, 1.0, "ddpm"
# Of the noise: a slice has one translation, so the typical one is wanted. Chosen on the validation person.
TEMPERATURE = 0.3

HEAD_MARGIN_PX = 4  # around the head of the source that the other modality may need; chosen on the validation people

METHODS = {
    "model": "SynthRead",
    "identity": "unchanged source",
    "histogram": "histogram match",
    "regression": "regression U-Net",
}
MEASURES = {"psnr": "PSNR, dB", "ssim": "SSIM", "mae": "MAE, grey levels"}


def targets(source: Modality) -> tuple[Modality, ...]:
    """What a slice of `source` can be translated into; empty where there were no pairs to learn it from."""
    return tuple(target for first, target in TRANSLATIONS if first == source)


def request(source: Modality, target: Modality, base: str, origin: str, seed: int, model_id: str) -> GenerationRequest:
    """The request for one translation of the stored picture `base` (its sha256), at the settings that were measured.

    `origin` is where the picture came from, see `Edit`. Raises RequestError where the pair was never learnt.
    """
    check(source, target)
    return GenerationRequest(
        modality=target,
        view=None,  # nobody said how the slice lies
        seed=seed,
        steps=STEPS,
        guidance=GUIDANCE,
        sampler=SAMPLER,
        model_id=model_id,
        edit=Edit("translate", base, origin, source=source),
        lung_window=False,
    )


def check(source: str | None, target: Modality) -> None:
    """Raises RequestError, in one sentence, where `source` was never seen beside `target` in the training."""
    if (source, target) not in TRANSLATIONS:
        ways = ", ".join(f"{NAMES[a]} to {NAMES[b]}" for a, b in TRANSLATIONS)
        raise RequestError(f"{source or 'Nothing'} cannot be translated into {target}; the model has learnt {ways}.")


def best(methods: Mapping[str, Mapping[str, float]], measure: str) -> str:
    """The method with the highest PSNR or SSIM or the lowest MAE."""
    sign = -1 if measure == "mae" else 1
    return max(methods, key=lambda name: sign * methods[name][measure])


def head(source: Pixels, modality: str | None) -> npt.NDArray[np.float32]:
    """Weight (H, W) in [0, 1] of a translation of `source` (H, W): the air around the head stays black.

    A PET shows the brain alone, so of one the whole picture is taken.
    """
    if modality == Modality.PET:
        return np.ones(source.shape, np.float32)
    return masks.feathered(masks.grown(masks.body(source), HEAD_MARGIN_PX), HEAD_MARGIN_PX)
