import hashlib
from pathlib import Path

import pytest

from synth.errors import ModelError, WeightsCorrupt, WeightsMissing
from synth.models.weights import check_files, file_hashes, sha256
from synth.types import ModelCard

CONTENT = {"config.json": b"{}", "denoiser.safetensors": b"weights" * 1000, "parts/codec.safetensors": b"codec"}


def card(files: dict[str, str]) -> ModelCard:
    return ModelCard("mini", "Mini", "1", files, "CC0", "phantoms", 256, "tests", "all")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in CONTENT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_the_hash_of_a_file_longer_than_a_piece_is_its_sha256(tmp_path: Path) -> None:
    data = bytes(range(256)) * 5000  # 1.28 MB, more than one piece
    (tmp_path / "a").write_bytes(data)
    assert sha256(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_hashes_come_sorted_by_name(folder: Path) -> None:
    hashes = file_hashes(folder, reversed(CONTENT))
    assert list(hashes.items()) == [(name, hashlib.sha256(CONTENT[name]).hexdigest()) for name in sorted(CONTENT)]


def test_untouched_files_pass(folder: Path) -> None:
    check_files(folder, card(file_hashes(folder, CONTENT)))


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    whole = card(file_hashes(folder, CONTENT))
    (folder / name).unlink()
    with pytest.raises(WeightsMissing, match=f"The file {name} of model 'mini' is missing; restore"):
        check_files(folder, whole)


@pytest.mark.parametrize("name", sorted(CONTENT))
def test_one_changed_bit_is_noticed(folder: Path, name: str) -> None:
    whole = card(file_hashes(folder, CONTENT))
    content = bytearray(CONTENT[name])
    content[-1] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(WeightsCorrupt, match=f"The file {name} of model 'mini' is damaged"):
        check_files(folder, whole)


def test_a_cut_file_is_noticed(folder: Path) -> None:
    whole = card(file_hashes(folder, CONTENT))
    (folder / "denoiser.safetensors").write_bytes(CONTENT["denoiser.safetensors"][:-100])
    with pytest.raises(WeightsCorrupt, match=r"denoiser\.safetensors"):
        check_files(folder, whole)


def test_weights_that_the_card_does_not_name_are_refused(folder: Path) -> None:
    whole = card(file_hashes(folder, CONTENT))
    (folder / "extra.safetensors").write_bytes(b"?")
    with pytest.raises(WeightsCorrupt, match=r"extra\.safetensors lies in the folder"):
        check_files(folder, whole)


@pytest.mark.parametrize("name", ["model.bin", "model.ckpt", "model.PT", "model.pkl"])
def test_pickles_are_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"cos\nsystem\n")
    with pytest.raises(ModelError, match="is a pickle"):
        check_files(folder, card(file_hashes(folder, [name])))
