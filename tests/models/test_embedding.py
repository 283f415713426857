"""The embedder: vectors of length 1 from pictures of any size, near for copies, under a name that tells the weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from synth.config import Settings
from synth.errors import WeightsCorrupt
from synth.models.embedding import Embedder, embedder
from synth.models.readers import FOLDER, load_readers, save_readers
from tests.models.test_readers import save

SHIPPED = Settings.from_env({}).models


@pytest.fixture(scope="module")
def embed() -> Embedder:
    return embedder(SHIPPED)


def picture(seed: int, height: int = 200, width: int = 200) -> np.ndarray:
    """A smooth pattern, (height, width) uint8."""
    coarse = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(seed))
    smooth = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)
    return (smooth[0, 0].numpy() * 255).astype(np.uint8)


def test_pictures_of_any_size_become_vectors_of_length_one(embed: Embedder) -> None:
    vectors = embed([picture(0), picture(1, 64, 300), picture(2, 1024, 800), np.zeros((50, 50), np.uint8)])
    assert (vectors.shape, vectors.dtype) == ((4, embed.size), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_no_pictures_are_no_vectors(embed: Embedder) -> None:
    assert embed([]).shape == (0, embed.size)


def test_a_picture_has_the_same_vector_alone_and_in_any_batch(embed: Embedder) -> None:
    pictures = [picture(seed, 100 + seed) for seed in range(35)]
    assert embed([pictures[33]])[0] == pytest.approx(embed(pictures)[33], abs=1e-5)


def test_a_smaller_and_darker_copy_is_nearer_than_another_picture(embed: Embedder) -> None:
    original, other = picture(0), picture(1)
    copy = (original[::2, ::2] * 0.7).astype(np.uint8)
    vectors = embed([original, copy, other])
    assert 1 - vectors[0] @ vectors[1] < 0.2 * (1 - vectors[0] @ vectors[2])


def test_the_name_changes_with_the_weights(tmp_path: Path, embed: Embedder) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    readers = load_readers(SHIPPED / FOLDER, torch.device("cpu"))
    save(folder, readers)
    same = embedder(tmp_path)
    readers.classifier.stem[0].weight.data += 0.1
    save_readers(folder, readers)
    with pytest.raises(WeightsCorrupt):
        embedder(tmp_path)
    save(folder, readers)
    other = embedder(tmp_path)
    assert embed.id.startswith("reader-256:") and same.id != other.id
    assert same.size == other.size == embed.size
