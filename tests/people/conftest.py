"""Where the store of a test lies, for tests that open it themselves."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    """Database and blobs, the same as those of the fixture `store`."""
    return f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}"
