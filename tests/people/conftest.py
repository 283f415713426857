"""Where the store of a test lies, for tests that open it themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from synth.governance import passwords


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    """Database and blobs, the same as those of the fixture `store`."""
    return f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}"


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same argon2id with parameters that take no time."""
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
