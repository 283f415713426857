"""What every test stands on: an environment without settings of ours, and the smallest real values and parts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy or torch: tests share the cores

import numpy as np
import pytest
from hypothesis import settings

from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest, Provenance, QualityCheck, QualityReport

if TYPE_CHECKING:
    from synth.models.tiny import TinyModel

# Busy machines are slow, not wrong; the same examples every time, so that a failure stays a failure.
settings.register_profile("synth", deadline=None, derandomize=True)
settings.load_profile("synth")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without Chromium the browser tests are skipped on a laptop and fail where CI is set."""
    if shutil.which("chromium") or os.environ.get("CI"):
        return
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.skip(reason="Chromium is not installed"))


@pytest.fixture(autouse=True)
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    """No SYNTH_* of the developer reaches a test, and a test that forgets to name a home gets one of its own."""
    for name in [*os.environ]:
        if (name.startswith("SYNTH_") and not name.startswith("SYNTH_TEST_")) or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp() / f"home-{abs(hash(request.node.nodeid)):x}"
    monkeypatch.setenv("SYNTH_HOME", str(home))


@pytest.fixture
def make_request() -> Callable[..., GenerationRequest]:
    """Factory: the default request with some fields changed."""

    def make(**changes: Any) -> GenerationRequest:
        return replace(GenerationRequest(steps=4, model_id="tiny"), **changes)

    return make


@pytest.fixture
def make_image(make_request: Callable[..., GenerationRequest]) -> Callable[..., GeneratedImage]:
    """Factory: a finished image whose pixels follow from its seed alone. Keywords are fields of its request."""

    def make(image_id: str, user: str = "ada", side_px: int = 64, **changes: Any) -> GeneratedImage:
        request = make_request(**changes)
        pixels = np.random.default_rng(request.seed).integers(0, 256, (side_px, side_px), dtype=np.uint8)
        provenance = Provenance(
            request_digest=request.digest(),
            model_id=request.model_id,
            model_revision="1",
            weights_hash="0" * 64,
            sampler=request.sampler,
            seed=request.seed,
            device="cpu",
            dtype="float32",
            versions={"numpy": np.__version__},
            created_at=datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC),
            requested_by=user,
            seconds=0.125,
        )
        quality = QualityReport((QualityCheck("mean", float(pixels.mean()), 0.0, 255.0),))
        return GeneratedImage(image_id, pixels, request, provenance, quality)

    return make


@pytest.fixture
def tiny_model() -> TinyModel:
    """The analytic model: exact, without weights, fast."""
    from synth.models.tiny import TinyModel

    return TinyModel()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store on a SQLite file of the test's own."""
    opened = Store(f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}")
    yield opened
    opened.close()


@pytest.fixture
def real_library() -> Path:
    """The folder of real images that SYNTH_TEST_LIBRARY names; the test is skipped without one."""
    folder = os.environ.get("SYNTH_TEST_LIBRARY")
    if not folder:
        pytest.skip("SYNTH_TEST_LIBRARY is not set")
    return Path(folder)
