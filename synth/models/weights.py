"""The weight files of a model: their hashes, and the check against the card before anything is loaded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from synth.errors import ModelError, WeightsCorrupt, WeightsMissing
from synth.types import ModelCard

_RESTORE = "restore the folder from the repository or copy the model again"
# Formats that run code when they are opened (pickle), whatever their ending says.
_PICKLES = frozenset({".bin", ".ckpt", ".pkl", ".pickle", ".pt", ".pth"})
_CHUNK = 1 << 20  # bytes


def sha256(path: Path) -> str:
    """sha256 (hex) of the file at `path`, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def file_hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """File name (POSIX, relative to `folder`) to sha256, sorted by name: the `files` of a card."""
    return {name: sha256(folder / name) for name in sorted(names)}


def check_files(folder: Path, card: ModelCard) -> None:
    """Compare every file of the model with its card.

    Raises WeightsMissing for a file that is not there, WeightsCorrupt for one with another sha256 and for safetensors
    that the card does not name, and ModelError for pickles.
    """
    for name, expected in sorted(card.files.items()):
        _refuse_pickle(name, card)
        path = folder / name
        if not path.is_file():
            raise WeightsMissing(f"The file {name} of model {card.id!r} is missing; {_RESTORE}.")
        try:
            actual = sha256(path)
        except OSError as error:
            raise WeightsCorrupt(f"The file {name} of model {card.id!r} cannot be read ({error}).") from error
        if actual != expected:
            raise WeightsCorrupt(
                f"The file {name} of model {card.id!r} is damaged or another one "
                f"(sha256 {actual[:12]}..., its card names {expected[:12]}...); {_RESTORE}."
            )
    for path in sorted(folder.rglob("*.safetensors")):
        name = path.relative_to(folder).as_posix()
        if name not in card.files:
            raise WeightsCorrupt(
                f"The file {name} lies in the folder of model {card.id!r}, but its card does not name it; "
                "remove the file or add it to the card."
            )


def _refuse_pickle(name: str, card: ModelCard) -> None:
    if Path(name).suffix.lower() in _PICKLES:
        raise ModelError(
            f"The file {name} of model {card.id!r} is a pickle, which can run code when it is opened; "
            "convert it to safetensors."
        )
