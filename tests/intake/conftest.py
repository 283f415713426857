"""An importer on a store of the test's own, and phantoms to import."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from synth.intake.importer import Importer
from synth.intake.orders import Order
from synth.store import Import, ImportState, Store

ENDED = (ImportState.DONE, ImportState.FAILED, ImportState.STOPPED)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def open_importer(store: Store, home: Path) -> Iterator[Callable[[], Importer]]:
    """Factory: another server process on the same store."""
    opened: list[Importer] = []

    def one() -> Importer:
        opened.append(Importer(store, home, f"file://{home / 'blobs'}", workers=1))
        return opened[-1]

    yield one
    for importer in opened:
        importer.close()


@pytest.fixture
def importer(open_importer: Callable[[], Importer]) -> Importer:
    return open_importer()


@pytest.fixture
def ended(store: Store) -> Callable[[str], Import]:
    """The import, once it is through."""

    def wait(import_id: str) -> Import:
        until = time.monotonic() + 60
        while (one := store.imports.get(import_id)).state not in ENDED:
            assert time.monotonic() < until, one
            time.sleep(0.05)
        return one

    return wait


def order(source: Path, **changes: object) -> Order:
    """An order as a page gives it."""
    plain = {"title": "a folder", "origin": "phantoms", "licence": "CC0"}
    return Order(source, **(plain | changes))  # type: ignore[arg-type]
