"""Pictures as vectors whose nearness is likeness: the features of the shipped classifier, before any verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from synth.models.cards import read_card
from synth.models.networks.classifier import REGIONS, SIDE_PX, Classifier
from synth.models.readers import FOLDER, load_readers

RECIPE = 1  # raised whenever the same weights give other vectors
BATCH = 32
STRETCH_MAX = 1.3  # longer to shorter side: up to here a picture is stretched to a square, as in the training


@dataclass(frozen=True, slots=True)
class Embedder:
    """Turns pictures into vectors. Only vectors of the same `id` may be compared: keep it beside each."""

    id: str  # the reader, its weights and how they are used
    size: int  # numbers in a vector
    _classifier: Classifier = field(repr=False)

    def __call__(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """N pictures (H, W) uint8 of any sizes to (N, size) float32, every row of length 1; 32 are read at a time."""
        parts = [self._vectors(pictures[at : at + BATCH]) for at in range(0, len(pictures), BATCH)]
        return np.concatenate([np.empty((0, self.size), np.float32), *parts])

    @torch.inference_mode()
    def _vectors(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        vectors: npt.NDArray[np.float32] = self._classifier.likeness(torch.cat([_small(p) for p in pictures])).numpy()
        return vectors


def embedder(models: Path) -> Embedder:
    """The embedder of the reader in the folder of models, on the CPU.

    Raises ModelError where the reader is missing or damaged.
    """
    classifier = load_readers(models / FOLDER, torch.device("cpu")).classifier
    weights = read_card(models / FOLDER).weights_hash()
    size = classifier.config.channels[1] * REGIONS**2
    return Embedder(f"{FOLDER}:{weights[:16]}:{RECIPE}", size, classifier)


def _small(picture: npt.NDArray[np.uint8]) -> Tensor:
    """(H, W) uint8 to (1, 1, 128, 128) in [0, 1]: stretched when nearly square, else in the middle of black."""
    pixels = torch.from_numpy(np.array(picture))[None, None].float() / 255
    height, width = picture.shape
    if max(height, width) > STRETCH_MAX * min(height, width):
        down, right = max(0, width - height), max(0, height - width)
        pixels = F.pad(pixels, (right // 2, right - right // 2, down // 2, down - down // 2))
    return F.interpolate(pixels, size=(SIDE_PX, SIDE_PX), mode="area")
