"""Many pictures from prompts, as the app draws them, for every evaluation that looks at samples."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from synth import prompts
from synth.diffusion.model import Model
from synth.generate import Order, generate_batch
from synth.types import GenerationRequest

SHEET_PROMPTS = (
    "PA chest X-ray, 45-year-old man, normal",
    "PA chest X-ray, 30-year-old woman, normal",
    "PA chest X-ray, 75-year-old man, normal",
    "AP chest X-ray, 3-year-old child, normal",
    "AP chest X-ray, 4-year-old child, bacterial pneumonia",
    "PA chest X-ray, 65-year-old man, right lower lobe pneumonia",
    "AP chest X-ray, 58-year-old woman, pneumonia",
    "PA chest X-ray, 60-year-old woman, left pleural effusion",
    "AP chest X-ray, 70-year-old man, large bilateral pleural effusion",
    "PA chest X-ray, 55-year-old man, COVID-19",
    "AP chest X-ray, 66-year-old woman, pulmonary edema",
    "PA chest X-ray, 62-year-old man, left upper lobe nodule",
    "CT chest slice, normal",
    "CT chest slice, COVID-19",
    "CT chest slice, bilateral ground-glass opacity",
    "CT chest slice, lung cancer",
)


def requests_of(texts: Iterable[str], seeds: Iterable[int], model_id: str) -> list[GenerationRequest]:
    """One request for every text and seed, texts outermost."""
    seeds = list(seeds)
    return [
        prompts.to_request(prompts.parse(text), note=text, seed=seed, model_id=model_id)
        for text in texts
        for seed in seeds
    ]


def draw(model: Model, requests: list[GenerationRequest], batch: int = 8) -> npt.NDArray[np.uint8]:
    """(N, 256, 256) uint8, in the order of `requests`."""
    pictures: list[npt.NDArray[np.uint8]] = []
    for start in range(0, len(requests), batch):
        orders = [Order(request, "evaluation", str(k)) for k, request in enumerate(requests[start : start + batch])]
        images = generate_batch(model, orders, datetime.now(UTC), lambda step: None)
        pictures.extend(np.asarray(image.pixels, np.uint8) for image in images)
    return np.stack(pictures)
