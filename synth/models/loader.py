"""From settings to a model in memory: which device, which folder, which kind of checkpoint."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import torch

from synth.config import Settings
from synth.diffusion.model import Model
from synth.errors import LicenceNotAccepted, ModelError, OutOfMemory
from synth.models.cards import read_card
from synth.models.weights import check_files
from synth.origins import Licence
from synth.types import ModelCard

_PLAIN_FILES = frozenset({"config.json", "vocab.json"})  # beside the safetensors of a shipped model
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")  # owner/name, as hubs name a repository
Accepted = Callable[[Licence], bool]


def nobody(licence: Licence) -> bool:
    """Where there is nobody to ask: no licence of others is accepted."""
    return False


def load(settings: Settings, accepted: Accepted = nobody) -> Model:
    """Load the model that the settings name; every file is checked against its card first.

    `settings.model_id` is a folder in `settings.models` (or a path) with a card or in the diffusers format, or a hub
    id "owner/name". `accepted` says whether somebody has accepted the licence of a model in the diffusers format; those
    in our own format were trained by this program. Raises ModelError (LicenceNotAccepted, WeightsMissing,
    WeightsCorrupt, OutOfMemory) in one sentence.
    """
    device = choose_device(settings.device)
    if settings.threads:
        torch.set_num_threads(settings.threads)
    try:
        return _open(settings, device, accepted)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfMemory(
            f"The {device.type} device has too little free memory for the model {settings.model_id!r}; "
            "close other programs or set SYNTH_DEVICE=cpu."
        ) from error


def choose_device(wish: str) -> torch.device:
    """The device for "auto" (CUDA, then Apple MPS, then CPU) or the one that is asked for.

    Raises ModelError when the machine does not have it.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wish == "auto":
        return torch.device(next(name for name, there in present.items() if there))
    if not present.get(wish, False):
        there = ", ".join(name for name, there in present.items() if there)
        raise ModelError(f"SYNTH_DEVICE is {wish}, but this machine offers {there}; set it to auto or one of these.")
    return torch.device(wish)


def device_name(device: str) -> str:
    """The device in a reader's words: "CPU, 2 threads", "NVIDIA H100", "Apple GPU"."""
    kind = torch.device(device).type
    if kind == "cuda":
        return torch.cuda.get_device_name(device)
    if kind == "mps":
        return "Apple GPU"
    threads = torch.get_num_threads()
    return f"CPU, {threads} {'thread' if threads == 1 else 'threads'}"


def _open(settings: Settings, device: torch.device, accepted: Accepted) -> Model:
    # Each kind is imported when it is asked for: what reads the other formats takes seconds to import.
    name = settings.model_id
    folder = settings.models / name
    if (folder / "model_index.json").is_file():
        from synth.models.checkpoint import open_checkpoint
        from synth.models.licences import licence_of, revision_of

        _check_licence(licence_of(folder, name, revision_of(folder)), accepted)
        return open_checkpoint(folder, name, device)
    if not folder.is_dir() and _HUB_ID.fullmatch(name):
        return _from_hub(name, device, accepted)
    card = read_card(folder)
    unnamed = _PLAIN_FILES - set(card.files)
    if unnamed:
        raise ModelError(f"The card of model {name!r} does not name {min(unnamed)}, so it cannot be checked.")
    check_files(folder, card)
    return _shipped(folder, card, device)


def _from_hub(name: str, device: torch.device, accepted: Accepted) -> Model:
    """The card is fetched first: nobody waits for gigabytes of a model whose licence they will not accept."""
    from synth.models.checkpoint import fetch, fetch_card, open_checkpoint
    from synth.models.licences import licence_of

    card = fetch_card(name)
    _check_licence(licence_of(card, name, card.name), accepted)
    folder = fetch(name)
    if folder != card:  # published anew in between
        _check_licence(licence_of(folder, name, folder.name), accepted)
    return open_checkpoint(folder, name, device)


def _check_licence(licence: Licence, accepted: Accepted) -> None:
    if not accepted(licence):
        raise LicenceNotAccepted(licence)


def _shipped(folder: Path, card: ModelCard, device: torch.device) -> Model:
    from safetensors import SafetensorError

    from synth.models.readers import FOLDER, load_readers
    from synth.models.shipped import ShippedModel

    try:
        model = ShippedModel.from_folder(folder, card, device)
        readers = folder.parent / FOLDER
        model.readers = load_readers(readers, device) if readers.is_dir() else None
        return model
    except torch.OutOfMemoryError:  # a RuntimeError too
        raise
    except (OSError, KeyError, TypeError, ValueError, RuntimeError, SafetensorError) as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0].rstrip(".:")
        raise ModelError(f"The files of model {card.id!r} are whole but do not fit together ({reason}).") from error
