"""A store in a file of the test's own folder, and small images to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from synth.store import Store
from synth.types import GeneratedImage, GenerationRequest, Provenance, QualityCheck, QualityReport

MakeImage = Callable[..., GeneratedImage]


@pytest.fixture
def urls(tmp_path: Path) -> tuple[str, str]:
    return f"sqlite:///{tmp_path / 'synth.db'}", f"file://{tmp_path / 'blobs'}"


@pytest.fixture
def store(urls: tuple[str, str]) -> Iterator[Store]:
    opened = Store(*urls)
    yield opened
    opened.close()


@pytest.fixture
def make_image() -> MakeImage:
    """An 8 x 8 image whose pixels follow from its seed alone."""

    def make(image_id: str, user: str = "ada", seed: int = 1) -> GeneratedImage:
        request = GenerationRequest(seed=seed, note="PA chest film")
        provenance = Provenance(
            request_digest=request.digest(),
            model_id="tiny",
            model_revision="1",
            weights_hash="0" * 64,
            sampler="euler",
            seed=seed,
            device="cpu",
            dtype="float32",
            versions={"numpy": np.__version__},
            created_at=datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC),
            requested_by=user,
            seconds=0.125,
        )
        pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
        quality = QualityReport((QualityCheck("mean", float(pixels.mean()), 0.0, 255.0),))
        return GeneratedImage(image_id, pixels, request, provenance, quality)

    return make
