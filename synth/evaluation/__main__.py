"""Measure the shipped model: `python -m synth.evaluation MEASURE --data DIR [--out DIR]`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from synth import results
from synth.config import Settings
from synth.errors import SynthError
from synth.evaluation import (
    alignment,
    alignment_table,
    codec,
    control,
    copies,
    drawing,
    likeness,
    nulls,
    regression,
    restoration,
    robustness,
    robustness_table,
    translation,
)
from synth.models.embedding import embedder
from synth.models.loader import load as load_model
from synth.models.readers import FOLDER, Readers, load_readers
from synth.models.shipped import ShippedModel
from synth.terms import TRANSLATIONS, Modality
from synth.training.data import Collection, load, published
from synth.training.sheets import save_sheet
from synth.types import RESTORATIONS

CONTROL_CODES = ("pneumonia", "pleural_effusion", "covid_19", "edema", "nodule")


def main(arguments: list[str] | None = None) -> int:
    """Print figures as Markdown; pictures go to --out, which must lie outside the repository (real images)."""
    parser = argparse.ArgumentParser(prog="python -m synth.evaluation", description=__doc__)
    parser.add_argument("what", choices=sorted(MEASURES))
    parser.add_argument("--data", type=Path, required=True, help="folder with the parquet shards")
    parser.add_argument("--out", type=Path, default=Path("out"), help="folder for contact sheets and unfinished tables")
    parser.add_argument("--count", type=int, default=None, help="pictures to draw; each measure has its own default")
    parser.add_argument(
        "--split", choices=["val", "test"], default="test", help="val to tune; its figures are not kept"
    )
    parser.add_argument("--kinds", default=",".join(RESTORATIONS), help="restore: damages, with commas, for a trial")
    parser.add_argument("--groups", type=int, default=None, help="restore: groups at most, for a trial")
    parser.add_argument("--nulls", type=int, default=None, help="watermark: unmarked pictures to look at, instead")
    options = parser.parse_args(arguments)
    try:
        settings = Settings.from_env()
        model = load_model(settings)
        if not isinstance(model, ShippedModel):
            raise SynthError(f"{settings.model_id} is not a model of this repository; evaluation needs its codec.")
        options.out.mkdir(parents=True, exist_ok=True)
        MEASURES[options.what](model, options)
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
    seeds = range(max(1, (options.count or 32) // len(texts)))
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
    count = options.count or 8
    figures = control.measure(model, lungs, range(count), CONTROL_CODES)
    for code, value in figures.finding_swap.items():
        print(f"normal against {code}: mean change in the lungs {value:.1f} grey levels")
    print(f"effusion on the side that was asked for: {figures.side_share:.0%} of {count} seeds")
    print(f"heart on the left: {figures.heart_left:.0%}")


def _readers(model: ShippedModel, options: argparse.Namespace) -> None:
    data = load(options.data)
    figures = alignment.calibration(_load_readers(model), data)
    print(alignment_table.real(figures))


def _likeness(model: ShippedModel, options: argparse.Namespace) -> None:
    data = load(options.data, wanted=lambda row: row["split"] == options.split)
    print(likeness.table(embedder(Settings.from_env().models), data, options.split))


def _alignment(model: ShippedModel, options: argparse.Namespace) -> None:
    """All figures of control into assets/results/alignment.json; exit status 1 where one misses its goal."""
    data = load(options.data)
    figures = alignment.measure(model, _load_readers(model), data, alignment.Counts.of(options.count))
    path = results.save("alignment", model.card, alignment.PROTOCOL, figures)
    print(alignment_table.whole(figures))
    missed = alignment.failures(figures)
    print("\n".join([f"Written to {path.name}.", *missed]))
    if missed:
        raise SystemExit(1)


def _load_readers(model: ShippedModel) -> Readers:
    return load_readers(Settings.from_env().models / FOLDER, model.device)


def _translation(model: ShippedModel, options: argparse.Namespace) -> None:
    """The table of every direction, kept in assets/results where the page reads it; a sheet goes to --out."""
    data = load(options.data, wanted=translation.is_paired)
    directions = []
    for way in TRANSLATIONS:
        every = 3 if Modality.PET in way else 1  # neighbours of a dense volume differ little
        train, test = (translation.pairs(data, split, *way) for split in ("train", options.split))
        if not len(test.sources):
            print(f"{way[0]} to {way[1]}: nobody in {options.split}")
            continue
        figures, sheet = translation.compare(model, train, test.thinned(every), way, regression.STEPS)
        if Modality.PET in way:
            figures["spect_people"] = translation.spect_people(data)
        directions.append(figures)
        save_sheet(options.out / f"translation-{way[0]}-{way[1]}.png", codec.as_tensor(sheet), columns=5)
    print(translation.table(directions))
    if options.split == "test":
        results.save("translation", model.card, translation.protocol(), {"directions": directions})


def _restore(model: ShippedModel, options: argparse.Namespace) -> None:
    """The table goes to --out row by row, and the same command goes on where it was stopped; whole, it is kept."""
    data, kinds = load(options.data), options.kinds.split(",")
    groups = restoration.groups(data, options.split, options.count or restoration.PICTURES, options.groups)
    protocol = restoration.protocol(options.count or restoration.PICTURES, options.split)
    known = {**protocol, "weights": model.card.weights_hash()}
    rows = restoration.run(
        model, groups, kinds, options.out / "restoration.json", known, lambda line: print(line, flush=True)
    )
    print(restoration.table(rows))
    if options.split == "test" and options.groups is None and kinds == list(RESTORATIONS):
        results.save("restoration", model.card, protocol, restoration.figures(rows))


def _watermark(model: ShippedModel, options: argparse.Namespace) -> None:
    """The table of robustness, with the bound from what --nulls has looked at into the same --out."""
    if options.nulls:
        print(nulls.sentence(nulls.run(published(options.data), options.nulls, options.out)))
        return
    data, count = load(options.data, wanted=lambda row: row["split"] == options.split), options.count
    real = robustness.chosen(data, options.split, (count or robustness.PICTURES) + 1)
    beside = real["film"].pop()
    pictures = {group: found[: count or robustness.PICTURES] for group, found in real.items()}
    pictures["generated"] = robustness.generated(model, count or robustness.PICTURES, options.out)
    groups = {group: robustness.marked(group, found) for group, found in pictures.items()}
    protocol = robustness.protocol(count or robustness.PICTURES, options.split)
    attacks = robustness.attacks(model, beside, options.out)
    rows = robustness.run(attacks, groups, options.out, protocol, lambda line: print(line, flush=True))
    figures = {
        "rows": [asdict(row) for row in rows],
        "nulls": asdict(nulls.bound(options.out)),
        "quality": robustness.quality(groups),
        "protected": robustness.protected(data, options.split),
        "reader": robustness.reader_effect(_load_readers(model), data, options.split),
    }
    print(robustness_table.whole(results.rounded(figures), protocol))
    if options.split == "test" and count is None:
        results.save("watermark", model.card, protocol, figures)
        known, page = results.load("watermark"), results.FOLDER.parents[1] / "docs" / "watermark.md"
        page.write_text(robustness_table.page(page.read_text(encoding="utf-8"), known, protocol, known["date"]))


MEASURES = {
    "codec": _codec,
    "samples": _samples,
    "control": _control,
    "readers": _readers,
    "likeness": _likeness,
    "alignment": _alignment,
    "translation": _translation,
    "restore": _restore,
    "watermark": _watermark,
}

if __name__ == "__main__":
    sys.exit(main())
