"""The card of a freshly trained model: counts and licences from the data themselves, figures added by evaluation."""

from __future__ import annotations

import argparse
from collections import Counter
from datetime import UTC, datetime

from synth.training.data import Collection
from synth.training.export import LEARNT_FROM, training_counts
from synth.training.lesions import FILM_KINDS, SLICE_KINDS
from synth.types import ModelCard

LICENCE = (
    "Weights: non-commercial, research and education only (some training images are licensed CC BY-NC or "
    "share-alike, or have no clear licence). Code: Apache-2.0."
)
INTENDED_USE = "Education and research: practising reads, teaching, method studies. Never diagnosis, never care."


def draft_card(model_id: str, data: Collection, seed: int) -> ModelCard:
    """The card without file hashes; what can be drawn follows from the counts of real training films."""
    counts = training_counts(data)
    learnt = tuple(code for code, count in counts.items() if count >= LEARNT_FROM)
    drawn = tuple(sorted({*FILM_KINDS, *SLICE_KINDS} - set(learnt)))
    train = [data.rows[i] for i in data.where(split="train")]
    return ModelCard(
        id=model_id,
        title="SynthRead 256: chest X-ray and CT from text, 256 px",
        revision=datetime.now(UTC).strftime("%Y.%m.%d") + f"-{seed}",
        files={},
        licence=LICENCE,
        training_data=f"{len(train)} images of {len({row['origin'] for row in train})} public collections",
        native_px=256,
        intended_use=INTENDED_USE,
        limits="Frontal chest films with 224 px of detail delivered at 256; one slice at a time; no lateral films.",
        text_findings=learnt,
        drawn_findings=drawn,
        training_counts=counts,
        modalities=("DX", "CT"),
    )


def draft_prose(data: Collection, options: argparse.Namespace) -> str:
    """Markdown below the JSON block: origins with licences, what rests on simulation, how to train it again."""
    rows = [data.rows[i] for i in data.where(split="train")]
    table = Counter((row["modality"], row["body_part"], row["origin"], row["licence"]) for row in rows)
    lines = ["## Training data", "", "| modality | part | origin | images | licence |", "|---|---|---|---|---|"]
    lines += [f"| {m} | {p} | {o} | {n} | {licence} |" for (m, p, o, licence), n in sorted(table.items())]
    counts = training_counts(data)
    only = sorted(code for code in {*FILM_KINDS, *SLICE_KINDS} if counts.get(code, 0) < LEARNT_FROM)
    lines += [
        "",
        "## What rests on simulated lesions",
        "",
        "Drawn or typed with a side, these findings rest on lesions simulated on real normal films and slices "
        f"(fewer than {LEARNT_FROM} real training films each): {', '.join(code.replace('_', ' ') for code in only)}.",
        "From text alone the model has seen real films only.",
        "",
        "## How it was trained",
        "",
        f"`python -m synth.training all --data DIR --out DIR --preset {options.preset} --minutes {options.minutes:g}`",
    ]
    return "\n".join(lines)
