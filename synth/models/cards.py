"""Model cards: `card.md` in a model's folder is prose for people and one fenced JSON block for the program.

# SynthRead 256

```json
{"id": "synthread-256", "files": {"denoiser.safetensors": "<sha256>"}, ...}
```

Prose: how it was trained, measured figures with their commands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, asdict, fields
from pathlib import Path, PurePosixPath
from typing import Any

from synth.errors import ModelError, WeightsMissing
from synth.types import ModelCard

CARD_NAME = "card.md"
_BLOCK = re.compile(r"^```json[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_card(folder: Path) -> ModelCard:
    """The card of the model in `folder`.

    Raises WeightsMissing when there is no such folder or no card in it, and ModelError naming the field that is
    missing, unknown or of the wrong kind.
    """
    path = folder / CARD_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise WeightsMissing(
            f"There is no model {folder.name!r}: {CARD_NAME} is not in its folder; "
            "restore the folder from the repository, or point SYNTH_MODELS and SYNTH_MODEL at a model of yours."
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"The card of model {folder.name!r} cannot be read: {error}.") from error
    return _parse(text, folder.name)


def has_fields(folder: Path) -> bool:
    """Whether `card.md` is there with its JSON block: a card of this program, not one of a hub."""
    try:
        return _BLOCK.search((folder / CARD_NAME).read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def write_card(folder: Path, card: ModelCard, prose: str) -> Path:
    """Write `card.md`: title, JSON block, then `prose` (Markdown). Returns its path; the folder must exist.

    The file is replaced in one step, so a stop in between leaves the old card or the new one, never half of one.
    """
    block = json.dumps(asdict(card), indent=2, ensure_ascii=False)
    path = folder / CARD_NAME
    part = folder / f"{CARD_NAME}.part"
    part.write_text(f"# {card.title}\n\n```json\n{block}\n```\n\n{prose.strip()}\n", encoding="utf-8")
    part.replace(path)
    return path


def _parse(text: str, name: str) -> ModelCard:
    found = _BLOCK.search(text)
    if found is None:
        raise ModelError(f"The card of model {name!r} has no ```json block; it must hold the fields of the card.")
    try:
        data = json.loads(found.group(1))
    except json.JSONDecodeError as error:
        raise ModelError(f"The JSON block in the card of model {name!r} is broken: {error}.") from error
    if not isinstance(data, dict):
        raise ModelError(f"The JSON block in the card of model {name!r} must be an object of fields.")
    _check(data, name)
    tuples = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    return ModelCard(**{**data, **tuples})


def _check(data: dict[str, Any], name: str) -> None:
    known = {field.name: field for field in fields(ModelCard)}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise ModelError(f"The card of model {name!r} has an unknown field: {unknown[0]}.")
    for key, field in known.items():
        optional = field.default is not MISSING or field.default_factory is not MISSING
        if key not in data:
            if optional:
                continue
            raise ModelError(f"The card of model {name!r} lacks the field {key}.")
        is_right, wanted = _KINDS.get(key, (_is_text, "a text that is not empty"))
        if not is_right(data[key]):
            raise ModelError(f"The field {key} in the card of model {name!r} must be {wanted}.")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(_is_text(item) for item in value)


def _is_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(n, int) and n >= 0 for n in value.values())


def _is_files(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    return all(_is_inside(name) and _is_text(sha) and _SHA256.fullmatch(sha) for name, sha in value.items())


def _is_inside(name: str) -> bool:
    # A card may come from a stranger: it must not make us read outside its folder.
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and not {"..", "\\", ":"} & {*path.parts, *name}


_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "files": (_is_files, "a map from file names inside the folder to sha256 (64 hex digits)"),
    "native_px": (_is_size, "a whole number of pixels above 0"),
    "text_findings": (_is_words, "a list of finding codes"),
    "drawn_findings": (_is_words, "a list of finding codes"),
    "modalities": (_is_words, "a list of DICOM modalities"),
    "training_counts": (_is_counts, "a map from finding codes to whole numbers"),
}
