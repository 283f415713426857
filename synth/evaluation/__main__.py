"""Measure the shipped model: `python -m synth.evaluation codec|samples|control|restore --data DIR [--out DIR]`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import numpy as np

from synth.config import Settings
from synth.errors import SynthError
from synth.evaluation import codec, control, copies, drawing, restoration
from synth.models.loader import load as load_model
from synth.models.shipped import ShippedModel
from synth.training.data import Collection, load
from synth.training.sheets import save_sheet
from synth.types import RESTORATIONS

CONTROL_CODES = ("pneumonia", "pleural_effusion", "covid_19", "edema", "nodule")


def main(arguments: list[str] | None = None) -> int:
    """Print figures as Markdown; pictures go to --out, which must lie outside the repository (real images)."""
    parser = argparse.ArgumentParser(prog="python -m synth.evaluation", description=__doc__)
    parser.add_argument("what", choices=["codec", "samples", "control", "restore"])
    parser.add_argument("--data", type=Path, required=True, help="folder with the parquet shards")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for contact sheets")
    parser.add_argument("--count", type=int, default=32, help="pictures to draw, or of each group to restore")
    parser.add_argument("--split", choices=["val", "test"], default="test", help="patients to restore")
    parser.add_argument("--kinds", default=",".join(RESTORATIONS), help="damages to restore, with commas")
    parser.add_argument("--groups", type=int, default=99, help="groups at most, for a short trial")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_env()
        model = load_model(settings)
        if not isinstance(model, ShippedModel):
            raise SynthError(f"{settings.model_id} is not a model of this repository; evaluation needs its codec.")
        options.out.mkdir(parents=True, exist_ok=True)
        {"codec": _codec, "samples": _samples, "control": _control, "restore": _restore}[options.what](model, options)
    except SynthError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _codec(model: ShippedModel, options: argparse.Namespace) -> None:
    data = load(options.data)
    groups: dict[str, list[int]] = {}
    for index in data.where(split="test"):
        row = data.rows[index]
        groups.setdefault(f"{row['modality']} {row['body_part'].lower()}", []).append(int(index))
    print(codec.table({k: codec.measure(model, codec.as_tensor(data.pixels[v])) for k, v in sorted(groups.items())}))


def _samples(model: ShippedModel, options: argparse.Namespace) -> None:
    """A sheet of two seeds a prompt, and each sample beside its nearest training picture."""
    data = load(options.data)
    texts = drawing.SHEET_PROMPTS
    seeds = range(max(1, options.count // len(texts)))
    requests = drawing.requests_of(texts, seeds, model.card.id)
    pictures = drawing.draw(model, requests)
    save_sheet(options.out / "samples.png", codec.as_tensor(pictures), columns=8)
    for modality in ("DX", "CT"):
        mine = np.array([r.modality == modality for r in requests])
        train, unseen = (data.pixels[_chest(data, split, modality)] for split in ("train", "val"))
        found = copies.neighbours(pictures[mine], train, unseen)
        pairs = np.stack([pictures[mine], train[found.nearest]], axis=1).reshape(-1, 256, 256)
        save_sheet(options.out / f"nearest-{modality}.png", codec.as_tensor(pairs), columns=8)
        print(f"{modality}: {found.sentence()}")


def _chest(data: Collection, split: str, modality: str) -> np.ndarray:
    chest = data.where(split=split, modality=modality, body_part="CHEST")
    return np.array([i for i in chest if "crop" not in (data.rows[i]["view"] or "")])


def _control(model: ShippedModel, options: argparse.Namespace) -> None:
    if model.atlas is None:
        raise SynthError("The model has no atlas; control is measured inside its lungs.")
    lungs = np.stack([model.atlas.right, model.atlas.left])
    figures = control.measure(model, lungs, range(options.count), CONTROL_CODES)
    for code, value in figures.finding_swap.items():
        print(f"normal against {code}: mean change in the lungs {value:.1f} grey levels")
    print(f"effusion on the side that was asked for: {figures.side_share:.0%} of {options.count} seeds")
    print(f"heart on the left: {figures.heart_left:.0%}")


def _restore(model: ShippedModel, options: argparse.Namespace) -> None:
    """Write restoration.json into --out, row by row; the same command goes on where it was stopped."""
    data = load(options.data)
    random = np.random.default_rng(restoration.SEED)
    groups: dict[str, list[int]] = {}
    for index in random.permutation(data.where(split=options.split)):
        row = data.rows[index]
        groups.setdefault(f"{row['modality']} {row['body_part'].lower()}", []).append(int(index))
    chosen = {name: list(data.pixels[groups[name][: options.count]]) for name in sorted(groups)[: options.groups]}
    protocol = {
        "command": f"python -m synth.evaluation restore --count {options.count} --split {options.split}",
        "steps": restoration.STEPS,
        "pictures": options.count,
        "split": options.split,
        "seed": restoration.SEED,
        "model": f"{model.card.id} {model.card.revision}",
        "weights": model.card.weights_hash(),
        "commit": _commit(),
    }
    rows = restoration.run(
        model,
        chosen,
        options.kinds.split(","),
        options.out / "restoration.json",
        protocol,
        lambda line: print(line, flush=True),
    )
    print(restoration.table(rows))


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "none"


if __name__ == "__main__":
    sys.exit(main())
