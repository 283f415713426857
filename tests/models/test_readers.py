"""The readers: what their maps and pools mean, and that a stored reader reads as before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from synth.errors import WeightsCorrupt
from synth.models.cards import write_card
from synth.models.networks.classifier import Classifier, ClassifierConfig, pooled, standardised
from synth.models.networks.segmenter import Segmenter
from synth.models.readers import Readers, load_readers, save_readers
from synth.models.weights import file_hashes
from synth.types import ModelCard


def readers() -> Readers:
    torch.manual_seed(0)
    return Readers(Classifier(ClassifierConfig(("a", "b"), (8, 8, 8))), {"lesion": Segmenter((4, 8))}).to(
        torch.device("cpu")
    )


def test_one_bright_cell_lifts_its_finding_and_no_other() -> None:
    maps = torch.full((1, 2, 16, 16), -3.0)
    maps[0, 1, 4, 5] = 5.0
    flat, peak = pooled(maps)[0].tolist()
    assert flat == pytest.approx(-3.0)
    assert -3.0 < peak < 5.0
    assert peak > 3.0  # the pool is nearer to the maximum than to the mean


def test_brightness_and_contrast_of_the_whole_picture_do_not_matter() -> None:
    picture = torch.rand(1, 1, 256, 256)
    assert torch.allclose(standardised(0.3 + 0.5 * picture, 128), standardised(picture, 128), atol=1e-3)


def test_a_flat_picture_is_read_without_a_division_by_zero() -> None:
    found = readers().read(torch.zeros(1, 1, 256, 256))
    assert torch.isfinite(found.logits).all()


def test_an_outline_has_the_size_of_its_picture() -> None:
    found = readers().outline("lesion", torch.rand(3, 1, 64, 64))
    assert found.shape == (3, 1, 64, 64)
    assert float(found.min()) >= 0 and float(found.max()) <= 1


def test_stored_readers_read_as_before(tmp_path: Path) -> None:
    kept = readers()
    save(tmp_path, kept)
    picture = torch.rand(2, 1, 256, 256)
    again = load_readers(tmp_path, torch.device("cpu"))
    assert again.codes == ("a", "b")
    assert torch.allclose(again.read(picture).logits, kept.read(picture).logits, atol=1e-2)  # stored in fp16
    assert torch.allclose(again.outline("lesion", picture), kept.outline("lesion", picture), atol=1e-2)


def test_damaged_readers_are_refused(tmp_path: Path) -> None:
    save(tmp_path, readers())
    with (tmp_path / "readers.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    with pytest.raises(WeightsCorrupt, match=r"readers\.safetensors"):
        load_readers(tmp_path, torch.device("cpu"))


def save(folder: Path, kept: Readers) -> None:
    files = file_hashes(folder, save_readers(folder, kept))
    write_card(folder, ModelCard("reader", "Reader", "1", files, "none", "none", 256, "tests", "all"), "")
