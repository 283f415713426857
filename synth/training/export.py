"""A trained model to the folder that is shipped: fp16 safetensors under 15 MiB each, config, words, card."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from synth.diffusion.zones import Atlas
from synth.models.cards import write_card
from synth.models.shipped import Constants, Networks
from synth.models.weights import file_hashes
from synth.training.data import Collection
from synth.training.labels import labels_of
from synth.types import ModelCard

SHARD_BYTES = 15 * 2**20
LEARNT_FROM = 75  # real training films from which a finding is offered for text alone
# The first pattern found in a caption names the hospital whose look is drawn. Children are Kermany's; COVID-19 has
# films of its own; slices with disease come from volumes with masks.
KINDS = ((r"chest ct", 2), (r"\b[0-6] year old", 1), (r"chest x ray", 0), (r".", 3))  # see labels.kind_of
ORIGINS = (
    (r"chest ct.*nodule", "corona"),
    (r"chest ct.*lung cancer", "petct"),
    (r"chest ct.*(covid|ground glass|consolidation)", "corona"),
    (r"chest ct", "sarsct"),
    (r"brain (ct|mr|pet)", "harvard"),
    (r"\b[0-6] year old|bacterial|viral", "kermany"),
    (r"covid", "covidb"),
    (r"chest x ray", "nih"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """All that leaves a training: networks, constants, atlas."""

    networks: Networks
    constants: Constants
    atlas: Atlas


def export(folder: Path, trained: Trained, card: ModelCard, prose: str) -> ModelCard:
    """Write the model folder; returns the card with the sha256 of every file. Old weight files are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.safetensors"):
        old.unlink()
    networks = trained.networks
    parts: dict[str, dict[str, Tensor]] = {
        "codec": _named("codec", networks.codec),
        "denoiser": _named("denoiser", networks.denoiser),
        "text": _named("text", networks.text),
        "atlas": {f"atlas.{name}": torch.from_numpy(plane) for name, plane in trained.atlas.to_arrays().items()},
    }
    for name, tensors in parts.items():
        _save(folder, name, tensors)
    (folder / "config.json").write_text(json.dumps(_config(trained), indent=1) + "\n", encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps(list(networks.vocabulary.words)) + "\n", encoding="utf-8")
    names = [path.name for path in folder.iterdir() if path.suffix in (".safetensors", ".json")]
    complete = replace(card, files=file_hashes(folder, names))
    write_card(folder, complete, prose)
    return complete


def training_counts(data: Collection) -> dict[str, int]:
    """Real chest films of the training split per finding."""
    counts: Counter[str] = Counter()
    for index in data.where(split="train", modality="DX"):
        counts.update(finding.code for finding in labels_of(data.rows[index]).findings or ())
    counts["pneumonia"] += counts["bacterial_pneumonia"] + counts["viral_pneumonia"]
    return dict(sorted(counts.items()))


def _config(trained: Trained) -> dict[str, Any]:
    networks = trained.networks
    return {
        "codec": networks.codec.config.to_json(),
        "denoiser": networks.denoiser.config.to_json(),
        "text": networks.text.config.to_json(),
        "latent_mean": list(trained.constants.mean),
        "latent_std": list(trained.constants.std),
        "origins": [list(pair) for pair in trained.constants.origins],
        "temperature": trained.constants.temperature,
        "kinds": [list(pair) for pair in trained.constants.kinds],
    }


def _named(prefix: str, network: nn.Module) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": value for name, value in network.state_dict().items()}


def _save(folder: Path, name: str, tensors: dict[str, Tensor]) -> None:
    """One file, or name-1, name-2, ... where it would exceed a shard."""
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for key, value in tensors.items():
        half = value.detach().cpu().half().contiguous() if value.is_floating_point() else value.detach().cpu()
        if size and size + half.nbytes > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][key] = half
        size += half.nbytes
    for number, shard in enumerate(shards, start=1):
        suffix = f"-{number}" if len(shards) > 1 else ""
        save_file(shard, folder / f"{name}{suffix}.safetensors")
