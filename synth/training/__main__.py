"""Train the shipped model and its readers: `python -m synth.training STAGE --data DIR --out DIR ...`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # before torch: spinning threads starve a busy machine

import numpy as np
import torch

from synth.diffusion.zones import Atlas
from synth.errors import SynthError
from synth.models.cards import read_card
from synth.models.networks.codec import Codec
from synth.models.networks.text import Vocabulary
from synth.models.readers import FOLDER, load_readers
from synth.models.shipped import Constants, Networks, ShippedModel
from synth.models.weights import check_files
from synth.training import atlas as atlas_of
from synth.training.bank import Simulated, load_bank, make_bank, save_bank
from synth.training.batches import latent_constants
from synth.training.codec import train_codec, train_decoder
from synth.training.data import Collection, load
from synth.training.denoiser import Frozen, Learner, train_denoiser
from synth.training.export import KINDS, ORIGINS, Trained, export
from synth.training.labels import CODES, labels_of
from synth.training.lesions import FILM_KINDS, SLICE_KINDS, ct_lungs
from synth.training.model_card import draft_card, draft_prose
from synth.training.presets import PRESETS, Preset
from synth.training.reader_card import write_readers
from synth.training.readers import train_readers
from synth.training.run import Budget, Run
from synth.training.tasks import Examples
from synth.training.team import Team
from synth.training.wording import every_caption

ATLAS_FILMS, ATLAS_SLICES = 800, 120
CONSTANTS_FROM = 5000  # training pictures
SHARES = {"codec": 0.2, "denoiser": 0.65, "decoder": 0.15}  # of the minutes of `all`


def main(arguments: list[str] | None = None) -> int:
    """Run one stage, or all of them; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        data = load(options.data, options.limit)
        stages = ["codec", "denoiser", "decoder", "export"] if options.stage == "all" else [options.stage]
        for stage in stages:
            _run_stage(stage, data, options)
    except SynthError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m synth.training", description=__doc__)
    parser.add_argument("stage", choices=["codec", "decoder", "denoiser", "readers", "export", "all"])
    parser.add_argument("--data", type=Path, required=True, help="folder with the parquet shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, logs, sheets and the model")
    parser.add_argument("--minutes", type=float, default=60.0, help="time for this stage, or for all of them")
    parser.add_argument("--steps", type=int, default=None, help="exact number of steps instead of minutes")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="gpu" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --out")
    parser.add_argument(
        "--from", dest="start", type=Path, help="folder of an exported model whose weights are trained further"
    )
    parser.add_argument("--codec", type=Path, help="folder of an exported model whose codec is used as it is")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=int, default=None, help="rows a shard, for a rehearsal")
    parser.add_argument("--model-id", default="synthread-256")
    return parser


def _run_stage(stage: str, data: Collection, options: argparse.Namespace) -> None:
    preset = PRESETS[options.preset]
    minutes = options.minutes * (SHARES.get(stage, 1.0) if options.stage == "all" else 1.0)
    if stage == "export":
        _export(data, options, preset)
        return
    if stage == "readers":
        _readers(data, options, preset, minutes)
        return
    team = Team.from_env() if stage == "denoiser" else Team()
    run = Run(options.out / stage, Budget(None if options.steps else minutes, options.steps), options.seed, team)
    if stage == "codec":
        start = _started(options.start).codec if options.start else None
        train_codec(data, run, preset, start, resume=options.resume)
    elif stage == "decoder":
        train_decoder(data, run, preset, _codec(options, preset), resume=options.resume)
    else:
        _denoiser(data, run, preset, options)


def _readers(data: Collection, options: argparse.Namespace, preset: Preset, minutes: float) -> None:
    folder = options.out / FOLDER
    start = None
    if options.resume and folder.exists():
        start = load_readers(folder, torch.device("cpu"))
        for network in (start.classifier, *start.segmenters.values()):
            network.requires_grad_(True)  # they were loaded to read only
    bank = _bank(data, "train", preset.simulated, options.out)
    readers = train_readers(data, bank, minutes, options.seed, lambda line: print(line, flush=True), start)
    print(write_readers(options.out, readers, data, minutes))


def _denoiser(data: Collection, run: Run, preset: Preset, options: argparse.Namespace) -> None:
    frozen = _frozen(data, options, preset)
    diet, atlas = preset.diet, frozen.atlas
    train = Examples(data, "train", _bank(data, "train", preset.simulated, options.out), atlas, diet)
    val = Examples(data, "val", _bank(data, "val", max(2, preset.simulated // 25), options.out), atlas, diet)
    start = None
    if options.start:
        start = _learner(_started(options.start), preset, frozen.vocabulary)
    train_denoiser(train, val, frozen, run, preset, start, resume=options.resume)
    run.team.leave()


def _frozen(data: Collection, options: argparse.Namespace, preset: Preset) -> Frozen:
    """Codec, latent constants, vocabulary and atlas; all but the codec are functions of the data."""
    device = torch.device(preset.device)
    codec = _codec(options, preset).to(device).eval().requires_grad_(False)
    indices = data.where(split="train")
    some = np.sort(np.random.default_rng(0).choice(indices, min(len(indices), CONSTANTS_FROM), replace=False))
    pixels = torch.from_numpy(data.pixels[some][:, None])
    mean, std = latent_constants(codec, pixels.to(device).float() / 255)
    labels = [labels_of(row) for row in data.rows]
    codes = sorted({*CODES.values(), *FILM_KINDS, *SLICE_KINDS})
    return Frozen(
        codec=codec,
        constants=Constants(mean, std, ORIGINS, KINDS, preset.temperature),
        vocabulary=Vocabulary.of(every_caption(labels, codes)),
        card=draft_card(options.model_id, data, options.seed),
        atlas=_atlas(data),
    )


def _codec(options: argparse.Namespace, preset: Preset, *, decoder: bool = False) -> Codec:
    """The codec of this run, or of the model that --codec or --from names; with `decoder` the last decoder, if any."""
    stages = ("decoder", "codec") if decoder else ("codec",)
    paths = [options.out / stage / "checkpoint.pt" for stage in stages]
    path = next((path for path in paths if path.exists()), None)
    if path is None and (given := options.codec or options.start):
        return _started(given).codec
    if path is None:
        raise SynthError(f"There is no codec in {options.out}; train it first: python -m synth.training codec.")
    codec = Codec(preset.codec)
    codec.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["codec"])
    return codec


def _started(folder: Path) -> Networks:
    card = read_card(folder)
    check_files(folder, card)
    return ShippedModel.from_folder(folder, card, torch.device("cpu")).networks


def _learner(networks: Networks, preset: Preset, vocabulary: Vocabulary) -> Learner:
    """Denoiser and text encoder of an exported model. Raises SynthError where the preset or the words differ."""
    learner = Learner(preset, vocabulary)
    same = networks.denoiser.config == learner.denoiser.config and networks.text.config == preset.text
    if not same or networks.vocabulary.words != vocabulary.words:
        raise SynthError("The model of --from has other sizes or words than this preset and data; train without it.")
    learner.denoiser.load_state_dict(networks.denoiser.state_dict())
    learner.text.load_state_dict(networks.text.state_dict())
    return learner


def _atlas(data: Collection) -> Atlas:
    films = [data.masks[i] for i in data.where(split="train", modality="DX") if i in data.masks][:ATLAS_FILMS]
    chest = data.where(split="train", modality="CT", body_part="CHEST")
    whole = [i for i in chest if "crop" not in (data.rows[i]["view"] or "")]
    slices = [ct_lungs(data.pixels[i].astype(np.float32) / 255) for i in whole[:: max(1, len(whole) // ATLAS_SLICES)]]
    return atlas_of.build(films, slices)


def _bank(data: Collection, split: str, count: int, out: Path) -> list[Simulated]:
    path = out / f"lesions-{split}.npz"
    if not path.exists():
        save_bank(path, make_bank(data, split, count, seed=0 if split == "train" else 1))
    return load_bank(path)


def _export(data: Collection, options: argparse.Namespace, preset: Preset) -> None:
    frozen = _frozen(data, options, preset)
    learner = Learner(preset, frozen.vocabulary)
    state = torch.load(options.out / "denoiser" / "checkpoint.pt", map_location="cpu", weights_only=True)
    learner.load_state_dict(state["average"])
    codec = _codec(options, preset, decoder=True)
    networks = Networks(codec, learner.denoiser, learner.text, frozen.vocabulary)
    folder = options.out / options.model_id
    card = export(folder, Trained(networks, frozen.constants, frozen.atlas), frozen.card, draft_prose(data, options))
    print(f"{folder}: {len(card.files)} files, revision {card.revision}")


if __name__ == "__main__":
    sys.exit(main())
