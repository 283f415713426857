"""The readers: a classifier and segmenters that were trained on real pictures and measure what the model draws."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from synth.imaging import fit_square
from synth.models.cards import read_card
from synth.models.networks.classifier import Classifier, ClassifierConfig, Findings
from synth.models.networks.segmenter import Segmenter
from synth.models.weights import check_files

FOLDER = "reader-256"  # beside the folders of the models that draw
SIDE_PX = 256  # at which they learnt
WEIGHTS, CONFIG = "readers.safetensors", "config.json"


@dataclass(frozen=True, slots=True, eq=False)
class Readers:
    """One classifier, and segmenters by name: what each outlines and on what it was trained."""

    classifier: Classifier
    segmenters: Mapping[str, Segmenter] = field(default_factory=dict)

    @property
    def codes(self) -> tuple[str, ...]:
        """The findings of the classifier, in the order of its outputs."""
        return self.classifier.config.codes

    @torch.no_grad()
    def read(self, pixels: Tensor) -> Findings:
        """Findings, their maps, sex and age of pictures (B, 1, H, W) in [0, 1]; 32 at a time."""
        parts = [self.classifier(part) for part in pixels.float().split(32)]
        return Findings(*(torch.cat([getattr(p, name) for p in parts]) for name in ("logits", "maps", "male", "age")))

    @torch.no_grad()
    def outline(self, name: str, pixels: Tensor) -> Tensor:
        """Probability of a lesion at every pixel: (B, 1, H, W) in [0, 1], square, to the same shape."""
        network = self.segmenters[name]
        found = torch.cat([network(part).sigmoid() for part in pixels.float().split(32)])
        return F.interpolate(found, size=pixels.shape[-2:], mode="bilinear")

    def to(self, device: torch.device) -> Readers:
        """All networks on `device`, for inference only."""
        for network in (self.classifier, *self.segmenters.values()):
            network.to(device).eval().requires_grad_(False)
        return self


def load_readers(folder: Path, device: torch.device) -> Readers:
    """The readers of a folder, checked against its card. Raises ModelError as any model does."""
    card = read_card(folder)
    check_files(folder, card)
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    weights = {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
    classifier = Classifier(ClassifierConfig(tuple(config["codes"]), tuple(config["channels"])))
    classifier.load_state_dict(_under(weights, "classifier"))
    segmenters = {name: Segmenter(tuple(channels)) for name, channels in config["segmenters"].items()}
    for name, network in segmenters.items():
        network.load_state_dict(_under(weights, name))
    return Readers(classifier, segmenters).to(device)


def opinions(models: Path) -> Callable[[npt.NDArray[np.uint8]], dict[str, float]]:
    """What the classifier of the folder of models says of a picture (H, W) uint8: finding code -> probability.

    Raises ModelError where it is missing or damaged.
    """
    readers = load_readers(models / FOLDER, torch.device("cpu"))

    def read(pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
        square = torch.from_numpy(fit_square(pixels, SIDE_PX).copy()).float()[None, None] / 255
        chances = readers.read(square).logits.sigmoid()[0].tolist()
        return dict(zip(readers.codes, chances, strict=True))

    return read


def save_readers(folder: Path, readers: Readers) -> list[str]:
    """Write weights (fp16) and config into `folder`; returns the file names, for the card."""
    named = {"classifier": readers.classifier, **readers.segmenters}
    tensors = {f"{name}.{key}": _half(value) for name, net in named.items() for key, value in net.state_dict().items()}
    save_file(tensors, folder / WEIGHTS)
    config = {
        "codes": list(readers.codes),
        "channels": list(readers.classifier.config.channels),
        "segmenters": {name: list(network.channels) for name, network in readers.segmenters.items()},
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    return [CONFIG, WEIGHTS]


def _half(value: Tensor) -> Tensor:
    kept = value.detach().cpu().contiguous()
    return kept.half() if kept.is_floating_point() else kept


def _under(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) + 1 :]: value for name, value in weights.items() if name.startswith(prefix + ".")}
