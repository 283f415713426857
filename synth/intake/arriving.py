"""The note that lies beside files on their way in: what they are, should the server be killed before their import."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth.errors import StoreError
from synth.intake.orders import Order

NOTE = ".arriving.json"  # names that begin with a dot are not imported


def write_note(folder: Path, note: Mapping[str, Any]) -> None:
    """Write the note of a folder, whole or not at all. Raises StoreError."""
    part = folder / f"{NOTE}.part"
    try:
        part.write_text(json.dumps(dict(note)), encoding="utf-8")
        part.replace(folder / NOTE)
    except OSError as error:
        raise StoreError(f"There is no place for arriving files in {folder.parent}: {error.strerror}.") from error


def read_note(folder: Path) -> dict[str, Any] | None:
    """The note of a folder; None where there is none or it cannot be read."""
    try:
        note = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) else None


def write_order(folder: Path, order: Order, user: str) -> None:
    """Note that what arrives in a folder is to be imported so, for this user. Raises StoreError."""
    write_note(folder, {"order": order.as_json(), "user": user})


def read_order(folder: Path) -> tuple[Order, str] | None:
    """The order and the user of `write_order`; None where there are none. Raises RequestError for another version's."""
    note = read_note(folder)
    return (Order.from_json(note["order"]), str(note["user"])) if note and {"order", "user"} <= note.keys() else None


def is_empty(folder: Path) -> bool:
    """True where nothing but the note has arrived."""
    return all(path.name.startswith(".") for path in folder.iterdir())
