"""Result files: figures with the protocol that made them, which the model card quotes and the pages show."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synth.types import ModelCard

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "results"


def save(name: str, card: ModelCard, protocol: dict[str, Any], figures: dict[str, Any], folder: Path = FOLDER) -> Path:
    """Write `name`.json: model, revision, hash of its weights, commit, date, protocol and figures. Returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {
        "model": card.id,
        "revision": card.revision,
        "weights": card.weights_hash(),
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
    }
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**known, "protocol": protocol, **rounded(figures)}, indent=1) + "\n", encoding="utf-8")
    return path


def load(name: str, folder: Path = FOLDER) -> dict[str, Any]:
    """What `save` wrote under `name`; empty where that was never measured."""
    path = folder / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return found


def rounded(value: Any) -> Any:
    """Floats to four decimals, through all dicts and lists: a result file is read by people."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=FOLDER.parent, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
