"""Data, captions and examples of the training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synth import masks
from synth.captions import Labels, caption
from synth.errors import RequestError
from synth.models.networks.codec import Codec
from synth.models.networks.text import Vocabulary
from synth.training import wording
from synth.training.__main__ import _atlas
from synth.training.bank import Simulated, load_bank, make_bank, save_bank
from synth.training.batches import Batch, encode
from synth.training.data import Collection, load, published
from synth.training.labels import findings_of, labels_of
from synth.training.presets import MIX, PRESETS
from synth.training.tasks import Diet, Example, Examples, random_hole
from synth.types import Finding, Severity, Side, Zone
from tests.phantoms import film

pytestmark = pytest.mark.training
PNEUMONIA = Finding("pneumonia", Side.RIGHT, Zone.LOWER, Severity.MODERATE)
MAN = Labels("DX", "chest", "PA", "M", 65, (PNEUMONIA,), origin="nih")


@pytest.fixture(scope="module")
def data(shards: Path) -> Collection:
    return load(shards)


@pytest.fixture(scope="module")
def bank(data: Collection) -> list[Simulated]:
    return make_bank(data, "train", 8, seed=0)


@pytest.fixture(scope="module")
def examples(data: Collection, bank: list[Simulated]) -> Examples:
    return Examples(data, "train", bank, _atlas(data), Diet(MIX, (0.6, 0.2, 0.2)))


def test_pictures_and_masks_come_to_256_px_together(data: Collection) -> None:
    assert data.pixels.shape == (40, 256, 256)
    assert sorted(data.masks) == list(range(24))
    film, lungs = data.pixels[0], data.masks[0]
    assert lungs.shape == (256, 256)
    assert film[lungs].mean() < film[~lungs].mean()  # lungs are dark


def test_pictures_come_one_by_one_as_they_were_published(shards: Path) -> None:
    found = list(published(shards))
    assert [name for name, _ in found[:2]] == ["film-0", "film-1"] and len(found) == 40
    assert np.array_equal(found[1][1], film(224, 1))


def test_a_folder_without_shards_is_named(tmp_path: Path) -> None:
    for read in (load, lambda folder: next(published(folder))):
        with pytest.raises(RequestError, match=r"holds no .parquet shard"):
            read(tmp_path)


def test_the_canonical_caption_says_everything_in_one_order() -> None:
    assert caption(replace(MAN, absent=("pleural_effusion",))) == (
        "origin_nih, chest x ray, pa view, 65 year old man, moderate right lower pneumonia, no pleural effusion"
    )
    assert caption(replace(MAN, findings=(), age=7, origin=None)) == "chest x ray, pa view, 7 year old boy, no finding"
    assert caption(Labels("CT", "chest", None, None, None, None)) == "chest ct"


def test_labels_become_findings() -> None:
    assert findings_of(["Pneumonia", "bacterial"]) == (Finding("bacterial_pneumonia"),)
    assert findings_of(["No Finding"]) == ()
    assert findings_of(["COVID-19 (cohort: film may be normal)"]) is None
    assert findings_of(["Effusion", "Mass"]) == (Finding("pleural_effusion"), Finding("mass"))


def test_every_word_of_every_training_caption_is_in_the_vocabulary(data: Collection) -> None:
    labels = [labels_of(row) for row in data.rows]
    vocabulary = Vocabulary.of(wording.every_caption(labels, ["pneumonia", "cavity"]))
    rng = np.random.default_rng(0)
    for _ in range(400):
        text = wording.write(replace(MAN, age=int(rng.integers(0, 101)), findings=(PNEUMONIA,)[: rng.integers(2)]), rng)
        assert vocabulary.unknown(text) == []


def test_captions_drop_attributes_but_never_invent_a_finding() -> None:
    rng = np.random.default_rng(1)
    texts = [wording.write(replace(MAN, findings=()), rng) for _ in range(300)]
    assert 0.04 < np.mean([text == "" for text in texts]) < 0.18
    assert 0.5 < np.mean(["origin_nih" in text for text in texts]) < 0.75
    assert all(f" {word}" in f" no {word}" for word in ("pneumonia",))
    for text in texts:
        assert "pneumonia" not in text.replace("no pneumonia", "")


def test_simulated_lesions_survive_their_file(bank: list[Simulated], tmp_path: Path) -> None:
    assert len(bank) >= 6
    save_bank(tmp_path / "bank.npz", bank)
    back = load_bank(tmp_path / "bank.npz")
    assert [case.finding for case in back] == [case.finding for case in bank]
    assert [case.index for case in back] == [case.index for case in bank]
    assert all(
        np.array_equal(a.pixels, b.pixels) and np.array_equal(a.area(), b.area())
        for a, b in zip(back, bank, strict=True)
    )


def test_the_bank_changes_a_picture_only_inside_its_masks(data: Collection, bank: list[Simulated]) -> None:
    for case in bank:
        changed = case.pixels.astype(int) != data.pixels[case.index]
        assert changed.any()
        assert not (changed & (case.area() < 0.5)).any()


def test_a_drawn_lesion_lies_inside_its_hole_and_the_rest_is_the_known_picture(examples: Examples) -> None:
    rng = np.random.default_rng(3)
    edited = [e for e in (examples.simulated(rng) for _ in range(60)) if e.known is not None]
    healed = [e for e in edited if e.lesion is not None and e.lesion.max() == 0]
    before_and_after = [e for e in edited if e.unknown is None]
    assert 0 < len(healed) < len(edited)
    assert 0 < len(before_and_after) < len(edited)
    for example in edited:
        assert example.known is not None and example.lesion is not None
        changed = example.pixels != example.known
        if example.unknown is None:  # a mask drawn by hand misses points of the lesion by a few pixels
            assert (changed & (masks.grown(example.lesion, 6) < 0.5)).sum() <= 0.05 * changed.sum()
        else:
            assert not (changed & (example.unknown == 0)).any()
            assert not (example.lesion[example.unknown == 0] > 0).any()
    assert all((e.pixels != e.known).any() for e in before_and_after)


def test_simulated_lesions_never_come_without_a_mask(examples: Examples) -> None:
    rng = np.random.default_rng(4)
    assert all(examples.simulated(rng).lesion is not None for _ in range(40))


def test_pairs_go_both_ways_and_stay_inside_the_split(examples: Examples, data: Collection) -> None:
    kinds = {(data.rows[a]["modality"], data.rows[b]["modality"]) for a, b in examples._pairs}
    assert kinds == {("CT", "MR"), ("MR", "CT")}
    assert all(data.rows[i]["split"] == "train" for pair in examples._pairs for i in pair)


def test_every_task_is_drawn(examples: Examples) -> None:
    assert examples._tasks == ["text", "hole", "simulated", "mask", "pair"]
    rng = np.random.default_rng(5)
    drawn = [examples.draw(rng) for _ in range(80)]
    assert any(e.known is None and e.lesion is None for e in drawn)
    assert any(e.known is not None and e.unknown is None for e in drawn)
    assert any(e.lesion is not None for e in drawn)


def test_holes_cover_the_wanted_share() -> None:
    shares = [random_hole(np.random.default_rng(k)).mean() for k in range(30)]
    assert min(shares) >= 0.03
    assert max(shares) < 0.85


def test_augmentation_moves_picture_and_masks_together_and_never_flips(examples: Examples) -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (256, 1))
    mask = (ramp > 128).astype(np.float32)
    example = replace(examples.text(np.random.default_rng(0)), pixels=ramp, known=ramp, unknown=mask, lesion=mask)
    batch = Batch.of([example] * 6).on(torch.device("cpu")).augmented(np.random.default_rng(1))
    assert (batch.pixels[:, 0, 128, 230] > batch.pixels[:, 0, 128, 20]).all()
    assert np.allclose(batch.pixels, batch.known)
    for pixels, lesion in zip(batch.pixels, batch.lesion, strict=True):
        assert pixels[lesion > 0.9].min() > pixels[lesion < 0.1].max() - 0.02


def test_of_a_pair_the_source_is_known_in_full_and_everything_is_unknown() -> None:
    """What `synth.diffusion.edit.beside` gives the model in use."""
    source, target = film(256, 1), film(256, 2)
    codec = Codec(PRESETS["tiny"].codec).eval()
    batch = Batch.of([Example(target, "brain mr", source)]).on(torch.device("cpu"))
    latents = encode(batch, codec, torch.tensor(0.5), torch.tensor(2.0), torch.zeros(1, 1))
    with torch.no_grad():
        known = codec.encode(torch.from_numpy(source[None, None].astype(np.float32)) / 255 * 2 - 1)
    assert torch.allclose(latents.known, (known - 0.5) / 2.0)
    assert latents.unknown.min() == 1.0 and latents.lesion_given.max() == 0.0
