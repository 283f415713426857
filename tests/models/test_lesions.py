"""What the shipped model says of findings at each place, with and without the readers beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from synth.config import Settings
from synth.errors import WeightsCorrupt
from synth.models.loader import load
from synth.models.readers import FOLDER, WEIGHTS
from tests.models.test_readers import readers, save

MODEL = "synthread-256"
PICTURE = torch.rand(2, 1, 320, 320, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose folder of models holds the shipped one alone."""
    shipped = Settings.from_env({}).models / MODEL
    if not shipped.is_dir():
        pytest.skip("the shipped model is not there")
    (tmp_path / MODEL).symlink_to(shipped)
    return replace(Settings.from_env({}), models=tmp_path, model_id=MODEL, device="cpu")


def test_without_readers_nothing_is_detected(settings: Settings) -> None:
    assert load(settings).lesions(PICTURE, "DX") is None


def test_readers_beside_the_model_see_chests_of_any_size_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    save(tmp_path / FOLDER, readers())
    model = load(settings)
    expected = readers().read(PICTURE).maps.sigmoid()
    for modality in ("DX", "CT"):
        found = model.lesions(PICTURE, modality)
        assert found is not None and found.shape == (2, 2, 16, 16)
        assert torch.allclose(found, expected, atol=1e-2)  # stored in fp16
    assert model.lesions(PICTURE, "MR") is None
    assert model.lesions(PICTURE, "OT") is None


def test_damaged_readers_stop_the_model_rather_than_fall_silent(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    save(tmp_path / FOLDER, readers())
    (tmp_path / FOLDER / WEIGHTS).write_bytes(b"")
    with pytest.raises(WeightsCorrupt):
        load(settings)
