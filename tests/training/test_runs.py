"""The stages of a training on phantoms: they learn, resume exactly and export a model that loads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from synth.config import Settings
from synth.diffusion.holes import fill, unknown_cells
from synth.generate import Order, generate
from synth.models import loader
from synth.models.networks.codec import Codec, CodecConfig
from synth.models.shipped import ShippedModel
from synth.training.__main__ import main
from synth.training.presets import PRESETS
from synth.training.run import Budget, Run
from synth.types import Finding, GenerationRequest, Side, Zone
from tests.test_generate import NOW

pytestmark = pytest.mark.training


def arguments(stage: str, shards: Path, out: Path, *more: str) -> list[str]:
    return [stage, "--data", str(shards), "--out", str(out), "--preset", "tiny", "--model-id", "m", *more]


@pytest.fixture(scope="module")
def trained(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    assert main(arguments("all", shards, out, "--steps", "4")) == 0
    return out


def weights(out: Path, stage: str) -> dict[str, torch.Tensor]:
    state = torch.load(out / stage / "checkpoint.pt", weights_only=True)
    return dict(state["codec"] if "codec" in state else state["learner"])


@pytest.mark.parametrize("stage", ["codec", "denoiser", "decoder"])
def test_a_killed_run_resumes_to_the_weights_of_an_unbroken_one(
    stage: str, shards: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed in {"codec", "lesions-train.npz", "lesions-val.npz"} - {stage}:
        (tmp_path / needed).symlink_to(trained / needed)
    save = Run.save_if_due

    def save_and_die_after_two(self: Run, state: dict[str, object], *, always: bool = False) -> None:
        save(self, state, always=self.step == 2 or always)
        if self.step == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Run, "save_if_due", save_and_die_after_two)
        main(arguments(stage, shards, tmp_path, "--steps", "4"))
    assert main(arguments(stage, shards, tmp_path, "--steps", "4", "--resume")) == 0
    whole, broken = weights(trained, stage), weights(tmp_path, stage)
    assert whole.keys() == broken.keys()
    assert all(torch.equal(whole[name], broken[name]) for name in whole)


def test_the_exported_model_draws_a_picture_and_its_files_are_named_by_hash(trained: Path) -> None:
    settings = Settings.from_env({"SYNTH_MODELS": str(trained), "SYNTH_MODEL": "m", "SYNTH_DEVICE": "cpu"})
    model = loader.load(settings)
    names = set(model.card.files)
    assert names == {
        "atlas.safetensors",
        "codec.safetensors",
        "config.json",
        "denoiser.safetensors",
        "text.safetensors",
        "vocab.json",
    }
    request = GenerationRequest(
        findings=(Finding("pneumonia", Side.RIGHT, Zone.LOWER),), absent=("fracture",), steps=2, model_id="m"
    )
    image = generate(model, Order(request, "user", "image"), NOW, lambda step: None)
    again = generate(model, Order(request, "user", "image"), NOW, lambda step: None)
    assert image.pixels.shape == (256, 256)
    assert np.array_equal(image.pixels, again.pixels)
    assert image.provenance.weights_hash == model.card.weights_hash()


def test_batches_drawn_by_a_worker_process_are_the_same(
    shards: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed in ("codec", "lesions-train.npz", "lesions-val.npz"):
        (tmp_path / needed).symlink_to(trained / needed)
    monkeypatch.setitem(PRESETS, "tiny", replace(PRESETS["tiny"], workers=1))
    assert main(arguments("denoiser", shards, tmp_path, "--steps", "4")) == 0
    alone, helped = weights(trained, "denoiser"), weights(tmp_path, "denoiser")
    assert all(torch.equal(alone[name], helped[name]) for name in alone)


def test_an_exported_model_is_trained_further(shards: Path, trained: Path, tmp_path: Path) -> None:
    start = str(trained / "m")
    assert main(arguments("denoiser", shards, tmp_path, "--steps", "1", "--from", start)) == 0
    before = loader.load(Settings.from_env({"SYNTH_MODELS": str(trained), "SYNTH_MODEL": "m", "SYNTH_DEVICE": "cpu"}))
    assert isinstance(before, ShippedModel)
    after = weights(tmp_path, "denoiser")
    name = "unet.down_blocks.0.resnets.0.conv1.weight"
    moved = (after["denoiser." + name] - before.networks.denoiser.state_dict()[name]).abs().max()
    assert 0 < moved < 1e-3  # one step of warm-up away from where it was


def test_a_denoiser_of_other_size_is_trained_on_the_codec_of_an_exported_model(
    shards: Path, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = PRESETS["tiny"]
    monkeypatch.setitem(PRESETS, "tiny", replace(small, denoiser=replace(small.denoiser, channels=(32, 64))))
    given = ("--codec", str(trained / "m"))
    assert main(arguments("denoiser", shards, tmp_path, "--steps", "1", *given)) == 0
    assert main(arguments("export", shards, tmp_path, *given)) == 0
    old, new = (load_file(folder / "m" / "codec.safetensors") for folder in (trained, tmp_path))
    assert old.keys() == new.keys()
    assert all(torch.equal(old[name], new[name]) for name in old)


def test_codec_training_beats_the_linear_start(shards: Path, tmp_path: Path) -> None:
    assert main(arguments("codec", shards, tmp_path, "--steps", "60")) == 0
    first = main(arguments("codec", shards, tmp_path / "start", "--steps", "1"))
    assert first == 0
    end = [json.loads(line)["psnr_val"] for line in (tmp_path / "codec/log.jsonl").read_text().splitlines()][-1]
    start = json.loads((tmp_path / "start/codec/log.jsonl").read_text().splitlines()[-1])["psnr_val"]
    assert end > start + 0.05


def test_a_missing_codec_is_named(shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments("denoiser", shards, tmp_path, "--steps", "1")) == 2
    assert "train it first" in capsys.readouterr().err


def test_a_budget_is_steps_or_minutes() -> None:
    assert Budget(steps=4).progress(1, 1e9) == 0.25
    assert Budget(minutes=1.0).progress(10**9, 30.0) == 0.5
    assert Budget(minutes=1.0).progress(0, 120.0) == 1.0


def test_an_untrained_codec_is_a_linear_resampling_that_any_size_passes() -> None:
    codec = Codec(CodecConfig(channels=(16, 16), layers=1, groups=4)).eval()
    y, x = (torch.arange(96) + 0.5) / 96, (torch.arange(64) + 0.5) / 64
    smooth = (torch.cos(2 * torch.pi * y)[:, None] * torch.cos(torch.pi * x))[None, None]
    with torch.no_grad():
        z = codec.encode(smooth)
        assert z.shape == (1, 4, 12, 8)
        assert torch.allclose(codec.decode(z), smooth, atol=0.02)
        assert codec.thumbnail(z).shape == (1, 1, 24, 16)


def test_the_known_picture_does_not_leak_what_the_hole_hides() -> None:
    hole = torch.zeros(1, 1, 64, 64)
    hole[..., 20:40, 20:40] = 1
    dark, bright = torch.full((1, 1, 64, 64), 0.5), torch.full((1, 1, 64, 64), 0.5)
    dark[hole > 0], bright[hole > 0] = 0.0, 1.0
    assert torch.equal(fill(dark, hole), fill(bright, hole))
    assert torch.allclose(fill(dark, hole), torch.full((1, 1, 64, 64), 0.5), atol=1e-5)
    cells = unknown_cells(hole)
    assert cells.shape == (1, 1, 8, 8)
    assert cells[0, 0, 2:5, 2:5].min() == 1
    assert cells.sum() == 25  # the 3 x 3 cells that the hole touches and one around
