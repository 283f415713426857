"""Whose model it is: licence and link from the card beside a checkpoint, as hubs write it (YAML front matter)."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import yaml

from synth.models.cards import CARD_NAME, has_fields, read_card
from synth.models.weights import file_hashes
from synth.origins import UNKNOWN, Licence

HUB_CARD = "README.md"  # where hubs keep it (huggingface.co/docs/hub/model-cards)
LIMITS = "Not trained by this project: what it has learnt has not been measured here. Text only, no masks."
log = logging.getLogger(__name__)


def licence_of(folder: Path, model_id: str, revision: str) -> Licence:
    """The licence that `card.md`, else `README.md`, of the folder names; "unknown" where neither does.

    Raises ModelError for a `card.md` of ours that is broken.
    """
    if has_fields(folder):
        card = read_card(folder)
        return Licence(model_id, revision, card.licence, limits=card.limits)
    for name in (CARD_NAME, HUB_CARD):
        fields = _front_matter(folder / name)
        licence = _text(fields.get("license"))
        if licence == "other":  # how hubs say that the next two fields tell
            licence = _text(fields.get("license_name")) or licence
        if licence:
            return Licence(model_id, revision, licence, _address(_text(fields.get("license_link"))), LIMITS)
    return Licence(model_id, revision, UNKNOWN, limits=LIMITS)


def revision_of(folder: Path) -> str:
    """One name for what lies in a local folder: the hash over all of its weights."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*.safetensors"))
    joined = "\n".join(f"{name} {digest}" for name, digest in file_hashes(folder, names).items())
    return hashlib.sha256(joined.encode()).hexdigest()


def _front_matter(path: Path) -> dict[object, object]:
    """The YAML between the first two lines of "---"; empty for a file without, or that nobody can read."""
    try:
        head, _, rest = path.read_text(encoding="utf-8-sig").partition("\n")
        if head.strip() != "---":
            return {}
        fields = yaml.safe_load(rest.split("\n---", 1)[0])
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        log.info("%s names no licence: %s", path.name, error)
        return {}
    return fields if isinstance(fields, dict) else {}


def _text(value: object) -> str:
    """One line of a value or of a list of them."""
    values = value if isinstance(value, list) else [value]
    return " ".join(", ".join(str(one) for one in values if one).split())[:200]


def _address(link: str) -> str:
    """Only what a browser may open: the card comes from a stranger."""
    return link if link.startswith(("https://", "http://")) and not set(link) & set(' ()<>"') else ""
