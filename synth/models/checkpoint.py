"""Opening a diffusers-format checkpoint: from a folder with `model_index.json`, or from a hub by its "owner/name"."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextModel, CLIPTokenizer

from synth.errors import ModelError
from synth.findings import VOCABULARY
from synth.models.cards import has_fields, read_card
from synth.models.diffusers_model import DiffusersModel, Networks, NoiseLevels, shrink_factor
from synth.models.licences import HUB_CARD, licence_of
from synth.models.weights import check_files, file_hashes
from synth.types import ModelCard

# Whole or in shards, and without a variant ("model.fp16.safetensors") or another format (pickles).
_STEMS = ("text_encoder/model", "unet/diffusion_pytorch_model", "vae/diffusion_pytorch_model")
_WEIGHTS = tuple(f"{stem}{end}.safetensors" for stem in _STEMS for end in ("", "-*"))

Part = TypeVar("Part")


def fetch(hub_id: str) -> Path:
    """The local folder of a hub checkpoint, downloaded when it is not there yet (safetensors only).

    Raises ModelError when the hub cannot be reached, does not know the id or refuses it.
    """
    return _snapshot(hub_id, ["*.json", "*.txt", HUB_CARD, *_WEIGHTS])


def fetch_card(hub_id: str) -> Path:
    """The local folder of a hub checkpoint with at least its card: it is named by its commit. Raises as `fetch`."""
    return _snapshot(hub_id, [HUB_CARD])


def _snapshot(hub_id: str, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub_id, allow_patterns=patterns))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ModelError(
            f"The model {hub_id} could not be fetched from the hub ({reason}); "
            "check the name and the connection, or give a folder that holds it."
        ) from error


def open_checkpoint(folder: Path, name: str, device: torch.device) -> DiffusersModel:
    """The checkpoint in `folder` as a model called `name`, fp16 on CUDA and fp32 elsewhere.

    A `card.md` of ours in the folder is believed and checked. Raises ModelError (WeightsMissing, WeightsCorrupt) naming
    the part that is missing, damaged or of a kind that is not understood.
    """
    dtype = torch.float16 if device.type == "cuda" else torch.float32
    scheduler = _json(folder / "scheduler" / "scheduler_config.json", name)
    noise = _part(name, "scheduler", lambda: DDPMScheduler.from_config(_known(scheduler)))
    levels = NoiseLevels.from_alphas(noise.alphas_cumprod, str(scheduler.get("prediction_type", "epsilon")))
    unet = _network(UNet2DConditionModel, folder / "unet", name, torch_dtype=dtype)
    # The codec of Stable Diffusion overflows in fp16.
    codec = _network(AutoencoderKL, folder / "vae", name, torch_dtype=torch.float32)
    text_encoder = _network(CLIPTextModel, folder / "text_encoder", name, dtype=dtype)
    tokenizer = _part(name, "tokenizer", lambda: _tokenizer(folder / "tokenizer"))
    _check_fit(unet, codec, text_encoder, name)
    card = _card(folder, name, int(unet.config.sample_size) * shrink_factor(codec))
    networks = Networks(
        unet=unet.to(device).eval(),
        codec=codec.to(device).eval(),
        text_encoder=text_encoder.to(device).eval(),
        tokenizer=tokenizer,
        levels=levels,
    )
    return DiffusersModel(card, networks, device, dtype)


def _network(kind: Any, folder: Path, name: str, **dtype: torch.dtype) -> Any:
    def read() -> Any:
        return kind.from_pretrained(folder, use_safetensors=True, local_files_only=True, **dtype)

    return _part(name, folder.name, read)


def _tokenizer(folder: Path) -> CLIPTokenizer:
    # Without its words transformers makes a tokenizer that knows none, and says nothing.
    if not any((folder / name).is_file() for name in ("vocab.json", "tokenizer.json")):
        raise OSError("neither vocab.json nor tokenizer.json is there")
    return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


def _part(name: str, part: str, read: Callable[[], Part]) -> Part:
    from safetensors import SafetensorError

    try:
        return read()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().split("\n")[0].rstrip(".")
        raise ModelError(f"The part {part} of the checkpoint {name} cannot be opened: {reason}.") from error


def _json(path: Path, name: str) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"The checkpoint {name} has no readable {path.parent.name}/{path.name}: {error}.") from error
    if not isinstance(data, dict):
        raise ModelError(f"The file {path.parent.name}/{path.name} of the checkpoint {name} must be a JSON object.")
    return data


def _known(scheduler: dict[str, Any]) -> dict[str, Any]:
    # Only what fixes the noise levels: checkpoints come with the settings of many schedulers.
    names = (
        "num_train_timesteps",
        "beta_start",
        "beta_end",
        "beta_schedule",
        "trained_betas",
        "rescale_betas_zero_snr",
    )
    return {key: scheduler[key] for key in names if key in scheduler}


def _check_fit(unet: UNet2DConditionModel, codec: AutoencoderKL, text: CLIPTextModel, name: str) -> None:
    channels, latent = int(unet.config.in_channels), int(codec.config.latent_channels)
    if channels != latent:
        raise ModelError(
            f"The denoiser of the checkpoint {name} takes {channels} channels and its codec makes {latent}; "
            "only text-to-image checkpoints can be used, not inpainting or depth ones."
        )
    if unet.config.addition_embed_type is not None or unet.config.class_embed_type is not None:
        raise ModelError(f"The checkpoint {name} needs more than one text encoder; only SD 1 and 2 types can be used.")
    width, wanted = int(text.config.hidden_size), unet.config.cross_attention_dim
    if wanted != width:
        raise ModelError(
            f"The denoiser of the checkpoint {name} wants text of width {wanted}, its encoder gives {width}."
        )


def _card(folder: Path, name: str, native_px: int) -> ModelCard:
    if has_fields(folder):
        card = read_card(folder)
        check_files(folder, card)
        return card
    found = (path for pattern in _WEIGHTS for path in folder.glob(pattern))
    revision = folder.name if folder.parent.name == "snapshots" else "local"
    licence = licence_of(folder, name, revision)
    return ModelCard(
        id=name,
        title=name,
        revision=revision,
        files=file_hashes(folder, (path.relative_to(folder).as_posix() for path in found)),
        licence=licence.name,
        training_data="As stated by the publisher of the checkpoint.",
        native_px=native_px,
        intended_use="Education and research, never diagnosis.",
        limits=licence.limits,
        text_findings=tuple(sorted(VOCABULARY)),
    )
