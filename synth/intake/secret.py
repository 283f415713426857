"""The secret of this installation: under it identifiers become pseudonyms, always the same ones."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from synth.errors import StoreError

NAME = "deidentification.key"
BYTES = 32


def installation_key(home: Path) -> bytes:
    """The key in the home folder, made on the first call and readable by its owner only. Raises StoreError."""
    path = home / NAME
    try:
        home.mkdir(parents=True, exist_ok=True)
        try:
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            with os.fdopen(made, "wb") as file:
                file.write(key := secrets.token_bytes(BYTES))
    except OSError as error:
        raise StoreError(f"The key {path.name} cannot be read or made in {home}: {error.strerror}.") from error
    if len(key) != BYTES:
        raise StoreError(f"The key {path.name} has {len(key)} bytes, not {BYTES}; restore it from a copy.")
    return key
