"""Is the invisible mark found after what happens to pictures? Counts by group, and what the mark costs."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.diffusion.model import Model
from synth.evaluation import codec, drawing, reading, screens
from synth.evaluation.attacks import ATTACKS, MANY, Attack, Marked
from synth.models.readers import Readers
from synth.models.shipped import ShippedModel
from synth.provenance import watermark
from synth.training.data import Collection
from synth.training.reader_targets import Targets

Picture = npt.NDArray[np.uint8]

SEED = 31
PICTURES = 100  # of a group
FIRST_SEED = 50_000  # of the generated pictures
GROUPS = ("film", "CT slice", "generated")
PROTECTED = 60  # pictures with a known lesion
FULL = 255.0


@dataclass(frozen=True, slots=True)
class Row:
    """One attack on one group: how many were found, and in how many the payload was read."""

    attack: str
    what: str
    goal: float | None
    group: str
    pictures: int
    detected: int
    read: int
    lowest_z: float
    median_z: float


def marked(group: str, pictures: Sequence[Picture]) -> list[Marked]:
    """The pictures with their marks; key and payload are drawn from group and number."""
    items = []
    for number, pixels in enumerate(pictures):
        drawn = hashlib.sha256(f"synthread robustness {group} {number}".encode()).digest()
        payload, key = int.from_bytes(drawn[:8], "big"), drawn[8:]
        changed = np.asarray(watermark.embed(pixels, payload, key), np.uint8)
        items.append(Marked(pixels, changed, payload, key, number))
    return items


def chosen(data: Collection, split: str, count: int) -> dict[str, list[Picture]]:
    """`count` real films and CT slices of the chest, chosen by SEED."""
    groups = {}
    for group, modality in zip(GROUPS, ("DX", "CT"), strict=False):
        rows = data.where(split=split, modality=modality, body_part="CHEST")
        groups[group] = list(data.pixels[np.random.default_rng(SEED).permutation(rows)[:count]])
    return groups


def generated(model: Model, count: int, out: Path) -> list[Picture]:
    """`count` pictures of the model over all prompts of the sheet; drawn once and kept in `out`."""
    path = out / "generated.npz"
    if path.is_file() and len(kept := np.load(path)["pixels"]) >= count:
        return list(kept[:count])
    seeds = range(FIRST_SEED, FIRST_SEED + -(-count // len(drawing.SHEET_PROMPTS)))
    requests = drawing.requests_of(drawing.SHEET_PROMPTS, seeds, model.card.id)
    order = np.random.default_rng(SEED).permutation(len(requests))[:count]
    pictures = drawing.draw(model, [requests[k] for k in order])
    np.savez(path, pixels=pictures)
    return list(pictures)


def attacks(model: ShippedModel, beside: Picture, out: Path) -> tuple[Attack, ...]:
    """The pure ones, a pass through the model's codec, and screenshots where there is a browser."""

    def captured(items: Sequence[Marked]) -> list[Picture]:
        return screens.shots([(item.marked, item.number) for item in items], beside, out / "screens")

    def redrawn(items: Sequence[Marked]) -> list[Picture]:
        pixels = codec.as_tensor(np.stack([item.marked for item in items]))
        back = [model.to_pixels(model.to_latent(part)).cpu() for part in pixels.split(8)]
        return [np.rint(FULL * p.numpy()[0].clip(0, 1)).astype(np.uint8) for part in back for p in part]

    mine = [Attack("regeneration", "encoded and decoded by the model's own codec", None, redrawn)]
    if screens.chromium():
        mine.insert(0, Attack("screenshot", screens.WHAT, MANY, captured))
    return (*ATTACKS, *mine)


def measure(attack: Attack, group: str, items: Sequence[Marked]) -> Row:
    """Attack every picture, look for the mark with the whole search, and read the payload."""
    found = [watermark.detect(pixels, item.key) for pixels, item in zip(attack.apply(items), items, strict=True)]
    detected = sum(answer.state is watermark.State.DETECTED for answer in found)
    read = sum(answer.payload == item.payload for answer, item in zip(found, items, strict=True))
    scores = [answer.score for answer in found]
    lowest, median = min(scores), float(np.median(scores))
    return Row(attack.name, attack.what, attack.goal, group, len(items), detected, read, lowest, median)


def run(
    attacks: Sequence[Attack],
    groups: Mapping[str, Sequence[Marked]],
    out: Path,
    protocol: Mapping[str, Any],
    say: Callable[[str], None],
) -> list[Row]:
    """Measure what `out` does not hold yet under the same protocol; it is written after each row."""
    path = out / "watermark-rows.json"
    kept = json.loads(path.read_text()) if path.is_file() else {}
    rows = [Row(**row) for row in kept["rows"]] if kept.get("protocol") == protocol else []
    done = {(row.attack, row.group) for row in rows}
    for attack in attacks:
        for group, items in groups.items():
            if (attack.name, group) not in done:
                rows.append(measure(attack, group, items))
                say(f"{attack.name}, {group}: {rows[-1].detected} of {rows[-1].pictures}, read {rows[-1].read}")
                path.write_text(json.dumps({"protocol": dict(protocol), "rows": [asdict(row) for row in rows]}))
    return rows


def quality(groups: Mapping[str, Sequence[Marked]]) -> dict[str, dict[str, float]]:
    """PSNR (dB) of the marked pictures, by group."""
    decibels = {g: [watermark.psnr(i.clean, i.marked, FULL) for i in items] for g, items in groups.items()}
    return {g: {"lowest": min(values), "median": float(np.median(values))} for g, values in decibels.items()}


def protected(data: Collection, split: str) -> dict[str, float]:
    """The mark with a known lesion protected: PSNR inside it with and without, and how many are found."""
    rows = [int(i) for i in data.where(split=split, modality="CT", body_part="CHEST") if i in data.masks]
    rows = [i for i in np.random.default_rng(SEED).permutation(rows).tolist() if data.masks[i].any()][:PROTECTED]
    clean, areas = [data.pixels[i] for i in rows], [data.masks[i] for i in rows]
    inside: dict[str, list[float]] = {"protected": [], "plain": []}
    found = 0
    for item, area in zip(marked("protected", clean), areas, strict=True):
        spared = np.asarray(watermark.embed(item.clean, item.payload, item.key, area), np.uint8)
        found += watermark.detect(spared, item.key).payload == item.payload
        for name, pixels in (("protected", spared), ("plain", item.marked)):
            inside[name].append(min(99.0, watermark.psnr(item.clean[area], pixels[area], FULL)))
    return {"pictures": len(rows), "found": found, **{f"inside_{k}": float(np.median(v)) for k, v in inside.items()}}


def reader_effect(readers: Readers, data: Collection, split: str) -> dict[str, Any]:
    """What mark and, for scale, JPEG 95 change in the classifier: mean change a finding, and AUROC by origin."""
    targets = Targets.of(data, split)
    clean = data.pixels[targets.rows]
    jpeg = next(attack for attack in ATTACKS if attack.name == "JPEG 95")
    items = marked("reader", list(clean))
    ways = {
        "unmarked": clean,
        "marked": np.stack([item.marked for item in items]),
        "JPEG 95": np.stack(jpeg.apply([Marked(i.clean, i.clean, 0, i.key, i.number) for i in items])),
    }
    logits = {name: readers.read(reading.as_planes(pixels)).logits for name, pixels in ways.items()}
    chances = {name: values.sigmoid().numpy() for name, values in logits.items()}
    origins = np.array([data.rows[i]["origin"] for i in targets.rows])
    areas = {name: _aurocs(values.numpy(), targets.findings, origins, readers.codes) for name, values in logits.items()}
    figures: dict[str, Any] = {"pictures": len(clean), "aurocs": len(areas["unmarked"])}
    for name in ("marked", "JPEG 95"):
        moved = np.abs(chances[name] - chances["unmarked"])
        changes = [areas[name][k] - areas["unmarked"][k] for k in areas["unmarked"]]
        figures[name] = {
            "mean_change": dict(zip(readers.codes, moved.mean(0).tolist(), strict=True)),
            "mean": float(moved.mean()),
            "largest_auroc_change": max(map(abs, changes), default=0.0),
            "mean_auroc_change": sum(changes) / max(1, len(changes)),
        }
    return figures


def _aurocs(
    logits: npt.NDArray[np.floating[Any]], told: npt.NDArray[np.floating[Any]], origins: npt.NDArray[Any],
    codes: Sequence[str],
) -> dict[str, float]:  # fmt: skip
    """ "code, origin" -> area, where an origin has enough of both."""
    figures = {}
    for k, code in enumerate(codes):
        for origin in np.unique(origins):
            there, absent = (logits[(origins == origin) & (told[:, k] == value), k] for value in (1, 0))
            if min(len(there), len(absent)) >= reading.FEWEST:
                figures[f"{code}, {origin}"] = reading.area(there, absent)
    return figures


def protocol(count: int, split: str) -> dict[str, Any]:
    """How the table was made, and the scores at which the detector says yes."""
    return {
        "command": f"python -m synth.evaluation watermark --count {count} --split {split}",
        "pictures": count,
        "split": split,
        "seed": SEED,
        "first_seed_of_generated": FIRST_SEED,
        "detector": watermark.DETECTOR,
        "false_alarms": watermark.FALSE_ALARMS,
        "thresholds_z": [round(math.sqrt(2 * math.log(n / watermark.FALSE_ALARMS)), 2) for n in watermark.TRIALS],
        "screenshots": screens.chromium() is not None,
    }
