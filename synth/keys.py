"""The secrets of this installation: files in the home folder, made when first asked for, for their owner only."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path

from synth.errors import StoreError

BYTES = 32
PSEUDONYMS = "deidentification.key"  # under it identifiers become pseudonyms, always the same ones
WATERMARK = "watermark.key"
BLIND = "blind.key"  # of the mark that real pictures get in blind reading, which no detector is given
ACCOUNTS = "accounts.key"  # under it the secrets of second factors are kept, and forms are signed


def secret(home: Path, name: str) -> bytes:
    """The 32 random bytes of a file in the home folder. Raises StoreError where it has another length."""
    key = kept(home, name, lambda: secrets.token_bytes(BYTES))
    if len(key) != BYTES:
        raise StoreError(f"The key {name} has {len(key)} bytes, not {BYTES}; restore it from a copy.")
    return key


def retired(home: Path, name: str) -> list[bytes]:
    """The keys that were in use before: "watermark.1.key", or any other word in the middle. Raises StoreError."""
    stem, _, ending = name.rpartition(".")
    return [kept(home, path.name, lambda: b"") for path in sorted(home.glob(f"{stem}.*.{ending}"))]


def kept(home: Path, name: str, make: Callable[[], bytes]) -> bytes:
    """What a file in the home folder holds; `make` makes it once, whoever else asks meanwhile. Raises StoreError."""
    path = home / name
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _place(path, make())
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"The key {name} cannot be read or made in {home}: {error.strerror}.") from error


def _place(path: Path, data: bytes) -> None:
    """Write a file that is there whole or not at all; the first of several writers wins."""
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(part)
